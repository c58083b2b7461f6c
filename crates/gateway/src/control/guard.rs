//! Who may speak to the control API at all.
//!
//! It listens on loopback, where every page in a browser can reach it, too: a
//! page sends its own `Origin`, and one that has made its name point at this
//! machine sends that name as `Host`. Both are refused before the token is
//! looked at.

use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderName, header};

use super::token::{Scope, Token};
use super::{Problem, ProblemKind};

/// The names that this machine has for itself.
const OURSELVES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Decides who may speak. Does no I/O.
#[derive(Debug)]
pub(super) struct Guard {
    port: u16,
    tokens: Vec<(Token, Scope)>,
}

impl Guard {
    /// Opens the API at this address to whoever has one of the tokens.
    pub(super) fn new(address: SocketAddr, tokens: impl Iterator<Item = Token>) -> Self {
        let tokens = tokens.map(|token| (token, Scope::Admin)).collect();
        Self { port: address.port(), tokens }
    }

    /// Refuses what a page in a browser could send.
    pub(super) fn place(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(host) = one(headers, &header::HOST) else {
            return Err(refused("host_refused", "the request names no host, or several"));
        };
        if !self.is_us(host) {
            return Err(refused("host_refused", "the request is for another host"));
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        let origin = one(headers, &header::ORIGIN).and_then(|it| it.strip_prefix("http://"));
        if origin.is_some_and(|origin| self.is_us(origin)) {
            return Ok(());
        }
        Err(refused("origin_refused", "the request comes from a page of another origin"))
    }

    /// Returns what the bearer of the request's token may do.
    pub(super) fn scope(&self, headers: &HeaderMap) -> Result<Scope, Problem> {
        let given = one(headers, &header::AUTHORIZATION).and_then(bearer);
        let Some(given) = given else {
            return Err(unauthorized("token_missing", "the request has no bearer token"));
        };
        // All are compared, so that the time does not say which one was close.
        let granted = self.tokens.iter().filter(|(token, _)| token.is(given));
        granted
            .map(|(_, scope)| *scope)
            .max()
            .ok_or_else(|| unauthorized("token_wrong", "the token is not one of this gateway"))
    }

    fn is_us(&self, host: &str) -> bool {
        let port = format!(":{}", self.port);
        let name = host.strip_suffix(&port);
        name.is_some_and(|name| OURSELVES.iter().any(|us| us.eq_ignore_ascii_case(name)))
    }
}

/// Returns the value of a header that stands there once and is text.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refused(code: &str, message: &str) -> Problem {
    let hint = "the control API is for programs on this machine, not for pages";
    Problem::new(ProblemKind::Forbidden, code, message, hint)
}

fn unauthorized(code: &str, message: &str) -> Problem {
    let hint = "send `Authorization: Bearer …` with the token in control.json of the state folder";
    Problem::new(ProblemKind::Unauthorized, code, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        let address = ([127, 0, 0, 1], 7000).into();
        Guard::new(address, [Token::new("secret".into())].into_iter())
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    fn place(pairs: &[(HeaderName, &str)]) -> Result<(), String> {
        guard().place(&headers(pairs)).map_err(|problem| problem.code)
    }

    #[test]
    fn only_our_own_names_with_our_port_are_hosts() {
        for host in ["127.0.0.1:7000", "localhost:7000", "LOCALHOST:7000", "[::1]:7000"] {
            assert_eq!(place(&[(header::HOST, host)]), Ok(()), "{host}");
        }
        for host in ["evil.example:7000", "127.0.0.1", "127.0.0.1:80", "localhost.evil:7000", ""] {
            assert_eq!(place(&[(header::HOST, host)]), Err("host_refused".into()), "{host}");
        }
        let twice = [(header::HOST, "localhost:7000"), (header::HOST, "localhost:7000")];
        assert_eq!(place(&twice), Err("host_refused".into()));
        assert_eq!(place(&[]), Err("host_refused".into()));
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let from = |origin| place(&[(header::HOST, "localhost:7000"), (header::ORIGIN, origin)]);
        assert_eq!(from("http://127.0.0.1:7000"), Ok(()));
        for origin in ["http://evil.example", "null", "https://localhost:7000", "http://localhost"]
        {
            assert_eq!(from(origin), Err("origin_refused".into()), "{origin}");
        }
    }

    #[test]
    fn only_the_whole_token_opens() {
        let scope = |value: &str| guard().scope(&headers(&[(header::AUTHORIZATION, value)])).ok();
        assert_eq!(scope("Bearer secret"), Some(Scope::Admin));
        assert_eq!(scope("bearer secret"), Some(Scope::Admin));
        for wrong in ["Bearer secre", "Bearer secrets", "Bearer ", "Basic secret", "secret"] {
            assert_eq!(scope(wrong), None, "{wrong}");
        }
        assert!(guard().scope(&HeaderMap::new()).is_err());
    }
}

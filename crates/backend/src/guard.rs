//! Who may come in: hosts, origins, cookies, the admin token. Pure.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use ilink::UserId;

use crate::api::bearer;
use crate::core::Core;
use crate::secret::same;

/// The cookie that says whose phone it is.
const COOKIE: &str = "phone";
/// The header that a page of another site cannot send.
pub(crate) const PHONE_HEADER: &str = "x-phone";

/// Says whether anyone who reaches the phone page may be any user: only
/// programs of this machine can.
pub(crate) fn is_open_door(core: &Core) -> bool {
    core.place.is_private
}

/// Says whether a request names us as its host. A page of another site that
/// had its own name point at this machine does not.
pub(crate) fn is_meant_for_us(core: &Core, headers: &HeaderMap) -> bool {
    !core.place.is_private || host(headers).is_some_and(is_local_name)
}

/// Says whether a request may use the admin API.
pub(crate) fn is_admin(core: &Core, headers: &HeaderMap, peer: IpAddr) -> bool {
    if has_admin_token(core, headers) {
        return true;
    }
    // Behind a proxy everybody comes from this machine.
    let is_direct = core.place.is_private || !core.place.has_public_url;
    is_direct && peer.is_loopback() && host(headers).is_some_and(is_local_name)
}

pub(crate) fn has_admin_token(core: &Core, headers: &HeaderMap) -> bool {
    let expected = core.admin_token.as_deref().filter(|token| !token.is_empty());
    expected.zip(bearer(headers)).is_some_and(|(expected, given)| same(expected, given))
}

/// Says whether a browser sent the request for a page of another site.
pub(crate) fn is_cross_site(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if matches!(
        text(header::HeaderName::from_static("sec-fetch-site")),
        Some("cross-site" | "same-site")
    ) {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return false;
    };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    origin.is_none_or(|(_, host)| text(header::HOST) != Some(host))
}

/// Says whether a request comes from a user's own phone.
pub(crate) fn is_phone_of(core: &Core, headers: &HeaderMap, user: &UserId) -> bool {
    let expected = core.secret.cookie(user);
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.any(|(name, value)| name == COOKIE && same(value, &expected))
}

/// Returns the `Set-Cookie` that makes a browser a user's phone.
pub(crate) fn cookie(core: &Core, user: &UserId) -> String {
    const YEAR: u32 = 31_536_000;
    let value = core.secret.cookie(user);
    let secure = if core.place.is_https() { "; Secure" } else { "" };
    format!(
        "{COOKIE}={value}; Path=/phone/api/u/{user}; Max-Age={YEAR}; HttpOnly; SameSite=Strict{secure}"
    )
}

/// Returns the host of a request, without its port.
fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    Some(without_port)
}

/// Says whether a host name can only mean this machine.
pub(crate) fn is_local_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let value = |(name, value): &(&'static str, &'static str)| {
            (header::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(value).collect()
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        for local in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"] {
            assert!(is_local_name(local), "{local}");
        }
        for other in ["evil.example", "localhost.evil.example", "0.0.0.0", "10.0.0.1", ""] {
            assert!(!is_local_name(other), "{other}");
        }
        assert_eq!(host(&headers(&[("host", "[::1]:8080")])), Some("[::1]"));
        assert_eq!(host(&headers(&[("host", "localhost")])), Some("localhost"));
    }

    #[test]
    fn requests_of_other_sites_are_told_by_their_origin() {
        let cases = [
            (headers(&[("host", "127.0.0.1:1")]), false),
            (headers(&[("host", "127.0.0.1:1"), ("origin", "http://127.0.0.1:1")]), false),
            (headers(&[("host", "127.0.0.1:1"), ("origin", "http://127.0.0.1:2")]), true),
            (headers(&[("host", "127.0.0.1:1"), ("origin", "null")]), true),
            (headers(&[("host", "127.0.0.1:1"), ("sec-fetch-site", "cross-site")]), true),
        ];
        for (headers, cross) in cases {
            assert_eq!(is_cross_site(&headers), cross, "{headers:?}");
        }
    }
}

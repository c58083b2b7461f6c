//! What can go wrong in one exchange, and what to do about it.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::addresses::DnsError;
use crate::Code;

/// An exchange that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("{endpoint}: {cause}")]
pub struct ClientError {
    /// The endpoint, by its name in the protocol.
    pub endpoint: &'static str,
    /// What happened.
    #[source]
    pub cause: Cause,
}

/// Why an exchange did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The host's name did not resolve.
    #[error("the host name did not resolve: {0}")]
    Dns(String),
    /// No connection could be made: the backend has seen nothing of the request.
    #[error("no connection could be made: {0}")]
    Connect(String),
    /// The connection broke; the backend may have acted.
    #[error("the connection broke: {0}")]
    Tcp(String),
    /// The connection could not be secured.
    #[error("the connection could not be secured: {0}")]
    Tls(String),
    /// The request could not be made: a token or a tag that fits in no header.
    #[error("the request could not be made: {0}")]
    Unsendable(String),
    /// The client gave up; the backend may have acted.
    #[error("no complete answer within {after:?}")]
    Timeout {
        /// The deadline that passed.
        after: Duration,
    },
    /// An answer outside 2xx, from the backend or from an edge before it.
    #[error("answered with HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
        /// When to come back, if the answer says so.
        retry_after: Option<Duration>,
    },
    /// A 2xx answer that is not what the protocol says.
    #[error("the answer is not what the protocol says: {0}")]
    Malformed(String),
    /// An answer larger than it may be.
    #[error("the answer is larger than {cap} bytes")]
    TooLarge {
        /// The limit.
        cap: u64,
    },
    /// The backend said no in the body.
    #[error("refused with code {code}{}", describe(errmsg))]
    Refused {
        /// The return code.
        code: Code,
        /// The backend's words; may be empty.
        errmsg: String,
    },
}

fn describe(errmsg: &str) -> String {
    if errmsg.is_empty() { String::new() } else { format!(" ({errmsg})") }
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Try again, not before `after` when the backend said so.
    Retry {
        /// The backend's hint.
        after: Option<Duration>,
    },
    /// The bot token is stale: only a new login can help, or time.
    Relogin,
    /// The same request will not succeed.
    GiveUp,
}

impl ClientError {
    /// Returns what to do about it.
    ///
    /// `-2` has several meanings that only a caller who knows the conversation
    /// can tell apart; here it is an overload, which may be retried.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self.cause {
            Cause::Dns(_)
            | Cause::Connect(_)
            | Cause::Tcp(_)
            | Cause::Tls(_)
            | Cause::Timeout { .. }
            | Cause::Malformed(_) => Recovery::Retry { after: None },
            Cause::Status { status: 408 | 425 | 429 | 500.., retry_after } => {
                Recovery::Retry { after: retry_after }
            }
            Cause::Refused { code: Code::STALE_TOKEN, .. } => Recovery::Relogin,
            Cause::Refused { code: Code::REFUSED, .. } => Recovery::Retry { after: None },
            Cause::Status { .. }
            | Cause::Unsendable(_)
            | Cause::TooLarge { .. }
            | Cause::Refused { .. } => Recovery::GiveUp,
        }
    }

    /// Says whether the client gave up waiting, as opposed to any answer.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.cause, Cause::Timeout { .. })
    }

    /// Says whether the backend called the bot token stale.
    #[must_use]
    pub fn is_stale_token(&self) -> bool {
        matches!(self.cause, Cause::Refused { code: Code::STALE_TOKEN, .. })
    }
}

impl Cause {
    /// Sorts a transport error by the type found in its chain of causes.
    pub(crate) fn of_transport(err: reqwest::Error) -> Self {
        // Addresses carry tickets in their query.
        let err = err.without_url();
        let mut cause: &(dyn Error + 'static) = &err;
        while let Some(inner) = inner(cause) {
            cause = inner;
            if cause.is::<DnsError>() {
                return Self::Dns(cause.to_string());
            }
            if cause.is::<rustls::Error>() {
                return Self::Tls(cause.to_string());
            }
        }
        if err.is_builder() {
            return Self::Unsendable(cause.to_string());
        }
        if err.is_connect() {
            return Self::Connect(cause.to_string());
        }
        Self::Tcp(cause.to_string())
    }
}

/// Returns what an error holds. An I/O error skips over what was put into it
/// when it is asked for its source.
fn inner<'a>(err: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let held = err.downcast_ref::<io::Error>().and_then(|io| io.get_ref());
    held.map(|held| held as _).or_else(|| err.source())
}

/// Reads a `Retry-After` in seconds; the date form is not used by this backend.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

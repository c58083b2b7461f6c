//! What became of a send, and what can help.
//!
//! The backend says no with one code for many reasons and few words. This is
//! the only place that reads its words: together with what we know (how long
//! ago the peer wrote, how many sends followed, how long the text is) they make
//! a typed outcome.

use std::time::Duration;

use ilink::client::Cause;
use ilink::media::MediaError;
use ilink::wire::Sent;
use ilink::{ClientError, Code, MessageId};

use crate::governor::{Limits, ms};

/// What became of one try to send a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The backend has it and gave it an id. Not a receipt of the peer.
    Queued {
        /// The id.
        id: MessageId,
    },
    /// The backend has it; tool items and empty answers never have an id.
    Accepted,
    /// Accepted with `ret: 0` and without an id: the peer may never see it
    /// (several live tests).
    Unconfirmed,
    /// Too much in too short a time.
    RateLimited {
        /// When to come back, in milliseconds since 1970, if the answer says so.
        until_ms: Option<i64>,
    },
    /// The peer wrote too long ago, or never.
    WindowClosed,
    /// No more sends may follow the peer's last message.
    QuotaSpent,
    /// The text has to be split into smaller parts.
    TooLong,
    /// The context token is missing or no longer good.
    StaleContext,
    /// The backend does not know the peer by this id.
    WrongPeer,
    /// The bot token is no longer good.
    StaleToken,
    /// The backend or the CDN does not want this media.
    UploadRefused {
        /// What it said.
        reason: String,
    },
    /// The media did not reach the CDN; a later try, with a new ticket, may do.
    UploadFailed {
        /// When to come back, if the answer says so.
        after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// There is nothing to send.
    Unsendable(Unsendable),
    /// No answer, or none that can be understood.
    Transport {
        /// Whether the message may have arrived all the same.
        unknown: bool,
        /// When to come back, if the answer says so.
        after: Option<Duration>,
    },
    /// Refused for a reason that this version does not know.
    Refused {
        /// The backend's code, or the HTTP status outside 2xx.
        code: Code,
        /// The backend's words; may be empty.
        errmsg: String,
    },
}

/// Why there is nothing to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// The media has more bytes than allowed.
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// The media cannot be read.
    MediaUnreadable,
    /// The stored message was written by another version of this program.
    RowUnreadable,
    /// The request cannot be made, such as with a token that fits in no header.
    NoRequest,
}

/// Why a try did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The backend did not take the message.
    #[error(transparent)]
    Send(#[from] ClientError),
    /// The media did not get to the CDN.
    #[error(transparent)]
    Upload(#[from] MediaError),
    /// The stored message cannot be read.
    #[error("another version of this program wrote it")]
    Unreadable,
}

/// How long a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextSize {
    /// In characters.
    pub chars: usize,
    /// In bytes of UTF-8.
    pub bytes: usize,
}

impl TextSize {
    /// Measures a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { chars: text.chars().count(), bytes: text.len() }
    }
}

/// What we know of a conversation at the moment of a send.
#[derive(Clone, Copy, Debug)]
pub struct Knowledge<'a> {
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
    /// The limits that are set.
    pub limits: &'a Limits,
    /// The text that was sent; nothing for media and tools.
    pub text: TextSize,
    /// Whether it carried a context token.
    pub has_context: bool,
    /// How long before the send the peer wrote; `None` if never.
    pub inbound_age_ms: Option<i64>,
    /// How many sends had followed the peer's message before this one.
    pub sends_used: u32,
    /// How long ago the last of them was accepted.
    pub since_accepted_ms: Option<i64>,
}

/// What can help against an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same again under the same client id: after a pause of the caller's
    /// backoff, or the backend's hint.
    After {
        /// The backend's hint.
        hint: Option<Duration>,
    },
    /// The same again as soon as the governor lets it pass.
    WhenAllowed,
    /// The same again if there is a newer context token than the one that was
    /// sent; otherwise when the peer writes, which brings one.
    WithFreshContext,
    /// The same again when the peer has written.
    OnNextInbound,
    /// The same again after a new login.
    AfterLogin,
    /// The text in smaller parts.
    SplitSmaller,
    /// Nothing: it is sent, or it is hopeless.
    Never,
}

impl Outcome {
    /// Says whether the backend has the message.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        matches!(self, Self::Queued { .. } | Self::Accepted | Self::Unconfirmed)
    }

    /// Returns what can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::RateLimited { .. } => Retry::WhenAllowed,
            Self::WindowClosed | Self::QuotaSpent => Retry::OnNextInbound,
            Self::TooLong => Retry::SplitSmaller,
            Self::StaleContext => Retry::WithFreshContext,
            Self::StaleToken => Retry::AfterLogin,
            Self::UploadFailed { after, .. } | Self::Transport { after, .. } => {
                Retry::After { hint: *after }
            }
            // An overload that has found new words; other codes are about the request.
            Self::Refused { code: Code::REFUSED, .. } => Retry::After { hint: None },
            Self::Queued { .. }
            | Self::Accepted
            | Self::Unconfirmed
            | Self::WrongPeer
            | Self::UploadRefused { .. }
            | Self::Unsendable(_)
            | Self::Refused { .. } => Retry::Never,
        }
    }
}

/// Makes an outcome of an answer and of what we know.
#[must_use]
pub fn classify(result: &Result<Sent, Failed>, known: &Knowledge<'_>) -> Outcome {
    match result {
        Ok(sent) => accepted(sent),
        Err(Failed::Send(err)) => not_sent(&err.cause, known),
        Err(Failed::Upload(err)) => not_uploaded(err, known),
        Err(Failed::Unreadable) => Outcome::Unsendable(Unsendable::RowUnreadable),
    }
}

/// A call that was refused as one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// When to come back, in milliseconds since 1970, if the answer says so.
    pub(crate) until_ms: Option<i64>,
}

impl TooMany {
    /// Reads the failure of a call that sends no message. Only what says so
    /// counts: nothing else is known that could explain fewer words.
    pub(crate) fn read(err: &ClientError, now_ms: i64) -> Option<Self> {
        if let Cause::Status { status: 429, retry_after } = err.cause {
            let until_ms = retry_after.map(|after| now_ms.saturating_add(ms(after)));
            return Some(Self { until_ms });
        }
        if let Cause::Refused { code: Code::REFUSED, errmsg } = &err.cause
            && matches!(Words::read(errmsg), Words::RateLimited)
        {
            return Some(Self { until_ms: None });
        }
        None
    }
}

fn accepted(sent: &Sent) -> Outcome {
    match &sent.message_id {
        Some(id) if !id.as_str().is_empty() => Outcome::Queued { id: id.clone() },
        // An empty body, which is what tool items are answered with.
        _ if sent.ret.is_none() && sent.errcode.is_none() => Outcome::Accepted,
        _ => Outcome::Unconfirmed,
    }
}

fn not_sent(cause: &Cause, known: &Knowledge<'_>) -> Outcome {
    match cause {
        Cause::Refused { code, errmsg } => refused(*code, errmsg, known),
        Cause::Status { status, retry_after } => status_outcome(*status, *retry_after, known),
        Cause::Dns(_) | Cause::Tls(_) | Cause::Connect(_) => {
            Outcome::Transport { unknown: false, after: None }
        }
        // A connection may break after the request has arrived, too.
        Cause::Tcp(_) | Cause::Timeout { .. } | Cause::Malformed(_) | Cause::TooLarge { .. } => {
            Outcome::Transport { unknown: true, after: None }
        }
        Cause::Unsendable(_) => Outcome::Unsendable(Unsendable::NoRequest),
    }
}

fn status_outcome(status: u16, after: Option<Duration>, known: &Knowledge<'_>) -> Outcome {
    match status {
        429 => {
            let until_ms = after.map(|after| known.now_ms.saturating_add(ms(after)));
            Outcome::RateLimited { until_ms }
        }
        413 => Outcome::TooLong,
        // An edge that gives up does not know what the backend did.
        408 | 425 | 500.. => Outcome::Transport { unknown: true, after },
        _ => Outcome::Refused { code: Code(i64::from(status)), errmsg: String::new() },
    }
}

fn refused(code: Code, errmsg: &str, known: &Knowledge<'_>) -> Outcome {
    match code {
        Code::REFUSED => overloaded(errmsg, known),
        Code::WRONG_PEER => Outcome::WrongPeer,
        Code::NO_CONTEXT => Outcome::StaleContext,
        Code::STALE_TOKEN => Outcome::StaleToken,
        _ => Outcome::Refused { code, errmsg: errmsg.to_owned() },
    }
}

/// What the words of code -2 stand for.
#[derive(Clone, Copy)]
enum Words {
    /// `rate limited`.
    RateLimited,
    /// `prepare failed`: window, quota or length (one live test each).
    PrepareFailed,
    /// `unknown error` or none: a stale context, or a closed window (several
    /// live tests).
    Nothing,
    /// Others.
    Unknown,
}

impl Words {
    fn read(errmsg: &str) -> Self {
        let words = errmsg.trim().to_lowercase();
        if words.contains("rate limit") || words.contains("too many") {
            Self::RateLimited
        } else if words.contains("prepare failed") {
            Self::PrepareFailed
        } else if words.is_empty() || words.contains("unknown error") {
            Self::Nothing
        } else {
            Self::Unknown
        }
    }
}

/// Tells the meanings of code -2 apart: by its words, then by what we know
/// for sure, then by what is likely.
fn overloaded(errmsg: &str, known: &Knowledge<'_>) -> Outcome {
    let words = Words::read(errmsg);
    if matches!(words, Words::RateLimited) {
        return Outcome::RateLimited { until_ms: None };
    }
    if let Some(certain) = known.certain() {
        return certain;
    }
    match words {
        Words::PrepareFailed => known.likely(),
        // A context that worked a moment ago has not gone stale since.
        Words::Nothing if known.has_context && known.is_in_full_swing() => {
            Outcome::RateLimited { until_ms: None }
        }
        Words::Nothing => Outcome::StaleContext,
        Words::RateLimited | Words::Unknown => {
            Outcome::Refused { code: Code::REFUSED, errmsg: errmsg.to_owned() }
        }
    }
}

/// Fewer sends than this have never been a whole quota.
const SMALLEST_QUOTA: u32 = 3;
/// A shorter text has never been too long.
const SUSPICIOUS_CHARS: usize = 500;
/// So soon after an accepted message to the same peer, speed is the reason.
const FULL_SWING_MS: i64 = 10_000;

impl Knowledge<'_> {
    /// Returns which limit the send was beyond, if any.
    fn certain(&self) -> Option<Outcome> {
        let limits = self.limits;
        if self.text.chars > limits.hard_chars || self.text.bytes > limits.hard_bytes {
            return Some(Outcome::TooLong);
        }
        if let Some(window) = limits.window
            && self.inbound_age_ms.is_none_or(|age| age >= ms(window))
        {
            return Some(Outcome::WindowClosed);
        }
        let is_spent = limits.sends_per_inbound.is_some_and(|quota| self.sends_used >= quota);
        is_spent.then_some(Outcome::QuotaSpent)
    }

    /// Returns the likely reason of `prepare failed` where no limit explains it.
    fn likely(&self) -> Outcome {
        let is_fresh = self.inbound_age_ms.is_some_and(|age| age < ms(self.limits.window_sure));
        // No quota is so small and no window so short: what is left is the length.
        let is_first = self.sends_used < SMALLEST_QUOTA && self.text.chars > SUSPICIOUS_CHARS;
        if is_fresh && (is_first || self.text.chars > self.limits.larger_part_chars) {
            Outcome::TooLong
        } else if is_fresh && self.sends_used > 0 {
            Outcome::QuotaSpent
        } else {
            Outcome::WindowClosed
        }
    }

    fn is_in_full_swing(&self) -> bool {
        self.since_accepted_ms.is_some_and(|since| since < FULL_SWING_MS)
    }
}

/// Whatever happens to an upload, no message has arrived.
fn not_uploaded(err: &MediaError, known: &Knowledge<'_>) -> Outcome {
    let reason = || err.to_string();
    match err {
        MediaError::Exchange { error, .. } => match not_sent(&error.cause, known) {
            Outcome::Transport { after, .. } => Outcome::UploadFailed { after, reason: reason() },
            same @ (Outcome::RateLimited { .. }
            | Outcome::WindowClosed
            | Outcome::QuotaSpent
            | Outcome::StaleToken
            | Outcome::WrongPeer
            | Outcome::Unsendable(_)) => same,
            // No context token travels with an upload: an overload, then.
            Outcome::StaleContext | Outcome::Refused { code: Code::REFUSED, .. } => {
                Outcome::UploadFailed { after: None, reason: reason() }
            }
            Outcome::Queued { .. }
            | Outcome::Accepted
            | Outcome::Unconfirmed
            | Outcome::TooLong
            | Outcome::UploadRefused { .. }
            | Outcome::UploadFailed { .. }
            | Outcome::Refused { .. } => Outcome::UploadRefused { reason: reason() },
        },
        MediaError::NoTicket | MediaError::NoReference | MediaError::SourceChanged => {
            Outcome::UploadFailed { after: None, reason: reason() }
        }
        MediaError::NoAddress | MediaError::HostRefused { .. } => {
            Outcome::UploadRefused { reason: reason() }
        }
        MediaError::TooLarge { max } => Outcome::Unsendable(Unsendable::TooLarge { max: *max }),
        MediaError::Source(_) | MediaError::Cipher(_) | MediaError::Store(_) => {
            Outcome::Unsendable(Unsendable::MediaUnreadable)
        }
    }
}

#[cfg(test)]
mod tests;

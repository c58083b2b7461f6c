//! What is told of a login, and how it ends.

use serde::Serialize;
use url::Url;

use crate::{BotId, BotToken, QrCodeId, UserId};

/// What a person, a page or a program is told. Holds no credential, so it may
/// be written anywhere its reader may scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LoginEvent {
    /// Show this code. It replaces the one before.
    QrShown {
        /// The text to draw as a QR code; an address that also opens by itself.
        link: String,
        /// The code's id.
        qrcode: QrCodeId,
        /// How many codes came before.
        n_refresh: u32,
    },
    /// The code is of no use any more; another one is fetched.
    QrEnded {
        /// Why.
        why: QrEnd,
    },
    /// The phone has scanned; it now asks for confirmation.
    Scanned,
    /// Ask for the digits that the phone shows.
    VerifyCodeNeeded {
        /// Whether digits were entered and are wrong.
        wrong: bool,
    },
    /// The login goes on at another host.
    Redirected {
        /// The host.
        host: String,
    },
    /// It is over, and how.
    Done(Ending),
}

/// Why a code is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QrEnd {
    /// It is too old, or the person declined: the backend does not say which.
    Expired,
    /// Too many wrong digits.
    Blocked,
}

/// How a login ended, as far as anyone may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub enum Ending {
    /// There is a new credential.
    Confirmed {
        /// The bot.
        bot_id: BotId,
    },
    /// One of the known tokens is this bot already; nothing new was issued.
    AlreadyBound,
    /// The last code became too old.
    Expired,
    /// Too many wrong digits for the last code.
    Blocked,
    /// The deadline passed.
    TimedOut,
    /// The person gave up.
    Cancelled,
    /// It did not work.
    Failed {
        /// What was wrong.
        reason: String,
    },
}

/// How a login ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The new credential.
    Confirmed(Credentials),
    /// One of the known tokens is this bot already; nothing new was issued.
    AlreadyBound,
    /// The last code became too old.
    Expired,
    /// Too many wrong digits for the last code.
    Blocked,
    /// The deadline passed.
    TimedOut,
    /// The person gave up.
    Cancelled,
    /// It did not work.
    Failed(LoginError),
}

impl Outcome {
    /// Returns the new credential, if there is one.
    #[must_use]
    pub fn into_credentials(self) -> Option<Credentials> {
        match self {
            Self::Confirmed(credentials) => Some(credentials),
            Self::AlreadyBound
            | Self::Expired
            | Self::Blocked
            | Self::TimedOut
            | Self::Cancelled
            | Self::Failed(_) => None,
        }
    }

    /// Returns what may be told of it.
    #[must_use]
    pub fn ending(&self) -> Ending {
        match self {
            Self::Confirmed(it) => Ending::Confirmed { bot_id: it.bot_id.clone() },
            Self::AlreadyBound => Ending::AlreadyBound,
            Self::Expired => Ending::Expired,
            Self::Blocked => Ending::Blocked,
            Self::TimedOut => Ending::TimedOut,
            Self::Cancelled => Ending::Cancelled,
            Self::Failed(err) => Ending::Failed { reason: err.to_string() },
        }
    }
}

/// What a login issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The credential.
    pub token: BotToken,
    /// The bot.
    pub bot_id: BotId,
    /// Who scanned, if the backend says so.
    pub user_id: Option<UserId>,
    /// Where the account lives from now on: what the backend says, else where
    /// the login began.
    pub base_url: Url,
}

/// Why a login did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The backend gave no code.
    #[error("no QR code: {0}")]
    NoQr(String),
    /// The backend will not tell the status.
    #[error("no login status: {0}")]
    NoStatus(String),
    /// Confirmed, but without a token or without the bot's id.
    #[error("confirmed without {missing}")]
    Incomplete {
        /// What was missing.
        missing: &'static str,
    },
    /// The host to go on at is no host.
    #[error("redirected to {host:?}, which is no host")]
    BadRedirect {
        /// What the backend said.
        host: String,
    },
    /// The account's base URL is no address, or is plain HTTP after a login
    /// over HTTPS, which would give the token away.
    #[error("the account's base URL {base_url:?} is not usable")]
    BadBaseUrl {
        /// What the backend said.
        base_url: String,
    },
}

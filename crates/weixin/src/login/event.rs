//! What is told of a login. Holds no credential.

use contract::AccountId;
use ilink::login::QrEnd;
use serde::Serialize;

/// What a person, a page or a program is told, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Show this code. It replaces the one before.
    Qr {
        /// The text to draw as a QR code; an address that also opens on the phone.
        url: String,
        /// About how long it lives. The backend does not say (one to five minutes
        /// were measured); when it is over, another one comes by itself.
        lives_secs: u64,
        /// How many codes came before.
        n_refresh: u32,
    },
    /// Nobody has scanned for a while: a person may need advice.
    Idle {
        /// For how long.
        secs: u64,
    },
    /// The code is of no use any more; the next [`Event::Qr`] follows.
    Refreshed {
        /// Why.
        why: QrEnd,
    },
    /// The phone has scanned; it now asks for confirmation.
    Scanned,
    /// Ask for the digits that the phone shows, and answer.
    VerifyCodeNeeded {
        /// Whether digits were given and are wrong.
        wrong: bool,
    },
    /// The login goes on at another host.
    Redirected {
        /// The host.
        host: String,
    },
    /// The phone has agreed.
    Confirmed {
        /// The account.
        account: AccountId,
    },
    /// The credentials are on disk.
    Saved {
        /// The account.
        account: AccountId,
        /// The name given to it.
        name: Option<String>,
        /// Whether the name that was wanted belongs to someone else's account.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        name_taken: bool,
        /// Accounts of the same person that it replaces.
        replaced: Vec<AccountId>,
    },
    /// Nothing new was issued: one of the accounts here is this bot. It is now
    /// checked which ones work.
    AlreadyBound,
    /// An account is waited for, until it polls.
    Checking {
        /// The account.
        account: AccountId,
        /// Who polls it.
        by: Poller,
        /// For how long at most.
        at_most_secs: u64,
    },
    /// The account works: its poll was taken. A login has succeeded only now.
    Polling {
        /// The account.
        account: AccountId,
        /// The name given to it.
        name: Option<String>,
        /// Who polls it.
        by: Poller,
    },
    /// It is over without success.
    Failed {
        /// Why.
        #[serde(flatten)]
        failure: Failure,
    },
}

/// Who polls an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Poller {
    /// A channel that runs on the same folder, in this process or another.
    Channel,
    /// The login itself, once, because no channel runs.
    Login,
}

/// Why a login did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What happened, to be looked up.
    pub code: Reason,
    /// More words, in English, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What can go wrong. Each has a sentence and a way out in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The last code became too old, or the phone declined.
    Expired,
    /// Too many wrong digits for the last code.
    Blocked,
    /// The deadline passed.
    TimedOut,
    /// The person gave up.
    Cancelled,
    /// The backend gave no code.
    NoQr,
    /// The backend does not tell what became of the code.
    NoStatus,
    /// The backend confirmed without a token or a bot.
    Incomplete,
    /// The backend sent the login or the account to an unusable address.
    BadAddress,
    /// Digits are wanted, and there is nobody to ask.
    VerifyCodeUnavailable,
    /// The credentials could not be written.
    NotSaved,
    /// Saved, but the backend refuses the new token.
    Refused,
    /// Saved, but no poll was taken in time.
    NotPolling,
    /// The backend says that this machine has the bot, but none of its accounts works.
    BoundButDead,
}

impl Reason {
    /// All reasons, for tables of texts.
    pub const ALL: [Self; 13] = [
        Self::Expired,
        Self::Blocked,
        Self::TimedOut,
        Self::Cancelled,
        Self::NoQr,
        Self::NoStatus,
        Self::Incomplete,
        Self::BadAddress,
        Self::VerifyCodeUnavailable,
        Self::NotSaved,
        Self::Refused,
        Self::NotPolling,
        Self::BoundButDead,
    ];
}

impl Failure {
    pub(super) fn of(code: Reason) -> Self {
        Self { code, detail: None }
    }

    pub(super) fn saying(code: Reason, detail: impl ToString) -> Self {
        Self { code, detail: Some(detail.to_string()) }
    }
}

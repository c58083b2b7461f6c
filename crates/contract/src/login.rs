//! How an account comes to a channel, and goes.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::AccountId;

/// Who shows a login to a person: a terminal, a page, a program.
pub trait LoginFace: Send + Sync {
    /// Shows what happens, in order. Must not block.
    fn tell(&self, event: LoginEvent);

    /// Asks for the digits that the phone shows; `wrong` when the ones before
    /// were. `None` when there is nobody to ask, which ends the login. Dropped
    /// when they are not needed any more.
    fn verify_code(&self, wrong: bool) -> BoxFuture<'_, Option<String>>;
}

/// What is wanted of a login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoginRequest {
    /// The name that the account gets.
    pub name: Option<String>,
    /// The address of the backend, if not the one of the settings.
    pub base_url: Option<String>,
    /// Whether a new credential is wanted even if the backend says that this
    /// machine has one already.
    pub fresh: bool,
    /// The language of sentences and hints, such as `zh` or `en-GB`; English
    /// when left out or not spoken.
    pub language: Option<String>,
}

/// What happens in a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LoginEvent {
    /// Show this code. It replaces the one before.
    Qr {
        /// The text to draw as a QR code.
        text: String,
        /// An address that does the same when opened on the phone, if there is one.
        url: Option<String>,
        /// In how many seconds it expires, about; another one comes by itself.
        expires_in_secs: u64,
    },
    /// The code is of no use any more; another one follows.
    QrEnded {
        /// Whether because of too many wrong digits, not because of its age.
        blocked: bool,
    },
    /// Nobody has scanned for a while: what may help, in the language asked for.
    Advice {
        /// What to say.
        text: String,
    },
    /// The phone has scanned; it now asks for confirmation.
    Scanned,
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
    /// The credential is on disk.
    Saved {
        /// The account.
        account: AccountId,
        /// The name given to it.
        name: Option<String>,
        /// Whether the name that was wanted belongs to another account.
        #[serde(default)]
        name_taken: bool,
        /// Accounts that it replaces.
        #[serde(default)]
        replaced: Vec<AccountId>,
    },
    /// Nothing new was issued: an account that is here already is meant.
    AlreadyConnected,
    /// It is waited until the account works.
    Checking {
        /// The account.
        account: AccountId,
        /// For how many seconds at most.
        at_most_secs: u64,
    },
    /// The account works. The last event of a login that succeeds.
    Polling {
        /// The account.
        account: AccountId,
        /// The name given to it.
        name: Option<String>,
    },
    /// It is over without success: the last event then. The login itself
    /// returns the same as [`ChannelError::Login`](crate::ChannelError::Login).
    Failed(LoginFailure),
}

/// How a login has succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginDone {
    /// The account.
    pub account: AccountId,
    /// The name given to it.
    pub name: Option<String>,
    /// Whether it was here before, with a credential that works.
    #[serde(default)]
    pub already_connected: bool,
    /// Whether a running channel has taken it up; otherwise it waits for the
    /// next start.
    pub is_running: bool,
}

/// Why a login has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginFailure {
    /// A word for programs, such as `expired`.
    pub code: String,
    /// What happened.
    pub sentence: String,
    /// What to do about it.
    pub hint: String,
    /// More words, in English, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// An account whose credential was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedOut {
    /// The account.
    pub account: AccountId,
    /// Whether there was a credential.
    pub cleared: bool,
    /// Whether the backend has heard of it.
    pub announced: bool,
}

/// An account that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The account.
    pub account: AccountId,
    /// Whether the backend has heard of it.
    pub announced: bool,
    /// Rows that were deleted from the store.
    pub rows: u64,
    /// Media files that were deleted.
    pub files: u64,
}

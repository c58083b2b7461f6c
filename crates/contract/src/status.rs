//! Where an account stands.

use serde::{Deserialize, Serialize};

use crate::AccountId;

/// The state of one account: the one source for status, pages and alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccountState {
    /// Not running.
    Stopped,
    /// Not yet polled.
    Starting,
    /// Polled, and the last poll was answered.
    Polling,
    /// Polled, and polls fail; it may heal by itself.
    Degraded {
        /// What fails.
        reason: String,
        /// Since when, in milliseconds since 1970.
        since_ms: i64,
    },
    /// The backend refuses the account's credential; a person must log in.
    NeedsLogin {
        /// What the backend says.
        reason: String,
        /// Since when, in milliseconds since 1970.
        since_ms: i64,
    },
}

/// What a channel knows of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStatus {
    /// The account.
    pub account: AccountId,
    /// The name given to it here.
    pub name: Option<String>,
    /// Its state.
    #[serde(flatten)]
    pub state: AccountState,
    /// When the backend last answered a poll, in milliseconds since 1970.
    pub last_poll_at_ms: Option<i64>,
    /// When the last message came in.
    pub last_inbound_at_ms: Option<i64>,
    /// When the backend last confirmed a send.
    pub last_outbound_at_ms: Option<i64>,
    /// Messages whose turn has not ended.
    #[serde(default)]
    pub inbox: u64,
    /// Replies that wait to leave.
    #[serde(default)]
    pub outbox: u64,
    /// Messages that are parked, with a reason.
    #[serde(default)]
    pub parked: u64,
    /// Messages that could not be handled and were set aside.
    #[serde(default)]
    pub failed: u64,
    /// Peers to whom sends seem not to show.
    #[serde(default)]
    pub suppressed: u64,
}

/// What the backend says of one account when asked now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The account.
    pub account: AccountId,
    /// Whether it can be used.
    pub ok: bool,
    /// What was found, in words.
    pub detail: String,
    /// How long the answer took, in milliseconds.
    pub took_ms: u64,
}

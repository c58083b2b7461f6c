//! Where a program stands.

use contract::stdio::Remote;
use contract::{AccountState, AccountStatus, ChannelError};
use serde::{Deserialize, Serialize};

/// Where the program of a plugin stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum Health {
    /// Nothing is to run.
    #[default]
    Stopped,
    /// It is being started.
    Starting,
    /// It runs.
    Up {
        /// Since when, in milliseconds since 1970.
        since_ms: i64,
        /// The process.
        pid: u32,
    },
    /// It has ended or could not be started; it is started again.
    Waiting {
        /// Why it has ended.
        reason: String,
        /// Since when it does not run, in milliseconds since 1970.
        since_ms: i64,
        /// Which try the next one is, from 1.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// When it is due, in milliseconds since 1970.
        next_try_at_ms: i64,
    },
    /// It has ended too often; somebody must look at it.
    GivenUp {
        /// Why it has ended at last.
        reason: String,
        /// Since when it does not run, in milliseconds since 1970.
        since_ms: i64,
    },
}

impl Health {
    /// Returns what a call is told that cannot be done now.
    pub(super) fn error(&self) -> ChannelError {
        match self {
            Self::Stopped => ChannelError::Stopped,
            Self::Starting | Self::Up { .. } => {
                ChannelError::Gone("its program is still being started".to_owned())
            }
            Self::Waiting { .. } | Self::GivenUp { .. } => ChannelError::Gone(self.words()),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Stopped => "stopped".to_owned(),
            Self::Starting => "starting".to_owned(),
            Self::Up { .. } => "up".to_owned(),
            Self::Waiting { reason, attempt, of, .. } => {
                format!("{reason}; started again soon, try {attempt} of {of}")
            }
            Self::GivenUp { reason, .. } => format!("{reason}; not started again, it fails always"),
        }
    }

    fn state(&self) -> AccountState {
        match self {
            Self::Stopped => AccountState::Stopped,
            Self::Starting => AccountState::Starting,
            Self::Up { .. } => AccountState::Polling,
            Self::Waiting { since_ms, .. } | Self::GivenUp { since_ms, .. } => {
                AccountState::Degraded { reason: self.words(), since_ms: *since_ms }
            }
        }
    }

    /// Returns the accounts as they stand with a program in this health. A
    /// program that has told of none has one, so that there is something to see.
    pub(super) fn of(&self, mut known: Vec<AccountStatus>) -> Vec<AccountStatus> {
        if known.is_empty() {
            known.push(AccountStatus {
                account: "default".into(),
                name: None,
                state: AccountState::Stopped,
                last_poll_at_ms: None,
                last_inbound_at_ms: None,
                last_outbound_at_ms: None,
                inbox: 0,
                outbox: 0,
                parked: 0,
                failed: 0,
                suppressed: 0,
            });
        }
        for account in &mut known {
            account.state = self.state();
        }
        known
    }
}

/// What callers look at: the health, and the program if it can be asked.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) health: Health,
    /// How many programs there have been.
    pub(super) life: u64,
    /// The one that runs, from its handshake on.
    pub(super) remote: Option<Remote>,
    /// Whether it knows its turns: it is started, or has handed one over.
    pub(super) knows_turns: bool,
}

impl State {
    /// Returns the program if it can be asked and is of a later life.
    pub(super) fn ready_after(&self, life: u64) -> Option<(u64, Remote)> {
        let remote = self.remote.as_ref().filter(|_| self.knows_turns && self.life > life)?;
        Some((self.life, remote.clone()))
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready_after(0).is_some()
    }

    /// Says whether there is nothing to wait for.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.health, Health::Stopped | Health::GivenUp { .. })
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.health, Health::Waiting { .. } | Health::GivenUp { .. })
    }
}

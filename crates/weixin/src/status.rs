//! Where each account stands, as its tasks report it.

use std::sync::Arc;

use contract::AccountState;
use parking_lot::Mutex;

/// The live part of one account's status. Clones share it.
#[derive(Clone)]
pub(crate) struct Health {
    // Held to read or replace a value, never across an await.
    inner: Arc<Mutex<Snapshot>>,
}

/// What is known now.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) state: AccountState,
    pub(crate) last_poll_at_ms: Option<i64>,
}

impl Health {
    pub(crate) fn new() -> Self {
        let first = Snapshot { state: AccountState::Starting, last_poll_at_ms: None };
        Self { inner: Arc::new(Mutex::new(first)) }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.inner.lock().clone()
    }

    /// Notes that a poll was answered.
    pub(crate) fn polled(&self, now_ms: i64) {
        let mut health = self.inner.lock();
        health.last_poll_at_ms = Some(now_ms);
        health.state = AccountState::Polling;
    }

    /// Changes the state by what it was.
    pub(crate) fn update(&self, next: impl FnOnce(&AccountState) -> AccountState) {
        let mut health = self.inner.lock();
        health.state = next(&health.state);
    }
}

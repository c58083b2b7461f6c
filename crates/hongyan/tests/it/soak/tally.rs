//! What has been counted so far.

use std::cell::Cell;

use tokio::sync::Notify;

/// The counts that all parts of a soak share. All of them run in one task.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) said: Cell<u64>,
    pub(super) answered: Cell<u64>,
    pub(super) kills: Cell<u32>,
    change: Notify,
}

impl Tally {
    pub(super) fn say(&self) {
        self.said.set(self.said.get() + 1);
    }

    pub(super) fn answer(&self) {
        self.answered.set(self.answered.get() + 1);
        self.change.notify_waiters();
    }

    /// Waits for the next answer.
    pub(super) async fn changed(&self) {
        self.change.notified().await;
    }
}

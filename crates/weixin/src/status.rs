//! Where each account stands, as its tasks report it.

use std::sync::Arc;

use contract::AccountState;
use ilink::client::Cause;
use parking_lot::Mutex;

/// The live part of one account's status: the one source for everybody who
/// asks. Clones share it.
#[derive(Clone)]
pub(crate) struct Health {
    shared: Arc<Shared>,
}

type OnChange = dyn Fn(&AccountState, &AccountState) + Send + Sync;

struct Shared {
    // Held to read or replace a value, never across an await.
    now: Mutex<(Snapshot, Tally)>,
    on_change: Box<OnChange>,
}

/// What is known now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) state: AccountState,
    pub(crate) last_poll_at_ms: Option<i64>,
}

/// What has happened since the start of the account. Only grows, but for
/// `failures_in_row`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Polls that ended, in any way.
    pub(crate) polls: u64,
    /// Polls that the backend answered, with or without messages.
    pub(crate) answered: u64,
    /// Polls that were left as planned, on a way that would have cut them.
    pub(crate) left: u64,
    /// Polls that were dropped because the machine woke up.
    pub(crate) woken: u64,
    /// Polls on which the client gave up waiting.
    pub(crate) give_ups: u64,
    /// Polls without a connection: name, TCP, TLS, or broken off.
    pub(crate) unreachable: u64,
    /// Polls that something answered outside the protocol.
    pub(crate) garbled: u64,
    /// Polls that the backend refused.
    pub(crate) refused: u64,
    /// Batches that could not be stored.
    pub(crate) unstored: u64,
    /// Failures since the last answer.
    pub(crate) failures_in_row: u64,
}

/// How a poll ended, to be counted.
#[derive(Clone, Copy)]
pub(crate) enum Counted<'a> {
    Answered,
    Left,
    Woken,
    Failed(&'a Cause),
    Unstored,
}

impl Health {
    /// Begins as starting. `on_change` is told of every change of the state,
    /// the old one first; it is called where the change happens and must not
    /// block.
    pub(crate) fn new(
        on_change: impl Fn(&AccountState, &AccountState) + Send + Sync + 'static,
    ) -> Self {
        let first = Snapshot { state: AccountState::Starting, last_poll_at_ms: None };
        let now = Mutex::new((first, Tally::default()));
        Self { shared: Arc::new(Shared { now, on_change: Box::new(on_change) }) }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.shared.now.lock().0.clone()
    }

    /// Returns what has been counted.
    pub(crate) fn tally(&self) -> Tally {
        self.shared.now.lock().1
    }

    /// Counts a poll.
    pub(crate) fn count(&self, how: Counted<'_>) {
        self.shared.now.lock().1.count(how);
    }

    /// Notes that polls work: heals every other state.
    pub(crate) fn polled(&self, now_ms: i64) {
        self.shared.now.lock().0.last_poll_at_ms = Some(now_ms);
        self.update(|_| AccountState::Polling);
    }

    /// Changes the state by what it was.
    pub(crate) fn update(&self, next: impl FnOnce(&AccountState) -> AccountState) {
        let (before, after) = {
            let mut now = self.shared.now.lock();
            let after = next(&now.0.state);
            (std::mem::replace(&mut now.0.state, after.clone()), after)
        };
        if before != after {
            (self.shared.on_change)(&before, &after);
        }
    }
}

impl Tally {
    fn count(&mut self, how: Counted<'_>) {
        let kind = match how {
            Counted::Answered => &mut self.answered,
            Counted::Left => &mut self.left,
            Counted::Woken => &mut self.woken,
            Counted::Unstored => &mut self.unstored,
            Counted::Failed(Cause::Timeout { .. }) => &mut self.give_ups,
            Counted::Failed(Cause::Dns(_) | Cause::Connect(_) | Cause::Tcp(_) | Cause::Tls(_)) => {
                &mut self.unreachable
            }
            Counted::Failed(Cause::Refused { .. }) => &mut self.refused,
            Counted::Failed(
                Cause::Status { .. }
                | Cause::Malformed(_)
                | Cause::TooLarge { .. }
                | Cause::Unsendable(_),
            ) => &mut self.garbled,
        };
        *kind += 1;
        self.polls += 1;
        match how {
            Counted::Answered => self.failures_in_row = 0,
            Counted::Failed(_) | Counted::Unstored => self.failures_in_row += 1,
            Counted::Left | Counted::Woken => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Demand 10: each change is told once, and what does not change is not.
    #[test]
    fn every_change_is_told_once() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&told);
        let health = Health::new(move |before, after| {
            listener.lock().push((before.clone(), after.clone()));
        });
        let degraded = || AccountState::Degraded { reason: "x".to_owned(), since_ms: 1 };
        health.polled(1);
        health.polled(2);
        health.update(|_| degraded());
        health.update(|_| degraded());
        let changes =
            [(AccountState::Starting, AccountState::Polling), (AccountState::Polling, degraded())];
        assert_eq!(*told.lock(), changes);
        assert_eq!(health.snapshot().last_poll_at_ms, Some(2));
    }

    #[test]
    fn polls_are_counted_by_their_kind_and_an_answer_ends_the_row_of_failures() {
        let health = Health::new(|_, _| {});
        health.count(Counted::Failed(&Cause::Tcp(String::new())));
        health.count(Counted::Failed(&Cause::Timeout { after: std::time::Duration::ZERO }));
        health.count(Counted::Left);
        let expected = Tally {
            polls: 3,
            unreachable: 1,
            give_ups: 1,
            left: 1,
            failures_in_row: 2,
            ..Tally::default()
        };
        assert_eq!(health.tally(), expected);
        health.count(Counted::Answered);
        let expected = Tally { polls: 4, answered: 1, failures_in_row: 0, ..expected };
        assert_eq!(health.tally(), expected);
    }
}

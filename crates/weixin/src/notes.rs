//! Writes down where accounts stand, for processes that look from outside.
//!
//! One task writes for all accounts: what changed at once, but at most one
//! transaction in a quarter of a second, and the times of the last polls once a
//! minute. So a thousand idle accounts cost one transaction a minute.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::AccountId;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::status::{Health, Snapshot};
use crate::store::Store;

/// How long the task rests after each transaction.
const REST: Duration = Duration::from_millis(250);
/// How often the times of the last polls are written.
const TIMES: Duration = Duration::from_secs(60);

/// The accounts whose state is written down. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Notes {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    // Held to look through the accounts, never across an await.
    watched: Mutex<HashMap<AccountId, Watched>>,
    changed: Notify,
}

struct Watched {
    health: Health,
    noted: Option<Snapshot>,
}

impl Notes {
    /// Writes down an account's state from now on.
    pub(crate) fn watch(&self, account: AccountId, health: Health) {
        self.shared.watched.lock().insert(account, Watched { health, noted: None });
        self.changed();
    }

    /// Writes nothing more about an account.
    pub(crate) fn forget(&self, account: &AccountId) {
        self.shared.watched.lock().remove(account);
    }

    /// Says that the state of some account has changed.
    pub(crate) fn changed(&self) {
        self.shared.changed.notify_one();
    }

    /// Writes until cancelled.
    pub(crate) async fn write(self, store: Store) {
        let mut times_at = Instant::now() + TIMES;
        loop {
            let is_time = timeout_at(times_at, self.shared.changed.notified()).await.is_err();
            if is_time {
                times_at = Instant::now() + TIMES;
            }
            let due = self.take_due(is_time);
            if due.is_empty() {
                continue;
            }
            if let Err(err) = store.note(due).await {
                tracing::warn!(error = %err, "states not noted");
            }
            sleep(REST).await;
        }
    }

    /// Takes what differs from what was noted; differences in time alone only
    /// when it is time for them.
    fn take_due(&self, with_times: bool) -> Vec<(AccountId, Snapshot)> {
        let mut due = Vec::new();
        for (account, watched) in self.shared.watched.lock().iter_mut() {
            let now = watched.health.snapshot();
            let is_due = watched
                .noted
                .as_ref()
                .is_none_or(|noted| noted.state != now.state || (with_times && noted != &now));
            if is_due {
                watched.noted = Some(now.clone());
                due.push((account.clone(), now));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use contract::AccountState;

    use super::*;

    /// Demand 10, cheaply: an answered poll alone writes nothing.
    #[test]
    fn a_change_is_due_at_once_and_a_time_when_it_is_time() {
        let notes = Notes::default();
        let health = Health::new(|_, _| {});
        let account = AccountId::from("a");
        notes.watch(account.clone(), health.clone());
        let polling = |at| Snapshot { state: AccountState::Polling, last_poll_at_ms: Some(at) };

        health.polled(1);
        assert_eq!(notes.take_due(false), [(account.clone(), polling(1))]);
        health.polled(2);
        assert_eq!(notes.take_due(false), []);
        assert_eq!(notes.take_due(true), [(account.clone(), polling(2))]);
        assert_eq!(notes.take_due(true), []);
        notes.forget(&account);
        health.polled(3);
        assert_eq!(notes.take_due(true), []);
    }
}

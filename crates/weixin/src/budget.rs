//! The governor's records, in memory and in the store.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::governor::{Gate, Limits, Line, Numbers, Peer};
use crate::store::Records;

/// What the governor knows of one peer, as the store keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Budget {
    /// The peer's last message that was taken into account.
    heard_at_ms: Option<i64>,
    peer: Peer,
}

impl Budget {
    /// Reads a record. One that cannot be read starts afresh: the backend's
    /// answers teach the rest.
    pub(crate) fn read(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// Takes the peer's last message into account, once.
    pub(crate) fn heard(&mut self, last_inbound_at_ms: Option<i64>, now_ms: i64) {
        let Some(at_ms) = last_inbound_at_ms else { return };
        if self.heard_at_ms.is_none_or(|heard| heard < at_ms) {
            self.heard_at_ms = Some(at_ms);
            self.peer.heard(at_ms, now_ms);
        }
    }
}

impl Budget {
    /// A newer context token came without a new message.
    pub(crate) fn context_renewed(&mut self) {
        self.peer.context_renewed();
    }

    /// A person wants another try, whatever refusals taught.
    pub(crate) fn reopen(&mut self) {
        self.peer.reopen();
    }

    /// Writes the record.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The governor's records of one account. Clones share them.
#[derive(Clone)]
pub(crate) struct Budgets {
    // Held for pure decisions, never across an await.
    line: Arc<Mutex<Line>>,
}

impl Budgets {
    /// Reads the record of the account.
    pub(crate) fn new(line: Option<&str>) -> Self {
        let line: Line = line.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        Self { line: Arc::new(Mutex::new(line)) }
    }

    /// Lets the governor look at one peer and the account together.
    pub(crate) fn gate<T>(
        &self,
        budget: &mut Budget,
        limits: &Limits,
        ask: impl FnOnce(&mut Gate<'_>) -> T,
    ) -> T {
        let mut line = self.line.lock();
        ask(&mut Gate { peer: &mut budget.peer, line: &mut line, limits })
    }

    /// Returns the records to keep.
    pub(crate) fn records(&self, budget: &Budget) -> Records {
        Records { budget: budget.json(), line: self.line() }
    }

    /// Returns the record of the account to keep.
    pub(crate) fn line(&self) -> String {
        serde_json::to_string(&*self.line.lock()).unwrap_or_default()
    }

    /// Returns the numbers of one peer, to be read.
    pub(crate) fn numbers(&self, budget: &Budget, limits: &Limits, now_ms: i64) -> Numbers {
        let mut budget = budget.clone();
        self.gate(&mut budget, limits, |gate| gate.numbers(now_ms))
    }
}

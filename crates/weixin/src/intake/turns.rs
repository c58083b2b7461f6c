//! The turns that hosts work on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::{AccountId, Lane, TurnId};
use ilink::RunId;
use parking_lot::Mutex;

use crate::commands::Trace;
use crate::saying::InTurn;
use crate::store::Talk;

/// How long a conversation waits for the end of a turn. A host that never ends
/// one must not silence it for ever.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The turns that hosts work on. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Turns {
    // Held for a map look-up, never across an await.
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    open: HashMap<TurnId, OpenTurn>,
    /// How many turns each conversation has open, apart from commands that
    /// overtook it, and since when the newest.
    busy: HashMap<Talk, (usize, Instant)>,
    /// The turn in each conversation that has asked its peer something.
    asking: HashMap<Talk, TurnId>,
}

/// A turn that a host works on.
#[derive(Clone, Debug)]
pub(crate) struct OpenTurn {
    /// The inbox row of its first message.
    pub(crate) row: i64,
    pub(crate) talk: Talk,
    pub(crate) lane: Lane,
    pub(crate) run_id: RunId,
    /// What is to be reported when it ends; only in debug mode.
    pub(crate) trace: Option<Trace>,
}

impl OpenTurn {
    /// Names the turn for what is said in it.
    pub(crate) fn in_turn(&self) -> InTurn {
        InTurn { row: self.row, talk: self.talk.clone(), run_id: self.run_id.clone() }
    }
}

impl Turns {
    pub(super) fn open(&self, id: TurnId, turn: OpenTurn) {
        let mut inner = self.inner.lock();
        if turn.lane == Lane::Conversation {
            let busy = inner.busy.entry(turn.talk.clone()).or_insert((0, Instant::now()));
            *busy = (busy.0 + 1, Instant::now());
        }
        inner.open.insert(id, turn);
    }

    pub(crate) fn get(&self, id: &TurnId) -> Option<OpenTurn> {
        self.inner.lock().open.get(id).cloned()
    }

    pub(crate) fn close(&self, id: &TurnId) -> Option<OpenTurn> {
        let mut inner = self.inner.lock();
        let turn = inner.open.remove(id)?;
        if inner.asking.get(&turn.talk) == Some(id) {
            inner.asking.remove(&turn.talk);
        }
        if turn.lane == Lane::Conversation
            && let Some((n, _)) = inner.busy.get_mut(&turn.talk)
        {
            *n -= 1;
            if *n == 0 {
                inner.busy.remove(&turn.talk);
            }
        }
        Some(turn)
    }

    /// Forgets all turns: no host will end them any more.
    pub(crate) fn close_all(&self) {
        *self.inner.lock() = Inner::default();
    }

    /// Notes that a turn has asked its peer something.
    pub(crate) fn ask(&self, id: &TurnId) {
        let mut inner = self.inner.lock();
        if let Some(talk) = inner.open.get(id).map(|turn| turn.talk.clone()) {
            inner.asking.insert(talk, id.clone());
        }
    }

    /// Says whether what is said in the conversation has to wait for the end of
    /// a turn. A turn that has asked something waits for it instead.
    pub(super) fn holds(&self, talk: &Talk) -> bool {
        self.is_busy(talk) && !self.inner.lock().asking.contains_key(talk)
    }

    /// Says whether a turn of the conversation runs.
    pub(crate) fn is_busy(&self, talk: &Talk) -> bool {
        let inner = self.inner.lock();
        inner.busy.get(talk).is_some_and(|(_, since)| since.elapsed() < LONGEST)
    }

    /// Returns the rows of an account's open turns.
    pub(crate) fn rows(&self, account: &AccountId) -> Vec<i64> {
        let inner = self.inner.lock();
        let of_account = inner.open.values().filter(|turn| turn.talk.account == *account);
        of_account.map(|turn| turn.row).collect()
    }
}

/// Names the turn whose first message lies in a row.
pub(crate) fn turn_id(row: i64) -> TurnId {
    TurnId::new(format!("t{row}"))
}

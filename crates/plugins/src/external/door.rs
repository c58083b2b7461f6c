//! The host, as a program sees it through one life.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use contract::{AccountStatus, Alert, Host, HostError, Inbound, Sender, TurnId, Verdict};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Shared, lock};

/// The turns that the host has in work. The next life of a program hands them
/// over again, and the host must not begin them twice.
#[derive(Default)]
pub(super) struct Held {
    // Held for a look-up, never across an await.
    turns: Mutex<HashSet<TurnId>>,
}

impl Held {
    /// Notes that the host is through with a turn.
    pub(super) fn let_go(&self, turn: &TurnId) {
        lock(&self.turns).remove(turn);
    }

    /// Notes that all turns are through: the host is another one.
    pub(super) fn let_all_go(&self) {
        lock(&self.turns).clear();
    }
}

pub(super) struct Door {
    pub(super) shared: Arc<Shared>,
    pub(super) host: Arc<dyn Host>,
}

impl Host for Door {
    fn admit(&self, sender: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        self.host.admit(sender)
    }

    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        async move {
            // Whoever hands over a turn can be answered, started or not: the
            // queue in which it waits may only move on when others are answered.
            self.shared
                .state
                .send_if_modified(|state| !std::mem::replace(&mut state.knows_turns, true));
            if !lock(&self.shared.held.turns).insert(inbound.turn.clone()) {
                tracing::debug!(turn = %inbound.turn, "handed over again while it is in work");
                return Ok(());
            }
            let mut taking =
                Taking { held: &self.shared.held, turn: inbound.turn.clone(), taken: false };
            self.host.receive(inbound).await?;
            taking.taken = true;
            Ok(())
        }
        .boxed()
    }

    fn changed(&self, status: AccountStatus) {
        {
            let mut known = lock(&self.shared.accounts);
            match known.iter_mut().find(|it| it.account == status.account) {
                Some(it) => it.clone_from(&status),
                None => known.push(status.clone()),
            }
        }
        self.host.changed(status);
    }

    fn alert(&self, alert: Alert) {
        self.host.alert(alert);
    }
}

/// A turn on its way into the host's queue; forgotten if it does not get there.
struct Taking<'a> {
    held: &'a Held,
    turn: TurnId,
    taken: bool,
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if !self.taken {
            self.held.let_go(&self.turn);
        }
    }
}

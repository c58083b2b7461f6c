//! Shows "typing…" while a host works, and always hides it again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ilink::client::Cause;
use ilink::wire::TypingStatus;
use ilink::{Client, ClientError, TypingTicket, UserId};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::budget::Budgets;
use crate::clock::Clock;
use crate::governor::ms;
use crate::store::{Store, Talk};
use crate::tasks::Tasks;

/// A turn that ends sooner is not worth three requests.
const PATIENCE: Duration = Duration::from_millis(200);
/// The phone hides the indicator unless it is repeated.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Nobody types longer than this.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Tickets have been seen to die after some ten minutes.
const TICKET_LIFE: Duration = Duration::from_secs(8 * 60);

/// The typing indicators of one account. Clones share them.
#[derive(Clone)]
pub(crate) struct Typing {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    store: Store,
    budgets: Budgets,
    clock: Clock,
    tasks: Tasks,
    // Both held for a map look-up, never across an await.
    shown: Mutex<HashMap<UserId, Shown>>,
    tickets: Mutex<HashMap<UserId, (TypingTicket, i64)>>,
}

struct Shown {
    turns: HashSet<i64>,
    done: CancellationToken,
}

impl Typing {
    pub(crate) fn new(
        client: Client,
        store: Store,
        budgets: Budgets,
        clock: Clock,
        tasks: Tasks,
    ) -> Self {
        let (shown, tickets) = (Mutex::default(), Mutex::default());
        Self { shared: Arc::new(Shared { client, store, budgets, clock, tasks, shown, tickets }) }
    }

    /// Shows the indicator from soon on, until the turn is [`done`](Self::done).
    pub(crate) fn begin(&self, talk: &Talk, turn: i64) {
        let mut shown = self.shared.shown.lock();
        if let Some(already) = shown.get_mut(&talk.peer) {
            already.turns.insert(turn);
            return;
        }
        let done = self.shared.tasks.cancellation().child_token();
        let turns = HashSet::from([turn]);
        shown.insert(talk.peer.clone(), Shown { turns, done: done.clone() });
        drop(shown);
        let shared = Arc::clone(&self.shared);
        let talk = talk.clone();
        self.shared.tasks.spawn("typing", async move { shared.show(&talk, &done).await });
    }

    /// Hides the indicator, unless another turn of the peer still runs.
    pub(crate) fn done(&self, peer: &UserId, turn: i64) {
        let mut shown = self.shared.shown.lock();
        let Some(entry) = shown.get_mut(peer) else {
            return;
        };
        entry.turns.remove(&turn);
        if entry.turns.is_empty() {
            entry.done.cancel();
            shown.remove(peer);
        }
    }
}

impl Shared {
    async fn show(&self, talk: &Talk, done: &CancellationToken) {
        let waited = done.run_until_cancelled(tokio::time::sleep(PATIENCE)).await;
        if waited.is_none() {
            return;
        }
        done.run_until_cancelled(self.keep_up(talk)).await;
        // Also after a failure: an indicator that stays is worse than none. The
        // phone hides one that is not repeated, so a penalty needs no request.
        self.tell(talk, TypingStatus::Cancel).await;
    }

    async fn keep_up(&self, talk: &Talk) {
        let until_ms = self.clock.now_ms().saturating_add(ms(LONGEST));
        while self.clock.now_ms() < until_ms {
            self.tell(talk, TypingStatus::Typing).await;
            self.clock.until(self.clock.now_ms().saturating_add(ms(KEEP_ALIVE))).await;
        }
    }

    /// Tells the backend, unless it has asked for a pause: typing calls are
    /// limited, too, and what is sent matters more. A failure is no reason to
    /// stop: the next call comes soon.
    async fn tell(&self, talk: &Talk, status: TypingStatus) {
        if self.budgets.is_punished(self.clock.now_ms()) {
            return;
        }
        if let Err(err) = self.say(talk, status).await {
            tracing::debug!(account = %talk.account, error = %err, ?status, "typing not told");
        }
    }

    /// Tells the backend; a ticket that it refuses is replaced once.
    async fn say(&self, talk: &Talk, status: TypingStatus) -> Result<(), ClientError> {
        let ticket = self.ticket(talk).await?;
        let said = self.client.send_typing(&talk.peer, &ticket, status).await;
        if !matches!(&said, Err(err) if matches!(err.cause, Cause::Refused { .. })) {
            return said;
        }
        self.tickets.lock().remove(&talk.peer);
        let ticket = self.ticket(talk).await?;
        self.client.send_typing(&talk.peer, &ticket, status).await
    }

    async fn ticket(&self, talk: &Talk) -> Result<TypingTicket, ClientError> {
        let now_ms = self.clock.now_ms();
        let fresh = |(ticket, at_ms): &(TypingTicket, i64)| {
            (now_ms.saturating_sub(*at_ms) < ms(TICKET_LIFE)).then(|| ticket.clone())
        };
        if let Some(ticket) = self.tickets.lock().get(&talk.peer).and_then(fresh) {
            return Ok(ticket);
        }
        let context = self.store.context_token(talk).await.ok().flatten();
        let config = self.client.get_config(&talk.peer, context.as_ref()).await?;
        let ticket = config.typing_ticket.unwrap_or_default();
        self.tickets.lock().insert(talk.peer.clone(), (ticket.clone(), now_ms));
        Ok(ticket)
    }
}

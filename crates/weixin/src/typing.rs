//! Shows "typing…" while a host works, and always hides it again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ilink::wire::TypingStatus;
use ilink::{Client, ClientError, TypingTicket, UserId};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::budget::Budgets;
use crate::store::{Store, Talk};
use crate::tasks::Tasks;
use crate::time::now_ms;

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
    tasks: Tasks,
    // Both held for a map look-up, never across an await.
    shown: Mutex<HashMap<UserId, Shown>>,
    tickets: Mutex<HashMap<UserId, (TypingTicket, Instant)>>,
}

struct Shown {
    turns: HashSet<i64>,
    done: CancellationToken,
}

impl Typing {
    pub(crate) fn new(client: Client, store: Store, budgets: Budgets, tasks: Tasks) -> Self {
        let (shown, tickets) = (Mutex::default(), Mutex::default());
        Self { shared: Arc::new(Shared { client, store, budgets, tasks, shown, tickets }) }
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
        let kept_up = done.run_until_cancelled(self.keep_up(talk)).await;
        if let Some(Err(err)) = kept_up {
            tracing::debug!(account = %talk.account, error = %err, "typing not shown");
        }
        // Also after a failure: an indicator that stays is worse than none.
        if let Err(err) = self.say(talk, TypingStatus::Cancel).await {
            tracing::debug!(account = %talk.account, error = %err, "typing not hidden");
        }
    }

    async fn keep_up(&self, talk: &Talk) -> Result<(), ClientError> {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST {
            // Typing calls are limited, too; what is sent matters more.
            if !self.budgets.is_punished(now_ms()) {
                self.say(talk, TypingStatus::Typing).await?;
            }
            tokio::time::sleep(KEEP_ALIVE).await;
        }
        Ok(())
    }

    /// Tells the backend; a ticket that it refuses is replaced once.
    async fn say(&self, talk: &Talk, status: TypingStatus) -> Result<(), ClientError> {
        let ticket = self.ticket(talk).await?;
        let said = self.client.send_typing(&talk.peer, &ticket, status).await;
        if !matches!(&said, Err(err) if matches!(err.cause, ilink::client::Cause::Refused { .. })) {
            return said;
        }
        self.tickets.lock().remove(&talk.peer);
        let ticket = self.ticket(talk).await?;
        self.client.send_typing(&talk.peer, &ticket, status).await
    }

    async fn ticket(&self, talk: &Talk) -> Result<TypingTicket, ClientError> {
        let fresh = |(ticket, at): &(TypingTicket, Instant)| {
            (at.elapsed() < TICKET_LIFE).then(|| ticket.clone())
        };
        if let Some(ticket) = self.tickets.lock().get(&talk.peer).and_then(fresh) {
            return Ok(ticket);
        }
        let context = self.store.context_token(talk).await.ok().flatten();
        let config = self.client.get_config(&talk.peer, context.as_ref()).await?;
        let ticket = config.typing_ticket.unwrap_or_default();
        self.tickets.lock().insert(talk.peer.clone(), (ticket.clone(), Instant::now()));
        Ok(ticket)
    }
}

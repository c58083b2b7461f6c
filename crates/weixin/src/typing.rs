//! Shows "typing…" while a host works, and always hides it again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ilink::client::Cause;
use ilink::wire::TypingStatus;
use ilink::{Client, ClientError, TypingTicket, UserId};
use ledger::LedgerError;
use parking_lot::Mutex;
use tasks::Tasks;
use tokio_util::sync::CancellationToken;

use crate::budget::{Budget, Budgets};
use crate::clock::Clock;
use crate::governor::{self, ms};
use crate::outcome::TooMany;
use crate::sending::SendSettings;
use crate::store::{Store, Talk};
use crate::switch::Switch;

/// A turn that ends sooner is not worth three requests.
const PATIENCE: Duration = Duration::from_millis(200);
/// The phone hides the indicator unless it is repeated.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How soon the governor is asked again for a call that it did not allow.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Nobody types longer than this.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Tickets have been seen to die after some ten minutes.
const TICKET_LIFE: Duration = Duration::from_secs(8 * 60);

/// The typing indicators of one account. Clones share them.
#[derive(Clone)]
pub(crate) struct Typing {
    shared: Arc<Shared>,
}

/// What an account's typing calls go through.
pub(crate) struct Caller {
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) settings: Switch<SendSettings>,
    pub(crate) budgets: Budgets,
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
}

struct Shared {
    caller: Caller,
    // Both held for a map look-up, never across an await.
    shown: Mutex<HashMap<UserId, Shown>>,
    tickets: Mutex<HashMap<UserId, (TypingTicket, i64)>>,
}

struct Shown {
    turns: HashSet<i64>,
    done: CancellationToken,
}

impl Typing {
    pub(crate) fn new(caller: Caller) -> Self {
        let (shown, tickets) = (Mutex::default(), Mutex::default());
        Self { shared: Arc::new(Shared { caller, shown, tickets }) }
    }

    /// Shows the indicator from soon on, until the turn is [`done`](Self::done).
    pub(crate) fn begin(&self, talk: &Talk, turn: i64) {
        let mut shown = self.shared.shown.lock();
        if let Some(already) = shown.get_mut(&talk.peer) {
            already.turns.insert(turn);
            return;
        }
        let tasks = &self.shared.caller.tasks;
        let done = tasks.cancellation().child_token();
        let turns = HashSet::from([turn]);
        shown.insert(talk.peer.clone(), Shown { turns, done: done.clone() });
        drop(shown);
        let shared = Arc::clone(&self.shared);
        let talk = talk.clone();
        tasks.spawn("typing", async move { shared.show(&talk, &done).await });
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
        let clock = &self.caller.clock;
        let until_ms = clock.now_ms().saturating_add(ms(LONGEST));
        while clock.now_ms() < until_ms {
            let is_told = self.tell(talk, TypingStatus::Typing).await;
            let pause = if is_told { KEEP_ALIVE } else { ASK_AGAIN };
            clock.until(clock.now_ms().saturating_add(ms(pause))).await;
        }
    }

    /// Tells the backend, if the governor allows it: typing calls are limited,
    /// too, and what is sent matters more. A failure is no reason to stop: the
    /// next call comes soon. Says whether the backend was asked.
    async fn tell(&self, talk: &Talk, status: TypingStatus) -> bool {
        let asked = match self.may(talk, status).await {
            Ok(true) => self.say(talk, status).await,
            Ok(false) => return false,
            Err(err) => {
                tracing::warn!(account = %talk.account, error = %err, "typing not looked up");
                return false;
            }
        };
        if let Err(err) = asked {
            tracing::debug!(account = %talk.account, error = %err, ?status, "typing not told");
        }
        true
    }

    /// Asks the governor, which notes when the indicator was shown last.
    async fn may(&self, talk: &Talk, status: TypingStatus) -> Result<bool, LedgerError> {
        let Caller { store, settings, budgets, clock, .. } = &self.caller;
        let (limits, now_ms) = (settings.now().limits.clone(), clock.now_ms());
        let what = match status {
            TypingStatus::Typing => governor::Typing::Show,
            TypingStatus::Cancel | TypingStatus::Unknown(_) => governor::Typing::Hide,
        };
        let mut budget = store.budget(talk)?;
        if !budgets.gate(&mut budget, &limits, |gate| gate.may_type(what, now_ms)) {
            return Ok(false);
        }
        if what == governor::Typing::Show {
            let budgets = budgets.clone();
            let note = move |budget: &mut Budget| {
                budgets.gate(budget, &limits, |gate| gate.typed(now_ms));
            };
            store.change_budget(talk, note).await?;
        }
        Ok(true)
    }

    /// Tells the backend; a ticket that it refuses is replaced once. That it was
    /// one call too many is a pause for everything that the account says.
    async fn say(&self, talk: &Talk, status: TypingStatus) -> Result<(), ClientError> {
        let begun_ms = self.caller.clock.now_ms();
        let said = self.try_twice(talk, status).await;
        if let Err(err) = &said
            && let Some(TooMany { until_ms }) = TooMany::read(err, self.caller.clock.now_ms())
        {
            self.pause(talk, begun_ms, until_ms).await;
        }
        said
    }

    async fn pause(&self, talk: &Talk, begun_ms: i64, until_ms: Option<i64>) {
        let Caller { store, settings, budgets, clock, .. } = &self.caller;
        let (settings, now_ms) = (settings.now(), clock.now_ms());
        budgets.gate(&mut Budget::default(), &settings.limits, |gate| {
            gate.limited(begun_ms, until_ms, now_ms);
        });
        if let Err(err) = store.keep_line(&talk.account, budgets.line()).await {
            tracing::warn!(account = %talk.account, error = %err, "a pause holds until the next start only");
        }
    }

    async fn try_twice(&self, talk: &Talk, status: TypingStatus) -> Result<(), ClientError> {
        let ticket = self.ticket(talk).await?;
        let said = self.caller.client.send_typing(&talk.peer, &ticket, status).await;
        let is_too_many = |err| TooMany::read(err, 0).is_some();
        match &said {
            Err(err) if matches!(err.cause, Cause::Refused { .. }) && !is_too_many(err) => {}
            Ok(()) | Err(_) => return said,
        }
        self.tickets.lock().remove(&talk.peer);
        let ticket = self.ticket(talk).await?;
        self.caller.client.send_typing(&talk.peer, &ticket, status).await
    }

    async fn ticket(&self, talk: &Talk) -> Result<TypingTicket, ClientError> {
        let now_ms = self.caller.clock.now_ms();
        let fresh = |(ticket, at_ms): &(TypingTicket, i64)| {
            (now_ms.saturating_sub(*at_ms) < ms(TICKET_LIFE)).then(|| ticket.clone())
        };
        if let Some(ticket) = self.tickets.lock().get(&talk.peer).and_then(fresh) {
            return Ok(ticket);
        }
        let context = self.caller.store.context_token(talk).await.ok().flatten();
        let config = self.caller.client.get_config(&talk.peer, context.as_ref()).await?;
        let ticket = config.typing_ticket.unwrap_or_default();
        self.tickets.lock().insert(talk.peer.clone(), (ticket.clone(), now_ms));
        Ok(ticket)
    }
}

//! One run of one turn.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use contract::{Channel, Inbound, TurnEnd};
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::command::{self, Command};
use crate::ending::{Ending, Outcome};
use crate::language::Language;
use crate::store::Store;
use crate::{Agent, AgentError, Replies, SessionKey, Turn};

/// A message on its way through the gateway, with the channel it came by.
pub(crate) struct Visit {
    pub(crate) inbound: Inbound,
    pub(crate) session: SessionKey,
    pub(crate) agent: Arc<dyn Agent>,
    pub(crate) channel: Arc<dyn Channel>,
}

/// Runs turns. Holds nothing of a single one.
pub(crate) struct Runner {
    pub(crate) store: Store,
    pub(crate) timeout: Duration,
    /// Cancelled when the gateway stops and cannot wait; the turns' own
    /// tokens are children of it.
    pub(crate) cut: CancellationToken,
}

impl Runner {
    /// Runs a turn to its end. `stop` cancels it.
    pub(crate) async fn run(&self, visit: Visit, stop: CancellationToken) {
        let replies = self.replies(&visit, stop.clone());
        let outcome = match Command::of(&visit.inbound) {
            Some(Command::New) => self.renew(&visit, &replies).await,
            Some(Command::Aside(_)) | None => self.ask_agent(&visit, replies.clone(), stop).await,
        };
        self.end(&visit, &replies, &outcome).await;
    }

    /// Runs a turn that the gateway answers itself, in these words or in none.
    pub(crate) async fn say(&self, visit: Visit, words: Option<&str>) {
        let replies = self.replies(&visit, self.cut.child_token());
        let outcome = match words {
            Some(words) => outcome_of(replies.notice(words).await),
            None => Outcome::Answered,
        };
        self.end(&visit, &replies, &outcome).await;
    }

    fn replies(&self, visit: &Visit, stop: CancellationToken) -> Replies {
        let channel = Arc::clone(&visit.channel);
        let Visit { session, inbound, .. } = visit;
        Replies::new(channel, self.store.clone(), session.clone(), inbound.clone(), stop)
    }

    async fn renew(&self, visit: &Visit, replies: &Replies) -> Outcome {
        if let Err(err) = self.store.renew(&visit.session, &visit.inbound.turn).await {
            return Outcome::Failed(err.into());
        }
        let words = command::renewed(self.language(visit).await);
        outcome_of(replies.notice(words).await)
    }

    async fn ask_agent(&self, visit: &Visit, replies: Replies, stop: CancellationToken) -> Outcome {
        if stop.is_cancelled() {
            // Stopped or cut while it waited.
            return if self.cut.is_cancelled() { Outcome::Cut } else { Outcome::Stopped };
        }
        let turn = Turn {
            inbound: visit.inbound.clone(),
            session: visit.session.clone(),
            store: self.store.clone(),
        };
        // Asked inside: an agent may panic before it has a future to give.
        let answer = AssertUnwindSafe(async { visit.agent.answer(turn, replies).await });
        tokio::select! {
            biased;
            answered = answer.catch_unwind() => {
                answered.map_or(Outcome::Panicked, outcome_of)
            }
            () = self.cut.cancelled() => Outcome::Cut,
            () = stop.cancelled() => Outcome::Stopped,
            () = tokio::time::sleep(self.timeout) => Outcome::TimedOut(self.timeout),
        }
    }

    /// Tells the peer what there is to tell and ends the turn.
    async fn end(&self, visit: &Visit, replies: &Replies, outcome: &Outcome) {
        let turn = &visit.inbound.turn;
        let (notice, end) = match Ending::of(outcome) {
            Ending::Finish { notice, end } => (notice, end),
            Ending::Leave => {
                tracing::warn!(%turn, ?outcome, "turn left open; its channel hands it over again");
                return;
            }
        };
        if let TurnEnd::Failed { reason } = &end {
            tracing::warn!(%turn, reason, "turn failed");
        }
        if let Some(notice) = notice {
            let words = notice.words(self.language(visit).await);
            if let Err(err) = replies.notice(words).await {
                tracing::error!(%turn, error = %err, "notice not taken; turn left open");
                return;
            }
        }
        if let Err(err) = visit.channel.finish(turn, end).await {
            tracing::error!(%turn, error = %err, "turn not finished; its channel hands it over again");
        }
    }

    /// Guesses the language a peer writes.
    pub(crate) async fn language(&self, visit: &Visit) -> Language {
        Language::of(&visit.inbound, &visit.session, &self.store).await
    }
}

fn outcome_of(answered: Result<(), AgentError>) -> Outcome {
    match answered {
        Ok(()) => Outcome::Answered,
        Err(err) => Outcome::Failed(err),
    }
}

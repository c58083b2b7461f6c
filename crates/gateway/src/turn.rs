//! One run of one turn.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use contract::{Channel, Content, Inbound, Lane, Reply, ReplyClass, TurnEnd};
use futures_util::FutureExt;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use crate::approval::Questions;
use crate::command::{self, Command};
use crate::ending::{Ending, Outcome};
use crate::lanes::joint::joined;
use crate::lanes::{Group, LeftOut, Run, Switch, Waits};
use crate::language::Language;
use crate::replies::Place;
use crate::rules::Seat;
use crate::session_policy::SessionSettings;
use crate::store::{Choice, Joint, SessionEntry, Store, now_ms};
use crate::{Agent, AgentError, AgentId, Replies, ResetReason, Rules, StoreError, Turn};

mod steered;

pub(crate) use self::steered::Steered;

/// The number of the word that something waits. It lies behind all others, so
/// that the turn's own replies are numbered from 0 whether it was said or not.
const WAITING: u32 = u32::MAX - 16;

/// A message on its way through the gateway, with the channel it came by.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) inbound: Inbound,
    pub(crate) seat: Seat,
    /// The rules at the moment when it came.
    pub(crate) rules: Arc<Rules>,
    pub(crate) channel: Arc<dyn Channel>,
    /// What it asks of the gateway, if anything.
    pub(crate) command: Option<Command>,
}

impl Waits for Visit {
    fn is_loose(&self) -> bool {
        let Inbound { lane, offers, .. } = self.inbound;
        lane == Lane::Conversation && offers <= 1 && self.command.is_none()
    }

    fn is_beside(&self, other: &Self) -> bool {
        self.inbound.conversation == other.inbound.conversation
    }
}

/// Runs turns. Holds nothing of a single one.
pub(crate) struct Runner {
    pub(crate) store: Store,
    pub(crate) questions: Questions,
    pub(crate) sessions: Switch<SessionSettings>,
    pub(crate) timeout: Duration,
    /// Cancelled when the gateway stops and cannot wait; the turns' own
    /// tokens are children of it.
    pub(crate) cut: CancellationToken,
}

/// A turn that is answered for itself and perhaps for others.
struct Lead {
    visit: Visit,
    members: Vec<Visit>,
    /// Whether the store knows it as a joint turn.
    is_noted: bool,
}

impl Runner {
    /// Runs a turn to its end.
    pub(crate) async fn run(&self, run: Run) {
        let Run { group, stop, steered } = run;
        let Some(mut lead) = self.lead(group).await else {
            return;
        };
        let visit = &lead.visit;
        let replies = self.replies(visit, stop.clone());
        let outcome = match &visit.command {
            Some(Command::New(words)) => self.renew(visit, words, &replies, stop, &steered).await,
            Some(Command::Aside(_)) | None => {
                self.ask_agent(visit, replies.clone(), stop, &steered).await
            }
        };
        let taken = steered.close().await;
        lead.is_noted |= !taken.is_empty();
        lead.members.extend(taken);
        self.end(&lead, &replies, &outcome).await;
    }

    /// Runs a turn that the gateway answers itself, in these words or in none.
    pub(crate) async fn say(&self, visit: Visit, words: Option<&str>) {
        let replies = self.replies(&visit, self.cut.child_token());
        let outcome = match words {
            Some(words) => outcome_of(replies.notice(words).await),
            None => Outcome::Answered,
        };
        self.end(&Lead::alone(visit), &replies, &outcome).await;
    }

    /// Ends a turn that was left out, since too many waited.
    pub(crate) async fn leave_out(&self, left_out: LeftOut) {
        let LeftOut { visit, is_first } = left_out;
        let replies = self.replies(&visit, self.cut.child_token());
        let outcome = Outcome::LeftOut { is_told: is_first };
        self.end(&Lead::alone(visit), &replies, &outcome).await;
    }

    /// Tells a peer how many messages are before this one.
    pub(crate) async fn tell_waiting(&self, visit: Visit, n_before: usize) {
        let words = command::waiting(n_before, self.language(&visit).await);
        let (class, content) = (ReplyClass::Notice, Content::Text(words));
        let reply = Reply { number: WAITING, class, content };
        if let Err(err) = visit.channel.reply(&visit.inbound.turn, reply).await {
            // It may have had its turn meanwhile.
            tracing::debug!(turn = %visit.inbound.turn, error = %err, "waiting not told");
        }
    }

    /// Gives a message to the agent that runs, and says whether it took it.
    pub(crate) async fn steer(&self, steered: &Steered, visit: &Visit) -> bool {
        let turn = self.turn(visit, None);
        let Some(message) = steered.offer(visit, turn).await else {
            return false;
        };
        if let Err(err) = self.store.join(&message, vec![visit.inbound.turn.clone()]).await {
            tracing::error!(turn = %visit.inbound.turn, error = %err, "steered turn not noted; after a crash it is answered by itself");
        }
        true
    }

    /// Returns what is kept of a visit's session.
    pub(crate) fn entry(&self, visit: &Visit) -> Option<SessionEntry> {
        self.store.entry(&visit.seat.session).unwrap_or_else(|err| {
            tracing::error!(session = %visit.seat.session, error = %err, "session not read");
            None
        })
    }

    /// Returns the agent that answers a session, with its name: the one that
    /// was chosen for it, or the one of the route.
    pub(crate) fn agent(visit: &Visit, entry: Option<&SessionEntry>) -> (AgentId, Arc<dyn Agent>) {
        let chosen = entry.and_then(|entry| entry.agent.as_deref()).map(AgentId::new);
        let chosen = chosen.and_then(|id| Some((id.clone(), visit.rules.agents.get(&id)?)));
        chosen.unwrap_or_else(|| (visit.seat.id.clone(), Arc::clone(&visit.seat.agent)))
    }

    /// Makes one turn of a group. `None` if there is nothing to run: it has
    /// ended before, or cannot be noted and stays open.
    async fn lead(&self, group: Group<Visit>) -> Option<Lead> {
        let messages: Vec<Inbound> = group.members.iter().map(|it| it.inbound.clone()).collect();
        let mut members = group.members.into_iter();
        let mut visit = members.next()?;
        let members: Vec<Visit> = members.collect();
        let noted = if members.is_empty() {
            self.resume(&mut visit).await
        } else {
            visit.inbound = joined(&messages, group.n_short)?;
            let turns = members.iter().map(|member| member.inbound.turn.clone()).collect();
            self.store.join(&visit.inbound, turns).await.map(|()| Some(true))
        };
        match noted {
            Ok(is_noted) => is_noted.map(|is_noted| Lead { visit, members, is_noted }),
            Err(err) => {
                tracing::error!(turn = %visit.inbound.turn, error = %err, "turn left open; its channel hands it over again");
                None
            }
        }
    }

    /// Goes on with a turn that may have been answered with others before.
    /// Says whether it leads them; `None` if it has ended.
    async fn resume(&self, visit: &mut Visit) -> Result<Option<bool>, StoreError> {
        let Inbound { turn, offers, .. } = &visit.inbound;
        if *offers <= 1 {
            return Ok(Some(false));
        }
        match self.store.joint(&visit.inbound.conversation.channel, turn)? {
            None | Some(Joint::Follows) => Ok(Some(false)),
            Some(Joint::Leads(message)) => {
                visit.inbound = Inbound { offers: *offers, ..*message };
                Ok(Some(true))
            }
            Some(Joint::Ended(end)) => {
                finish(visit, end).await;
                Ok(None)
            }
        }
    }

    fn replies(&self, visit: &Visit, stop: CancellationToken) -> Replies {
        Replies::new(Place {
            channel: Arc::clone(&visit.channel),
            store: self.store.clone(),
            questions: self.questions.clone(),
            session: visit.seat.session.clone(),
            inbound: visit.inbound.clone(),
            cancelled: stop,
        })
    }

    fn turn(&self, visit: &Visit, model: Option<String>) -> Turn {
        Turn {
            inbound: visit.inbound.clone(),
            session: visit.seat.session.clone(),
            model,
            store: self.store.clone(),
        }
    }

    /// Begins a session anew. What stands behind the command is a model or
    /// what the session begins with.
    async fn renew(
        &self,
        visit: &Visit,
        words: &str,
        replies: &Replies,
        stop: CancellationToken,
        steered: &Steered,
    ) -> Outcome {
        let turn = visit.inbound.turn.as_str();
        let renewed = self.store.renew(visit.seat.session.as_str(), turn, ResetReason::Asked).await;
        if let Err(err) = renewed {
            return Outcome::Failed(err.into());
        }
        let entry = self.entry(visit);
        let (_, agent) = Self::agent(visit, entry.as_ref());
        let model = agent.models().into_iter().find(|model| model == words);
        if model.is_none() && !words.is_empty() {
            let inbound = Inbound { text: words.to_owned(), ..visit.inbound.clone() };
            let visit = Visit { inbound, ..visit.clone() };
            let replies = self.replies(&visit, stop.clone());
            return self.ask_agent(&visit, replies, stop, steered).await;
        }
        let conversation = &visit.inbound.conversation;
        if model.is_some() && visit.rules.may_choose(&visit.inbound) {
            let chosen =
                self.store.choose(&visit.seat.session, conversation, Choice::Model(model)).await;
            if let Err(err) = chosen {
                return Outcome::Failed(err.into());
            }
        }
        let words = command::renewed(self.language(visit).await);
        outcome_of(replies.notice(words).await)
    }

    async fn ask_agent(
        &self,
        visit: &Visit,
        replies: Replies,
        stop: CancellationToken,
        steered: &Steered,
    ) -> Outcome {
        if stop.is_cancelled() {
            // Stopped or cut while it waited.
            return if self.cut.is_cancelled() { Outcome::Cut } else { Outcome::Stopped };
        }
        let entry = self.entry(visit);
        if let Err(err) = self.reset_if_stale(visit, entry.as_ref()).await {
            return Outcome::Failed(err.into());
        }
        let (_, agent) = Self::agent(visit, entry.as_ref());
        let turn = self.turn(visit, entry.as_ref().and_then(|entry| entry.model.clone()));
        steered.open(visit, &agent).await;
        // Asked inside: an agent may panic before it has a future to give.
        let answer = AssertUnwindSafe(async { agent.answer(turn, replies).await });
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

    /// Begins a session anew if it is too old. A turn that is handed over again
    /// stays where it began.
    async fn reset_if_stale(
        &self,
        visit: &Visit,
        entry: Option<&SessionEntry>,
    ) -> Result<(), StoreError> {
        let Some(entry) = entry.filter(|_| visit.inbound.offers <= 1) else {
            return Ok(());
        };
        let Some(rule) = self.sessions.now().rule_on(&visit.inbound.conversation.channel) else {
            return Ok(());
        };
        let SessionEntry { started_at_ms, last_interaction_at_ms, .. } = *entry;
        let zone = TimeZone::system();
        match rule.is_stale(started_at_ms, last_interaction_at_ms, now_ms(), &zone) {
            None => Ok(()),
            Some(reason) => {
                let by = format!("stale:{}", visit.inbound.turn);
                self.store.renew(visit.seat.session.as_str(), &by, reason).await
            }
        }
    }

    /// Tells the peer what there is to tell and ends the turn, and all that are
    /// answered with it.
    async fn end(&self, lead: &Lead, replies: &Replies, outcome: &Outcome) {
        let Lead { visit, members, is_noted } = lead;
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
        if let Err(err) = self.note_end(visit, replies, *is_noted, &end).await {
            tracing::error!(%turn, error = %err, "end not noted; turn left open");
            return;
        }
        for visit in std::iter::once(visit).chain(members) {
            finish(visit, end.clone()).await;
        }
    }

    /// Notes what must be on disk before a turn is finished.
    async fn note_end(
        &self,
        visit: &Visit,
        replies: &Replies,
        is_joint: bool,
        end: &TurnEnd,
    ) -> Result<(), StoreError> {
        let Inbound { turn, conversation, offers, .. } = &visit.inbound;
        if is_joint {
            self.store.joint_ended(&conversation.channel, turn, end).await?;
        }
        if replies.has_asked() || *offers > 1 {
            self.questions.forget(conversation, turn).await?;
        }
        Ok(())
    }

    /// Guesses the language a peer writes.
    pub(crate) async fn language(&self, visit: &Visit) -> Language {
        Language::of(&visit.inbound, &visit.seat.session, &self.store).await
    }
}

impl Lead {
    fn alone(visit: Visit) -> Self {
        Self { visit, members: Vec::new(), is_noted: false }
    }
}

async fn finish(visit: &Visit, end: TurnEnd) {
    let turn = &visit.inbound.turn;
    if let Err(err) = visit.channel.finish(turn, end).await {
        tracing::error!(%turn, error = %err, "turn not finished; its channel hands it over again");
    }
}

fn outcome_of(answered: Result<(), AgentError>) -> Outcome {
    match answered {
        Ok(()) => Outcome::Answered,
        Err(err) => Outcome::Failed(err),
    }
}

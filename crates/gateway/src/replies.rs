//! How an agent answers a turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use contract::{
    Channel, Content, Inbound, Media, PeerStatus, Reply, ReplyClass, Signal, ToolOutcome,
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::agent::in_words;
use crate::approval::{self, Questions};
use crate::language::Language;
use crate::store::{Answer, Asked, QuestionId, Store, now_ms};
use crate::{AgentError, Question, Resolution, SessionKey};

/// Gives the replies of one turn, in the order of the calls. Clones share it.
///
/// When a call that gives a reply returns `Ok`, the reply is on disk and will
/// be delivered, also after a crash. Replies are numbered from 0; a run of the
/// same turn after a crash gives the same numbers, and what was given the first
/// time is not given again.
#[derive(Clone)]
pub struct Replies {
    shared: Arc<Shared>,
}

/// Where replies go, and what is kept of them.
pub(crate) struct Place {
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) store: Store,
    pub(crate) questions: Questions,
    pub(crate) session: SessionKey,
    pub(crate) inbound: Inbound,
    pub(crate) cancelled: CancellationToken,
}

impl Place {
    /// Returns what came of a question in an earlier run.
    fn before(&self, id: &QuestionId) -> Result<Option<Resolution>, AgentError> {
        let before = self.store.answer_to(id)?;
        Ok(before.map(|index| index.map_or(Resolution::Expired, Resolution::Chosen)))
    }
}

struct Shared {
    place: Place,
    /// The next reply's number. Held while a reply is given, for the order.
    next: Mutex<u32>,
    has_asked: AtomicBool,
}

impl Replies {
    pub(crate) fn new(place: Place) -> Self {
        let (next, has_asked) = (Mutex::new(0), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { place, next, has_asked }) }
    }

    /// Says something, in markdown. It is recorded first; where an earlier run
    /// recorded other words under the same number, those are said.
    ///
    /// # Errors
    ///
    /// When it cannot be recorded, or the channel does not take it.
    pub async fn text(&self, text: impl Into<String> + Send) -> Result<(), AgentError> {
        let place = &self.shared.place;
        let mut next = self.shared.next.lock().await;
        let answer = Answer {
            session: place.session.clone(),
            conversation: place.inbound.conversation.clone(),
            turn: place.inbound.turn.clone(),
            part: *next,
            text: text.into(),
            question: in_words(&place.inbound),
            asked_at_ms: place.inbound.sent_at_ms,
        };
        let words = place.store.record(answer).await?;
        self.give(&mut next, ReplyClass::Answer, Content::Text(words)).await
    }

    /// Sends a picture, a video or a file. The file may be removed when the
    /// call has returned.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or the channel does not take it.
    pub async fn media(&self, media: Media) -> Result<(), AgentError> {
        let mut next = self.shared.next.lock().await;
        self.give(&mut next, ReplyClass::Answer, Content::Media(media)).await
    }

    /// Asks the peer something and waits for the answer. Only this peer can
    /// answer, in this session; what else the peer says meanwhile is a message
    /// like any other. A question that is asked while another is open waits.
    ///
    /// A turn that runs again asks under the same number: the peer does not see
    /// it twice, and an answer that was given holds. The time that it takes
    /// counts as the turn's.
    ///
    /// # Errors
    ///
    /// When it cannot be recorded, or the channel does not take it.
    pub async fn ask(&self, question: Question) -> Result<Resolution, AgentError> {
        let Shared { place, next, has_asked } = &*self.shared;
        has_asked.store(true, Ordering::Relaxed);
        // Two numbers, whether or not it expires: the rest keeps its own.
        let number = {
            let mut next = next.lock().await;
            *next += 2;
            *next - 2
        };
        let Inbound { turn, conversation, .. } = &place.inbound;
        let id = QuestionId { channel: conversation.channel.clone(), turn: turn.clone(), number };
        let language = Language::of(&place.inbound, &place.session, &place.store).await;
        let decision = match place.before(&id)? {
            Some(before) => before,
            None => self.put(&question, id, language).await?,
        };
        if decision == Resolution::Expired {
            let content = Content::Text(approval::expired(language).to_owned());
            let reply = Reply { number: number + 1, class: ReplyClass::Notice, content };
            place.channel.reply(turn, reply).await?;
        }
        Ok(decision)
    }

    async fn put(
        &self,
        question: &Question,
        id: QuestionId,
        language: Language,
    ) -> Result<Resolution, AgentError> {
        let place = &self.shared.place;
        let (number, patience) = (id.number, question.patience());
        let patience_ms = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        let asked = Asked {
            id: id.clone(),
            session: place.session.to_string(),
            conversation: place.inbound.conversation.clone(),
            choices: question.choices.clone(),
            expires_at_ms: now_ms().saturating_add(patience_ms),
        };
        let pending = place.questions.open(asked).await?;
        if let Some(before) = place.before(&id)? {
            return Ok(before);
        }
        let content = Content::Text(question.words(language));
        let reply = Reply { number, class: ReplyClass::Question, content };
        place.channel.reply(&place.inbound.turn, reply).await?;
        Ok(pending.answer(patience).await?)
    }

    /// Returns the words that an earlier run of this turn recorded for the next
    /// reply. Who finds some here need not think again.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn recorded(&self) -> Result<Option<String>, AgentError> {
        let Place { store, session, inbound, .. } = &self.shared.place;
        if inbound.offers <= 1 {
            return Ok(None);
        }
        let next = *self.shared.next.lock().await;
        Ok(store.recorded(session, &inbound.turn, next).await?)
    }

    /// Shows that the agent works, until the turn ends.
    pub async fn working(&self) {
        self.signal(Signal::Working).await;
    }

    /// Shows that a tool begins to run. `call_id` ties its end to it.
    pub async fn tool_started(&self, tool: &str, call_id: &str) {
        let (tool, call_id) = (tool.to_owned(), call_id.to_owned());
        self.signal(Signal::ToolStarted { tool, call_id }).await;
    }

    /// Shows how a tool's run ended.
    pub async fn tool_ended(&self, tool: &str, call_id: &str, outcome: ToolOutcome) {
        let (tool, call_id) = (tool.to_owned(), call_id.to_owned());
        self.signal(Signal::ToolEnded { tool, call_id, outcome }).await;
    }

    /// Returns what the channel knows of the peer, such as how many messages may
    /// still be sent before the peer writes again; `None` if it knows nothing.
    ///
    /// # Errors
    ///
    /// When the channel cannot say.
    pub async fn peer(&self) -> Result<Option<PeerStatus>, AgentError> {
        let Place { channel, inbound, .. } = &self.shared.place;
        Ok(channel.peer(&inbound.conversation).await?)
    }

    /// Waits until the turn is cancelled. For work that does not end with the
    /// agent's future, such as a thread or a child process.
    pub async fn cancelled(&self) {
        self.shared.place.cancelled.cancelled().await;
    }

    /// Says whether the turn has been cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.place.cancelled.is_cancelled()
    }

    /// Says whether something was asked.
    pub(crate) fn has_asked(&self) -> bool {
        self.shared.has_asked.load(Ordering::Relaxed)
    }

    /// Says something that is not the agent's and not part of the session.
    pub(crate) async fn notice(&self, text: &str) -> Result<(), AgentError> {
        let mut next = self.shared.next.lock().await;
        self.give(&mut next, ReplyClass::Notice, Content::Text(text.to_owned())).await
    }

    async fn give(
        &self,
        next: &mut u32,
        class: ReplyClass,
        content: Content,
    ) -> Result<(), AgentError> {
        let reply = Reply { number: *next, class, content };
        // Counted before it is known to have arrived: a number that is used
        // twice would swallow the second reply, one that is left out harms nobody.
        *next += 1;
        self.shared.place.channel.reply(&self.shared.place.inbound.turn, reply).await?;
        Ok(())
    }

    async fn signal(&self, signal: Signal) {
        self.shared.place.channel.signal(&self.shared.place.inbound.turn, signal).await;
    }
}

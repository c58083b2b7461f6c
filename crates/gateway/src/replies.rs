//! How an agent answers a turn.

use std::sync::Arc;

use contract::{
    Channel, Content, Inbound, Media, PeerStatus, Reply, ReplyClass, Signal, ToolOutcome,
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::agent::in_words;
use crate::store::{Answer, Store};
use crate::{AgentError, SessionKey};

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

struct Shared {
    channel: Arc<dyn Channel>,
    store: Store,
    session: SessionKey,
    inbound: Inbound,
    cancelled: CancellationToken,
    /// The next reply's number. Held while a reply is given, for the order.
    next: Mutex<u32>,
}

impl Replies {
    pub(crate) fn new(
        channel: Arc<dyn Channel>,
        store: Store,
        session: SessionKey,
        inbound: Inbound,
        cancelled: CancellationToken,
    ) -> Self {
        let next = Mutex::new(0);
        Self { shared: Arc::new(Shared { channel, store, session, inbound, cancelled, next }) }
    }

    /// Says something, in markdown. It is recorded first; where an earlier run
    /// recorded other words under the same number, those are said.
    ///
    /// # Errors
    ///
    /// When it cannot be recorded, or the channel does not take it.
    pub async fn text(&self, text: impl Into<String> + Send) -> Result<(), AgentError> {
        let mut next = self.shared.next.lock().await;
        let answer = Answer {
            session: self.shared.session.clone(),
            turn: self.shared.inbound.turn.clone(),
            part: *next,
            text: text.into(),
            question: in_words(&self.shared.inbound),
            asked_at_ms: self.shared.inbound.sent_at_ms,
        };
        let words = self.shared.store.record(answer).await?;
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

    /// Returns the words that an earlier run of this turn recorded for the next
    /// reply. Who finds some here need not think again.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn recorded(&self) -> Result<Option<String>, AgentError> {
        let Shared { store, session, inbound, .. } = &*self.shared;
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
        let Shared { channel, inbound, .. } = &*self.shared;
        Ok(channel.peer(&inbound.conversation).await?)
    }

    /// Waits until the turn is cancelled. For work that does not end with the
    /// agent's future, such as a thread or a child process.
    pub async fn cancelled(&self) {
        self.shared.cancelled.cancelled().await;
    }

    /// Says whether the turn has been cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.is_cancelled()
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
        self.shared.channel.reply(&self.shared.inbound.turn, reply).await?;
        Ok(())
    }

    async fn signal(&self, signal: Signal) {
        self.shared.channel.signal(&self.shared.inbound.turn, signal).await;
    }
}

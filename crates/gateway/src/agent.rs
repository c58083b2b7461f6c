//! What the gateway asks of an agent.

use std::time::Duration;

use contract::{Attachment, ChannelError, Inbound, MediaKind, Quote};
use futures_util::future::BoxFuture;

use crate::language::Language;
use crate::store::Store;
use crate::{Entry, HistoryLimit, Replies, SessionKey, StoreError};

/// Answers turns.
pub trait Agent: Send + Sync {
    /// Answers one turn. When it returns `Ok`, all replies have been given.
    ///
    /// The future is dropped when the turn is cancelled or takes too long, so
    /// every wait in it can be cut. After a crash the same turn is answered
    /// again: replies that were given the first time are not given twice, as
    /// long as they come in the same order.
    ///
    /// # Errors
    ///
    /// When the turn cannot be answered. The peer is told so by the gateway.
    fn answer(&self, turn: Turn, replies: Replies) -> BoxFuture<'_, Result<(), AgentError>>;

    /// Takes something that the peer says while a turn of this session runs
    /// into that turn, and says whether it did. What was taken has no turn of
    /// its own: the answer that is being made answers it, too. Returns soon.
    fn steer(&self, turn: Turn) -> BoxFuture<'_, bool> {
        drop(turn);
        Box::pin(std::future::ready(false))
    }

    /// Returns the models that a session can ask for, the usual one first;
    /// empty if there is nothing to choose.
    fn models(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A message to answer, and what was said before it.
#[derive(Clone)]
pub struct Turn {
    /// The message.
    pub inbound: Inbound,
    /// The session it belongs to.
    pub session: SessionKey,
    /// The model that the peer has chosen, if the agent has several.
    pub model: Option<String>,
    pub(crate) store: Store,
}

impl Turn {
    /// Returns what was said before in this session, oldest first: the turns
    /// that were answered, without this one.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn history(&self, limit: HistoryLimit) -> Result<Vec<Entry>, StoreError> {
        self.store.history(&self.session, &self.inbound.turn, limit).await
    }

    /// Guesses the language the peer writes.
    pub(crate) async fn language(&self) -> Language {
        Language::of(&self.inbound, &self.session, &self.store).await
    }

    /// Returns the whole message in words: the text, with a line for what it
    /// quotes before it and one for each attachment behind it.
    #[must_use]
    pub fn in_words(&self) -> String {
        in_words(&self.inbound)
    }
}

/// Why an agent could not answer.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The channel did not take a reply.
    #[error("the channel did not take a reply: {0}")]
    Channel(#[from] ChannelError),
    /// The transcript could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The agent's settings are wrong: its key, its address, its model.
    #[error("the agent is not set up right: {0}")]
    Setup(String),
    /// There is too much to do for whom the agent relies on.
    #[error("the agent is busy: {reason}")]
    Busy {
        /// What was said.
        reason: String,
        /// When to come back, if that was said.
        retry_after: Option<Duration>,
    },
    /// What was said before and now does not fit.
    #[error("the conversation is too long for the agent: {0}")]
    TooLong(String),
    /// What the agent relies on cannot be reached, or broke off.
    #[error("the agent cannot be reached: {0}")]
    Unreachable(String),
    /// The agent will not answer this.
    #[error("the agent declined: {0}")]
    Declined(String),
    /// Anything else.
    #[error("the agent failed: {0}")]
    Failed(String),
}

pub(crate) fn in_words(inbound: &Inbound) -> String {
    let mut words = String::new();
    if let Some(quote) = &inbound.quote {
        words.push_str(&quoted(quote));
        words.push('\n');
    }
    words.push_str(&inbound.text);
    for attachment in &inbound.attachments {
        if !words.is_empty() && !words.ends_with('\n') {
            words.push('\n');
        }
        words.push_str(&format!("[{}]", attached(attachment)));
    }
    words
}

pub(crate) fn quoted(quote: &Quote) -> String {
    let text = Some(quote.text.clone()).filter(|text| !text.is_empty());
    let parts: Vec<_> = text.into_iter().chain(quote.attachments.iter().map(attached)).collect();
    if parts.is_empty() {
        return "[quoted message not available]".to_owned();
    }
    format!("[quoted: {}]", parts.join("; "))
}

fn attached(attachment: &Attachment) -> String {
    let kind = match attachment.kind {
        MediaKind::Image => "picture",
        MediaKind::Voice => "voice message",
        MediaKind::Video => "video",
        MediaKind::File => "file",
    };
    let what = attachment.transcript.as_deref().unwrap_or(&attachment.name);
    match &attachment.problem {
        None => format!("{kind}: {what}"),
        Some(problem) => format!("{kind}: {what}; {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use contract::{Conversation, Lane};

    use super::*;

    #[test]
    fn a_message_in_words_tells_what_it_quotes_and_what_came_with_it() {
        let inbound = Inbound {
            turn: "t".into(),
            from_owner: false,
            conversation: Conversation {
                channel: "c".into(),
                account: "a".into(),
                peer: "p".into(),
            },
            message_id: "1".to_owned(),
            sent_at_ms: 0,
            text: "look".to_owned(),
            attachments: vec![
                Attachment {
                    kind: MediaKind::Image,
                    name: "goose.png".to_owned(),
                    mime: None,
                    path: None,
                    problem: None,
                    transcript: None,
                },
                Attachment {
                    kind: MediaKind::Voice,
                    name: "v.wav".to_owned(),
                    mime: None,
                    path: None,
                    problem: None,
                    transcript: Some("see you".to_owned()),
                },
            ],
            quote: Some(Quote {
                message_id: None,
                author: None,
                text: "hi".to_owned(),
                attachments: Vec::new(),
            }),
            lane: Lane::Conversation,
            offers: 1,
        };
        assert_eq!(
            in_words(&inbound),
            "[quoted: hi]\nlook\n[picture: goose.png]\n[voice message: see you]",
        );
    }

    /// Demand 21: an agent hears that there is more than it can be shown.
    #[test]
    fn a_quote_tells_its_media_or_that_it_is_not_available() {
        let gone = Attachment {
            kind: MediaKind::File,
            name: "plan.pdf".to_owned(),
            mime: None,
            path: None,
            problem: Some("it is no longer kept".to_owned()),
            transcript: None,
        };
        let (message_id, author) = (Some("1".to_owned()), None);
        let mut quote = Quote { message_id, author, text: String::new(), attachments: vec![] };
        assert_eq!(quoted(&quote), "[quoted message not available]");
        quote.attachments.push(gone);
        assert_eq!(quoted(&quote), "[quoted: file: plan.pdf; it is no longer kept]");
        quote.text = "look".to_owned();
        assert_eq!(quoted(&quote), "[quoted: look; file: plan.pdf; it is no longer kept]");
    }
}

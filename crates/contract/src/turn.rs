//! A turn: one inbound message and all replies to it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Conversation, TurnId};

/// A message from an admitted peer, with everything that belongs to it fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    /// The turn it opens.
    pub turn: TurnId,
    /// Where it was said.
    pub conversation: Conversation,
    /// Whether the peer is the one who logged the account in.
    #[serde(default)]
    pub from_owner: bool,
    /// The backend's id of it.
    pub message_id: String,
    /// When it was said, in milliseconds since 1970.
    pub sent_at_ms: i64,
    /// All of its text. Empty when it has attachments only.
    #[serde(default)]
    pub text: String,
    /// Its media, in order.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// What it quotes.
    pub quote: Option<Quote>,
    /// Whether it waits its turn in the conversation or overtakes it.
    #[serde(default)]
    pub lane: Lane,
    /// How often it has been handed over, this time included. Over 1 after a
    /// crash: the host may have worked on it before.
    #[serde(default = "first")]
    pub offers: u32,
}

fn first() -> u32 {
    1
}

/// How a message comes to its turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// After what was said before it in the same conversation.
    #[default]
    Conversation,
    /// At once, whatever the conversation is busy with: a control command.
    Aside,
}

/// Media that came with a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is.
    pub kind: MediaKind,
    /// Its name as the sender gave it, to be shown, never to be opened.
    pub name: String,
    /// What its bytes are, told from themselves, such as `audio/wav`.
    pub mime: Option<String>,
    /// Where its bytes lie; `None` when they could not be fetched.
    pub path: Option<PathBuf>,
    /// Why there is no path, in words for the agent.
    pub problem: Option<String>,
    /// What was said in it, for a voice message that came with a transcript.
    pub transcript: Option<String>,
}

/// What kind of media something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A voice message.
    Voice,
    /// A video.
    Video,
    /// Any other file.
    File,
}

/// An earlier message that a message refers to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// The backend's id of it, if known.
    pub message_id: Option<String>,
    /// Who said it, if known.
    pub author: Option<Author>,
    /// What it says, as far as known; empty when it is not known.
    pub text: String,
    /// Its media, as far as they are still there.
    pub attachments: Vec<Attachment>,
}

/// Which end of a conversation said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    /// The peer.
    Peer,
    /// We.
    Us,
}

/// One reply of a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Which reply of the turn it is, from 0. A number that is already on disk
    /// is not stored again, so a turn that runs twice answers once.
    pub number: u32,
    /// What it is for.
    pub class: ReplyClass,
    /// What it says.
    pub content: Content,
}

/// What a reply is for: what must not wait goes first when sends are scarce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyClass {
    /// An answer, or a part of one.
    #[default]
    Answer,
    /// A question that the turn waits for, such as an approval. From then on
    /// until the turn ends, the channel hands over what the peer says as it
    /// comes, even if it otherwise keeps that until a turn has ended.
    Question,
    /// A word of the host's own, such as why there is no answer.
    Notice,
}

/// What can be said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Markdown.
    Text(String),
    /// A picture, a video or a file.
    Media(Media),
}

/// Media to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Where its bytes are.
    pub source: Source,
    /// How to send it; told from the bytes when left out.
    pub kind: Option<MediaKind>,
    /// The name to show; the source's own when left out.
    pub name: Option<String>,
    /// What is said with it. Sent before it, so that a failed upload loses no word.
    pub caption: Option<String>,
    /// Sends a picture or a video as a file, which keeps its quality.
    #[serde(default)]
    pub as_file: bool,
}

impl Media {
    /// Sends a file of the host's own under a name.
    #[must_use]
    pub fn file(kind: MediaKind, path: PathBuf, name: impl Into<String>) -> Self {
        let (kind, name) = (Some(kind), Some(name.into()));
        Self { source: Source::File(path), kind, name, caption: None, as_file: false }
    }
}

/// Where the bytes of media are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A file that the host made or vouches for. The channel takes a copy before
    /// the call returns.
    File(PathBuf),
    /// What an agent named: a path or `file://` address below one of the
    /// channel's media roots, of which a copy is taken before the call returns,
    /// or a public `http(s)://` address, fetched when it is sent.
    Named(String),
}

/// What is told while a turn runs: seen if it can be, never kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The agent works: show it until the turn ends.
    Working,
    /// A tool begins to run.
    ToolStarted {
        /// The tool's name.
        tool: String,
        /// Ties its end to it.
        call_id: String,
    },
    /// A tool has ended.
    ToolEnded {
        /// The tool's name.
        tool: String,
        /// Ties it to its begin.
        call_id: String,
        /// How it ended.
        outcome: ToolOutcome,
    },
}

/// How a tool's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolOutcome {
    /// It did its work.
    Completed,
    /// It failed.
    Failed,
    /// It was not allowed to run.
    Blocked,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnEnd {
    /// All replies have been given.
    Answered,
    /// The peer stopped it.
    Stopped,
    /// The agent failed for good. What the peer is to be told was a reply.
    Failed {
        /// Why, for the operator.
        reason: String,
    },
}

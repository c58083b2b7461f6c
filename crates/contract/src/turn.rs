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
    /// The backend's id of it.
    pub message_id: String,
    /// When it was said, in milliseconds since 1970.
    pub sent_at_ms: i64,
    /// All of its text. Empty when it has attachments only.
    pub text: String,
    /// Its media, in order.
    pub attachments: Vec<Attachment>,
    /// What it quotes.
    pub quote: Option<Quote>,
    /// How often it has been handed over, this time included. Over 1 after a
    /// crash: the host may have worked on it before.
    pub offers: u32,
}

/// Media that came with a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is.
    pub kind: MediaKind,
    /// Its name as the sender gave it, to be shown, never to be opened.
    pub name: String,
    /// Where its bytes lie; `None` when they could not be fetched.
    pub path: Option<PathBuf>,
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
    /// What it says, as far as known.
    pub text: String,
}

/// One reply of a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Which reply of the turn it is, from 0. A number that is already on disk
    /// is not stored again, so a turn that runs twice answers once.
    pub number: u32,
    /// What it says.
    pub content: Content,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// How to send it.
    pub kind: MediaKind,
    /// Where its bytes lie. The channel takes a copy before the call returns.
    pub path: PathBuf,
    /// The name to show.
    pub name: String,
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
    /// The agent failed for good. What the peer is to be told was a reply.
    Failed {
        /// Why, for the operator.
        reason: String,
    },
}

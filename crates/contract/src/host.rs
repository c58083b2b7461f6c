//! What a channel asks of a host.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{AccountStatus, Alert, Conversation, Inbound, TurnId};

/// A program that runs channels.
pub trait Host: Send + Sync {
    /// Says whether a sender is admitted. Asked before anything else is done
    /// for a message: no media is fetched for a stranger, and nothing is sent
    /// but what the verdict says. Asked again for the same turn after a crash,
    /// it gives the same verdict unless the rules have changed.
    fn admit(&self, sender: Sender) -> BoxFuture<'_, Result<Verdict, HostError>>;

    /// Takes a message. Returns when the host has it in a queue; the turn runs
    /// on its own and ends by [`Channel::finish`](crate::Channel::finish).
    /// Waits while the conversation's queue is full.
    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>>;

    /// Hears that an account stands elsewhere than before. Must not block.
    fn changed(&self, status: AccountStatus);

    /// Hears what a person should know. Told once per trouble, not once per
    /// occurrence. Must not block.
    fn alert(&self, alert: Alert);
}

/// Who wants to be heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Where.
    pub conversation: Conversation,
    /// The turn that the message would open.
    pub turn: TurnId,
    /// Whether this peer is the one who logged the account in.
    pub is_owner: bool,
}

/// What a host says of a sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Admitted.
    Admit,
    /// Not admitted; nothing is done and nothing is said.
    Refuse,
    /// Not admitted, and told why, such as by a pairing code: the channel says
    /// it as its only answer to this message.
    Challenge {
        /// What to say.
        text: String,
    },
}

/// Why a host could not take a message.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The host is stopping; the message stays with the channel.
    #[error("the host is stopping")]
    Stopping,
    /// The host's own storage failed; to be tried again.
    #[error("the host cannot store: {0}")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The program that is the host has gone, or does not answer; the message
    /// stays with the channel.
    #[error("the host cannot be reached: {0}")]
    Gone(String),
    /// The host failed in a way of its own; to be tried again.
    #[error("the host failed: {0}")]
    Failed(String),
}

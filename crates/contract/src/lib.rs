//! What a host and a channel say to each other.
//!
//! A channel is a way to reach people; a host runs channels and has agents
//! behind it. Neither knows the other's insides: they share these types and
//! the two traits below.
//!
//! ```text
//!            admit(sender) · receive(inbound) · changed(status) · alert(alert)
//!  Channel ──────────────────────────────────────────────────────────────────▶ Host
//!  Channel ◀────────────────────────────────────────────────────────────────── Host
//!        start · reply · signal · finish · send · outbox · status · login · … · stop
//! ```
//!
//! The life of a turn: the channel stores a message, asks the host whether the
//! sender is admitted ([`Host::admit`]), fetches what belongs to it and hands it
//! over ([`Host::receive`]). The host answers with any number of replies
//! ([`Channel::reply`], each on disk when the call returns) and ends the turn
//! ([`Channel::finish`]). A turn that was cut by a crash is handed over again
//! under the same [`TurnId`]; replies are numbered, and one that is already on
//! disk is not stored again.
//!
//! [`stdio`] carries both traits over a pair of pipes, so that a channel may be
//! another program in any language; [`manifest`] says how to run it.

pub mod manifest;
pub mod stdio;

mod channel;
mod host;
mod ids;
mod json;
mod login;
mod sending;
mod status;
mod turn;

pub use crate::channel::{Channel, ChannelError};
pub use crate::host::{Host, HostError, Sender, Verdict};
pub use crate::ids::{AccountId, ChannelId, Conversation, PeerId, TurnId};
pub use crate::login::{
    LoggedOut, LoginDone, LoginEvent, LoginFace, LoginFailure, LoginRequest, Removed,
};
pub use crate::sending::{
    Alert, Delivery, OutboxAction, OutboxEntry, Outgoing, PeerStatus, SendClass, SendReport, Target,
};
pub use crate::status::{AccountState, AccountStatus, Probe};
pub use crate::turn::{
    Attachment, Author, Content, Inbound, Lane, Media, MediaKind, Quote, Reply, ReplyClass, Signal,
    Source, ToolOutcome, TurnEnd,
};

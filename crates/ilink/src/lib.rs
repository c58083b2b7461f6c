//! Tencent's iLink bot protocol: what travels, and a client for it.
//!
//! ```text
//! wire      the types of every request and answer: lenient in, exact out
//! ids       what names things: user, bot, message, client id, cursor
//! secret    what must not print: bot token, context token, media key, …
//! code      return codes and what they mean
//! cipher    AES-128-ECB over streams, sizes and keys of media
//! agent     `bot_agent`: who the bot says it is
//! backoff   pauses between attempts
//! login     the QR login as a state machine without I/O
//! client    one method per endpoint, one deadline per exchange  (feature `client`)
//! media     media up to and down from the CDN, streamed         (feature `client`)
//! ```
//!
//! Invariant: this crate knows the protocol and nothing else: no accounts on
//! disk, no agents, no hosts. It keeps no state between calls and never
//! retries on its own, except inside one media upload, where the protocol asks
//! for it.

pub mod wire;
pub mod ids;
pub mod secret;
pub mod code;
pub mod cipher;
pub mod agent;
pub mod backoff;
pub mod login;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod media;

pub use crate::agent::BotAgent;
pub use crate::backoff::Backoff;
#[cfg(feature = "client")]
pub use crate::client::{Client, ClientError, Endpoints, Http, HttpOptions, Identity, Recovery};
pub use crate::code::Code;
pub use crate::ids::{BotId, ClientId, Cursor, FileKey, MessageId, QrCodeId, RunId, UserId};
pub use crate::secret::{
    BotToken, ContextToken, MediaKey, MediaKeyText, TypingTicket, UploadTicket,
};

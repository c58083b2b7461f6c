//! What a host asks of a channel.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::{AccountStatus, ChannelId, Host, Probe, Reply, Signal, TurnEnd, TurnId};

/// A way to reach people.
pub trait Channel: Send + Sync {
    /// Returns the channel's id.
    fn id(&self) -> ChannelId;

    /// Starts receiving for every configured account and returns when each has
    /// been started; unfinished turns of an earlier run are handed over again.
    fn start(&self, host: Arc<dyn Host>) -> BoxFuture<'_, Result<(), ChannelError>>;

    /// Stores one reply of a turn. When it returns `Ok`, the reply is on disk
    /// and will be delivered, also after a crash.
    fn reply<'a>(
        &'a self,
        turn: &'a TurnId,
        reply: Reply,
    ) -> BoxFuture<'a, Result<(), ChannelError>>;

    /// Tells the peer something about a running turn, if it can be told now.
    fn signal<'a>(&'a self, turn: &'a TurnId, signal: Signal) -> BoxFuture<'a, ()>;

    /// Ends a turn. When it returns `Ok`, the turn will not be handed over again.
    fn finish<'a>(
        &'a self,
        turn: &'a TurnId,
        end: TurnEnd,
    ) -> BoxFuture<'a, Result<(), ChannelError>>;

    /// Returns where each account stands.
    fn status(&self) -> BoxFuture<'_, Result<Vec<AccountStatus>, ChannelError>>;

    /// Asks the backend, for each account, whether it can be used now.
    fn probe(&self) -> BoxFuture<'_, Result<Vec<Probe>, ChannelError>>;

    /// Stops receiving at once, lets replies that are on disk leave for at most
    /// `grace`, and tells the backend. What has not left by then stays queued.
    fn stop(&self, grace: Duration) -> BoxFuture<'_, ()>;
}

/// Why a channel could not do what a host asked.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The turn is not known, or has ended.
    #[error("there is no open turn {0}")]
    NoSuchTurn(TurnId),
    /// A media file cannot be read.
    #[error("the file {path} cannot be sent: {reason}")]
    Media {
        /// The file as the host named it.
        path: String,
        /// Why not.
        reason: String,
    },
    /// Another process runs this channel on the same state.
    #[error("another process runs this channel: {0}")]
    Locked(String),
    /// The channel's own storage failed.
    #[error("the channel cannot store: {0}")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The channel has been stopped.
    #[error("the channel is stopped")]
    Stopped,
}

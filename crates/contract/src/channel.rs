//! What a host asks of a channel.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::{
    AccountId, AccountStatus, ChannelId, Conversation, Host, LoggedOut, LoginDone, LoginFace,
    LoginFailure, LoginRequest, OutboxAction, OutboxEntry, Outgoing, PeerStatus, Probe, Removed,
    Reply, SendReport, Signal, Target, TurnEnd, TurnId,
};

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

    /// Takes something to say outside a turn. When it returns `Ok`, it is on disk
    /// and the report says what has become of it within a moment.
    ///
    /// Works on a channel that does not run, too: what it takes waits then.
    fn send(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<SendReport, ChannelError>>;

    /// Finds whom a target means, without saying anything.
    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Conversation, ChannelError>>;

    /// Returns what waits to leave or is parked, the oldest first.
    fn outbox(&self) -> BoxFuture<'_, Result<Vec<OutboxEntry>, ChannelError>>;

    /// Drops or retries messages of the outbox; returns how many it concerned.
    fn act<'a>(
        &'a self,
        action: OutboxAction,
        ids: &'a [i64],
    ) -> BoxFuture<'a, Result<usize, ChannelError>>;

    /// Returns what is known of one peer, such as how much may still be said.
    fn peer<'a>(
        &'a self,
        conversation: &'a Conversation,
    ) -> BoxFuture<'a, Result<Option<PeerStatus>, ChannelError>>;

    /// Returns what is known of each peer, those who wrote last first.
    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerStatus>, ChannelError>>;

    /// Gives a peer a name, or takes it away.
    fn name_peer<'a>(
        &'a self,
        target: &'a Target,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Conversation, ChannelError>>;

    /// Takes new settings, as they stand in a configuration. Accounts that they
    /// do not concern go on undisturbed. Returns what was not understood.
    fn configure(
        &self,
        section: serde_json::Value,
    ) -> BoxFuture<'_, Result<Vec<String>, ChannelError>>;

    /// Returns all numbers in the text format of Prometheus.
    fn metrics(&self) -> BoxFuture<'_, Result<String, ChannelError>>;

    /// Returns where each account stands.
    fn status(&self) -> BoxFuture<'_, Result<Vec<AccountStatus>, ChannelError>>;

    /// Asks the backend, for each account, whether it can be used now.
    fn probe(&self) -> BoxFuture<'_, Result<Vec<Probe>, ChannelError>>;

    /// Brings an account here, or back: tells the face what to show and returns
    /// when the account works. Dropping the future gives the login up; an account
    /// that was saved by then stays.
    ///
    /// Works on a channel that does not run, too.
    fn login<'a>(
        &'a self,
        _request: LoginRequest,
        _face: Arc<dyn LoginFace>,
    ) -> BoxFuture<'a, Result<LoginDone, ChannelError>> {
        unsupported("login")
    }

    /// Forgets the credential of an account, which stops; what was said stays,
    /// and a later login of the same account goes on with it. The account is
    /// named by its id or its name, here and below.
    fn logout<'a>(&'a self, _account: &'a str) -> BoxFuture<'a, Result<LoggedOut, ChannelError>> {
        unsupported("logout")
    }

    /// Lets an account run or keeps it stopped, also after a restart. Returns
    /// which one it is.
    fn set_enabled<'a>(
        &'a self,
        _account: &'a str,
        _enabled: bool,
    ) -> BoxFuture<'a, Result<AccountId, ChannelError>> {
        unsupported("set_enabled")
    }

    /// Removes everything that is kept of an account. After a crash it can be
    /// removed again.
    fn remove<'a>(&'a self, _account: &'a str) -> BoxFuture<'a, Result<Removed, ChannelError>> {
        unsupported("remove")
    }

    /// Stops receiving at once, lets replies that are on disk leave for at most
    /// `grace`, and tells the backend. What has not left by then stays queued.
    fn stop(&self, grace: Duration) -> BoxFuture<'_, ()>;
}

/// What a channel answers that cannot do this.
fn unsupported<'a, T: Send + 'a>(what: &str) -> BoxFuture<'a, Result<T, ChannelError>> {
    Box::pin(std::future::ready(Err(ChannelError::Unsupported(what.to_owned()))))
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
    /// Nobody is known by that name or id.
    #[error("nobody is known as {0:?}; the peer must have written to the bot once")]
    UnknownTarget(String),
    /// More than one account or peer could be meant.
    #[error("{to:?} could be any of {}; name the account", among.join(", "))]
    AmbiguousTarget {
        /// What was asked for.
        to: String,
        /// What it could be.
        among: Vec<String>,
    },
    /// The settings cannot be used; the earlier ones stay.
    #[error("the setting {path} cannot be used: {reason}")]
    Settings {
        /// Where in the section.
        path: String,
        /// Why, and what would do.
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
    /// There is no such account, or more than one could be meant.
    #[error("{0}")]
    UnknownAccount(String),
    /// A login has failed.
    #[error("{}", .0.sentence)]
    Login(LoginFailure),
    /// The channel cannot do this at all.
    #[error("the channel does not know how to do {0:?}")]
    Unsupported(String),
    /// The program that does the channel's work has gone, or does not answer.
    /// What it was asked may have been done; a reply may be given again.
    #[error("the channel cannot be reached: {0}")]
    Gone(String),
    /// The channel failed in a way of its own.
    #[error("the channel failed: {0}")]
    Failed(String),
}

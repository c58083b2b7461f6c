//! The channel's end: a channel that is asked from another program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::calls::ChannelCall;
use super::endpoint::{Desk, Endpoint, Ends, Outcome};
use super::hello::Hello;
use super::message::{Id, WireError, code, null};
use super::remote_host::{RemoteFace, RemoteHost};
use crate::{Channel, ChannelError};

/// How long replies may take to leave when the host has gone without a word.
pub const ORPHAN_GRACE: Duration = Duration::from_secs(3);
/// How long a host may keep the pipe open after the channel has stopped.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a channel has not been served to its end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The host speaks other versions of the contract only.
    #[error("{0}")]
    NoCommonVersion(String),
    /// The pipe has ended before the host said to stop; the channel is stopped.
    #[error("the host has gone: {0}")]
    Gone(String),
}

/// Does what a host in another program asks, until it says to stop or closes
/// the pipe; the channel is stopped when this returns, or when it is dropped
/// before, is left as it is.
///
/// `hello` says who answers; its channel is the channel's own id. Nothing else
/// may write to `writer`: logs belong to stderr.
///
/// # Errors
///
/// When there is no common version, or the host goes without a word.
pub async fn serve(
    channel: Arc<dyn Channel>,
    hello: Hello,
    reader: impl AsyncRead + Send + Unpin + 'static,
    writer: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<(), ServeError> {
    let (endpoint, queue) = Endpoint::new();
    let hello = hello.of(channel.id());
    let desk = Arc::new(ChannelDesk {
        channel: Arc::clone(&channel),
        endpoint: endpoint.clone(),
        hello,
        is_greeted: AtomicBool::new(false),
        stopped: CancellationToken::new(),
        refused: OnceLock::new(),
    });
    let _ends_when_dropped = Ends(endpoint.clone());
    endpoint.open(reader, (writer, queue), desk.clone());
    let let_go = async {
        desk.stopped.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    let reason = tokio::select! {
        reason = endpoint.ended() => reason,
        () = let_go => String::new(),
    };
    endpoint.end("the channel has stopped");
    endpoint.cleared().await;
    if let Some(reason) = desk.refused.get() {
        return Err(ServeError::NoCommonVersion(reason.clone()));
    }
    if desk.stopped.is_cancelled() {
        return Ok(());
    }
    channel.stop(ORPHAN_GRACE).await;
    Err(ServeError::Gone(reason))
}

struct ChannelDesk {
    channel: Arc<dyn Channel>,
    endpoint: Endpoint,
    hello: Hello,
    is_greeted: AtomicBool,
    stopped: CancellationToken,
    /// Why the host was turned away.
    refused: OnceLock<String>,
}

impl Desk for ChannelDesk {
    fn work(
        self: Arc<Self>,
        id: Id,
        method: &str,
        params: &RawValue,
    ) -> BoxFuture<'static, Outcome> {
        let call = match ChannelCall::read(method, params) {
            Ok(call) => call,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        if let ChannelCall::Hello(theirs) = &call {
            return Box::pin(std::future::ready(self.greet(theirs)));
        }
        if !self.is_greeted.load(Ordering::Acquire) {
            let error = WireError::new(code::TOO_EARLY, "say `hello` first");
            return Box::pin(std::future::ready(Err(error)));
        }
        Box::pin(async move { self.answer(id, call).await })
    }

    fn hear(&self, method: &str, _: &RawValue) -> Result<(), WireError> {
        Err(WireError::new(code::NO_METHOD, format!("there is no notification {method:?}")))
    }
}

impl ChannelDesk {
    fn greet(&self, theirs: &Hello) -> Outcome {
        if self.hello.common(theirs).is_some() {
            self.is_greeted.store(true, Ordering::Release);
            return value(&self.hello);
        }
        let Hello { contract, program, .. } = &self.hello;
        let text = format!(
            "{program} speaks version {contract:?} of the contract, {} speaks {:?}",
            theirs.program, theirs.contract
        );
        let data = serde_json::json!({ "kind": "no_common_version", "contract": contract });
        if self.refused.set(text.clone()).is_ok() {
            // The refusal is read before the pipe closes.
            self.stopped.cancel();
        }
        Err(WireError { code: code::NO_COMMON_VERSION, message: text, data: Some(data) })
    }

    async fn answer(&self, id: Id, call: ChannelCall) -> Outcome {
        let channel = &self.channel;
        match call {
            ChannelCall::Hello(theirs) => self.greet(&theirs),
            ChannelCall::Start {} => {
                let host = RemoteHost { endpoint: self.endpoint.clone() };
                told(channel.start(Arc::new(host)).await)
            }
            ChannelCall::Reply { turn, reply } => told(channel.reply(&turn, reply).await),
            ChannelCall::Signal { turn, signal } => {
                channel.signal(&turn, signal).await;
                Ok(null())
            }
            ChannelCall::Finish { turn, end } => told(channel.finish(&turn, end).await),
            ChannelCall::Send { outgoing } => told(channel.send(outgoing).await),
            ChannelCall::Resolve { target } => told(channel.resolve(target).await),
            ChannelCall::Outbox {} => told(channel.outbox().await),
            ChannelCall::Act { action, ids } => told(channel.act(action, &ids).await),
            ChannelCall::Peer { conversation } => told(channel.peer(&conversation).await),
            ChannelCall::Peers {} => told(channel.peers().await),
            ChannelCall::NamePeer { target, name } => {
                told(channel.name_peer(&target, name.as_deref()).await)
            }
            ChannelCall::Configure { section } => told(channel.configure(section).await),
            ChannelCall::Metrics {} => told(channel.metrics().await),
            ChannelCall::Status {} => told(channel.status().await),
            ChannelCall::Probe {} => told(channel.probe().await),
            ChannelCall::Login { request } => {
                let face = RemoteFace { endpoint: self.endpoint.clone(), login: id };
                told(channel.login(request, Arc::new(face)).await)
            }
            ChannelCall::Logout { account } => told(channel.logout(&account).await),
            ChannelCall::SetEnabled { account, enabled } => {
                told(channel.set_enabled(&account, enabled).await)
            }
            ChannelCall::Remove { account } => told(channel.remove(&account).await),
            ChannelCall::Stop { grace_ms } => {
                channel.stop(Duration::from_millis(grace_ms)).await;
                self.stopped.cancel();
                Ok(null())
            }
        }
    }
}

fn told<T: Serialize>(outcome: Result<T, ChannelError>) -> Outcome {
    value(&outcome?)
}

pub(super) fn value(result: &impl Serialize) -> Outcome {
    to_raw_value(result).map_err(|err| WireError::new(code::INTERNAL, err.to_string()))
}

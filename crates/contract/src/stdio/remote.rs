//! The host's end: a channel that lives in another program.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::calls::{ChannelCall, HostCall};
use super::endpoint::{CallError, Desk, Endpoint, Ends, Outcome};
use super::hello::Hello;
use super::message::{Id, WireError, code, null};
use super::serve::value;
use crate::{
    AccountId, AccountStatus, Channel, ChannelError, ChannelId, Conversation, Host, HostError,
    LoggedOut, LoginDone, LoginFace, LoginRequest, OutboxAction, OutboxEntry, Outgoing, PeerStatus,
    Probe, Removed, Reply, SendReport, Signal, Target, TurnEnd, TurnId,
};

/// How long the other program may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the handshake.
    pub handshake: Duration,
    /// For an answer. A login may take as long as it takes.
    pub answer: Duration,
    /// How often it is asked whether it is well.
    pub ping_every: Duration,
    /// For the answer to that; then it counts as gone.
    pub ping: Duration,
    /// To stop, beyond the grace that it has.
    pub stop: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self {
            handshake: secs(10),
            answer: secs(60),
            ping_every: secs(20),
            ping: secs(20),
            stop: secs(3),
        }
    }
}

/// Why a channel in another program cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It did not answer the greeting in time.
    #[error("no answer to `hello` within {0:?}")]
    TooLate(Duration),
    /// It speaks other versions of the contract only.
    #[error("{program} speaks version {theirs:?} of the contract, this host speaks {ours:?}")]
    NoCommonVersion {
        /// What it calls itself.
        program: String,
        /// What it speaks.
        theirs: Vec<u32>,
        /// What is spoken here.
        ours: Vec<u32>,
    },
    /// It is another channel than the one that is wanted.
    #[error("it is the channel {is}, not {wanted}")]
    OtherChannel {
        /// The one that is wanted.
        wanted: ChannelId,
        /// What it is.
        is: ChannelId,
    },
    /// It refused the greeting.
    #[error("it refuses to be greeted: {0}")]
    Refused(WireError),
    /// What it answers is no greeting.
    #[error("{0}")]
    Unreadable(String),
    /// The pipe broke.
    #[error("it is gone before it said `hello`: {0}")]
    Gone(String),
}

/// A channel in another program. Clones share it; the pipe closes with the last.
#[derive(Clone)]
pub struct Remote {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    desk: Arc<HostDesk>,
    theirs: Hello,
    channel: ChannelId,
    patience: Patience,
    _ends_when_dropped: Ends,
}

/// Greets the channel at the other end of two pipes.
///
/// `hello` says who asks, and which channel is wanted.
///
/// # Errors
///
/// When the other program does not answer, or not in a way that is understood.
pub async fn connect(
    reader: impl AsyncRead + Send + Unpin + 'static,
    writer: impl AsyncWrite + Send + Unpin + 'static,
    hello: Hello,
    patience: Patience,
) -> Result<Remote, ConnectError> {
    let (endpoint, queue) = Endpoint::new();
    let ends = Ends(endpoint.clone());
    let desk = Arc::new(HostDesk::default());
    endpoint.open(reader, (writer, queue), desk.clone());
    let greeting = ChannelCall::Hello(hello.clone());
    let answer = timeout(patience.handshake, endpoint.call_aside::<Hello>(&greeting)).await;
    let answer = answer.map_err(|_| ConnectError::TooLate(patience.handshake))?;
    let theirs = answer.map_err(ConnectError::of)?;
    if hello.common(&theirs).is_none() {
        let Hello { contract: theirs, program, .. } = theirs;
        return Err(ConnectError::NoCommonVersion { program, theirs, ours: hello.contract });
    }
    let channel = match (hello.channel, &theirs.channel) {
        (Some(wanted), Some(is)) if wanted != *is => {
            return Err(ConnectError::OtherChannel { wanted, is: is.clone() });
        }
        (Some(channel), _) => channel,
        (None, Some(channel)) => channel.clone(),
        (None, None) => ChannelId::new(theirs.program.clone()),
    };
    let pinging = endpoint.clone();
    endpoint.spawn("ping", async move { ping(&pinging, patience).await });
    let inner = Inner { endpoint, desk, theirs, channel, patience, _ends_when_dropped: ends };
    Ok(Remote { inner: Arc::new(inner) })
}

impl ConnectError {
    fn of(err: CallError) -> Self {
        match err {
            CallError::Gone(reason) => Self::Gone(reason),
            CallError::Failed(reason) => Self::Unreadable(reason),
            CallError::Refused { error, .. } => Self::Refused(error),
        }
    }
}

/// Asks again and again whether the other program is well, until it is gone.
async fn ping(endpoint: &Endpoint, patience: Patience) {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Call {
        Ping {},
    }
    let Patience { ping_every, ping, .. } = patience;
    let pings = async {
        loop {
            tokio::time::sleep(ping_every).await;
            if timeout(ping, endpoint.call_aside::<IgnoredAny>(&Call::Ping {})).await.is_err() {
                endpoint.end(&format!("it has not answered a ping within {ping:?}"));
            }
        }
    };
    tokio::select! {
        _ = endpoint.ended() => {}
        () = pings => {}
    }
}

impl Remote {
    /// Returns how the other program introduced itself.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        &self.inner.theirs
    }

    /// Returns when the other program is gone, with the reason.
    pub async fn gone(&self) -> String {
        self.inner.endpoint.ended().await
    }

    /// Closes the pipe; the other program hears the end of its input. Calls in
    /// flight fail with this reason.
    pub fn close(&self, reason: &str) {
        self.inner.endpoint.end(reason);
    }

    async fn ask<T: DeserializeOwned>(&self, call: ChannelCall) -> Result<T, ChannelError> {
        let Inner { endpoint, patience, .. } = &*self.inner;
        let asked = endpoint.call(endpoint.next_id(), &call);
        let late = |_| CallError::Gone(format!("no answer within {:?}", patience.answer));
        Ok(timeout(patience.answer, asked).await.map_err(late)??)
    }

    /// Asks what has no result worth reading.
    async fn order(&self, call: ChannelCall) -> Result<(), ChannelError> {
        self.ask::<IgnoredAny>(call).await.map(drop)
    }

    async fn log_in(
        &self,
        request: LoginRequest,
        face: Arc<dyn LoginFace>,
    ) -> Result<LoginDone, ChannelError> {
        let Inner { endpoint, desk, .. } = &*self.inner;
        let id = endpoint.next_id();
        lock(&desk.faces).insert(id, face);
        let _shown = Shown { desk, id };
        Ok(endpoint.call(id, &ChannelCall::Login { request }).await?)
    }

    async fn halt(&self, grace: Duration) {
        let Inner { endpoint, patience, .. } = &*self.inner;
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let call = ChannelCall::Stop { grace_ms };
        let stopped = endpoint.call_aside::<IgnoredAny>(&call);
        match timeout(grace.saturating_add(patience.stop), stopped).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(?error, "the channel's program does not stop"),
            Err(_) => tracing::warn!("the channel's program has not stopped in time"),
        }
        endpoint.end("the channel has been stopped");
    }
}

/// A login that is shown to somebody.
struct Shown<'a> {
    desk: &'a HostDesk,
    id: i64,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        lock(&self.desk.faces).remove(&self.id);
    }
}

/// Does what the channel asks.
#[derive(Default)]
struct HostDesk {
    // Both held for a look-up, never across an await.
    host: Mutex<Option<Arc<dyn Host>>>,
    faces: Mutex<HashMap<i64, Arc<dyn LoginFace>>>,
}

impl Desk for HostDesk {
    fn work(
        self: Arc<Self>,
        _: Id,
        method: &str,
        params: &RawValue,
    ) -> BoxFuture<'static, Outcome> {
        match HostCall::read(method, params) {
            Ok(call) => async move { self.answer(call).await }.boxed(),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn hear(&self, method: &str, params: &RawValue) -> Result<(), WireError> {
        match HostCall::read(method, params)? {
            HostCall::Changed { status } => self.host()?.changed(status),
            HostCall::Alert { alert } => self.host()?.alert(alert),
            HostCall::LoginEvent { login, event } => self.face(&login)?.tell(event),
            HostCall::Admit { .. } | HostCall::Receive { .. } | HostCall::LoginCode { .. } => {
                let text = format!("`{method}` wants an answer, and needs an id for it");
                return Err(WireError::new(code::NO_MESSAGE, text));
            }
        }
        Ok(())
    }
}

impl HostDesk {
    async fn answer(&self, call: HostCall) -> Outcome {
        match call {
            HostCall::Admit { sender } => told(self.host()?.admit(sender).await),
            HostCall::Receive { inbound } => told(self.host()?.receive(inbound).await),
            HostCall::LoginCode { login, wrong } => {
                let digits = self.face(&login)?.verify_code(wrong).await;
                value(&serde_json::json!({ "digits": digits }))
            }
            HostCall::Changed { status } => {
                self.host()?.changed(status);
                Ok(null())
            }
            HostCall::Alert { alert } => {
                self.host()?.alert(alert);
                Ok(null())
            }
            HostCall::LoginEvent { login, event } => {
                self.face(&login)?.tell(event);
                Ok(null())
            }
        }
    }

    fn host(&self) -> Result<Arc<dyn Host>, WireError> {
        let host = lock(&self.host).clone();
        host.ok_or_else(|| WireError::new(code::TOO_EARLY, "the channel has not been started"))
    }

    fn face(&self, login: &Id) -> Result<Arc<dyn LoginFace>, WireError> {
        let face = match login {
            Id::Number(id) => lock(&self.faces).get(id).cloned(),
            Id::Text(_) => None,
        };
        face.ok_or_else(|| WireError::new(code::REFUSED, "no such login runs"))
    }
}

fn told<T: serde::Serialize>(outcome: Result<T, HostError>) -> Outcome {
    value(&outcome?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Channel for Remote {
    fn id(&self) -> ChannelId {
        self.inner.channel.clone()
    }

    fn start(&self, host: Arc<dyn Host>) -> BoxFuture<'_, Result<(), ChannelError>> {
        // Known before the first message comes.
        *lock(&self.inner.desk.host) = Some(host);
        self.order(ChannelCall::Start {}).boxed()
    }

    fn reply<'a>(
        &'a self,
        turn: &'a TurnId,
        reply: Reply,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        self.order(ChannelCall::Reply { turn: turn.clone(), reply }).boxed()
    }

    fn signal<'a>(&'a self, turn: &'a TurnId, signal: Signal) -> BoxFuture<'a, ()> {
        let told = self.order(ChannelCall::Signal { turn: turn.clone(), signal });
        told.map(|told| {
            if let Err(error) = told {
                tracing::debug!(%error, "a signal is lost");
            }
        })
        .boxed()
    }

    fn finish<'a>(
        &'a self,
        turn: &'a TurnId,
        end: TurnEnd,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        self.order(ChannelCall::Finish { turn: turn.clone(), end }).boxed()
    }

    fn send(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<SendReport, ChannelError>> {
        self.ask(ChannelCall::Send { outgoing }).boxed()
    }

    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Conversation, ChannelError>> {
        self.ask(ChannelCall::Resolve { target }).boxed()
    }

    fn outbox(&self) -> BoxFuture<'_, Result<Vec<OutboxEntry>, ChannelError>> {
        self.ask(ChannelCall::Outbox {}).boxed()
    }

    fn act<'a>(
        &'a self,
        action: OutboxAction,
        ids: &'a [i64],
    ) -> BoxFuture<'a, Result<usize, ChannelError>> {
        self.ask(ChannelCall::Act { action, ids: ids.to_vec() }).boxed()
    }

    fn peer<'a>(
        &'a self,
        conversation: &'a Conversation,
    ) -> BoxFuture<'a, Result<Option<PeerStatus>, ChannelError>> {
        self.ask(ChannelCall::Peer { conversation: conversation.clone() }).boxed()
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerStatus>, ChannelError>> {
        self.ask(ChannelCall::Peers {}).boxed()
    }

    fn name_peer<'a>(
        &'a self,
        target: &'a Target,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Conversation, ChannelError>> {
        let name = name.map(str::to_owned);
        self.ask(ChannelCall::NamePeer { target: target.clone(), name }).boxed()
    }

    fn configure(
        &self,
        section: serde_json::Value,
    ) -> BoxFuture<'_, Result<Vec<String>, ChannelError>> {
        self.ask(ChannelCall::Configure { section }).boxed()
    }

    fn metrics(&self) -> BoxFuture<'_, Result<String, ChannelError>> {
        self.ask(ChannelCall::Metrics {}).boxed()
    }

    fn status(&self) -> BoxFuture<'_, Result<Vec<AccountStatus>, ChannelError>> {
        self.ask(ChannelCall::Status {}).boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<Vec<Probe>, ChannelError>> {
        self.ask(ChannelCall::Probe {}).boxed()
    }

    fn login<'a>(
        &'a self,
        request: LoginRequest,
        face: Arc<dyn LoginFace>,
    ) -> BoxFuture<'a, Result<LoginDone, ChannelError>> {
        self.log_in(request, face).boxed()
    }

    fn logout<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<LoggedOut, ChannelError>> {
        self.ask(ChannelCall::Logout { account: account.to_owned() }).boxed()
    }

    fn set_enabled<'a>(
        &'a self,
        account: &'a str,
        enabled: bool,
    ) -> BoxFuture<'a, Result<AccountId, ChannelError>> {
        self.ask(ChannelCall::SetEnabled { account: account.to_owned(), enabled }).boxed()
    }

    fn remove<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Removed, ChannelError>> {
        self.ask(ChannelCall::Remove { account: account.to_owned() }).boxed()
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'_, ()> {
        self.halt(grace).boxed()
    }
}

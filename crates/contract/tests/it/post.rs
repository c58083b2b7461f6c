//! A channel and a host for tests: they note what they are asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::stdio::{Hello, Patience, Remote, ServeError, connect, serve};
use contract::{
    AccountId, AccountState, AccountStatus, Alert, Channel, ChannelError, ChannelId, Content,
    Conversation, Host, HostError, Inbound, LoginDone, LoginEvent, LoginFace, LoginFailure,
    LoginRequest, OutboxAction, OutboxEntry, Outgoing, PeerStatus, Probe, Reply, ReplyClass,
    SendReport, Sender, Signal, Target, TurnEnd, TurnId, Verdict,
};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::io::DuplexStream;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// Long enough for a loaded machine; a test that passes never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A channel that notes what it is asked.
#[derive(Default)]
pub(crate) struct Post {
    pub(crate) notes: Notes,
    pub(crate) host: Mutex<Option<Arc<dyn Host>>>,
    /// Replies that say `hold` wait for it.
    pub(crate) held: Notify,
}

/// What was asked, in order.
#[derive(Clone)]
pub(crate) struct Notes {
    all: Arc<Mutex<Vec<String>>>,
    n: Arc<Semaphore>,
}

impl Default for Notes {
    fn default() -> Self {
        Self { all: Arc::default(), n: Arc::new(Semaphore::new(0)) }
    }
}

impl Notes {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.all.lock().unwrap().push(what.into());
        self.n.add_permits(1);
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.all.lock().unwrap().clone()
    }

    /// Waits for the next note that nobody has waited for.
    pub(crate) async fn next(&self) {
        let permit = tokio::time::timeout(PATIENCE, self.n.acquire()).await;
        permit.expect("nothing was noted").unwrap().forget();
    }
}

/// Notes that a future was dropped before its end.
pub(crate) struct Dropped(Notes, bool);

impl Drop for Dropped {
    fn drop(&mut self) {
        if !self.1 {
            self.0.note("dropped");
        }
    }
}

impl Post {
    pub(crate) fn host(&self) -> Arc<dyn Host> {
        self.host.lock().unwrap().clone().unwrap()
    }

    async fn take(&self, turn: &TurnId, reply: Reply) -> Result<(), ChannelError> {
        let Content::Text(text) = reply.content else {
            return Err(ChannelError::Media { path: "p".to_owned(), reason: "no".to_owned() });
        };
        self.notes.note(format!("reply {turn} {} {text}", reply.number));
        match text.as_str() {
            "hold" => {
                let mut dropped = Dropped(self.notes.clone(), false);
                self.held.notified().await;
                dropped.1 = true;
                Ok(())
            }
            "panic" => panic!("as it was told"),
            "closed" => Err(ChannelError::NoSuchTurn(turn.clone())),
            _ => Ok(()),
        }
    }
}

impl Channel for Post {
    fn id(&self) -> ChannelId {
        "post".into()
    }

    fn start(&self, host: Arc<dyn Host>) -> BoxFuture<'_, Result<(), ChannelError>> {
        *self.host.lock().unwrap() = Some(host);
        self.notes.note("start");
        ready(Ok(())).boxed()
    }

    fn reply<'a>(
        &'a self,
        turn: &'a TurnId,
        reply: Reply,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        self.take(turn, reply).boxed()
    }

    fn signal<'a>(&'a self, turn: &'a TurnId, signal: Signal) -> BoxFuture<'a, ()> {
        self.notes.note(format!("signal {turn} {signal:?}"));
        ready(()).boxed()
    }

    fn finish<'a>(
        &'a self,
        turn: &'a TurnId,
        end: TurnEnd,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        self.notes.note(format!("finish {turn} {end:?}"));
        ready(Ok(())).boxed()
    }

    fn send(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<SendReport, ChannelError>> {
        self.notes.note(format!("send {outgoing:?}"));
        ready(Err(ChannelError::UnknownTarget(outgoing.target.to))).boxed()
    }

    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Conversation, ChannelError>> {
        ready(Ok(conversation(&target.to))).boxed()
    }

    fn outbox(&self) -> BoxFuture<'_, Result<Vec<OutboxEntry>, ChannelError>> {
        ready(Err(ChannelError::Storage("disk full".into()))).boxed()
    }

    fn act<'a>(
        &'a self,
        action: OutboxAction,
        ids: &'a [i64],
    ) -> BoxFuture<'a, Result<usize, ChannelError>> {
        self.notes.note(format!("act {action:?} {ids:?}"));
        ready(Ok(ids.len())).boxed()
    }

    fn peer<'a>(
        &'a self,
        _: &'a Conversation,
    ) -> BoxFuture<'a, Result<Option<PeerStatus>, ChannelError>> {
        ready(Ok(None)).boxed()
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerStatus>, ChannelError>> {
        ready(Ok(Vec::new())).boxed()
    }

    fn name_peer<'a>(
        &'a self,
        target: &'a Target,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Conversation, ChannelError>> {
        self.notes.note(format!("name {} {name:?}", target.to));
        ready(Ok(conversation(&target.to))).boxed()
    }

    fn configure(
        &self,
        section: serde_json::Value,
    ) -> BoxFuture<'_, Result<Vec<String>, ChannelError>> {
        ready(Ok(vec![format!("unknown: {section}")])).boxed()
    }

    fn metrics(&self) -> BoxFuture<'_, Result<String, ChannelError>> {
        // More than a line may hold.
        ready(Ok("x".repeat(5 * 1024 * 1024))).boxed()
    }

    fn status(&self) -> BoxFuture<'_, Result<Vec<AccountStatus>, ChannelError>> {
        ready(Ok(vec![status()])).boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<Vec<Probe>, ChannelError>> {
        ready(Err(ChannelError::Stopped)).boxed()
    }

    fn login<'a>(
        &'a self,
        request: LoginRequest,
        face: Arc<dyn LoginFace>,
    ) -> BoxFuture<'a, Result<LoginDone, ChannelError>> {
        async move {
            face.tell(LoginEvent::Qr { text: "scan".to_owned(), url: None, expires_in_secs: 120 });
            face.tell(LoginEvent::Scanned);
            let account = AccountId::from("bot");
            match face.verify_code(false).await.as_deref() {
                Some("42") => {
                    let name = request.name;
                    face.tell(LoginEvent::Polling { account: account.clone(), name: name.clone() });
                    Ok(LoginDone { account, name, already_connected: false, is_running: true })
                }
                Some(_) | None => Err(ChannelError::Login(failure())),
            }
        }
        .boxed()
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'_, ()> {
        self.notes.note(format!("stop {grace:?}"));
        ready(()).boxed()
    }
}

pub(crate) fn failure() -> LoginFailure {
    let text = |text: &str| text.to_owned();
    LoginFailure { code: text("blocked"), sentence: text("no"), hint: text("again"), detail: None }
}

pub(crate) fn status() -> AccountStatus {
    AccountStatus {
        account: "bot".into(),
        name: None,
        state: AccountState::Degraded { reason: "away".to_owned(), since_ms: 5 },
        last_poll_at_ms: Some(1),
        last_inbound_at_ms: None,
        last_outbound_at_ms: None,
        inbox: 1,
        outbox: 2,
        parked: 3,
        failed: 4,
        suppressed: 5,
    }
}

pub(crate) fn conversation(peer: &str) -> Conversation {
    Conversation { channel: "post".into(), account: "bot".into(), peer: peer.into() }
}

pub(crate) fn reply(number: u32, text: &str) -> Reply {
    Reply { number, class: ReplyClass::Answer, content: Content::Text(text.to_owned()) }
}

pub(crate) fn inbound(turn: &str) -> Inbound {
    Inbound {
        turn: turn.into(),
        conversation: conversation("ann"),
        from_owner: false,
        message_id: "m".to_owned(),
        sent_at_ms: 0,
        text: "hello".to_owned(),
        attachments: Vec::new(),
        quote: None,
        lane: contract::Lane::Conversation,
        offers: 1,
    }
}

/// A host that notes what it is told; it admits Ann and challenges others.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) notes: Notes,
}

impl Host for Desk {
    fn admit(&self, sender: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        let verdict = match sender.conversation.peer.as_str() {
            "ann" => Ok(Verdict::Admit),
            "tom" => Err(HostError::Stopping),
            _ => Ok(Verdict::Challenge { text: "who are you?".to_owned() }),
        };
        ready(verdict).boxed()
    }

    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        self.notes.note(format!("receive {}", inbound.turn));
        if inbound.turn.as_str() == "forever" {
            return std::future::pending().boxed();
        }
        ready(Ok(())).boxed()
    }

    fn changed(&self, status: AccountStatus) {
        assert_ne!(status.account.as_str(), "poison", "a host that panics");
        self.notes.note(format!("changed {:?}", status.state));
    }

    fn alert(&self, alert: Alert) {
        self.notes.note(format!("alert {}", alert.code));
    }
}

/// A person in front of a login.
#[derive(Default)]
pub(crate) struct Person {
    pub(crate) events: Mutex<Vec<LoginEvent>>,
    pub(crate) digits: Option<String>,
}

impl LoginFace for Person {
    fn tell(&self, event: LoginEvent) {
        self.events.lock().unwrap().push(event);
    }

    fn verify_code(&self, wrong: bool) -> BoxFuture<'_, Option<String>> {
        assert!(!wrong);
        ready(self.digits.clone()).boxed()
    }
}

/// The two ends of one pipe pair: the host's reader and writer, and the channel's.
pub(crate) fn pipes() -> ((DuplexStream, DuplexStream), (DuplexStream, DuplexStream)) {
    let (host_reads, channel_writes) = tokio::io::duplex(64 * 1024);
    let (channel_reads, host_writes) = tokio::io::duplex(64 * 1024);
    ((host_reads, host_writes), (channel_reads, channel_writes))
}

/// A channel behind pipes.
pub(crate) struct Line {
    pub(crate) post: Arc<Post>,
    pub(crate) remote: Remote,
    served: JoinSet<Result<(), ServeError>>,
}

impl Line {
    /// Returns how serving has ended, once it has.
    pub(crate) async fn ended(&mut self) -> Result<(), ServeError> {
        let ended = tokio::time::timeout(PATIENCE, self.served.join_next()).await;
        ended.expect("it is still served").unwrap().unwrap()
    }
}

pub(crate) async fn line() -> Line {
    let ((host_reads, host_writes), (channel_reads, channel_writes)) = pipes();
    let post = Arc::new(Post::default());
    let hello = Hello::new("post", "1.2.3");
    let mut served = JoinSet::new();
    served.spawn(serve(post.clone(), hello, channel_reads, channel_writes));
    let hello = Hello::new("test", "0").of("post".into());
    let remote = connect(host_reads, host_writes, hello, Patience::default()).await.unwrap();
    Line { post, remote, served }
}

//! A host for tests: it shows what it is given and does what it is told.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend::{Backend, Credentials as Bound, Endpoint, Policy, User};
use contract::{
    AccountStatus, Alert, Channel as _, Content, Host, HostError, Inbound, Outgoing, Reply,
    ReplyClass, SendClass, SendReport, Sender, Target, TurnEnd, TurnId, Verdict,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use ilink::client::{Http, HttpOptions};
use serde_json::Value;
use tokio::sync::mpsc;
use weixin::governor::Limits;
use weixin::{Clock, MergeSettings, Settings, WeixinChannel};

/// Long enough for a loaded machine; a test that passes never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A channel on a folder, with a host that records.
pub(crate) struct TestHost {
    pub(crate) channel: WeixinChannel,
    alerts: Arc<Mutex<Vec<Alert>>>,
    inbound: tokio::sync::Mutex<mpsc::UnboundedReceiver<Inbound>>,
}

/// The half that the channel holds.
struct Recorder {
    told: mpsc::UnboundedSender<Inbound>,
    alerts: Arc<Mutex<Vec<Alert>>>,
    asked: Arc<Mutex<Vec<Sender>>>,
    strangers: HashMap<String, Verdict>,
    /// What makes the host panic.
    poison: Option<String>,
}

impl Host for Recorder {
    fn admit(&self, sender: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        let stranger = self.strangers.get(sender.conversation.peer.as_str());
        let verdict = stranger.cloned().unwrap_or(Verdict::Admit);
        self.asked.lock().unwrap().push(sender);
        async move { Ok(verdict) }.boxed()
    }

    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        assert!(self.poison.as_deref() != Some(inbound.text.as_str()), "the host cannot read this");
        let taken = self.told.send(inbound).map_err(|_| HostError::Stopping);
        async move { taken }.boxed()
    }

    fn changed(&self, _: AccountStatus) {}

    fn alert(&self, alert: Alert) {
        self.alerts.lock().unwrap().push(alert);
    }
}

impl TestHost {
    /// Starts the channel on a folder that holds these accounts.
    pub(crate) async fn start(dir: &Path) -> Self {
        Self::start_refusing(dir, &[]).await
    }

    pub(crate) async fn start_refusing(dir: &Path, strangers: &[&str]) -> Self {
        Self::begin(channel(dir), strangers, &Verdict::Refuse, None).await
    }

    /// Starts a host that tells a stranger something instead of hearing them.
    pub(crate) async fn start_challenging(settings: Settings, peer: &str, text: &str) -> Self {
        let verdict = Verdict::Challenge { text: text.to_owned() };
        Self::begin(WeixinChannel::new(settings, http()), &[peer], &verdict, None).await
    }

    /// Starts the channel with other settings than the defaults.
    pub(crate) async fn start_with(dir: &Path, change: impl FnOnce(&mut Settings)) -> Self {
        Self::begin(channel_with(dir, change), &[], &Verdict::Refuse, None).await
    }

    /// Starts the channel with settings of its own.
    pub(crate) async fn start_on(settings: Settings) -> Self {
        Self::begin(WeixinChannel::new(settings, http()), &[], &Verdict::Refuse, None).await
    }

    /// Starts a channel that is there already.
    pub(crate) async fn start_channel(channel: WeixinChannel) -> Self {
        Self::begin(channel, &[], &Verdict::Refuse, None).await
    }

    /// Starts a channel that hands messages over one by one as they come.
    pub(crate) async fn start_one_by_one(dir: &Path) -> Self {
        Self::start_with(dir, |settings| settings.intake.merge = MergeSettings::off()).await
    }

    /// Starts a host that panics whenever it is given this text, which is
    /// tried twice.
    pub(crate) async fn start_poisoned_by(dir: &Path, text: &str) -> Self {
        let channel = channel_with(dir, |settings| settings.intake.max_offers = 2);
        Self::begin(channel, &[], &Verdict::Refuse, Some(text.to_owned())).await
    }

    async fn begin(
        channel: WeixinChannel,
        strangers: &[&str],
        verdict: &Verdict,
        poison: Option<String>,
    ) -> Self {
        let (told, inbound) = mpsc::unbounded_channel();
        let strangers = strangers.iter().map(|&peer| (peer.to_owned(), verdict.clone())).collect();
        let alerts = Arc::default();
        let recorder = Recorder {
            told,
            alerts: Arc::clone(&alerts),
            asked: Arc::default(),
            strangers,
            poison,
        };
        channel.start(Arc::new(recorder)).await.unwrap();
        Self { channel, alerts, inbound: tokio::sync::Mutex::new(inbound) }
    }

    /// The codes of all alerts so far.
    pub(crate) fn alerts(&self) -> Vec<String> {
        self.alerts.lock().unwrap().iter().map(|alert| alert.code.clone()).collect()
    }

    /// Says something outside a turn.
    pub(crate) async fn pushes(&self, outgoing: Outgoing) -> SendReport {
        self.channel.send(outgoing).await.unwrap()
    }

    /// Gives a reply of a turn, whatever it is.
    pub(crate) async fn gives(&self, turn: &TurnId, number: u32, content: Content) {
        let reply = Reply { number, class: ReplyClass::Answer, content };
        self.channel.reply(turn, reply).await.unwrap();
    }

    /// Returns the next message that the channel hands over.
    pub(crate) async fn hears(&self) -> Inbound {
        self.hears_after(PATIENCE).await
    }

    /// The same for one that takes its time.
    pub(crate) async fn hears_after(&self, patience: Duration) -> Inbound {
        let next = async { self.inbound.lock().await.recv().await };
        let heard = tokio::time::timeout(patience, next).await;
        heard.expect("the host heard nothing").unwrap()
    }

    /// Says that nothing has been handed over that was not asked for.
    pub(crate) async fn heard_nothing_more(&self) -> bool {
        self.inbound.lock().await.try_recv().is_err()
    }

    pub(crate) async fn replies(&self, turn: &TurnId, number: u32, text: &str) {
        let content = Content::Text(text.to_owned());
        self.channel
            .reply(turn, Reply { number, class: ReplyClass::Answer, content })
            .await
            .unwrap();
    }

    /// Asks the peer something that the turn waits for.
    pub(crate) async fn asks(&self, turn: &TurnId, number: u32, text: &str) {
        let (class, content) = (ReplyClass::Question, Content::Text(text.to_owned()));
        self.channel.reply(turn, Reply { number, class, content }).await.unwrap();
    }

    pub(crate) async fn finishes(&self, turn: &TurnId) {
        self.channel.finish(turn, TurnEnd::Answered).await.unwrap();
    }

    /// Hears one message and answers it with one reply.
    pub(crate) async fn answers(&self, text: &str) -> Inbound {
        let inbound = self.hears().await;
        self.replies(&inbound.turn, 0, text).await;
        self.finishes(&inbound.turn).await;
        inbound
    }

    pub(crate) async fn stops(self) {
        self.channel.stop(Duration::from_secs(5)).await;
    }
}

pub(crate) fn channel(dir: &Path) -> WeixinChannel {
    channel_with(dir, |_| {})
}

pub(crate) fn channel_with(dir: &Path, change: impl FnOnce(&mut Settings)) -> WeixinChannel {
    let mut settings = Settings::new(dir);
    change(&mut settings);
    WeixinChannel::new(settings, http())
}

fn http() -> Http {
    Http::new(&HttpOptions { system_proxy: false, ..HttpOptions::default() }).unwrap()
}

/// Something to say outside a turn, to a peer that only one account knows.
pub(crate) fn push(to: &str, class: SendClass, text: &str) -> Outgoing {
    let target = Target { to: to.to_owned(), account: None };
    let content = Content::Text(text.to_owned());
    Outgoing { target, class, content, key: None, ttl: None }
}

/// Puts a bound bot's credentials where a login would put them.
pub(crate) fn log_in(dir: &Path, bound: &Bound) {
    let issued = ilink::login::Credentials {
        token: bound.token.clone(),
        bot_id: bound.bot_id.clone(),
        user_id: Some(bound.user_id.clone()),
        base_url: bound.base_url.parse().unwrap(),
    };
    weixin::login::keep(&Settings::new(dir).registry(), issued).unwrap();
}

/// A backend, one user and a folder where their bot is logged in.
pub(crate) struct Scene {
    pub(crate) backend: Backend,
    pub(crate) alice: User,
    pub(crate) bot: Bound,
    pub(crate) dir: tempfile::TempDir,
    /// The channel's clock, where it is started by the scene.
    clock: Clock,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(Backend::builder()).await
    }

    pub(crate) async fn with(backend: backend::Builder) -> Self {
        let backend = backend.start().await.unwrap();
        let alice = backend.user("alice").await;
        let bot = backend.bind(&alice).await;
        let dir = tempfile::tempdir().unwrap();
        log_in(dir.path(), &bot);
        Self { backend, alice, bot, dir, clock: Clock::default() }
    }

    /// A backend with every limit of Tencent's servers.
    pub(crate) async fn tencent() -> Self {
        Self::with(Backend::builder().policy(Policy::tencent())).await
    }

    /// Starts the channel by the scene's clock.
    pub(crate) async fn starts(&self) -> TestHost {
        self.starts_with(|_| {}).await
    }

    /// The same with other settings than the defaults.
    pub(crate) async fn starts_with(&self, change: impl FnOnce(&mut Settings)) -> TestHost {
        TestHost::begin(self.channel(change), &[], &Verdict::Refuse, None).await
    }

    /// A channel by the scene's clock that does not run.
    pub(crate) fn channel(&self, change: impl FnOnce(&mut Settings)) -> WeixinChannel {
        channel_with(self.dir.path(), |settings| {
            settings.clock = self.clock.clone();
            // A backend of one's own has no limits unless they are chosen.
            settings.sending.limits = Limits::tencent();
            change(settings);
        })
    }

    /// Time passes, for the backend and for the channel.
    pub(crate) fn passes(&self, by: Duration) {
        self.backend.clock().advance(by);
        self.clock.advance(by);
    }

    /// Time passes until something is so: a second of it for each look.
    pub(crate) async fn passes_until(&self, is_so: impl AsyncFn() -> bool) {
        self.passes_in_steps_until(Duration::from_secs(1), is_so).await;
    }

    /// The same with so much time for each look.
    pub(crate) async fn passes_in_steps_until(&self, of: Duration, is_so: impl AsyncFn() -> bool) {
        let waiting = async {
            while !is_so().await {
                self.passes(of);
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("time does not help");
    }

    /// What bots have asked to show, tries included: the messages as they went out.
    pub(crate) fn sent(&self) -> Vec<Value> {
        let sends = self.backend.requests_to(Endpoint::SendMessage);
        sends.iter().map(|request| request.json()["msg"].clone()).collect()
    }

    /// All texts of bots, as the phone shows them.
    pub(crate) async fn heard(&self) -> Vec<String> {
        let mut seen = self.alice.sees().await;
        seen.retain(|message| !message.from_me);
        seen.iter().filter_map(|message| message.text().map(str::to_owned)).collect()
    }

    /// All texts of the chat, as the phone shows them.
    pub(crate) async fn texts(&self) -> Vec<String> {
        let seen = self.alice.sees().await;
        seen.iter().filter_map(|message| message.text().map(str::to_owned)).collect()
    }

    /// Waits until the channel polls.
    pub(crate) async fn polled(&self) {
        self.polled_times(1).await;
    }

    /// Waits until the channel has polled so often, ever.
    pub(crate) async fn polled_times(&self, times: usize) {
        let polled = async {
            while self.polls() < times {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, polled).await.expect("the channel does not poll");
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let waiting = async {
            while !is_so() {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "in vain: {what}");
    }

    /// How often the channel has polled.
    pub(crate) fn polls(&self) -> usize {
        self.backend.requests_to(Endpoint::GetUpdates).len()
    }
}

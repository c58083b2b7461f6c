//! A channel in memory: hands over what a test says, and keeps what comes back.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::{
    AccountStatus, Channel, ChannelError, ChannelId, Content, Conversation, Host, HostError,
    Inbound, Lane, Media, MediaKind, OutboxAction, OutboxEntry, Outgoing, PeerStatus, Probe, Reply,
    ReplyClass, SendReport, Sender, Signal, Source, Target, TurnEnd, TurnId, Verdict,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gateway::{AccessSettings, Agent, Config, Gateway};
use tokio::sync::watch;

/// How long a test waits for something before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// The channel. It outlives the gateways that run it, like one on disk.
pub(crate) struct TestChannel {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

/// What came back for one reply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Text(String),
    Media { kind: MediaKind, name: String, bytes: Vec<u8> },
}

#[derive(Default)]
struct State {
    host: Option<Arc<dyn Host>>,
    n_turns: u32,
    open: BTreeMap<u32, Inbound>,
    replies: BTreeMap<(TurnId, u32), Said>,
    classes: HashMap<(TurnId, u32), ReplyClass>,
    ends: HashMap<TurnId, TurnEnd>,
    /// Turns whose next end is not taken.
    unending: Vec<TurnId>,
    sends_left: Option<u32>,
    signals: Vec<(TurnId, Signal)>,
    faults: VecDeque<ChannelError>,
    start_fault: Option<ChannelError>,
    n_stops: u32,
}

impl TestChannel {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: watch::Sender::new(()) })
    }

    /// Says something to the gateway and returns when it has been taken.
    pub(crate) async fn says(&self, peer: &str, text: &str) -> TurnId {
        self.try_says(peer, text).await.unwrap()
    }

    pub(crate) async fn try_says(&self, peer: &str, text: &str) -> Result<TurnId, HostError> {
        self.brings(self.message(peer, text)).await
    }

    /// Says something that overtakes its conversation.
    pub(crate) async fn says_aside(&self, peer: &str, text: &str) -> TurnId {
        let message = Inbound { lane: Lane::Aside, ..self.message(peer, text) };
        self.brings(message).await.unwrap()
    }

    /// Returns a message that has not been handed over yet.
    pub(crate) fn message(&self, peer: &str, text: &str) -> Inbound {
        let mut state = self.state.lock().unwrap();
        state.n_turns += 1;
        Inbound {
            turn: TurnId::new(format!("turn-{}", state.n_turns)),
            conversation: conversation(peer),
            from_owner: false,
            message_id: state.n_turns.to_string(),
            sent_at_ms: i64::from(state.n_turns),
            text: text.to_owned(),
            attachments: Vec::new(),
            quote: None,
            lane: Lane::Conversation,
            offers: 1,
        }
    }

    /// Hands a message over.
    pub(crate) async fn brings(&self, inbound: Inbound) -> Result<TurnId, HostError> {
        let turn = inbound.turn.clone();
        let host = {
            let mut state = self.state.lock().unwrap();
            let n: u32 = inbound.message_id.parse().unwrap();
            state.open.insert(n, inbound.clone());
            state.host.clone().expect("the channel has been started")
        };
        host.receive(inbound).await?;
        Ok(turn)
    }

    pub(crate) async fn asks_admission(&self, peer: &str, is_owner: bool) -> Verdict {
        let turn = "admission".into();
        self.asks_about(Sender { conversation: conversation(peer), turn, is_owner }).await
    }

    pub(crate) async fn asks_about(&self, sender: Sender) -> Verdict {
        let host = self.state.lock().unwrap().host.clone().unwrap();
        host.admit(sender).await.unwrap()
    }

    /// Makes the next reply fail.
    pub(crate) fn refuses_next(&self, fault: ChannelError) {
        self.state.lock().unwrap().faults.push_back(fault);
    }

    /// Waits until every reply that was to fail has failed.
    pub(crate) async fn has_refused(&self) {
        self.when(|state| state.faults.is_empty().then_some(())).await;
    }

    /// Takes no end of this turn until the next start, as if the process had
    /// died before it.
    pub(crate) fn will_not_finish(&self, turn: &TurnId) {
        self.state.lock().unwrap().unending.push(turn.clone());
    }

    /// Waits until an end of this turn was not taken.
    pub(crate) async fn has_not_finished(&self, turn: &TurnId) {
        self.when(|state| (!state.unending.contains(turn)).then_some(())).await;
    }

    /// Tells the gateway how many sends are left.
    pub(crate) fn has_sends_left(&self, n: u32) {
        self.state.lock().unwrap().sends_left = Some(n);
    }

    pub(crate) fn class_of(&self, turn: &TurnId, number: u32) -> ReplyClass {
        self.state.lock().unwrap().classes[&(turn.clone(), number)]
    }

    pub(crate) fn will_not_start(&self, fault: ChannelError) {
        self.state.lock().unwrap().start_fault = Some(fault);
    }

    /// Waits until a turn has ended.
    pub(crate) async fn end_of(&self, turn: &TurnId) -> TurnEnd {
        self.when(|state| state.ends.get(turn).cloned()).await
    }

    /// Waits until a turn has ended and returns its replies.
    pub(crate) async fn answer_to(&self, turn: &TurnId) -> Vec<Said> {
        self.end_of(turn).await;
        self.replies_to(turn)
    }

    /// Waits for one reply of a turn that may still run.
    pub(crate) async fn reply(&self, turn: &TurnId, number: u32) -> Said {
        let key = (turn.clone(), number);
        self.when(|state| state.replies.get(&key).cloned()).await
    }

    /// Waits for a signal of a turn.
    pub(crate) async fn signal_of(&self, turn: &TurnId, signal: &Signal) {
        let expected = (turn.clone(), signal.clone());
        self.when(|state| state.signals.contains(&expected).then_some(())).await;
    }

    pub(crate) fn replies_to(&self, turn: &TurnId) -> Vec<Said> {
        let state = self.state.lock().unwrap();
        let of_turn = state.replies.iter().filter(|((of, _), _)| of == turn);
        of_turn.map(|(_, said)| said.clone()).collect()
    }

    pub(crate) fn signals_of(&self, turn: &TurnId) -> Vec<Signal> {
        let state = self.state.lock().unwrap();
        let of_turn = state.signals.iter().filter(|(of, _)| of == turn);
        of_turn.map(|(_, signal)| signal.clone()).collect()
    }

    pub(crate) fn has_ended(&self, turn: &TurnId) -> bool {
        self.state.lock().unwrap().ends.contains_key(turn)
    }

    pub(crate) fn n_stops(&self) -> u32 {
        self.state.lock().unwrap().n_stops
    }

    async fn when<T>(&self, found: impl Fn(&State) -> Option<T>) -> T {
        let mut changed = self.changed.subscribe();
        let wait = async {
            loop {
                changed.mark_unchanged();
                if let Some(found) = found(&self.state.lock().unwrap()) {
                    return found;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("it never came")
    }

    fn change<T>(&self, how: impl FnOnce(&mut State) -> T) -> T {
        let outcome = how(&mut self.state.lock().unwrap());
        self.changed.send_replace(());
        outcome
    }
}

impl Channel for TestChannel {
    fn id(&self) -> ChannelId {
        "post".into()
    }

    fn start(&self, host: Arc<dyn Host>) -> BoxFuture<'_, Result<(), ChannelError>> {
        async move {
            let unfinished: Vec<Inbound> = {
                let mut state = self.state.lock().unwrap();
                if let Some(fault) = state.start_fault.take() {
                    return Err(fault);
                }
                state.host = Some(Arc::clone(&host));
                state.open.values_mut().for_each(|inbound| inbound.offers += 1);
                state.open.values().cloned().collect()
            };
            for inbound in unfinished {
                host.receive(inbound).await.unwrap();
            }
            Ok(())
        }
        .boxed()
    }

    fn reply<'a>(
        &'a self,
        turn: &'a TurnId,
        reply: Reply,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        let Reply { number, content, class } = reply;
        let said = said(content);
        let outcome = self.change(|state| {
            if let Some(fault) = state.faults.pop_front() {
                return Err(fault);
            }
            if !state.open.values().any(|inbound| inbound.turn == *turn) {
                return Err(ChannelError::NoSuchTurn(turn.clone()));
            }
            state.classes.insert((turn.clone(), number), class);
            state.replies.entry((turn.clone(), number)).or_insert(said);
            Ok(())
        });
        std::future::ready(outcome).boxed()
    }

    fn signal<'a>(&'a self, turn: &'a TurnId, signal: Signal) -> BoxFuture<'a, ()> {
        self.change(|state| state.signals.push((turn.clone(), signal)));
        std::future::ready(()).boxed()
    }

    fn finish<'a>(
        &'a self,
        turn: &'a TurnId,
        end: TurnEnd,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        let outcome = self.change(|state| {
            if let Some(at) = state.unending.iter().position(|unending| unending == turn) {
                state.unending.remove(at);
                return Err(ChannelError::Stopped);
            }
            state.open.retain(|_, inbound| inbound.turn != *turn);
            let earlier = state.ends.insert(turn.clone(), end);
            assert_eq!(earlier, None, "{turn} ended twice");
            Ok(())
        });
        std::future::ready(outcome).boxed()
    }

    fn status(&self) -> BoxFuture<'_, Result<Vec<AccountStatus>, ChannelError>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<Vec<Probe>, ChannelError>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }

    fn send(&self, _: Outgoing) -> BoxFuture<'_, Result<SendReport, ChannelError>> {
        std::future::ready(Err(ChannelError::Stopped)).boxed()
    }

    fn resolve(&self, _: Target) -> BoxFuture<'_, Result<Conversation, ChannelError>> {
        std::future::ready(Err(ChannelError::Stopped)).boxed()
    }

    fn outbox(&self) -> BoxFuture<'_, Result<Vec<OutboxEntry>, ChannelError>> {
        std::future::ready(Err(ChannelError::Stopped)).boxed()
    }

    fn act<'a>(
        &'a self,
        _: OutboxAction,
        _: &'a [i64],
    ) -> BoxFuture<'a, Result<usize, ChannelError>> {
        std::future::ready(Err(ChannelError::Stopped)).boxed()
    }

    fn peer<'a>(
        &'a self,
        conversation: &'a Conversation,
    ) -> BoxFuture<'a, Result<Option<PeerStatus>, ChannelError>> {
        let sends_left = self.state.lock().unwrap().sends_left;
        let status = sends_left.map(|left| PeerStatus {
            conversation: conversation.clone(),
            name: None,
            last_inbound_at_ms: None,
            window_left_ms: None,
            sends_left: Some(left),
            unconfirmed: 0,
            suppressed: false,
            waiting: 0,
            parked: 0,
        });
        std::future::ready(Ok(status)).boxed()
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerStatus>, ChannelError>> {
        std::future::ready(Err(ChannelError::Stopped)).boxed()
    }

    fn name_peer<'a>(
        &'a self,
        _: &'a Target,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Conversation, ChannelError>> {
        std::future::ready(Err(ChannelError::Stopped)).boxed()
    }

    fn configure(&self, _: serde_json::Value) -> BoxFuture<'_, Result<Vec<String>, ChannelError>> {
        std::future::ready(Err(ChannelError::Stopped)).boxed()
    }

    fn metrics(&self) -> BoxFuture<'_, Result<String, ChannelError>> {
        std::future::ready(Err(ChannelError::Stopped)).boxed()
    }

    fn stop(&self, _grace: Duration) -> BoxFuture<'_, ()> {
        self.change(|state| {
            state.n_stops += 1;
            state.host = None;
        });
        std::future::ready(()).boxed()
    }
}

fn said(content: Content) -> Said {
    match content {
        Content::Text(text) => Said::Text(text),
        Content::Media(Media { source: Source::File(path), kind, name, .. }) => {
            let bytes = std::fs::read(path).unwrap();
            Said::Media { kind: kind.unwrap(), name: name.unwrap(), bytes }
        }
        Content::Media(Media { source: Source::Named(name), .. }) => panic!("{name} is not a file"),
    }
}

/// A text that came back.
pub(crate) fn text(text: &str) -> Said {
    Said::Text(text.to_owned())
}

pub(crate) fn conversation(peer: &str) -> Conversation {
    Conversation { channel: "post".into(), account: "bot".into(), peer: peer.into() }
}

/// Starts a gateway that keeps its store in a folder.
pub(crate) async fn start(
    dir: &Path,
    channel: &Arc<TestChannel>,
    agent: Arc<dyn Agent>,
) -> Gateway {
    start_with(config(dir, agent), channel).await
}

pub(crate) async fn start_with(config: Config, channel: &Arc<TestChannel>) -> Gateway {
    let channel: Arc<dyn Channel> = Arc::clone(channel) as _;
    Gateway::start(config, vec![channel]).await.unwrap()
}

pub(crate) fn config(dir: &Path, agent: Arc<dyn Agent>) -> Config {
    let mut config = Config::new(dir.join("state/gateway.sqlite"), agent);
    config.rules.access = AccessSettings::allowing(["friend".into()]);
    config
}

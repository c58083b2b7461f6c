//! Starts the channels, is what they see, and stops everything in order.

use std::sync::Arc;
use std::time::Duration;

use contract::{
    AccountStatus, Alert, Channel, ChannelError, ChannelId, Host, HostError, Inbound, Lane, Sender,
    Verdict,
};
use futures_util::future::{BoxFuture, join_all};
use parking_lot::RwLock;
use tasks::Tasks;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::Refusals;
use crate::approval::Questions;
use crate::command::{self, Aside, Command};
use crate::ending::Notice;
use crate::lanes::{Closed, LaneOptions, Lanes, Switch, TellWaiting, Work};
use crate::pairing::{Meeting, challenge};
use crate::sessions::forget_old;
use crate::store::Store;
use crate::turn::{Runner, Visit};
use crate::{
    AccessExplanation, Config, Decision, Explanation, Pairing, QueueMode, QueueSettings, Reason,
    Refused, Rules, RulesError, Sessions, StoreError,
};

/// How many commands that overtake the lanes are answered at once.
const MOST_OVERTAKING: usize = 64;
/// How long turns that were cut may take to notice it.
const CUT_WAIT: Duration = Duration::from_secs(1);

/// A running gateway. Clones share it.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

/// Why a gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Its own store cannot be opened.
    #[error("the gateway cannot start")]
    Store(#[from] StoreError),
    /// Its rules cannot be followed.
    #[error("the gateway cannot start: {0}")]
    Rules(#[from] RulesError),
    /// A channel did not start. Those before it have been stopped again.
    #[error("the channel {channel} cannot start")]
    Channel {
        /// Which one.
        channel: ChannelId,
        /// Why.
        #[source]
        source: ChannelError,
    },
}

impl Gateway {
    /// Opens the store and starts the channels, one after the other.
    ///
    /// # Errors
    ///
    /// When the rules cannot be followed, or the store or a channel fails; then
    /// nothing runs.
    pub async fn start(
        config: Config,
        channels: Vec<Arc<dyn Channel>>,
    ) -> Result<Self, GatewayError> {
        config.rules.check()?;
        let store = Store::open(&config.store).await?;
        forget_old(&store, &config.rules.sessions).await?;
        let questions = Questions::load(store.clone()).await?;
        let gateway = Self { inner: Arc::new(Inner::new(config, store, questions)) };
        for channel in channels {
            let id = channel.id();
            if let Err(source) = gateway.join(channel).await {
                gateway.stop(Duration::ZERO).await;
                return Err(GatewayError::Channel { channel: id, source });
            }
        }
        Ok(gateway)
    }

    /// Starts a channel beside those that run.
    ///
    /// # Errors
    ///
    /// When it cannot start; then it is not among them.
    pub async fn join(&self, channel: Arc<dyn Channel>) -> Result<(), ChannelError> {
        let door = Door { inner: Arc::clone(&self.inner), channel: Arc::clone(&channel) };
        self.inner.channels.write().push(Arc::clone(&channel));
        let started = channel.start(Arc::new(door)).await;
        if started.is_err() {
            self.inner.channels.write().retain(|other| !Arc::ptr_eq(other, &channel));
            channel.stop(Duration::ZERO).await;
        }
        started
    }

    /// Stops one channel, within about `grace`, and goes on without it. Turns of
    /// it that run cannot end; it hands them over again when it is started.
    pub async fn leave(&self, id: &ChannelId, grace: Duration) {
        let gone: Vec<_> =
            self.inner.channels.write().extract_if(.., |it| it.id() == *id).collect();
        join_all(gone.iter().map(|channel| channel.stop(grace))).await;
    }

    /// Stops, within about `grace`: nothing new is taken; turns that run have
    /// three quarters of the time to end and are cut then; the channels have
    /// the rest for replies that are on disk; the store closes last.
    ///
    /// A turn that was cut or had not begun stays with its channel, which hands
    /// it over at the next start.
    pub async fn stop(&self, grace: Duration) {
        let Inner { lanes, runner, tasks, store, .. } = &*self.inner;
        let deadline = Instant::now() + grace;
        lanes.drain();
        if tokio::time::timeout(grace.mul_f32(0.75), tasks.ended()).await.is_err() {
            tracing::warn!(?grace, "turns still running are cut");
            runner.cut.cancel();
            if tokio::time::timeout(CUT_WAIT, tasks.ended()).await.is_err() {
                tracing::error!("a turn cannot be cut; stopping without it");
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let channels = self.channels();
        join_all(channels.iter().map(|channel| channel.stop(left))).await;
        store.close().await;
    }

    /// Replaces the rules; messages that come from now on follow them, and
    /// those that wait for a turn keep their agent and session. How long old
    /// windows are kept is looked at when a gateway starts.
    ///
    /// # Errors
    ///
    /// When they name somebody who is not there; then the earlier rules stay.
    pub fn configure(&self, rules: Rules) -> Result<(), RulesError> {
        rules.check()?;
        self.inner.queue.set(rules.queue.clone());
        self.inner.runner.sessions.set(rules.sessions.clone());
        *self.inner.rules.write() = Arc::new(rules);
        Ok(())
    }

    /// Returns the rules that are followed now.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        self.inner.rules()
    }

    /// Returns who waits for an approval and who was approved.
    #[must_use]
    pub fn pairing(&self) -> Pairing {
        self.inner.pairing.clone()
    }

    /// Returns what is kept of conversations.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions::of(self.inner.store.clone())
    }

    /// Says who would answer a sender, whether they would be heard, and why.
    /// The turn does not matter.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn explain(&self, sender: &Sender) -> Result<Explanation, StoreError> {
        let rules = self.inner.rules();
        let approved = self.inner.pairing.is_approved(&sender.conversation)?;
        Ok(Explanation {
            route: rules.route.explain(&sender.conversation),
            access: AccessExplanation::new(&rules.access, sender, approved),
        })
    }

    /// Returns who has been refused since the start.
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.inner.refusals.counted()
    }

    /// Returns the channels that run.
    #[must_use]
    pub fn channels(&self) -> Vec<Arc<dyn Channel>> {
        self.inner.channels.read().clone()
    }

    /// Returns how many sessions have something running or waiting.
    #[must_use]
    pub fn n_busy(&self) -> usize {
        self.inner.lanes.n_open()
    }
}

struct Inner {
    // Held to take or replace the value, never across an await.
    rules: RwLock<Arc<Rules>>,
    refusals: Refusals,
    pairing: Pairing,
    // Held for a look-up, never across an await.
    channels: RwLock<Vec<Arc<dyn Channel>>>,
    store: Store,
    runner: Arc<Runner>,
    queue: Switch<QueueSettings>,
    lanes: Lanes,
    overtaking: Arc<Semaphore>,
    tasks: Tasks,
}

impl Inner {
    fn new(config: Config, store: Store, questions: Questions) -> Self {
        let Config { store: _, rules, lane_depth, turn_timeout } = config;
        let cut = CancellationToken::new();
        let runner = Arc::new(Runner {
            store: store.clone(),
            questions,
            sessions: Switch::new(rules.sessions.clone()),
            timeout: turn_timeout,
            cut: cut.clone(),
        });
        let worker = Arc::clone(&runner);
        let work: Work = Arc::new(move |run| {
            let runner = Arc::clone(&worker);
            Box::pin(async move { runner.run(run).await })
        });
        let tasks = Tasks::default();
        let (teller, notices) = (Arc::clone(&runner), tasks.clone());
        let tell_waiting: TellWaiting = Arc::new(move |visit, n_before| {
            let runner = Arc::clone(&teller);
            let tell = async move { runner.tell_waiting(visit, n_before).await };
            notices.spawn("waiting notice", tell);
        });
        let queue = Switch::new(rules.queue.clone());
        let lanes = Lanes::new(LaneOptions {
            depth: lane_depth,
            queue: queue.clone(),
            tasks: tasks.clone(),
            cut,
            work,
            tell_waiting,
        });
        Self {
            rules: RwLock::new(Arc::new(rules)),
            refusals: Refusals::default(),
            pairing: Pairing::of(store.clone()),
            channels: RwLock::default(),
            store,
            runner,
            queue,
            lanes,
            overtaking: Arc::new(Semaphore::new(MOST_OVERTAKING)),
            tasks,
        }
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read())
    }

    async fn verdict(&self, sender: &Sender) -> Result<Verdict, StoreError> {
        let conversation = &sender.conversation;
        let (verdict, reason) = match self.rules().access.decide(sender) {
            Decision::Admit(_) => return Ok(Verdict::Admit),
            Decision::Refuse(reason) => (Verdict::Refuse, reason),
            Decision::AskApproval => match self.pairing.meet(sender).await? {
                Meeting::Approved => return Ok(Verdict::Admit),
                Meeting::Waits => (Verdict::Refuse, Reason::AwaitsApproval),
                Meeting::TooManyWait => (Verdict::Refuse, Reason::TooManyWait),
                Meeting::Challenge(code) => {
                    let text = challenge(conversation, &code);
                    (Verdict::Challenge { text }, Reason::AwaitsApproval)
                }
            },
        };
        if self.refusals.count(conversation, reason) {
            tracing::info!(%conversation, ?reason, "stranger refused");
        }
        Ok(verdict)
    }
}

/// What one channel sees of the gateway.
struct Door {
    inner: Arc<Inner>,
    channel: Arc<dyn Channel>,
}

impl Host for Door {
    fn admit(&self, sender: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        Box::pin(async move {
            let verdict = self.inner.verdict(&sender).await;
            verdict.map_err(|err| HostError::Storage(Box::new(err)))
        })
    }

    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        let rules = self.inner.rules();
        let seat = rules.seat(&inbound.conversation);
        let command = Command::of(&inbound, &rules.sessions.reset_triggers);
        let channel = Arc::clone(&self.channel);
        Box::pin(self.take(Visit { inbound, seat, rules, channel, command }))
    }

    fn changed(&self, status: AccountStatus) {
        tracing::info!(channel = %self.channel.id(), account = %status.account, state = ?status.state, "account changed");
    }

    fn alert(&self, alert: Alert) {
        tracing::error!(channel = %self.channel.id(), account = %alert.account, code = alert.code, "{}", alert.text);
    }
}

impl Door {
    /// Brings a message to where it belongs: to the question that it answers,
    /// beside the lane, or into it.
    async fn take(&self, visit: Visit) -> Result<(), HostError> {
        let questions = &self.inner.runner.questions;
        let is_answer = questions.take(visit.seat.session.as_str(), &visit.inbound).await;
        let taken = if is_answer.map_err(|err| HostError::Storage(Box::new(err)))? {
            self.overtake(Some(Aside::More), visit).await
        } else {
            match &visit.command {
                Some(Command::Aside(aside)) => self.overtake(Some(aside.clone()), visit).await,
                None if visit.inbound.lane == Lane::Aside => self.enter_at_once(visit).await,
                Some(Command::New(_)) | None => self.enter(visit).await,
            }
        };
        taken.map_err(|Closed| HostError::Stopping)
    }

    /// Steers a message into the turn that runs, or puts it into its lane.
    async fn enter(&self, visit: Visit) -> Result<(), Closed> {
        let Inner { lanes, runner, queue, tasks, .. } = &*self.inner;
        let mode = queue.now().mode_on(&visit.inbound.conversation.channel);
        if mode == QueueMode::Steer
            && let Some(steered) = lanes.steerable(&visit)
            && lanes.unless_draining(runner.steer(&steered, &visit)).await?
        {
            return Ok(());
        }
        if let Some(left_out) = lanes.enter(visit).await? {
            let runner = Arc::clone(runner);
            tasks.spawn("left out", async move { runner.leave_out(left_out).await });
        }
        Ok(())
    }

    /// Puts what only the agent may know into its lane. A full lane must not
    /// hold it: what the peer says next may be the word that ends the turn there.
    async fn enter_at_once(&self, visit: Visit) -> Result<(), Closed> {
        match self.inner.lanes.try_enter(visit)? {
            None => Ok(()),
            Some(visit) => self.overtake(None, visit).await,
        }
    }

    /// Answers a command beside the lane, which may be long or stuck; one that
    /// found the lane full is told so.
    async fn overtake(&self, aside: Option<Aside>, visit: Visit) -> Result<(), Closed> {
        let room = Arc::clone(&self.inner.overtaking).acquire_owned();
        let room = self.inner.lanes.unless_draining(room).await?;
        let inner = Arc::clone(&self.inner);
        self.inner.tasks.spawn("command", async move {
            let Inner { runner, lanes, .. } = &*inner;
            let words = match aside {
                Some(aside) => command::answer(aside, &visit, runner, lanes).await,
                None => Some(Notice::Busy.words(runner.language(&visit).await).to_owned()),
            };
            runner.say(visit, words.as_deref()).await;
            drop(room);
        });
        Ok(())
    }
}

//! Starts the channels, is what they see, and stops everything in order.

use std::sync::Arc;
use std::time::Duration;

use contract::{
    AccountStatus, Alert, Channel, ChannelError, ChannelId, Host, HostError, Inbound, Lane, Sender,
    Verdict,
};
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::Refusals;
use crate::command::{self, Aside, Command};
use crate::ending::Notice;
use crate::lanes::{Closed, Lanes, Work};
use crate::store::Store;
use crate::tasks::Tasks;
use crate::turn::{Runner, Visit};
use crate::{Access, Config, Refused, StoreError, route};

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
    /// When the store or a channel fails; then nothing runs.
    pub async fn start(
        config: Config,
        channels: Vec<Arc<dyn Channel>>,
    ) -> Result<Self, GatewayError> {
        let store = Store::open(&config.store).await?;
        let gateway = Self { inner: Arc::new(Inner::new(config, store, channels)) };
        for channel in &gateway.inner.channels {
            let door = Door { inner: Arc::clone(&gateway.inner), channel: Arc::clone(channel) };
            if let Err(source) = channel.start(Arc::new(door)).await {
                let channel = channel.id();
                gateway.stop(Duration::ZERO).await;
                return Err(GatewayError::Channel { channel, source });
            }
        }
        Ok(gateway)
    }

    /// Stops, within about `grace`: nothing new is taken; turns that run have
    /// three quarters of the time to end and are cut then; the channels have
    /// the rest for replies that are on disk; the store closes last.
    ///
    /// A turn that was cut or had not begun stays with its channel, which hands
    /// it over at the next start.
    pub async fn stop(&self, grace: Duration) {
        let Inner { lanes, runner, tasks, channels, store, .. } = &*self.inner;
        let deadline = Instant::now() + grace;
        lanes.drain();
        if tokio::time::timeout(grace.mul_f32(0.75), tasks.all_ended()).await.is_err() {
            tracing::warn!(?grace, "turns still running are cut");
            runner.cut.cancel();
            if tokio::time::timeout(CUT_WAIT, tasks.all_ended()).await.is_err() {
                tracing::error!("a turn cannot be cut; stopping without it");
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        join_all(channels.iter().map(|channel| channel.stop(left))).await;
        store.close().await;
    }

    /// Returns who has been refused since the start.
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.inner.refusals.counted()
    }

    /// Returns how many sessions have something running or waiting.
    #[must_use]
    pub fn n_busy(&self) -> usize {
        self.inner.lanes.n_open()
    }
}

struct Inner {
    access: Access,
    refusals: Refusals,
    channels: Vec<Arc<dyn Channel>>,
    store: Store,
    runner: Arc<Runner>,
    lanes: Lanes<Visit>,
    overtaking: Arc<Semaphore>,
    tasks: Tasks,
}

impl Inner {
    fn new(config: Config, store: Store, channels: Vec<Arc<dyn Channel>>) -> Self {
        let Config { store: _, access, lane_depth, turn_timeout, agent } = config;
        let cut = CancellationToken::new();
        let runner = Arc::new(Runner {
            agent,
            store: store.clone(),
            timeout: turn_timeout,
            cut: cut.clone(),
        });
        let worker = Arc::clone(&runner);
        let work: Work<Visit> = Arc::new(move |visit, stop| {
            let runner = Arc::clone(&worker);
            Box::pin(async move { runner.run(visit, stop).await })
        });
        let tasks = Tasks::default();
        Self {
            access,
            refusals: Refusals::default(),
            channels,
            store,
            runner,
            lanes: Lanes::new(lane_depth, tasks.clone(), cut, work),
            overtaking: Arc::new(Semaphore::new(MOST_OVERTAKING)),
            tasks,
        }
    }
}

/// What one channel sees of the gateway.
struct Door {
    inner: Arc<Inner>,
    channel: Arc<dyn Channel>,
}

impl Host for Door {
    fn admit(&self, sender: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        let verdict = self.inner.access.verdict(&sender);
        let conversation = &sender.conversation;
        if verdict == Verdict::Refuse && self.inner.refusals.count(conversation) {
            tracing::info!(%conversation, "stranger refused");
        }
        Box::pin(std::future::ready(Ok(verdict)))
    }

    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        let session = route(&inbound.conversation).session;
        let visit = Visit { inbound, session, channel: Arc::clone(&self.channel) };
        Box::pin(async move {
            let taken = match Command::of(&visit.inbound) {
                Some(Command::Aside(aside)) => self.overtake(Some(aside), visit).await,
                None if visit.inbound.lane == Lane::Aside => self.enter_at_once(visit).await,
                Some(Command::New) | None => {
                    self.inner.lanes.enter(visit.session.clone(), visit).await
                }
            };
            taken.map_err(|Closed| HostError::Stopping)
        })
    }

    fn changed(&self, status: AccountStatus) {
        tracing::info!(channel = %self.channel.id(), account = %status.account, state = ?status.state, "account changed");
    }

    fn alert(&self, alert: Alert) {
        tracing::error!(channel = %self.channel.id(), account = %alert.account, code = alert.code, "{}", alert.text);
    }
}

impl Door {
    /// Puts what only the agent may know into its lane. A full lane must not
    /// hold it: what the peer says next may be the word that ends the turn there.
    async fn enter_at_once(&self, visit: Visit) -> Result<(), Closed> {
        match self.inner.lanes.try_enter(visit.session.clone(), visit)? {
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
            let words = inner.answer(aside, &visit).await;
            inner.runner.say(visit, words.as_deref()).await;
            drop(room);
        });
        Ok(())
    }
}

impl Inner {
    async fn answer(&self, aside: Option<Aside>, visit: &Visit) -> Option<String> {
        // Before anything that takes time.
        let had_turn = aside == Some(Aside::Stop) && self.lanes.stop_front(&visit.session);
        let language = self.runner.language(visit).await;
        let words = match aside {
            None => Notice::Busy.words(language).to_owned(),
            Some(Aside::More) => return None,
            Some(Aside::Help) => command::help(language).to_owned(),
            Some(Aside::Stop) => command::stopped(had_turn, language).to_owned(),
            Some(Aside::Status) => {
                let busy = self.lanes.busy(&visit.session);
                let memory = self.store.memory(&visit.session).await;
                command::status(busy, memory.ok(), language)
            }
        };
        Some(words)
    }
}

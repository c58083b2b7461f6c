//! Polls one account and stores what comes. Nothing else.
//!
//! ```text
//! cursor ─▶ getupdates ─▶ one transaction: messages, tokens, cursor ─▶ wake the lanes ─┐
//!    ▲                                                                                 │
//!    └─────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! It never waits for an agent, a download or a host, so a slow answer to one
//! peer delays nobody. Safe to stop anywhere: the cursor that acknowledges a
//! batch is sent only after the batch is on disk.

use std::time::Duration;

use contract::{AccountId, AccountState};
use ilink::client::{Deadlines, Generation};
use ilink::wire::Updates;
use ilink::{BotId, BotToken, Client, ClientError, Cursor, UserId};
use ledger::LedgerError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::commands::Words;
use crate::delivery::Parked;
use crate::hold::{Evidence, Hold};
use crate::inbound::{Kept, classify, in_order};
use crate::intake::{IntakeSettings, LaneKey};
use crate::lanes::Lanes;
use crate::lock::{NotTaken, TokenLock};
use crate::pacer::{Next, Pacer, degraded};
use crate::pulse::Pulse;
use crate::status::{Counted, Health};
use crate::store::{Accepted, Store};
use crate::switch::Switch;
use crate::time::pause;
use crate::wake::Wakes;

/// The shortest and the longest hold that the backend may ask for.
const HOLDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// What polls one account.
pub(crate) struct Monitor {
    pub(crate) account: AccountId,
    pub(crate) bot: Option<BotId>,
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) health: Health,
    pub(crate) intake: Lanes<LaneKey>,
    pub(crate) delivery: Lanes<UserId>,
    /// Peers for whom something is parked until they write.
    pub(crate) parked: Parked,
    pub(crate) clock: Clock,
    pub(crate) token: BotToken,
    /// Says which words are commands.
    pub(crate) settings: Switch<IntakeSettings>,
    /// How long the backend holds a poll until it says otherwise.
    pub(crate) hold: Duration,
    pub(crate) pulse: Pulse,
}

/// A monitor at work.
struct Polling {
    monitor: Monitor,
    /// The client, as patient as polls need it.
    client: Client,
    cursor: Option<Cursor>,
    hold: Hold,
    pacer: Pacer,
    wakes: Wakes,
}

/// How a poll ended.
enum Ended {
    Answered(Updates),
    /// Left as planned.
    Left,
    /// Dropped, because the machine woke up.
    Woken,
    Failed(ClientError),
}

impl Monitor {
    /// Polls until cancelled, as the only one on this machine that polls this
    /// token.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let (account, health) = (self.account.clone(), self.health.clone());
        let polling = async {
            let _lock = self.alone().await;
            let mut polling = self.begin().await;
            loop {
                let next = polling.round().await;
                polling.rest(next).await;
            }
        };
        // Handed over by reference: a poll's state is the largest thing that an
        // idle account has, and by value there would be room for it twice.
        let polling = std::pin::pin!(polling);
        cancel.run_until_cancelled(polling).await;
        let tally = health.tally();
        tracing::info!(
            %account, polls = tally.polls, answered = tally.answered, left = tally.left,
            woken = tally.woken, give_ups = tally.give_ups, unreachable = tally.unreachable,
            garbled = tally.garbled, refused = tally.refused, unstored = tally.unstored,
            failures_in_row = tally.failures_in_row, "polling ended"
        );
    }

    /// Waits until nobody else on this machine polls the token. Without a
    /// place for locks it goes on without.
    async fn alone(&self) -> Option<TokenLock> {
        let locks = self.pulse.locks.as_ref()?;
        loop {
            let held = match locks.take(&self.token).await {
                Ok(lock) => return Some(lock),
                Err(held @ NotTaken::Held(_)) => held.to_string(),
                Err(NotTaken::Unusable(reason)) => {
                    tracing::warn!(account = %self.account, reason, "the bot token is not locked");
                    return None;
                }
            };
            self.health.update(|before| degraded(held, before, self.clock.now_ms()));
            pause(self.pulse.pace.takeover).await;
        }
    }

    async fn begin(self) -> Polling {
        let pace = self.pulse.pace.clone();
        let limit = self.store.hold_limit(&self.host()).await.unwrap_or_else(|err| {
            tracing::warn!(account = %self.account, error = %err, "nothing is known of the host");
            None
        });
        let deadlines = Deadlines { poll_margin: pace.margin, ..Deadlines::default() };
        Polling {
            client: self.client.with_deadlines(deadlines),
            cursor: None,
            hold: Hold::new(pace.shortest_hold, self.hold, limit),
            wakes: self.pulse.alarm.wakes(),
            pacer: Pacer::new(pace),
            monitor: self,
        }
    }

    /// The host that is polled, as the store knows it.
    fn host(&self) -> String {
        let api = &self.client.endpoints().api;
        let name = api.host_str().unwrap_or_default();
        api.port_or_known_default().map_or(name.to_owned(), |port| format!("{name}:{port}"))
    }
}

impl Polling {
    /// One poll, and what it brought on disk.
    async fn round(&mut self) -> Next {
        let cursor = match self.cursor().await {
            Ok(cursor) => cursor,
            Err(err) => return self.unstored(&err),
        };
        let (generation, begun) = (self.client.http().generation(), Instant::now());
        let ended = self.poll(&cursor).await;
        let lasted = begun.elapsed();
        match ended {
            Ended::Answered(updates) => self.answered(cursor, updates, lasted).await,
            Ended::Left => self.left().await,
            Ended::Woken => {
                self.monitor.health.count(Counted::Woken);
                Next::Poll
            }
            Ended::Failed(err) => self.failed(&err, lasted, generation).await,
        }
    }

    /// Returns where the next poll goes on. Only this monitor moves it.
    async fn cursor(&mut self) -> Result<Cursor, LedgerError> {
        if let Some(known) = &self.cursor {
            return Ok(known.clone());
        }
        let stored = self.monitor.store.cursor(&self.monitor.account).await?;
        self.cursor = Some(stored.clone());
        Ok(stored)
    }

    /// Polls until something ends it. Nothing is acknowledged here, so it may
    /// be dropped at any time.
    async fn poll(&mut self, cursor: &Cursor) -> Ended {
        let plan = self.hold.plan();
        let leave = async {
            match plan.leave_after {
                Some(after) => sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            polled = self.client.get_updates(cursor, plan.hold) => match polled {
                Ok(updates) => Ended::Answered(updates),
                Err(err) => Ended::Failed(err),
            },
            () = leave => Ended::Left,
            () = self.wakes.next() => Ended::Woken,
        }
    }

    async fn answered(&mut self, cursor: Cursor, updates: Updates, lasted: Duration) -> Next {
        let asked = hold_of(&updates, self.monitor.pulse.pace.shortest_hold);
        let limit = self.hold.limit();
        let has_news = updates.msgs.as_ref().is_some_and(|msgs| !msgs.is_empty());
        let is_hurried = !has_news && lasted < self.hold.plan().hold / 10;
        self.hold.answered(lasted, asked);
        let (accepted, cursor) = match self.monitor.accept(cursor, updates).await {
            Ok(accepted) => accepted,
            Err(err) => return self.unstored(&err),
        };
        self.cursor = Some(cursor);
        for lane in accepted.lanes {
            if self.monitor.parked.contains(&lane.peer) {
                self.monitor.delivery.wake(lane.peer.clone());
            }
            self.monitor.intake.wake(lane);
        }
        self.monitor.health.count(Counted::Answered);
        self.monitor.health.polled(self.monitor.clock.now_ms());
        self.remember(limit).await;
        if is_hurried { self.pacer.hurried(rand::random()) } else { self.pacer.answered() }
    }

    /// A poll that was left says nothing; if something was wrong before, a
    /// small call says whether it still is.
    async fn left(&mut self) -> Next {
        let monitor = &self.monitor;
        monitor.health.count(Counted::Left);
        self.hold.left();
        let is_well = monitor.health.snapshot().state == AccountState::Polling;
        if !is_well && announce(&monitor.account, &monitor.client).await {
            monitor.health.polled(monitor.clock.now_ms());
            self.pacer.answered();
        }
        Next::Poll
    }

    async fn failed(&mut self, err: &ClientError, lasted: Duration, seen: Generation) -> Next {
        let monitor = &self.monitor;
        monitor.health.count(Counted::Failed(&err.cause));
        let limit = self.hold.limit();
        if self.hold.cut(Evidence::of(&err.cause), lasted) {
            tracing::debug!(account = %monitor.account, error = %err, ?lasted, "poll cut on its way");
            monitor.health.polled(monitor.clock.now_ms());
            self.remember(limit).await;
            return self.pacer.answered();
        }
        tracing::warn!(account = %monitor.account, error = %err, "poll failed");
        let next = self.pacer.failed(err, rand::random());
        monitor.health.update(|before| self.pacer.state(err, before, monitor.clock.now_ms()));
        if next == Next::Renew {
            self.client.http().renew(seen);
        }
        next
    }

    fn unstored(&mut self, err: &LedgerError) -> Next {
        tracing::error!(account = %self.monitor.account, error = %err, "batch not acknowledged");
        self.monitor.health.count(Counted::Unstored);
        let reason = format!("what came cannot be stored: {err}");
        self.monitor.health.update(|before| degraded(reason, before, self.monitor.clock.now_ms()));
        self.pacer.unstored(rand::random())
    }

    /// Writes down what has been learnt of the host, if it is new.
    async fn remember(&self, before: Option<Duration>) {
        let (limit, host) = (self.hold.limit(), self.monitor.host());
        if limit == before {
            return;
        }
        tracing::info!(account = %self.monitor.account, host, ?limit, "polls have another limit");
        if let Err(err) = self.monitor.store.set_hold_limit(&host, limit).await {
            tracing::warn!(error = %err, "the limit of polls is not remembered");
        }
    }

    /// Waits as decided. Waking up ends it.
    async fn rest(&mut self, next: Next) {
        let wait = match next {
            Next::Poll | Next::Renew => return,
            Next::Wait(wait) => wait,
            Next::Announce(wait) => {
                announce(&self.monitor.account, &self.monitor.client).await;
                wait
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = self.wakes.next() => {}
        }
    }
}

impl Monitor {
    /// Stores a batch. Returns what is new in it, and where to go on.
    async fn accept(
        &self,
        old: Cursor,
        updates: Updates,
    ) -> Result<(Accepted, Cursor), LedgerError> {
        let n_unreadable = updates.msgs.as_ref().map_or(0, |msgs| msgs.unreadable.len());
        if n_unreadable > 0 {
            tracing::warn!(account = %self.account, n_unreadable, "entries of a batch are no messages");
        }
        let new = updates.get_updates_buf.filter(|new| !new.is_empty() && *new != old);
        let msgs = in_order(updates.msgs.into_iter().flatten().collect());
        let words = &self.settings.now().control_words;
        let batch = kept(msgs.into_iter(), self.bot.as_ref(), words);
        if batch.is_empty() && new.is_none() {
            return Ok((Accepted::default(), old));
        }
        let now_ms = self.clock.now_ms();
        let accepted = self.store.accept(&self.account, batch, new.clone(), now_ms).await?;
        Ok((accepted, new.unwrap_or(old)))
    }
}

/// Says that the bot is there, and returns whether the backend took it. Only a
/// courtesy: polls work without it.
pub(crate) async fn announce(account: &AccountId, client: &Client) -> bool {
    let announced = client.notify_start().await;
    if let Err(err) = &announced {
        tracing::debug!(%account, error = %err, "start not announced");
    }
    announced.is_ok()
}

/// Returns the hold that the backend asks for, within bounds.
fn hold_of(updates: &Updates, shortest: Duration) -> Option<Duration> {
    let asked = u64::try_from(updates.longpolling_timeout_ms?).ok().filter(|ms| *ms > 0)?;
    Some(Duration::from_millis(asked).clamp(HOLDS.0.min(shortest), HOLDS.1))
}

fn kept(
    msgs: impl Iterator<Item = ilink::wire::Message>,
    bot: Option<&BotId>,
    words: &Words,
) -> Vec<Kept> {
    msgs.filter_map(|msg| {
        classify(&msg, bot, words)
            .inspect_err(|reason| tracing::debug!(?reason, id = ?msg.message_id, "message skipped"))
            .ok()
    })
    .collect()
}

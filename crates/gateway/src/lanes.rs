//! In order within a session, side by side across sessions.
//!
//! A lane is a queue and one task. It opens with the first message of a session
//! and closes with the last, so idle sessions cost nothing. [`QueueSettings`]
//! say what becomes of messages that come while a turn runs; [`queue`] decides
//! it, and [`joint`] makes one message of several.
//!
//! ```text
//! enter ─▶ too many? ─▶ shortened or left out (settings) or the channel waits (depth)
//!   │
//!   ├─ steer: given to the agent that runs, which answers it with its own
//!   ├─ interrupt: the turn that runs is cut
//!   └─▶ wait ─▶ joined (collect, interrupt) or one by one ─▶ turn
//! ```
//!
//! # How this meets a channel that merges
//!
//! A channel may keep what is said while a turn runs, and hand it over as one
//! message when the turn has ended. Then nothing waits here, whatever the mode:
//! the effect is that of `collect`. Only what a channel hands over while a turn
//! runs can be steered, can interrupt, and is told that it waits.
//!
//! # A joint turn and crashes
//!
//! Several messages, each with an open turn of its own at the channel, may be
//! answered together: joined when they have waited, or steered into a turn that
//! runs. The answer is given under the oldest, the *lead*. Before the agent
//! hears of a joint message, and as soon as it has taken one that was steered,
//! the store has which turns belong together and what they say together; before
//! the first of the turns is finished, the store has how they end. So after a
//! crash at any moment, when the channel hands over each turn that is not
//! finished:
//!
//! - before the joint turn is stored: each turn runs by itself, none has been
//!   answered.
//! - while it runs: the lead runs again with the joint message and the same
//!   numbers of replies, so it answers once. The others wait behind it, find
//!   that it has ended, and are finished without a word.
//! - between its end and the last finish: each turn that is left finds the end
//!   in the store and is finished without a word.
//!
//! A turn that is handed over again is never joined anew, so that its replies
//! keep their numbers. A member whose lead does not come again, since the
//! channel gave that up, is answered by itself.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tasks::Tasks;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::SessionKey;
use crate::turn::{Steered, Visit};

pub(crate) mod joint;
mod queue;
mod settings;

use self::queue::Queue;
pub(crate) use self::queue::{Group, Waits};
pub(crate) use self::settings::Switch;
pub use self::settings::{DropPolicy, QueueMode, QueueSettings};

/// What a lane does with what makes a turn.
pub(crate) type Work = Arc<dyn Fn(Run) -> BoxFuture<'static, ()> + Send + Sync>;
/// Tells the peer of a message how many wait before it.
pub(crate) type TellWaiting = Arc<dyn Fn(Visit, usize) + Send + Sync>;

/// One turn, as a lane begins it.
pub(crate) struct Run {
    pub(crate) group: Group<Visit>,
    /// Cancelled when the turn is to end before it is done.
    pub(crate) stop: CancellationToken,
    /// What is steered into it while it runs.
    pub(crate) steered: Steered,
}

/// What the lanes are built from.
pub(crate) struct LaneOptions {
    /// How many messages of one session may wait, at least 1.
    pub(crate) depth: usize,
    pub(crate) queue: Switch<QueueSettings>,
    pub(crate) tasks: Tasks,
    /// The parent of every turn's token.
    pub(crate) cut: CancellationToken,
    pub(crate) work: Work,
    pub(crate) tell_waiting: TellWaiting,
}

/// All open lanes. Clones share them.
#[derive(Clone)]
pub(crate) struct Lanes {
    shared: Arc<Shared>,
}

/// The lanes take nothing more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// A message that was left out, since too many waited.
pub(crate) struct LeftOut {
    pub(crate) visit: Visit,
    /// Whether it is the first as long as the session is busy.
    pub(crate) is_first: bool,
}

/// What a lane is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy {
    /// How long the turn at the front has been running; `None` if it has not begun.
    pub(crate) running_for: Option<Duration>,
    /// How many messages wait behind it.
    pub(crate) waiting: usize,
}

impl Lanes {
    /// Opens nothing yet.
    pub(crate) fn new(options: LaneOptions) -> Self {
        let (open, draining) = (Mutex::default(), CancellationToken::new());
        Self { shared: Arc::new(Shared { options, open, draining }) }
    }

    /// Puts a message into its session's lane; waits while the lane is full.
    /// Dropping the future before it is done leaves the message out.
    pub(crate) async fn enter(&self, mut visit: Visit) -> Result<Option<LeftOut>, Closed> {
        loop {
            match self.put(visit)? {
                Put::In(left_out) => return Ok(left_out.map(|left_out| *left_out)),
                Put::Full(back, room) => {
                    self.unless_draining(room).await?;
                    visit = *back;
                }
            }
        }
    }

    /// Puts a message into its session's lane, or gives it back if that is full.
    pub(crate) fn try_enter(&self, visit: Visit) -> Result<Option<Visit>, Closed> {
        match self.put(visit)? {
            Put::In(_) => Ok(None),
            Put::Full(visit, _) => Ok(Some(*visit)),
        }
    }

    /// Returns what a message may be steered into: what runs for the same
    /// conversation, if nothing waits behind it.
    pub(crate) fn steerable(&self, visit: &Visit) -> Option<Steered> {
        let open = self.shared.open.lock();
        let lane = open.get(&visit.seat.session)?;
        let running = lane.running.as_ref()?;
        let fits = lane.queue.len() == 0 && running.lead.is_beside(visit) && visit.is_loose();
        fits.then(|| running.steered.clone())
    }

    /// Cancels the turn at the front of a lane, begun or not, and says whether
    /// there was one. Those behind it go on.
    pub(crate) fn stop_front(&self, key: &SessionKey) -> bool {
        let open = self.shared.open.lock();
        let Some(lane) = open.get(key) else {
            return false;
        };
        lane.front.cancel();
        true
    }

    /// Says what a lane is busy with; `None` if it has nothing to do.
    pub(crate) fn busy(&self, key: &SessionKey) -> Option<Busy> {
        let open = self.shared.open.lock();
        open.get(key).map(|lane| Busy {
            running_for: lane.running.as_ref().map(|running| running.since.elapsed()),
            // One that has not begun stands at the front.
            waiting: lane.queue.len() - usize::from(lane.running.is_none() && lane.queue.len() > 0),
        })
    }

    /// Returns how many lanes are open.
    pub(crate) fn n_open(&self) -> usize {
        self.shared.open.lock().len()
    }

    /// Takes nothing more and begins nothing more. Turns that run go on; what
    /// waits is dropped.
    pub(crate) fn drain(&self) {
        self.shared.draining.cancel();
    }

    /// Waits for something, but not beyond the moment the lanes drain.
    pub(crate) async fn unless_draining<F: Future>(&self, wait: F) -> Result<F::Output, Closed> {
        tokio::select! {
            biased;
            () = self.shared.draining.cancelled() => Err(Closed),
            done = wait => Ok(done),
        }
    }

    fn put(&self, visit: Visit) -> Result<Put, Closed> {
        if self.shared.draining.is_cancelled() {
            return Err(Closed);
        }
        let settings = self.shared.options.queue.now();
        let mut open = self.shared.open.lock();
        let key = visit.seat.session.clone();
        let lane = open.entry(key.clone()).or_insert_with(|| {
            let run = run(Arc::clone(&self.shared), key);
            self.shared.options.tasks.spawn("lane", run);
            Lane::new(self.shared.options.cut.child_token())
        });
        Ok(lane.put(visit, self.shared.options.depth.max(1), &settings))
    }
}

enum Put {
    In(Option<Box<LeftOut>>),
    /// Given back, with what tells that there is room.
    Full(Box<Visit>, OwnedNotified),
}

struct Shared {
    options: LaneOptions,
    // Held for a look-up, never across an await.
    open: Mutex<HashMap<SessionKey, Lane>>,
    draining: CancellationToken,
}

struct Lane {
    queue: Queue<Visit>,
    running: Option<Running>,
    /// Cancels the turn at the front, which may not have begun.
    front: CancellationToken,
    /// Whether the next turn waited for another, and since when it is quiet.
    quiet_since: Option<Instant>,
    /// Since when the oldest waits.
    waiting_since: Option<Instant>,
    was_told_waiting: bool,
    was_told_left_out: bool,
    /// Wakes the lane's task while a turn runs.
    news: Arc<Notify>,
    /// Wakes whoever waits to enter.
    room: Arc<Notify>,
}

struct Running {
    lead: Visit,
    steered: Steered,
    since: Instant,
}

impl Lane {
    fn new(front: CancellationToken) -> Self {
        Self {
            queue: Queue::default(),
            running: None,
            front,
            quiet_since: None,
            waiting_since: None,
            was_told_waiting: false,
            was_told_left_out: false,
            news: Arc::default(),
            room: Arc::default(),
        }
    }

    fn put(&mut self, visit: Visit, depth: usize, settings: &QueueSettings) -> Put {
        // A turn that has not begun yet is not one that waits.
        let most = depth + usize::from(self.running.is_none());
        if self.queue.len() >= most {
            return Put::Full(Box::new(visit), Arc::clone(&self.room).notified_owned());
        }
        let mode = settings.mode_on(&visit.inbound.conversation.channel);
        let now = Instant::now();
        if self.running.is_some() || self.quiet_since.is_some() {
            self.quiet_since = Some(now);
        }
        if let Some(running) = &self.running {
            self.waiting_since.get_or_insert(now);
            if mode == QueueMode::Interrupt && visit.is_loose() && running.lead.is_beside(&visit) {
                self.front.cancel();
            }
        }
        let left_out = self.queue.put(visit, settings.cap, settings.drop);
        self.news.notify_one();
        Put::In(left_out.map(|visit| {
            let is_first = !std::mem::replace(&mut self.was_told_left_out, true);
            Box::new(LeftOut { visit, is_first })
        }))
    }
}

/// What a lane's task does next.
enum Next {
    Begin(Box<Run>),
    /// More may come that belongs to it.
    Later(Instant),
    Close,
}

async fn run(shared: Arc<Shared>, key: SessionKey) {
    loop {
        match shared.next(&key) {
            Next::Begin(run) => shared.work_on(&key, *run).await,
            Next::Later(at) => tokio::select! {
                biased;
                () = shared.draining.cancelled() => {}
                () = tokio::time::sleep_until(at) => {}
            },
            Next::Close => return,
        }
    }
}

impl Shared {
    fn next(&self, key: &SessionKey) -> Next {
        let mut open = self.open.lock();
        let Some(lane) = open.get_mut(key) else {
            return Next::Close;
        };
        let settings = self.options.queue.now();
        let next = lane.queue.next().filter(|_| !self.draining.is_cancelled());
        let Some(mode) = next.map(|visit| settings.mode_on(&visit.inbound.conversation.channel))
        else {
            open.remove(key);
            return Next::Close;
        };
        if let Some(quiet_since) = lane.quiet_since.filter(|_| mode.joins())
            && quiet_since.elapsed() < settings.debounce
        {
            return Next::Later(quiet_since + settings.debounce);
        }
        let Some(group) = lane.queue.take(mode) else {
            open.remove(key);
            return Next::Close;
        };
        let steered = Steered::default();
        let now = Instant::now();
        lane.running = group.members.first().map(|lead| Running {
            lead: lead.clone(),
            steered: steered.clone(),
            since: now,
        });
        lane.waiting_since = lane.queue.next().map(|_| now);
        lane.quiet_since = lane.quiet_since.filter(|_| lane.waiting_since.is_some());
        lane.room.notify_waiters();
        Next::Begin(Box::new(Run { group, stop: lane.front.clone(), steered }))
    }

    async fn work_on(&self, key: &SessionKey, run: Run) {
        let news = self.open.lock().get(key).map(|lane| Arc::clone(&lane.news));
        let news = news.unwrap_or_default();
        let mut work = pin!(AssertUnwindSafe((self.options.work)(run)).catch_unwind());
        let ended = loop {
            let notice = self.notice_at(key);
            tokio::select! {
                biased;
                ended = &mut work => break ended,
                () = news.notified() => {}
                () = until(notice) => self.tell_waiting(key),
            }
        };
        if ended.is_err() {
            tracing::error!(session = %key, "a turn panicked outside its agent");
        }
        if let Some(lane) = self.open.lock().get_mut(key) {
            lane.running = None;
            lane.front = self.options.cut.child_token();
        }
    }

    /// Says when somebody is to be told that a message waits.
    fn notice_at(&self, key: &SessionKey) -> Option<Instant> {
        let after = self.options.queue.now().notice_after;
        let open = self.open.lock();
        let lane = open.get(key).filter(|lane| !lane.was_told_waiting && !after.is_zero())?;
        lane.queue.newest().filter(|visit| visit.is_loose())?;
        lane.waiting_since.map(|since| since + after)
    }

    fn tell_waiting(&self, key: &SessionKey) {
        let mut open = self.open.lock();
        let Some(lane) = open.get_mut(key) else { return };
        let newest = lane.queue.newest().cloned();
        lane.was_told_waiting = true;
        // The one that runs, and those between.
        let n_before = lane.queue.len();
        drop(open);
        if let Some(newest) = newest {
            (self.options.tell_waiting)(newest, n_before);
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

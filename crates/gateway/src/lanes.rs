//! In order within a session, side by side across sessions.
//!
//! A lane is a bounded queue and one task. It opens with the first job of a
//! session and closes with the last, so idle sessions cost nothing. Every job
//! holds a ticket from the moment it is brought until it has been done; whoever
//! returns the last ticket closes the lane.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::SessionKey;
use crate::tasks::Tasks;

/// What a lane does with a job. The token is cancelled when the job is to end
/// before it is done.
pub(crate) type Work<T> = Arc<dyn Fn(T, CancellationToken) -> BoxFuture<'static, ()> + Send + Sync>;

/// All open lanes. Clones share them.
pub(crate) struct Lanes<T> {
    shared: Arc<Shared<T>>,
}

/// The lanes take nothing more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// What a lane is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy {
    /// How long the job at the front has been running; `None` if it has not begun.
    pub(crate) running_for: Option<Duration>,
    /// How many wait behind it.
    pub(crate) waiting: usize,
}

impl<T: Send + 'static> Lanes<T> {
    /// Opens nothing yet. `cut` is the parent of every job's token.
    pub(crate) fn new(depth: usize, tasks: Tasks, cut: CancellationToken, work: Work<T>) -> Self {
        let shared = Shared {
            depth: depth.max(1),
            tasks,
            work,
            open: Mutex::default(),
            draining: CancellationToken::new(),
            cut,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Puts a job into its session's lane; waits while the lane is full.
    /// Dropping the future before it is done leaves the job out.
    pub(crate) async fn enter(&self, key: SessionKey, job: T) -> Result<(), Closed> {
        if self.shared.draining.is_cancelled() {
            return Err(Closed);
        }
        let (ticket, queue) = self.ticket(key);
        let sent = self.unless_draining(queue.send((job, ticket))).await?;
        sent.map_err(|_| Closed)
    }

    /// Puts a job into its session's lane, or gives it back if that is full.
    pub(crate) fn try_enter(&self, key: SessionKey, job: T) -> Result<Option<T>, Closed> {
        if self.shared.draining.is_cancelled() {
            return Err(Closed);
        }
        let (ticket, queue) = self.ticket(key);
        match queue.try_send((job, ticket)) {
            Ok(()) => Ok(None),
            Err(TrySendError::Full((job, _))) => Ok(Some(job)),
            Err(TrySendError::Closed(_)) => Err(Closed),
        }
    }

    /// Cancels the job at the front of a lane, begun or not, and says whether
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
            running_for: lane.running_since.map(|since| since.elapsed()),
            waiting: lane.tickets.saturating_sub(1),
        })
    }

    /// Returns how many lanes are open.
    pub(crate) fn n_open(&self) -> usize {
        self.shared.open.lock().len()
    }

    /// Takes nothing more and begins nothing more. Jobs that run go on; those
    /// that wait are dropped.
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

    fn ticket(&self, key: SessionKey) -> (Ticket<T>, mpsc::Sender<(T, Ticket<T>)>) {
        let mut open = self.shared.open.lock();
        let lane = open.entry(key.clone()).or_insert_with(|| self.lane(&key));
        lane.tickets += 1;
        let queue = lane.queue.clone();
        (Ticket { shared: Arc::clone(&self.shared), key }, queue)
    }

    fn lane(&self, key: &SessionKey) -> Lane<T> {
        let (queue, jobs) = mpsc::channel(self.shared.depth);
        let run = run(Arc::clone(&self.shared), key.clone(), jobs);
        self.shared.tasks.spawn("lane", run);
        Lane { queue, tickets: 0, front: self.shared.cut.child_token(), running_since: None }
    }
}

impl<T> Clone for Lanes<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<T> {
    depth: usize,
    tasks: Tasks,
    work: Work<T>,
    // Held for a look-up, never across an await.
    open: Mutex<HashMap<SessionKey, Lane<T>>>,
    draining: CancellationToken,
    cut: CancellationToken,
}

struct Lane<T> {
    queue: mpsc::Sender<(T, Ticket<T>)>,
    /// Jobs brought and not yet done.
    tickets: usize,
    /// Cancels the job at the front, which may still be in the queue.
    front: CancellationToken,
    running_since: Option<Instant>,
}

/// One job's stay in a lane.
struct Ticket<T> {
    shared: Arc<Shared<T>>,
    key: SessionKey,
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock();
        let Some(lane) = open.get_mut(&self.key) else {
            return;
        };
        lane.tickets -= 1;
        if lane.tickets == 0 {
            // The lane's only sender goes with it: its task ends.
            open.remove(&self.key);
        }
    }
}

async fn run<T>(shared: Arc<Shared<T>>, key: SessionKey, mut jobs: mpsc::Receiver<(T, Ticket<T>)>) {
    loop {
        let next = tokio::select! {
            biased;
            () = shared.draining.cancelled() => None,
            next = jobs.recv() => next,
        };
        let Some((job, ticket)) = next else {
            return;
        };
        let stop = shared.begin(&key);
        let work = AssertUnwindSafe(async { (shared.work)(job, stop).await });
        if work.catch_unwind().await.is_err() {
            tracing::error!(session = %key, "a turn panicked outside its agent");
        }
        shared.end(&key);
        drop(ticket);
    }
}

impl<T> Shared<T> {
    fn begin(&self, key: &SessionKey) -> CancellationToken {
        let mut open = self.open.lock();
        let Some(lane) = open.get_mut(key) else {
            return self.cut.child_token();
        };
        lane.running_since = Some(Instant::now());
        lane.front.clone()
    }

    fn end(&self, key: &SessionKey) {
        if let Some(lane) = self.open.lock().get_mut(key) {
            lane.running_since = None;
            lane.front = self.cut.child_token();
        }
    }
}

//! The thread that writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::LedgerError;

/// How many jobs may wait; more callers wait for room.
const QUEUE: usize = 1024;
/// How many jobs share a commit at most.
const GROUP: usize = 256;

/// Hands jobs to the writing thread.
pub(crate) struct Writer {
    // Both held for a moment only, never across an await.
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(conn: Connection) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write_all(conn, queue))
            .inspect_err(|err| tracing::error!(error = %err, "no thread for the store"))
            .ok();
        Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(thread) }
    }

    pub(crate) async fn submit<T, F>(&self, work: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (told, outcome) = oneshot::channel();
        let jobs = self.jobs.lock().clone().ok_or(LedgerError::Closed)?;
        let job = Box::new(Pending { work: Some(work), result: None, told });
        jobs.send(job).await.map_err(|_| LedgerError::Closed)?;
        outcome.await.map_err(|_| LedgerError::Closed)?
    }

    pub(crate) async fn close(&self) {
        drop(self.jobs.lock().take());
        let Some(thread) = self.thread.lock().take() else {
            return;
        };
        let joined = tokio::task::spawn_blocking(|| thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the store's thread ended in a panic");
        }
    }
}

/// A job, with its types forgotten.
trait Job: Send {
    /// Does the work inside a savepoint.
    fn run(&mut self, tx: &mut Transaction<'_>);
    /// Tells the caller, once the commit has succeeded or failed.
    fn tell(self: Box<Self>, committed: Result<(), String>);
}

struct Pending<T, F> {
    work: Option<F>,
    result: Option<rusqlite::Result<T>>,
    told: oneshot::Sender<Result<T, LedgerError>>,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, tx: &mut Transaction<'_>) {
        let Some(work) = self.work.take() else { return };
        // A panicking job is undone like a failing one; the others must not suffer.
        self.result = catch_unwind(AssertUnwindSafe(|| in_savepoint(tx, work))).ok();
    }

    fn tell(self: Box<Self>, committed: Result<(), String>) {
        let outcome = match (self.result, committed) {
            (None, _) => Err(LedgerError::Closed),
            (Some(Err(err)), _) => Err(LedgerError::Statement(err)),
            (Some(Ok(_)), Err(reason)) => Err(LedgerError::Commit(reason)),
            (Some(Ok(value)), Ok(())) => Ok(value),
        };
        // The caller may have stopped listening; the change stands all the same.
        drop(self.told.send(outcome));
    }
}

fn in_savepoint<T>(
    tx: &mut Transaction<'_>,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    // Dropping the savepoint undoes it.
    tx.prepare_cached("SAVEPOINT job")?.execute([])?;
    let undo = Undo { tx, done: false };
    let value = work(undo.tx)?;
    undo.keep()?;
    Ok(value)
}

/// Undoes a savepoint on the way out, also out of a panic.
struct Undo<'a, 'conn> {
    tx: &'a Transaction<'conn>,
    done: bool,
}

impl Undo<'_, '_> {
    fn keep(mut self) -> rusqlite::Result<()> {
        self.tx.prepare_cached("RELEASE job")?.execute([])?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Undo<'_, '_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        if let Err(err) = self.tx.execute_batch("ROLLBACK TO job; RELEASE job") {
            tracing::error!(error = %err, "a failed job could not be undone");
        }
    }
}

fn write_all(mut conn: Connection, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        let committed = write_group(&mut conn, &mut group, &mut queue);
        for job in group {
            job.tell(committed.clone());
        }
    }
    if let Err(err) = conn.execute_batch("PRAGMA optimize") {
        tracing::debug!(error = %err, "no statistics for the store");
    }
}

/// Runs the first job and all that wait behind it, and commits them together.
fn write_group(
    conn: &mut Connection,
    group: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
) -> Result<(), String> {
    let mut tx = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|err| err.to_string())?;
    let mut next = 0;
    while next < group.len() {
        group[next].run(&mut tx);
        next += 1;
        if group.len() < GROUP
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
    }
    tx.commit().map_err(|err| err.to_string())
}

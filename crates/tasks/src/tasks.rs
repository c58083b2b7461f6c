//! The set of tasks.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// A set of tasks with one owner: they hear one cancellation and are waited for
/// together. Clones share the set; dropping them ends no task.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    cancel: CancellationToken,
}

impl Tasks {
    /// Spawns a task, which logs under its name; a panic ends only it, and is
    /// logged.
    ///
    /// # Panics
    ///
    /// When no Tokio runtime runs.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        // No async block: it would keep room for the task twice.
        let watched = AssertUnwindSafe(task).catch_unwind().map(|ended| {
            if ended.is_err() {
                tracing::error!("a task panicked");
            }
        });
        self.tracker.spawn(watched.instrument(tracing::info_span!("task", name)));
    }

    /// Returns what the tasks of this set listen to.
    #[must_use]
    pub fn cancellation(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// Tells the tasks to end; those that listen do so at once.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Waits until all have ended, those that are spawned meanwhile included.
    /// Can be dropped and called again.
    pub async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::Tasks;

    #[tokio::test]
    async fn a_panic_ends_one_task_and_a_cancellation_the_others() {
        let (tasks, heard) = (Tasks::default(), Arc::new(AtomicBool::new(false)));
        tasks.spawn("falls", async { panic!("on purpose") });
        let (cancelled, seen) = (tasks.cancellation(), Arc::clone(&heard));
        tasks.spawn("listens", async move {
            cancelled.cancelled().await;
            seen.store(true, Ordering::SeqCst);
        });
        tasks.cancel();
        tasks.ended().await;
        assert!(heard.load(Ordering::SeqCst), "the other task went on until it was told to end");
    }

    #[tokio::test]
    async fn a_task_may_spawn_another_while_the_end_is_awaited() {
        let (tasks, done) = (Tasks::default(), Arc::new(AtomicBool::new(false)));
        let (inner, told) = (tasks.clone(), Arc::clone(&done));
        tasks.spawn("first", async move {
            inner.spawn("second", async move { told.store(true, Ordering::SeqCst) });
        });
        tasks.ended().await;
        assert!(done.load(Ordering::SeqCst));
    }
}

//! The one place that spawns.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tracing::Instrument as _;

/// The backend's background tasks. Clones share the set; when the last clone is
/// gone, or on [`abort`](Tasks::abort), every task ends.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    // Held to add or reap a task, never across an await.
    set: Arc<Mutex<JoinSet<()>>>,
}

impl Tasks {
    /// Runs a task under a name.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let mut set = self.set.lock();
        while let Some(ended) = set.try_join_next() {
            report(ended);
        }
        set.spawn(task.instrument(tracing::debug_span!("task", name)));
    }

    /// Runs a future to its end even if the caller goes away meanwhile.
    ///
    /// Returns `None` when the future panicked or the set was aborted.
    pub(crate) async fn finish<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (told, outcome) = oneshot::channel();
        self.spawn(name, async move {
            // The caller may have gone; the work is done all the same.
            drop(told.send(work.await));
        });
        outcome.await.ok()
    }

    /// Returns when every task has ended by itself.
    pub(crate) async fn join(&self) {
        let mut set = std::mem::take(&mut *self.set.lock());
        while let Some(ended) = set.join_next().await {
            report(ended);
        }
    }

    /// Ends every task at its next wait and returns when all have ended.
    pub(crate) async fn abort(&self) {
        let mut set = std::mem::take(&mut *self.set.lock());
        set.abort_all();
        while let Some(ended) = set.join_next().await {
            report(ended);
        }
    }
}

/// Says aloud when a task panicked.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(err) = ended
        && err.is_panic()
    {
        tracing::error!(error = %err, "a task panicked");
    }
}

//! The one place that starts tasks.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The tasks of one gateway. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
}

impl Tasks {
    /// Starts a task; a panic in it is logged and ends only it.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let watched = async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!("a task panicked");
            }
        };
        self.tracker.spawn(watched.instrument(tracing::info_span!("task", name)));
    }

    /// Waits until all tasks have ended; more may be started meanwhile.
    pub(crate) async fn all_ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

//! The one place that spawns.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// The tasks of one program. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Tasks {
    tracker: TaskTracker,
}

impl Tasks {
    /// Spawns a task; its panic is logged with its name.
    pub(super) fn spawn(
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

    /// Waits until all have ended.
    pub(super) async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

//! The clocks: one as the store keeps it, two that tell of a sleep.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ilink::Backoff;

/// Returns the time in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Waits for a while that is spread, so that many waiters do not return at once.
pub(crate) async fn pause(wait: Duration) {
    tokio::time::sleep(Backoff::spread(wait, rand::random())).await;
}

/// What two clocks show at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// A clock that only goes forward, and stands still while the machine
    /// sleeps on most systems.
    pub monotonic: Duration,
    /// The clock on the wall, since 1970. Goes on while the machine sleeps.
    pub wall: Duration,
}

/// Where readings come from. Clones share it.
#[derive(Clone)]
pub struct Clocks(Arc<dyn Fn() -> Reading + Send + Sync>);

impl Clocks {
    /// The machine's clocks.
    #[must_use]
    pub fn system() -> Self {
        let start = Instant::now();
        Self::new(move || Reading {
            monotonic: start.elapsed(),
            wall: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        })
    }

    /// Clocks of one's own.
    pub fn new(read: impl Fn() -> Reading + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(crate) fn read(&self) -> Reading {
        (self.0)()
    }
}

impl fmt::Debug for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clocks(…)")
    }
}

//! The virtual clock: real time plus an offset that tests and the admin API move.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// The time by which every policy and every expiry is decided. Clones share it.
///
/// Runs at the speed of real time and never goes back, even when the machine's
/// clock does. [`advance`](Clock::advance) makes it jump forward, so that a day
/// passes in an instant.
#[derive(Clone, Debug)]
pub struct Clock {
    shared: Arc<Shared>,
}

/// Later times would not fit into message ids.
const CENTURY_MS: u64 = 100 * 365 * 86_400_000;

#[derive(Debug)]
struct Shared {
    base_ms: u64,
    started: Instant,
    offset_ms: watch::Sender<u64>,
}

impl Clock {
    /// Makes a clock that shows the machine's time.
    #[must_use]
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let shared = Shared {
            base_ms: millis(since),
            started: Instant::now(),
            offset_ms: watch::Sender::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Returns the milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        let shown = self.shared.base_ms + millis(self.shared.started.elapsed());
        shown + *self.shared.offset_ms.borrow()
    }

    /// Returns how far the clock is ahead of real time.
    #[must_use]
    pub fn offset(&self) -> Duration {
        Duration::from_millis(*self.shared.offset_ms.borrow())
    }

    /// Lets time jump forward, up to a century in all. Everything that waits for
    /// a moment that has now passed wakes up.
    pub fn advance(&self, by: Duration) {
        let add = |offset: &mut u64| *offset = offset.saturating_add(millis(by)).min(CENTURY_MS);
        self.shared.offset_ms.send_modify(add);
    }

    /// Waits until the clock shows a moment. Cancel safe.
    pub(crate) async fn sleep_until(&self, at_ms: u64) {
        let mut jumped = self.shared.offset_ms.subscribe();
        loop {
            let left = at_ms.saturating_sub(self.now_ms());
            if left == 0 {
                return;
            }
            let jump = tokio::time::timeout(Duration::from_millis(left), jumped.changed()).await;
            if matches!(jump, Ok(Err(_))) {
                // Cannot happen while `self` lives; then only real time is left to wait for.
                tokio::time::sleep(Duration::from_millis(left)).await;
            }
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns a duration in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_seen_by_every_clone() {
        let clock = Clock::new();
        let other = clock.clone();
        let before = clock.now_ms();
        other.advance(Duration::from_secs(86_400));
        assert!(clock.now_ms() >= before + 86_400_000);
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_time_jumps_over_its_moment() {
        let clock = Clock::new();
        let at = clock.now_ms() + 3_600_000;
        let jump = async { clock.advance(Duration::from_secs(3_600)) };
        tokio::join!(clock.sleep_until(at), jump);
        assert!(clock.now_ms() >= at);
    }
}

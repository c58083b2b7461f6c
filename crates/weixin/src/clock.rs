//! The clock, as the store and the governor keep it: milliseconds since 1970.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::time::now_ms;

/// Tells the time and waits for it. Clones share one clock.
///
/// It can be set ahead, so that a day passes in a test at once.
#[derive(Clone, Debug)]
pub struct Clock {
    ahead_ms: Arc<watch::Sender<i64>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { ahead_ms: Arc::new(watch::Sender::new(0)) }
    }
}

impl Clock {
    /// Returns the time in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        now_ms().saturating_add(*self.ahead_ms.borrow())
    }

    /// Sets the clock ahead; who waits for a moment that is now past goes on.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.send_modify(|ahead| *ahead = ahead.saturating_add(by));
    }

    /// Waits until a moment has come. Safe to drop.
    pub(crate) async fn until(&self, at_ms: i64) {
        let mut ahead = self.ahead_ms.subscribe();
        loop {
            let left = at_ms.saturating_sub(self.now_ms());
            let Ok(left) = u64::try_from(left) else { return };
            if left == 0 {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)) => {}
                // The sender lives in `self`, so this ends only by an advance.
                _ = ahead.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_day_passes_at_once_when_the_clock_is_set_ahead() {
        let clock = Clock::default();
        let day = Duration::from_secs(24 * 60 * 60);
        let tomorrow = clock.now_ms() + 24 * 60 * 60 * 1000;
        tokio::join!(clock.until(tomorrow), async { clock.advance(day) });
        assert!(clock.now_ms() >= tomorrow);
    }
}

//! So many per minute.

use parking_lot::Mutex;

const MINUTE_MS: u64 = 60_000;

/// Counts what happens within a minute.
#[derive(Debug)]
pub(crate) struct Rate {
    per_minute: u32,
    // Begin of the minute and how many since; held for a sum.
    count: Mutex<(u64, u32)>,
}

impl Rate {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, count: Mutex::new((0, 0)) }
    }

    /// Counts one more and says whether it is within the limit.
    pub(crate) fn admit(&self, now_ms: u64) -> bool {
        let mut count = self.count.lock();
        if now_ms >= count.0.saturating_add(MINUTE_MS) {
            *count = (now_ms, 0);
        }
        count.1 = count.1.saturating_add(1);
        count.1 <= self.per_minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_opens_again_after_a_minute() {
        let rate = Rate::new(2);
        let admitted = [0, 1, 2, MINUTE_MS - 1, MINUTE_MS].map(|at| rate.admit(MINUTE_MS + at));
        assert_eq!(admitted, [true, true, false, false, true]);
    }
}

//! When a program that has ended is started again.

use std::time::Duration;

/// Pauses that double. Reads no clock and rolls no dice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The first pause.
    pub first: Duration,
    /// The longest.
    pub most: Duration,
    /// How often it is tried before it is given up.
    pub tries: u32,
    /// After how long a life the count begins anew.
    pub well_after: Duration,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            most: Duration::from_secs(300),
            tries: 10,
            well_after: Duration::from_secs(300),
        }
    }
}

impl Ladder {
    /// Returns the pause before a try, counted from 1, stretched by up to a
    /// tenth: `jitter` is from 0 to 1. `None` when there are no more tries.
    #[must_use]
    pub fn pause(&self, attempt: u32, jitter: f64) -> Option<Duration> {
        if attempt > self.tries {
            return None;
        }
        let doubled = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        let pause = doubled.min(self.most);
        Some(pause + pause.mul_f64(jitter.clamp(0.0, 1.0) / 10.0))
    }

    /// Returns which try comes after a life of this length.
    #[must_use]
    pub fn next(&self, attempt: u32, lived: Duration) -> u32 {
        if lived >= self.well_after { 1 } else { attempt + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes_and_end_after_ten() {
        let ladder = Ladder::default();
        let secs = |attempt| ladder.pause(attempt, 0.0).map(|pause| pause.as_secs());
        let all: Vec<_> = (1..=11).map(secs).collect();
        let want = [5, 10, 20, 40, 80, 160, 300, 300, 300, 300].map(Some);
        assert_eq!(all, [want.as_slice(), &[None]].concat());
        assert_eq!(ladder.pause(1, 1.0), Some(Duration::from_millis(5_500)));
        assert_eq!(ladder.next(9, Duration::from_secs(299)), 10);
        assert_eq!(ladder.next(9, Duration::from_secs(300)), 1);
    }
}

//! How long to wait before the next attempt, as a value.

use std::time::Duration;

/// Pauses that double from `min` to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub min: Duration,
    /// The longest pause.
    pub max: Duration,
}

impl Backoff {
    /// Returns the pause after `failures` failures in a row. A hint of the
    /// backend wins, within the bounds.
    #[must_use]
    pub fn delay(&self, failures: u32, hint: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let doubled = self.min.saturating_mul(1 << doublings);
        hint.unwrap_or(doubled).clamp(self.min, self.max.max(self.min))
    }

    /// Spreads a pause over the upper half of itself, so that many who failed
    /// together do not come back together. `chance` lies in 0..1.
    #[must_use]
    pub fn spread(delay: Duration, chance: f64) -> Duration {
        delay.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { min: Duration::from_secs(1), max: Duration::from_secs(10) };

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses = [0, 1, 2, 3, 4, 5, 99].map(|n| BACKOFF.delay(n, None).as_secs());
        assert_eq!(pauses, [1, 1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn a_hint_wins_within_the_bounds() {
        let hints = [0, 5, 3600].map(|hint| BACKOFF.delay(3, Some(Duration::from_secs(hint))));
        assert_eq!(hints.map(|pause| pause.as_secs()), [1, 5, 10]);
    }

    #[test]
    fn spreading_keeps_at_least_half() {
        let pause = Duration::from_secs(8);
        assert_eq!(Backoff::spread(pause, 0.0), Duration::from_secs(4));
        assert_eq!(Backoff::spread(pause, 1.0), pause);
        assert_eq!(Backoff::spread(pause, f64::MAX), pause);
    }
}

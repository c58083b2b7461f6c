//! Bursts: so many sends per period, then a penalty that every further try prolongs.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::millis;
use crate::clock;

/// How bursts of one bot are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// So many messages …
    pub sends: u32,
    /// … within this time.
    #[serde(rename = "period_ms", with = "millis")]
    pub period: Duration,
    /// How long nothing is accepted after one message too many, counted from
    /// the last try.
    #[serde(rename = "penalty_ms", with = "millis")]
    pub penalty: Duration,
}

/// What one bot sent lately.
#[derive(Debug, Default)]
pub(crate) struct Burst {
    sent_at: VecDeque<u64>,
    blocked_until: u64,
}

impl Burst {
    /// Counts a try and says whether it is admitted.
    pub(super) fn admit(&mut self, throttle: &Throttle, now_ms: u64) -> bool {
        let period = clock::millis(throttle.period);
        while self.sent_at.front().is_some_and(|at| at.saturating_add(period) <= now_ms) {
            self.sent_at.pop_front();
        }
        if now_ms < self.blocked_until || self.sent_at.len() >= throttle.sends as usize {
            self.blocked_until = now_ms.saturating_add(clock::millis(throttle.penalty));
            return false;
        }
        self.sent_at.push_back(now_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THROTTLE: Throttle = Throttle {
        sends: 2,
        period: Duration::from_millis(100),
        penalty: Duration::from_millis(500),
    };

    #[test]
    fn one_send_too_many_blocks_and_each_further_try_prolongs_it() {
        let mut burst = Burst::default();
        let tries = [(0, true), (10, true), (20, false), (400, false), (800, false), (1300, true)];
        for (at, admitted) in tries {
            assert_eq!(burst.admit(&THROTTLE, at), admitted, "at {at}");
        }
    }

    #[test]
    fn a_slow_sender_is_never_blocked() {
        let mut burst = Burst::default();
        assert!((0..50).all(|n| burst.admit(&THROTTLE, n * 60)));
    }
}

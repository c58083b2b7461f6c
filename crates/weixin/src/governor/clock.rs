//! A clock that others set, and set back.

use serde::{Deserialize, Serialize};

/// Callers read the time before they take their turn, so it may go back by this
/// much without anybody having set the clock.
const JITTER_MS: i64 = 1_000;

/// The latest time that was seen, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Clock(i64);

/// What a new reading means.
pub(super) struct Reading {
    /// The time to reckon with.
    pub(super) now: i64,
    /// By how much the clock was set back: what was noted with the old clock
    /// must move along, or pauses would last as much longer.
    pub(super) back: i64,
}

impl Clock {
    pub(super) fn read(&mut self, now_ms: i64) -> Reading {
        let back = self.0.saturating_sub(now_ms);
        if back > JITTER_MS {
            self.0 = now_ms;
            return Reading { now: now_ms, back };
        }
        self.0 = self.0.max(now_ms);
        Reading { now: self.0, back: 0 }
    }
}

/// Moves a noted time along with a clock that was set back.
pub(super) fn shift(noted: &mut Option<i64>, back: i64) {
    *noted = noted.map(|at| at.saturating_sub(back));
}

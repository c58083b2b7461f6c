//! What agents, operators and metrics may know of the limits.

use serde::{Deserialize, Serialize};

use super::limits::ms;
use super::{Ask, Class, Gate, Parked};

/// Where a conversation and its account stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// How long the bot may still write, in milliseconds; `None` without a window.
    pub window_left_ms: Option<i64>,
    /// How many sends are left until the peer writes; `None` without a quota.
    pub sends_left: Option<u32>,
    /// How many sends a burst has room for now; `None` without a limit.
    pub burst_left: Option<u32>,
    /// When the penalty ends, in milliseconds since 1970, while there is one.
    pub penalty_until_ms: Option<i64>,
    /// Messages in a row that were accepted without an id.
    pub unconfirmed: u32,
    /// Whether the peer seems to see nothing.
    pub suppressed: bool,
    /// Why an answer would be kept now.
    pub parked: Option<Parked>,
    /// The window where an answer taught a smaller one, in milliseconds.
    pub learnt_window_ms: Option<i64>,
    /// The quota where an answer taught a smaller one.
    pub learnt_quota: Option<u32>,
    /// What the account has sent today (UTC).
    pub sent_today: u32,
    /// What it may send in a day.
    pub daily_cap: Option<u32>,
}

impl Gate<'_> {
    /// Returns where things stand.
    pub fn numbers(&mut self, now_ms: i64) -> Numbers {
        let now = self.wind(now_ms);
        let (peer, limits) = (&*self.peer, self.limits);
        let window = peer.window(limits, now);
        let quota = peer.quota(limits, now);
        let left = |window: i64| peer.age(now).map_or(0, |age| window.saturating_sub(age).max(0));
        Numbers {
            window_left_ms: window.map(left),
            sends_left: peer.left(limits, now),
            burst_left: self.line.room(limits, now),
            penalty_until_ms: self.line.penalty_until(now),
            unconfirmed: peer.n_unconfirmed(),
            suppressed: peer.is_suppressed(),
            parked: self.parked(&Ask::of(Class::Answer), now),
            learnt_window_ms: window.filter(|window| limits.window.map(ms) != Some(*window)),
            learnt_quota: quota.filter(|quota| limits.sends_per_inbound != Some(*quota)),
            sent_today: self.line.sent_today(now),
            daily_cap: limits.daily_cap,
        }
    }

    /// Says whether the next message should carry a hint that the peer has to
    /// write: it is one of the last sends, and more is to come. Returns how
    /// many sends are left behind it.
    pub fn hint(&mut self, is_more_to_come: bool, now_ms: i64) -> Option<u32> {
        let now = self.wind(now_ms);
        let left = self.peer.left(self.limits, now)?;
        let is_due = is_more_to_come && left > 0 && left <= self.limits.warn_left;
        is_due.then(|| left - 1)
    }
}

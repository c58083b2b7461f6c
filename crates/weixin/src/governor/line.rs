//! What is known of one account: bursts, penalties, and the day's count.

use ilink::Backoff;
use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::limits::ms;
use super::peer::Learnt;
use super::{Alarm, Begun, Class, Limits};

const DAY_MS: i64 = 24 * 3_600_000;
/// However long the backend asks to wait, it is asked again after this time.
const LONGEST_PENALTY_MS: i64 = 3_600_000;
/// A refused burst teaches a smaller one, but not one in which a short answer
/// would not fit.
const SMALLEST_BURST: u32 = 4;

/// The state of one account's line to the backend. Starts empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    clock: Clock,
    /// When the sends of the last period were answered, or begun while they
    /// are under way: no earlier than the backend saw them. Ascending.
    recent: Vec<i64>,
    learnt_burst: Option<Learnt>,
    penalty: Option<Penalty>,
    /// Penalties in a row.
    strikes: u32,
    /// Days since 1970, and what was begun on that day.
    day: i64,
    today: u32,
    is_warned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Penalty {
    until_ms: i64,
}

impl Line {
    /// Takes note of the time; returns the time to reckon with.
    pub(super) fn wind(&mut self, now_ms: i64) -> i64 {
        let reading = self.clock.read(now_ms);
        if reading.back > 0 {
            let noted = self.recent.iter_mut();
            let learnt = self.learnt_burst.as_mut().map(|learnt| &mut learnt.at_ms);
            let penalty = self.penalty.as_mut().map(|penalty| &mut penalty.until_ms);
            for at in noted.chain(learnt).chain(penalty) {
                *at = at.saturating_sub(reading.back);
            }
            self.day = self.day.min(reading.now.div_euclid(DAY_MS));
        }
        reading.now
    }

    /// Returns when the penalty ends, while there is one.
    pub(super) fn penalty_until(&self, now: i64) -> Option<i64> {
        self.penalty.map(|penalty| penalty.until_ms).filter(|until| *until > now)
    }

    /// Returns when a burst has room for a message of this class.
    pub(super) fn room_from(&self, class: Class, limits: &Limits, now: i64) -> i64 {
        let Some(burst) = limits.burst else {
            return i64::MIN;
        };
        let spare = if class.is_modest() { burst.spare } else { 0 };
        let most = self.burst(burst.sends).saturating_sub(spare).max(1) as usize;
        let live = self.live(ms(burst.period), now);
        let Some(too_many) = live.len().checked_sub(most) else {
            return i64::MIN;
        };
        live[too_many].saturating_add(ms(burst.period))
    }

    /// Returns how many sends a burst has room for now; `None` without a limit.
    pub(super) fn room(&self, limits: &Limits, now: i64) -> Option<u32> {
        let burst = limits.burst?;
        let n = u32::try_from(self.live(ms(burst.period), now).len()).unwrap_or(u32::MAX);
        Some(self.burst(burst.sends).saturating_sub(n))
    }

    /// Says whether the day's count forbids a message of this class. The last
    /// fifth of a day is for people who wait.
    pub(super) fn is_day_over(&self, class: Class, limits: &Limits, now: i64) -> bool {
        let Some(cap) = limits.daily_cap else {
            return false;
        };
        let most = if class.is_modest() { near(cap) } else { cap };
        self.sent_today(now) >= most
    }

    /// Returns how much was sent today.
    pub(super) fn sent_today(&self, now: i64) -> u32 {
        if now.div_euclid(DAY_MS) > self.day { 0 } else { self.today }
    }

    pub(super) fn begin(&mut self, limits: &Limits, now: i64) {
        let today = now.div_euclid(DAY_MS);
        if today > self.day {
            self.day = today;
            self.today = 0;
            self.is_warned = false;
        }
        self.today = self.today.saturating_add(1);
        if let Some(burst) = limits.burst {
            let n_over = self.recent.len() - self.live(ms(burst.period), now).len();
            self.recent.drain(..n_over);
            self.recent.push(now);
        } else {
            self.recent.clear();
        }
    }

    /// The request was answered, or given up: by now the backend has seen it.
    pub(super) fn ended(&mut self, begun: &Begun, limits: &Limits, now: i64) {
        if limits.burst.is_some() {
            if let Some(index) = self.recent.iter().position(|at| *at == begun.at_ms) {
                self.recent.remove(index);
            }
            self.recent.push(now);
        }
    }

    /// It was accepted.
    pub(super) fn accepted(&mut self, begun: &Begun, limits: &Limits, now: i64) {
        if self.penalty.is_some_and(|penalty| begun.at_ms >= penalty.until_ms) {
            self.penalty = None;
            self.strikes = 0;
        }
        // What was learnt is unlearnt one by one, as slowly as penalties come.
        if self.penalty.is_none()
            && let Some(learnt) = &mut self.learnt_burst
            && now.saturating_sub(learnt.at_ms) >= ms(limits.penalty_max)
        {
            *learnt = Learnt { value: learnt.value.saturating_add(1), at_ms: now };
        }
    }

    /// The backend said `rate limited`, and perhaps until when. Requests that
    /// were under way when it first did count as one.
    pub(super) fn limited(
        &mut self,
        begun_ms: i64,
        until_ms: Option<i64>,
        limits: &Limits,
        now: i64,
    ) {
        let known = self.penalty.filter(|penalty| begun_ms < penalty.until_ms);
        if known.is_none() {
            self.strikes = self.strikes.saturating_add(1);
            self.learn_burst(limits, now);
        }
        let doubling = Backoff { min: limits.penalty_first, max: limits.penalty_max };
        let ours = now.saturating_add(ms(doubling.delay(self.strikes, None)));
        let longest = now.saturating_add(LONGEST_PENALTY_MS);
        let until_ms = until_ms.map_or(ours, |until| until.clamp(now, longest));
        let until_ms = until_ms.max(known.map_or(i64::MIN, |penalty| penalty.until_ms));
        self.penalty = Some(Penalty { until_ms });
    }

    /// Returns a warning when the day's count comes near its cap, once a day.
    pub(super) fn warn(&mut self, limits: &Limits) -> Option<Alarm> {
        let cap = limits.daily_cap?;
        if self.is_warned || self.today < near(cap) {
            return None;
        }
        self.is_warned = true;
        Some(Alarm::DailyCapNear { sent: self.today, cap })
    }

    fn learn_burst(&mut self, limits: &Limits, now: i64) {
        let Some(burst) = limits.burst else {
            return;
        };
        let n = u32::try_from(self.live(ms(burst.period), now).len()).unwrap_or(u32::MAX);
        let three_quarters = n.min(self.burst(burst.sends)) / 4 * 3;
        let value = i64::from(three_quarters.max(SMALLEST_BURST));
        self.learnt_burst = Some(Learnt { value, at_ms: now });
    }

    fn burst(&self, set: u32) -> u32 {
        let learnt = self.learnt_burst.and_then(|learnt| u32::try_from(learnt.value).ok());
        learnt.map_or(set, |learnt| learnt.min(set)).max(1)
    }

    /// Returns the sends that the backend may still count.
    fn live(&self, period: i64, now: i64) -> &[i64] {
        let first = self.recent.partition_point(|at| at.saturating_add(period) <= now);
        &self.recent[first..]
    }
}

/// Four fifths of the day's cap.
fn near(cap: u32) -> u32 {
    cap - cap / 5
}

//! What is known of one peer: window, quota, pace, and whether anything shows.

use serde::{Deserialize, Serialize};

use super::clock::{Clock, shift};
use super::limits::ms;
use super::{Alarm, Ask, Begun, Class, Limits, Parked};

/// A refusal sooner after a peer's message says nothing about the window.
const YOUNGEST_WINDOW_MS: i64 = 3_600_000;
/// What is learnt has to leave room for a short answer: the peer may have
/// written, and the quota begun anew, without our hearing of it yet.
const SMALLEST_QUOTA: u32 = 3;

/// The state of one conversation. Starts empty; lives as long as the peer does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Peer {
    clock: Clock,
    last_inbound_at: Option<i64>,
    /// How many messages of the peer were heard.
    n_inbound: u64,
    /// Sends since then that count, those under way included.
    sends: u32,
    /// When the last send since then was begun or answered.
    last_sent_at: Option<i64>,
    /// When the last send since then was accepted.
    accepted_at: Option<i64>,
    progress_at: Option<i64>,
    typed_at: Option<i64>,
    /// When the last send was begun, whoever wrote since.
    tried_at: Option<i64>,
    unconfirmed: u32,
    suppressed: bool,
    /// Why nothing leaves before the peer writes again.
    closed: Option<Parked>,
    learnt_window: Option<Learnt>,
    learnt_quota: Option<Learnt>,
}

/// A limit that a refusal taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Learnt {
    pub(super) value: i64,
    pub(super) at_ms: i64,
}

impl Learnt {
    fn value_now(&self, limits: &Limits, now: i64) -> Option<i64> {
        (now.saturating_sub(self.at_ms) < ms(limits.learnt_for)).then_some(self.value)
    }
}

impl Peer {
    /// A message of the peer came in, written at `said_at_ms`: the window and
    /// the quota begin anew. A copy that comes late changes nothing.
    pub fn heard(&mut self, said_at_ms: i64, now_ms: i64) {
        let now = self.wind(now_ms);
        let said_at = said_at_ms.min(now);
        if self.last_inbound_at.is_some_and(|last| said_at < last) {
            return;
        }
        self.last_inbound_at = Some(said_at);
        self.n_inbound = self.n_inbound.wrapping_add(1);
        self.sends = 0;
        self.last_sent_at = None;
        self.accepted_at = None;
        self.closed = None;
    }

    /// A newer context token came without a new message, with a late copy of one.
    pub fn context_renewed(&mut self) {
        self.closed.take_if(|why| *why == Parked::StaleContext);
    }

    /// A person wants another try: what refusals closed and taught is forgotten.
    /// The limits that are set still hold.
    pub fn reopen(&mut self) {
        self.closed = None;
        self.learnt_window = None;
        self.learnt_quota = None;
        self.tried_at = None;
    }

    /// Takes note of the time; returns the time to reckon with.
    pub(super) fn wind(&mut self, now_ms: i64) -> i64 {
        let reading = self.clock.read(now_ms);
        if reading.back > 0 {
            for noted in [
                &mut self.last_inbound_at,
                &mut self.last_sent_at,
                &mut self.accepted_at,
                &mut self.progress_at,
                &mut self.typed_at,
                &mut self.tried_at,
            ] {
                shift(noted, reading.back);
            }
            for learnt in [&mut self.learnt_window, &mut self.learnt_quota].into_iter().flatten() {
                learnt.at_ms = learnt.at_ms.saturating_sub(reading.back);
            }
        }
        reading.now
    }

    /// Returns how long ago the peer wrote.
    pub(super) fn age(&self, now: i64) -> Option<i64> {
        self.last_inbound_at.map(|at| now.saturating_sub(at).max(0))
    }

    /// Returns the window as it is believed to be.
    pub(super) fn window(&self, limits: &Limits, now: i64) -> Option<i64> {
        let learnt = self.learnt_window.and_then(|learnt| learnt.value_now(limits, now));
        let set = limits.window.map(ms);
        set.into_iter().chain(learnt).min()
    }

    /// Returns the quota as it is believed to be.
    pub(super) fn quota(&self, limits: &Limits, now: i64) -> Option<u32> {
        let learnt = self.learnt_quota.and_then(|learnt| learnt.value_now(limits, now));
        let learnt = learnt.and_then(|value| u32::try_from(value).ok());
        limits.sends_per_inbound.into_iter().chain(learnt).min()
    }

    /// Returns how many sends are left; `None` without a quota.
    pub(super) fn left(&self, limits: &Limits, now: i64) -> Option<u32> {
        self.quota(limits, now).map(|quota| quota.saturating_sub(self.sends))
    }

    /// Returns why nothing at all may leave, the quota apart.
    pub(super) fn closed(&self, limits: &Limits, now: i64) -> Option<Parked> {
        let must_write_first = limits.window.is_some() || limits.sends_per_inbound.is_some();
        let Some(age) = self.age(now) else {
            return self.closed.or(must_write_first.then_some(Parked::NeverWrote));
        };
        let is_over = self.window(limits, now).is_some_and(|window| age >= window);
        self.closed.or(is_over.then_some(Parked::WindowClosed))
    }

    /// Returns when the pause after the last send ends.
    pub(super) fn paced_until(&self, limits: &Limits) -> i64 {
        until(self.last_sent_at, ms(limits.pace))
    }

    /// Returns when the next progress may be told.
    pub(super) fn progress_from(&self, limits: &Limits) -> i64 {
        until(self.progress_at, ms(limits.progress_every))
    }

    /// Returns when the next try may be made at a peer who sees nothing.
    pub(super) fn probe_from(&self, limits: &Limits) -> i64 {
        until(self.tried_at.filter(|_| self.suppressed), ms(limits.probe_every))
    }

    /// Returns when the typing indicator may be shown or repeated.
    pub(super) fn typing_from(&self, limits: &Limits) -> i64 {
        until(self.typed_at, ms(limits.typing_every))
    }

    pub(super) fn typed(&mut self, now: i64) {
        self.typed_at = Some(now);
    }

    pub(super) fn begin(&mut self, ask: &Ask, is_counted: bool, now: i64) -> Begun {
        let is_repeat = self.has_counted(ask);
        let begun = Begun {
            at_ms: now,
            is_counted,
            is_repeat,
            n_inbound: self.n_inbound,
            sends_before: self.sends.saturating_sub(u32::from(is_repeat)),
        };
        self.sends = self.sends.saturating_add(u32::from(is_counted && !is_repeat));
        self.last_sent_at = Some(now);
        self.tried_at = Some(now);
        if ask.class == Class::Progress {
            self.progress_at = Some(now);
        }
        begun
    }

    /// The request was answered, or given up: the pause begins now.
    pub(super) fn ended(&mut self, begun: &Begun, now: i64) {
        if self.is_current(begun) {
            self.last_sent_at = Some(now);
        }
    }

    /// The backend certainly did not count it.
    pub(super) fn give_back(&mut self, begun: &Begun) {
        if begun.is_counted && !begun.is_repeat && self.is_current(begun) {
            self.sends = self.sends.saturating_sub(1);
        }
    }

    /// The backend counted it, or may have. When the peer wrote meanwhile,
    /// nobody knows which message it followed: it counts for the newer one, too.
    pub(super) fn counted(&mut self, begun: &Begun) {
        if begun.is_counted && !self.is_current(begun) {
            self.sends = self.sends.saturating_add(1);
        }
    }

    /// It was accepted. A limit below what has just worked is no limit.
    pub(super) fn accepted(&mut self, begun: &Begun, now: i64) {
        if !self.is_current(begun) {
            return;
        }
        self.accepted_at = Some(now);
        let age = self.age(begun.at_ms);
        self.learnt_window.take_if(|learnt| age.is_some_and(|age| age >= learnt.value));
        self.learnt_quota.take_if(|learnt| i64::from(begun.sends_before) >= learnt.value);
    }

    /// It was accepted with an id.
    pub(super) fn confirmed(&mut self) -> Option<Alarm> {
        self.unconfirmed = 0;
        std::mem::take(&mut self.suppressed).then_some(Alarm::Recovered)
    }

    /// It was accepted without the id that it should have.
    pub(super) fn unconfirmed(&mut self, limits: &Limits) -> Option<Alarm> {
        self.unconfirmed = self.unconfirmed.saturating_add(1);
        let is_new = !self.suppressed
            && limits.unconfirmed_alarm.is_some_and(|alarm| self.unconfirmed >= alarm.max(1));
        self.suppressed |= is_new;
        is_new.then_some(Alarm::Suppressed { in_a_row: self.unconfirmed })
    }

    /// It was refused until the peer writes again; what that teaches is kept.
    pub(super) fn refused(&mut self, begun: &Begun, why: Parked, limits: &Limits, now: i64) {
        if !self.is_current(begun) {
            return;
        }
        self.closed = Some(why);
        match why {
            Parked::WindowClosed => self.learn_window(limits, begun, now),
            Parked::QuotaSpent => self.learn_quota(limits, begun, now),
            Parked::NeverWrote | Parked::StaleContext | Parked::Suppressed | Parked::DailyCap => {}
        }
    }

    fn learn_window(&mut self, limits: &Limits, begun: &Begun, now: i64) {
        let Some(age) = self.age(begun.at_ms).filter(|age| *age >= YOUNGEST_WINDOW_MS) else {
            return;
        };
        if self.window(limits, now).is_none_or(|window| age < window) {
            self.learnt_window = Some(Learnt { value: age, at_ms: now });
        }
    }

    fn learn_quota(&mut self, limits: &Limits, begun: &Begun, now: i64) {
        let used = begun.sends_before;
        if used > 0 && self.quota(limits, now).is_none_or(|quota| used < quota) {
            let value = i64::from(used.max(SMALLEST_QUOTA));
            self.learnt_quota = Some(Learnt { value, at_ms: now });
        }
    }

    /// Says whether an earlier try has counted for the same message.
    pub(super) fn has_counted(&self, ask: &Ask) -> bool {
        ask.earlier.is_some_and(|earlier| earlier.is_counted && self.is_current(&earlier))
    }

    /// Says whether the peer has not written since a send was begun.
    fn is_current(&self, begun: &Begun) -> bool {
        self.n_inbound == begun.n_inbound
    }

    pub(super) fn sends(&self) -> u32 {
        self.sends
    }

    pub(super) fn accepted_at(&self) -> Option<i64> {
        self.accepted_at
    }

    pub(super) fn n_unconfirmed(&self) -> u32 {
        self.unconfirmed
    }

    pub(super) fn is_suppressed(&self) -> bool {
        self.suppressed
    }
}

fn until(at: Option<i64>, pause: i64) -> i64 {
    at.map_or(i64::MIN, |at| at.saturating_add(pause))
}

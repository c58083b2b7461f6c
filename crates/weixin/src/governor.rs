//! Decides what may leave now, what waits, and what is kept until the peer writes.
//!
//! ```text
//!                 ┌─────────────── heard(peer's message) ───────────────┐
//!                 ▼                                                     │
//! rows ─▶ decide ─┬▶ Send ─▶ begin ─▶ request ─▶ outcome ─▶ settle ─▶ state
//!                 ├▶ Wait   pace, burst, penalty: ask again then
//!                 ├▶ Park   window, quota, context: ask again when the peer wrote
//!                 └▶ Drop   progress that cannot be told now
//! ```
//!
//! Everything outbound passes here: answers, questions, notices, progress,
//! scheduled messages and typing. The state is two values that can be stored:
//! a [`Peer`] per conversation and a [`Line`] per account; a [`Gate`] looks at
//! both under the account's [`Limits`]. No I/O and no clock: times are
//! milliseconds since 1970 and come from the caller. They may jump; what was
//! noted before a jump back moves along with it.
//!
//! # Promises
//!
//! - No more sends than the quota follow one message of a peer, if the caller
//!   has one request under way per peer; a send counts from its beginning, and
//!   comes back only when it certainly did not arrive. One that is tried again
//!   under the same client id counts once.
//! - Progress never uses what the answer and its notice need: it keeps out of
//!   its reserve, out of what is known to wait and out of the end of a burst,
//!   and it is dropped rather than delayed.
//! - Nothing is sent during a penalty.
//! - Within any period of the burst limit the backend sees no more sends than
//!   the limit, however long requests take.
//! - The first send after a peer's message never waits for the pace.
//!
//! What an answer teaches (a shorter window, a smaller quota, a smaller burst)
//! is obeyed until it is disproved or too old.

use serde::{Deserialize, Serialize};

use crate::outcome::{Knowledge, Outcome, TextSize};

mod clock;
mod layout;
mod limits;
mod line;
mod numbers;
mod peer;

pub use self::layout::{Layout, Need};
pub(crate) use self::limits::ms;
pub use self::limits::{Burst, Limits, Overflow};
pub use self::line::Line;
pub use self::numbers::Numbers;
pub use self::peer::Peer;

/// What a message is, in the order in which messages leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The answer to a peer's message, or a part of it.
    Answer,
    /// What the peer has to decide before a turn goes on, such as an approval.
    Question,
    /// Says that there is no answer, and why; the one message to a stranger, too.
    Notice,
    /// What happens in a turn; nobody misses it when the answer comes.
    Progress,
    /// Nobody waits for it: reminders, reports, sends from a program.
    Scheduled,
}

impl Class {
    /// Says whether it leaves the end of a burst and of a day to others.
    fn is_modest(self) -> bool {
        match self {
            Self::Answer | Self::Question | Self::Notice => false,
            Self::Progress | Self::Scheduled => true,
        }
    }
}

/// What somebody wants to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What it is.
    pub class: Class,
    /// Whether it is a tool item (kinds 11 and 12).
    pub is_tool: bool,
    /// How many sends the messages of this conversation need that go before it.
    pub n_waiting: u32,
    /// Whether a turn runs in this conversation, which will want to send.
    pub is_turn_running: bool,
    /// The try before, whose outcome is unknown, when this one carries the same
    /// client id: both count as one message.
    pub earlier: Option<Begun>,
}

impl Ask {
    /// Asks for one message with nothing else waiting and no turn running.
    #[must_use]
    pub fn of(class: Class) -> Self {
        Self { class, is_tool: false, n_waiting: 0, is_turn_running: false, earlier: None }
    }
}

/// What is to be done with a message now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send it: [`Gate::begin`], then the request.
    Send,
    /// Ask again then.
    Wait {
        /// When, in milliseconds since 1970.
        until_ms: i64,
        /// What for.
        why: Why,
    },
    /// Keep it and ask again when the peer has written.
    Park(Parked),
    /// Forget it: progress only.
    Drop,
}

/// What a message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The pause between two messages to one peer.
    Pace,
    /// The account has sent much in a short time.
    Burst,
    /// The backend asked for a pause.
    Penalty,
    /// The peer sees nothing; it is tried now and then.
    Probe,
}

/// Why a message is kept until the peer writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parked {
    /// The peer has never written to this bot.
    NeverWrote,
    /// The peer wrote too long ago.
    WindowClosed,
    /// As many sends as may follow one message of the peer have followed.
    QuotaSpent,
    /// The backend refuses the newest context token.
    StaleContext,
    /// The backend accepts messages and the peer sees none.
    Suppressed,
    /// The account has sent what it may in a day; the next one helps, too.
    DailyCap,
}

/// Something a person should hear of; returned once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// The backend accepts messages to a peer who sees none.
    Suppressed {
        /// How many in a row.
        in_a_row: u32,
    },
    /// Messages reach the peer again.
    Recovered,
    /// The day's count comes near its cap.
    DailyCapNear {
        /// What was sent today.
        sent: u32,
        /// The cap.
        cap: u32,
    },
}

/// What a typing call is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// The indicator shows, or goes on showing.
    Show,
    /// It goes away.
    Hide,
}

/// A send under way. Kept until its outcome is known, so that it counts once
/// whatever happens meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    at_ms: i64,
    /// Whether it is among the sends that follow the peer's message.
    is_counted: bool,
    /// Whether an earlier try has brought it there.
    is_repeat: bool,
    /// Which message of the peer it follows.
    n_inbound: u64,
    sends_before: u32,
}

/// The state that one conversation's messages pass.
#[derive(Debug)]
pub struct Gate<'a> {
    /// The conversation.
    pub peer: &'a mut Peer,
    /// Its account.
    pub line: &'a mut Line,
    /// The account's limits.
    pub limits: &'a Limits,
}

impl Gate<'_> {
    /// Decides about one message. Changes nothing but the time that was seen.
    pub fn decide(&mut self, ask: &Ask, now_ms: i64) -> Decision {
        let now = self.wind(now_ms);
        let is_progress = ask.class == Class::Progress;
        if let Some(why) = self.parked(ask, now) {
            return if is_progress { Decision::Drop } else { Decision::Park(why) };
        }
        match self.wait(ask.class, now) {
            None => Decision::Send,
            // A later one will tell more.
            Some(_) if is_progress => Decision::Drop,
            Some((until_ms, why)) => Decision::Wait { until_ms, why },
        }
    }

    /// Counts a send. To be called after [`Decision::Send`] and right before
    /// the request of `sendmessage`: an upload comes before, not in between.
    #[must_use = "the send counts until it is settled"]
    pub fn begin(&mut self, ask: &Ask, now_ms: i64) -> Begun {
        let now = self.wind(now_ms);
        self.line.begin(self.limits, now);
        self.peer.begin(ask, self.counts(ask), now)
    }

    /// Learns from the outcome of a send. Returns what a person should hear of.
    pub fn settle(&mut self, begun: &Begun, outcome: &Outcome, now_ms: i64) -> Option<Alarm> {
        let now = self.wind(now_ms);
        self.line.ended(begun, self.limits, now);
        self.peer.ended(begun, now);
        let alarm = match outcome {
            Outcome::Queued { .. } => {
                self.accepted(begun, now);
                self.peer.confirmed()
            }
            Outcome::Accepted => {
                self.accepted(begun, now);
                None
            }
            Outcome::Unconfirmed => {
                self.accepted(begun, now);
                self.peer.unconfirmed(self.limits)
            }
            Outcome::Transport { unknown: true, .. } => {
                self.peer.counted(begun);
                None
            }
            Outcome::RateLimited { until_ms } => {
                self.line.limited(begun.at_ms, *until_ms, self.limits, now);
                self.not_counted(begun, None, now)
            }
            Outcome::WindowClosed => self.not_counted(begun, Some(Parked::WindowClosed), now),
            Outcome::QuotaSpent => self.not_counted(begun, Some(Parked::QuotaSpent), now),
            Outcome::StaleContext => self.not_counted(begun, Some(Parked::StaleContext), now),
            Outcome::TooLong
            | Outcome::WrongPeer
            | Outcome::StaleToken
            | Outcome::UploadRefused { .. }
            | Outcome::UploadFailed { .. }
            | Outcome::Unsendable(_)
            | Outcome::Transport { unknown: false, .. }
            | Outcome::Refused { .. } => self.not_counted(begun, None, now),
        };
        alarm.or_else(|| self.line.warn(self.limits))
    }

    /// Says whether a typing call may be made. It costs no send.
    pub fn may_type(&mut self, what: Typing, now_ms: i64) -> bool {
        let now = self.wind(now_ms);
        let is_due = match what {
            Typing::Show => self.peer.typing_from(self.limits) <= now,
            Typing::Hide => true,
        };
        is_due && self.line.penalty_until(now).is_none()
    }

    /// The indicator was asked for.
    pub fn typed(&mut self, now_ms: i64) {
        let now = self.wind(now_ms);
        self.peer.typed(now);
    }

    /// A call other than `sendmessage`, begun at `begun_ms`, was answered with
    /// `rate limited`: typing or an upload ticket.
    pub fn limited(&mut self, begun_ms: i64, until_ms: Option<i64>, now_ms: i64) {
        let now = self.wind(now_ms);
        self.line.limited(begun_ms, until_ms, self.limits, now);
    }

    /// Returns what an outcome has to be judged by. `begun` is the send itself,
    /// unless it did not get so far.
    pub fn knowledge(
        &mut self,
        begun: Option<&Begun>,
        text: TextSize,
        has_context: bool,
        now_ms: i64,
    ) -> Knowledge<'_> {
        let now = self.wind(now_ms);
        let since_accepted_ms = self.peer.accepted_at().map(|at| now.saturating_sub(at));
        Knowledge {
            now_ms: now,
            limits: self.limits,
            text,
            has_context,
            inbound_age_ms: self.peer.age(begun.map_or(now, |begun| begun.at_ms)),
            sends_used: begun.map_or(self.peer.sends(), |begun| begun.sends_before),
            since_accepted_ms,
        }
    }

    fn wind(&mut self, now_ms: i64) -> i64 {
        let now = self.line.wind(now_ms);
        self.peer.wind(now)
    }

    /// Returns why a message has to be kept.
    fn parked(&self, ask: &Ask, now: i64) -> Option<Parked> {
        if let Some(why) = self.peer.closed(self.limits, now) {
            return Some(why);
        }
        if self.peer.is_suppressed() && ask.class.is_modest() {
            return Some(Parked::Suppressed);
        }
        let spare = self.spare(ask);
        let needs_one = self.counts(ask) && !self.peer.has_counted(ask);
        if needs_one && self.peer.left(self.limits, now).is_some_and(|left| left <= spare) {
            return Some(Parked::QuotaSpent);
        }
        self.line.is_day_over(ask.class, self.limits, now).then_some(Parked::DailyCap)
    }

    fn counts(&self, ask: &Ask) -> bool {
        !ask.is_tool || self.limits.tools_count
    }

    /// Returns how many sends a message has to leave to others.
    fn spare(&self, ask: &Ask) -> u32 {
        match ask.class {
            Class::Answer | Class::Question | Class::Notice => 0,
            Class::Progress => {
                let reserve = self.limits.progress_reserve.max(self.limits.reserve);
                ask.n_waiting.saturating_add(reserve)
            }
            Class::Scheduled if ask.is_turn_running => {
                ask.n_waiting.saturating_add(self.limits.reserve)
            }
            Class::Scheduled => ask.n_waiting,
        }
    }

    /// Returns until when a message has to wait, and what for: the last of its reasons.
    fn wait(&self, class: Class, now: i64) -> Option<(i64, Why)> {
        let progress_from = match class {
            Class::Progress => self.peer.progress_from(self.limits),
            Class::Answer | Class::Question | Class::Notice | Class::Scheduled => i64::MIN,
        };
        let reasons = [
            (self.line.penalty_until(now).unwrap_or(i64::MIN), Why::Penalty),
            (self.line.room_from(class, self.limits, now), Why::Burst),
            (self.peer.probe_from(self.limits), Why::Probe),
            (self.peer.paced_until(self.limits).max(progress_from), Why::Pace),
        ];
        reasons.into_iter().filter(|(until, _)| *until > now).max_by_key(|(until, _)| *until)
    }

    fn accepted(&mut self, begun: &Begun, now: i64) {
        self.line.accepted(begun, self.limits, now);
        self.peer.counted(begun);
        self.peer.accepted(begun, now);
    }

    /// The backend did not take it; perhaps nothing is taken before the peer writes.
    fn not_counted(&mut self, begun: &Begun, closed: Option<Parked>, now: i64) -> Option<Alarm> {
        self.peer.give_back(begun);
        if let Some(why) = closed {
            self.peer.refused(begun, why, self.limits, now);
        }
        None
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod properties;

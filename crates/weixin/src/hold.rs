//! How long a poll is left open.
//!
//! The backend decides how long it holds a poll, and the request has no field
//! to ask for less. But something between may have less patience: an edge that
//! answers 524 after 16 seconds, a proxy that cuts. So once polls have been
//! seen cut, the client leaves them itself before that, and polls anew at once:
//! leaving acknowledges nothing, so nothing is lost, and nobody calls it
//! trouble.
//!
//! A poll that is left proves nothing, neither that the way is alive nor that
//! the edge is still impatient. So one in eight is a trial and left open: it is
//! answered, and the limit falls; or it is cut again, and stays; or nothing
//! comes, and then no poll is left early until something does.

use std::time::Duration;

use ilink::client::Cause;

/// How many polls are left early before one is a trial.
const EARLY: u32 = 7;
/// Broken connections in a row that count as a habit. Once is an accident.
const HABIT: u32 = 2;
/// How much of a hold has to pass so that its end counts as the backend's.
const NEARLY: f64 = 0.9;

/// What the next poll is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How long the backend is expected to hold it.
    pub(crate) hold: Duration,
    /// When to leave it, if nothing has come.
    pub(crate) leave_after: Option<Duration>,
}

/// Learns how long polls may last. Does no I/O and reads no clock.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hold {
    /// No limit is below this: an earlier cut is trouble, not impatience.
    shortest: Duration,
    /// What the backend says that it does.
    asked: Duration,
    /// What the way there has been seen to stand.
    limit: Option<Duration>,
    /// Polls left early since something came.
    early: u32,
    /// Broken connections since an answer.
    broken: u32,
}

/// What a failed poll says about the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Something between lost patience, and says so.
    Certain,
    /// It may have.
    Possible,
    /// Nothing.
    None,
}

impl Evidence {
    /// Reads a cause. 504 and 524 are what edges say about a backend that is
    /// there and does not answer yet.
    pub(crate) fn of(cause: &Cause) -> Self {
        match cause {
            Cause::Status { status: 504 | 524, .. } => Self::Certain,
            Cause::Status { status: 408 | 502 | 503, .. } | Cause::Tcp(_) => Self::Possible,
            Cause::Status { .. }
            | Cause::Dns(_)
            | Cause::Connect(_)
            | Cause::Tls(_)
            | Cause::Unsendable(_)
            | Cause::Timeout { .. }
            | Cause::Malformed(_)
            | Cause::TooLarge { .. }
            | Cause::Refused { .. } => Self::None,
        }
    }
}

impl Hold {
    /// Begins with what the backend is expected to do, and what earlier runs
    /// have learnt.
    pub(crate) fn new(shortest: Duration, asked: Duration, limit: Option<Duration>) -> Self {
        Self { shortest, asked, limit, early: 0, broken: 0 }
    }

    /// Returns what has been learnt.
    pub(crate) fn limit(&self) -> Option<Duration> {
        self.limit
    }

    pub(crate) fn plan(&self) -> Plan {
        let limit = self.limit.filter(|limit| *limit < self.asked && self.early < EARLY);
        Plan { hold: self.asked, leave_after: limit }
    }

    /// The backend answered after a while and says how long it holds.
    pub(crate) fn answered(&mut self, lasted: Duration, asked: Option<Duration>) {
        if lasted >= self.asked.mul_f64(NEARLY) {
            self.limit = None;
        }
        self.asked = asked.unwrap_or(self.asked);
        (self.early, self.broken) = (0, 0);
    }

    /// The poll was left as planned. After enough of them polls stay open
    /// until something comes, and a silence lasts as long as it lasts.
    pub(crate) fn left(&mut self) {
        self.early += 1;
    }

    /// The poll failed after a while. Returns whether that was the way's
    /// impatience, from which it has learnt; anything else is trouble.
    pub(crate) fn cut(&mut self, evidence: Evidence, lasted: Duration) -> bool {
        if lasted < self.shortest || evidence == Evidence::None {
            return false;
        }
        self.broken += 1;
        let is_known = self.limit.is_some_and(|limit| lasted >= limit);
        if evidence == Evidence::Possible && !is_known && self.broken < HABIT {
            return false;
        }
        self.limit = Some((lasted.min(self.asked) / 2).max(self.shortest));
        (self.early, self.broken) = (0, 0);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Duration = Duration::from_secs(35);
    const SHORTEST: Duration = Duration::from_secs(5);

    fn hold() -> Hold {
        Hold::new(SHORTEST, ASKED, None)
    }

    /// Lets a quiet account poll behind an edge for a while. Returns how long
    /// each poll lasted, in milliseconds, and whether it was trouble.
    fn behind_an_edge(hold: &mut Hold, edge: Duration, n: usize) -> Vec<(u128, bool)> {
        let poll = |hold: &mut Hold| {
            let plan = hold.plan();
            let ends = plan.leave_after.unwrap_or(plan.hold);
            if ends >= edge {
                let learnt = hold.cut(Evidence::Certain, edge);
                return (edge.as_millis(), !learnt);
            }
            match plan.leave_after {
                Some(_) => hold.left(),
                None => hold.answered(ends, None),
            }
            (ends.as_millis(), false)
        };
        (0..n).map(|_| poll(hold)).collect()
    }

    /// Demand 15: an edge that cuts at 16 s is met once, then polls are shorter.
    #[test]
    fn an_edge_that_cuts_is_met_once_and_then_only_by_trials() {
        let mut hold = hold();
        let polls = behind_an_edge(&mut hold, Duration::from_secs(16), 17);
        let early = [(8_000, false); EARLY as usize];
        let cycle = [&[(16_000, false)], &early[..]].concat();
        assert_eq!(polls, [&cycle[..], &cycle, &cycle[..1]].concat());
    }

    #[test]
    fn a_limit_is_never_shorter_than_the_shortest_hold() {
        let mut hold = hold();
        assert!(hold.cut(Evidence::Certain, Duration::from_secs(6)));
        assert_eq!(hold.limit(), Some(SHORTEST));
    }

    #[test]
    fn what_fails_at_once_is_trouble_and_teaches_nothing() {
        let mut hold = hold();
        assert!(!hold.cut(Evidence::Certain, Duration::from_secs(1)));
        let unreachable = Cause::Connect("timed out".to_owned());
        assert!(!hold.cut(Evidence::of(&unreachable), Duration::from_secs(10)));
        assert!(!hold.cut(Evidence::of(&unreachable), Duration::from_secs(10)));
        assert_eq!(hold, super::Hold::new(SHORTEST, ASKED, None));
    }

    #[test]
    fn one_broken_connection_is_an_accident_and_two_are_a_habit() {
        let mut hold = hold();
        let lasted = Duration::from_secs(20);
        assert!(!hold.cut(Evidence::Possible, lasted));
        hold.answered(lasted, None);
        assert!(!hold.cut(Evidence::Possible, lasted), "the answer made it an accident");
        assert!(hold.cut(Evidence::Possible, lasted));
        assert_eq!(hold.limit(), Some(lasted / 2));
        assert!(hold.cut(Evidence::Possible, lasted), "a habit that is known");
    }

    /// Demand 15: growing back, when the edge has become patient.
    #[test]
    fn a_trial_that_is_answered_ends_the_limit() {
        let mut hold = Hold::new(SHORTEST, ASKED, Some(Duration::from_secs(8)));
        for _ in 0..EARLY {
            assert_eq!(hold.plan().leave_after, Some(Duration::from_secs(8)));
            hold.left();
        }
        assert_eq!(hold.plan(), Plan { hold: ASKED, leave_after: None });
        hold.answered(ASKED, None);
        assert_eq!((hold.limit(), hold.plan().leave_after), (None, None));
    }

    #[test]
    fn a_message_in_time_says_nothing_about_the_limit() {
        let mut hold = Hold::new(SHORTEST, ASKED, Some(Duration::from_secs(8)));
        hold.answered(Duration::from_secs(3), Some(ASKED));
        assert_eq!(hold.limit(), Some(Duration::from_secs(8)));
    }

    #[test]
    fn a_backend_that_holds_less_than_the_limit_needs_none() {
        let mut hold = Hold::new(SHORTEST, ASKED, Some(Duration::from_secs(8)));
        hold.answered(Duration::ZERO, Some(Duration::from_secs(6)));
        assert_eq!(hold.plan(), Plan { hold: Duration::from_secs(6), leave_after: None });
    }

    /// Demand 16: a silent way must not look like a quiet account.
    #[test]
    fn in_a_silence_polls_stay_open_until_something_comes() {
        let mut hold = Hold::new(SHORTEST, ASKED, Some(Duration::from_secs(8)));
        (0..EARLY).for_each(|_| hold.left());
        assert!(!hold.cut(Evidence::of(&Cause::Timeout { after: ASKED }), ASKED));
        assert_eq!(hold.plan().leave_after, None);
        hold.answered(Duration::ZERO, None);
        assert_eq!(hold.plan().leave_after, Some(Duration::from_secs(8)));
    }
}

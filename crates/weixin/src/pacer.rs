//! Paces the polls of one account.

use std::time::Duration;

use contract::AccountState;
use ilink::client::Cause;
use ilink::{Backoff, ClientError, Recovery};

use crate::pace::Pace;

/// The longest wait that the backend may ask for.
const LONGEST_HINT: Duration = Duration::from_secs(300);
/// Refusals in a row after which only a person can help.
const HOPELESS: u32 = 4;
/// Silences in a row after which the connections are doubted.
const DEAF: u32 = 3;
/// Why a person must log in, whatever words the backend has for it.
const REFUSED: &str = "the backend refuses the login: bound elsewhere, or expired";

/// What to do after a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Poll at once.
    Poll,
    /// Replace the connections, then poll at once.
    Renew,
    /// Wait, then poll.
    Wait(Duration),
    /// Announce the bot again, wait, then poll.
    Announce(Duration),
}

/// Decides when to poll and what state to show. Does no I/O and reads no clock.
#[derive(Debug)]
pub(crate) struct Pacer {
    pace: Pace,
    trouble: u32,
    refusals: u32,
    silences: u32,
    hurries: u32,
}

impl Pacer {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, trouble: 0, refusals: 0, silences: 0, hurries: 0 }
    }

    /// A poll was answered, with or without messages.
    pub(crate) fn answered(&mut self) -> Next {
        (self.trouble, self.refusals, self.silences, self.hurries) = (0, 0, 0, 0);
        Next::Poll
    }

    /// A poll was answered at once, with nothing. That is well, but one who
    /// does it each time must not make us poll without end.
    pub(crate) fn hurried(&mut self, chance: f64) -> Next {
        (self.trouble, self.refusals, self.silences) = (0, 0, 0);
        self.hurries += 1;
        match self.hurries - 1 {
            0 => Next::Poll,
            again => Next::Wait(Backoff::spread(self.pace.trouble.delay(again, None), chance)),
        }
    }

    /// A poll failed. `chance` in 0..1 spreads the waits.
    pub(crate) fn failed(&mut self, err: &ClientError, chance: f64) -> Next {
        if err.is_timeout() {
            // It has waited long enough already.
            self.silences += 1;
            return if self.silences.is_multiple_of(DEAF) { Next::Renew } else { Next::Poll };
        }
        self.silences = 0;
        match err.recovery() {
            Recovery::Relogin => {
                self.trouble = 0;
                self.refusals += 1;
                let wait = Backoff::spread(self.pace.refused.delay(self.refusals, None), chance);
                if self.refusals == 1 { Next::Announce(wait) } else { Next::Wait(wait) }
            }
            Recovery::Retry { after: Some(hint) } => {
                self.trouble += 1;
                // Never sooner than told.
                let wait = hint.clamp(self.pace.trouble.min, LONGEST_HINT);
                Next::Wait(wait.mul_f64(1.0 + chance.clamp(0.0, 1.0) / 10.0))
            }
            Recovery::Retry { after: None } => self.back_off(self.backoff_of(&err.cause), chance),
            // The request is always the same, so only time can help.
            Recovery::GiveUp => Next::Wait(Backoff::spread(self.pace.trouble.max, chance)),
        }
    }

    /// What came could not be kept.
    pub(crate) fn unstored(&mut self, chance: f64) -> Next {
        self.back_off(self.pace.trouble, chance)
    }

    fn backoff_of(&self, cause: &Cause) -> Backoff {
        match cause {
            Cause::Dns(_) | Cause::Connect(_) => self.pace.unreachable,
            Cause::Tcp(_)
            | Cause::Tls(_)
            | Cause::Unsendable(_)
            | Cause::Timeout { .. }
            | Cause::Status { .. }
            | Cause::Malformed(_)
            | Cause::TooLarge { .. }
            | Cause::Refused { .. } => self.pace.trouble,
        }
    }

    fn back_off(&mut self, backoff: Backoff, chance: f64) -> Next {
        self.trouble += 1;
        Next::Wait(Backoff::spread(backoff.delay(self.trouble, None), chance))
    }

    /// Returns the state to show after a failed poll, given the state before.
    pub(crate) fn state(
        &self,
        err: &ClientError,
        before: &AccountState,
        now_ms: i64,
    ) -> AccountState {
        if matches!(before, AccountState::NeedsLogin { .. }) {
            // Only an answer shows that the token is good again.
            return before.clone();
        }
        if self.refusals >= HOPELESS {
            return AccountState::NeedsLogin { reason: REFUSED.to_owned(), since_ms: now_ms };
        }
        if err.is_timeout() && self.silences < DEAF {
            return before.clone();
        }
        degraded(err.to_string(), before, now_ms)
    }
}

/// Returns a degraded state that keeps the time when the trouble began.
pub(crate) fn degraded(reason: String, before: &AccountState, now_ms: i64) -> AccountState {
    let since_ms = match before {
        AccountState::Degraded { since_ms, .. } => *since_ms,
        AccountState::Stopped
        | AccountState::Starting
        | AccountState::Polling
        | AccountState::NeedsLogin { .. } => now_ms,
    };
    AccountState::Degraded { reason, since_ms }
}

#[cfg(test)]
mod tests {
    use ilink::Code;

    use super::*;

    fn failure(cause: Cause) -> ClientError {
        ClientError { endpoint: "getupdates", cause }
    }

    fn refused() -> ClientError {
        failure(Cause::Refused { code: Code::STALE_TOKEN, errmsg: String::new() })
    }

    fn silence() -> ClientError {
        failure(Cause::Timeout { after: Duration::from_secs(45) })
    }

    fn status(status: u16, retry_after: Option<u64>) -> ClientError {
        let retry_after = retry_after.map(Duration::from_secs);
        failure(Cause::Status { status, retry_after })
    }

    fn pacer() -> Pacer {
        Pacer::new(Pace::default())
    }

    /// The waits after so many failures, in milliseconds, with the longest spread.
    fn waits(pacer: &mut Pacer, err: &ClientError, n: usize) -> Vec<u128> {
        let wait = |next| match next {
            Next::Poll | Next::Renew => 0,
            Next::Wait(wait) | Next::Announce(wait) => wait.as_millis(),
        };
        (0..n).map(|_| wait(pacer.failed(err, 1.0))).collect()
    }

    /// Demand 15: 0.2 s to 15 s, and an answer resets it.
    #[test]
    fn trouble_backs_off_and_an_answer_resets_it() {
        let mut pacer = pacer();
        let bad_gateway = status(502, None);
        assert_eq!(
            waits(&mut pacer, &bad_gateway, 9),
            [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]
        );
        assert_eq!(pacer.answered(), Next::Poll);
        assert_eq!(waits(&mut pacer, &bad_gateway, 1), [200]);
        assert_eq!(pacer.failed(&bad_gateway, 0.0), Next::Wait(Duration::from_millis(200)));
    }

    /// Demand 58: no storm of polls, whatever the other end does.
    #[test]
    fn a_backend_that_holds_nothing_is_not_polled_without_end() {
        let mut pacer = pacer();
        let seen: Vec<_> = (0..4).map(|_| pacer.hurried(1.0)).collect();
        let waits = [200, 400, 800].map(|ms| Next::Wait(Duration::from_millis(ms)));
        assert_eq!(seen, [&[Next::Poll], &waits[..]].concat());
        pacer.answered();
        assert_eq!(pacer.hurried(1.0), Next::Poll);
    }

    /// Demand 16: a network that comes back is not slept through.
    #[test]
    fn a_missing_connection_is_tried_again_soon() {
        let unreachable = failure(Cause::Connect("no route".to_owned()));
        assert_eq!(waits(&mut pacer(), &unreachable, 7)[4..], [3_200, 4_000, 4_000]);
    }

    /// Demand 15: Retry-After wins, also beyond our longest pause, and no
    /// spread makes it shorter.
    #[test]
    fn the_backends_hint_wins() {
        let mut pacer = pacer();
        let next = pacer.failed(&status(429, Some(60)), 0.0);
        assert_eq!(next, Next::Wait(Duration::from_secs(60)));
        assert_eq!(waits(&mut pacer, &status(503, Some(7)), 1), [7_700]);
        assert_eq!(waits(&mut pacer, &status(503, Some(86_400)), 1), [330_000], "nor for a day");
        assert_eq!(waits(&mut pacer, &status(429, Some(0)), 1), [220]);
    }

    /// Demand 16: the third silence in a row renews the connections and shows.
    #[test]
    fn three_silences_make_an_account_degraded_and_its_connections_new() {
        let mut pacer = pacer();
        let mut state = AccountState::Polling;
        let mut seen = Vec::new();
        for now in 1..=6 {
            let next = pacer.failed(&silence(), 0.5);
            state = pacer.state(&silence(), &state, now);
            seen.push((next, state == AccountState::Polling));
        }
        let calm = (Next::Poll, true);
        let doubt = (Next::Poll, false);
        let renewed = (Next::Renew, false);
        assert_eq!(seen, [calm, calm, renewed, doubt, doubt, renewed]);
        let reason = "getupdates: no complete answer within 45s".to_owned();
        assert_eq!(state, AccountState::Degraded { reason, since_ms: 3 });
        pacer.answered();
        assert_eq!(pacer.failed(&silence(), 0.5), Next::Poll);
    }

    /// Demand 3: 1, 2, 4 … 60 s, announced once.
    #[test]
    fn a_refused_token_is_announced_once_and_then_probed_slowly() {
        let mut pacer = pacer();
        assert_eq!(pacer.failed(&refused(), 1.0), Next::Announce(Duration::from_secs(1)));
        assert_eq!(
            waits(&mut pacer, &refused(), 7),
            [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
        );
    }

    /// Demand 3: within two minutes, once, whatever else fails meanwhile.
    #[test]
    fn lasting_refusals_ask_for_a_person_once_and_only_an_answer_takes_it_back() {
        let mut pacer = pacer();
        let mut state = AccountState::Polling;
        let mut waited = Duration::ZERO;
        while !matches!(state, AccountState::NeedsLogin { .. }) {
            if let Next::Wait(wait) | Next::Announce(wait) = pacer.failed(&refused(), 1.0) {
                waited += wait;
            }
            state = pacer.state(&refused(), &state, 7);
        }
        assert!(waited < Duration::from_secs(120), "{waited:?}");
        let asked = state.clone();
        assert_eq!(asked, AccountState::NeedsLogin { reason: REFUSED.to_owned(), since_ms: 7 });
        for err in [refused(), silence(), status(502, None), refused()] {
            pacer.failed(&err, 0.5);
            state = pacer.state(&err, &state, 8);
            assert_eq!(state, asked, "after {err}");
        }
    }

    #[test]
    fn one_refusal_is_trouble_that_began_then() {
        let mut pacer = pacer();
        let mut state = AccountState::Polling;
        for now in 1..=2 {
            pacer.failed(&refused(), 0.5);
            state = pacer.state(&refused(), &state, now);
        }
        let reason = refused().to_string();
        assert_eq!(state, AccountState::Degraded { reason, since_ms: 1 });
    }
}

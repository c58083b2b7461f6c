//! Paces the polls of one account.

use std::time::Duration;

use contract::AccountState;
use ilink::{Backoff, ClientError, Recovery};

/// Pauses after failed polls.
const TROUBLE: Backoff = Backoff { min: Duration::from_millis(200), max: Duration::from_secs(15) };
/// Pauses while the backend refuses the bot token. It has been seen to heal.
const REFUSED: Backoff = Backoff { min: Duration::from_secs(1), max: Duration::from_secs(60) };
/// Refusals in a row after which only a person can help.
const HOPELESS: u32 = 3;

/// What to do after a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Poll at once.
    Poll,
    /// Wait, then poll.
    Wait(Duration),
    /// Announce the bot again, wait, then poll.
    Announce(Duration),
}

/// Decides when to poll and what state to show. Does no I/O and reads no clock.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    trouble: u32,
    refusals: u32,
}

impl Pacer {
    /// A poll was answered, with or without messages.
    pub(crate) fn answered(&mut self) -> Next {
        *self = Self::default();
        Next::Poll
    }

    /// A poll failed.
    pub(crate) fn failed(&mut self, recovery: Recovery) -> Next {
        match recovery {
            Recovery::Relogin => {
                self.trouble = 0;
                self.refusals += 1;
                let wait = REFUSED.delay(self.refusals, None);
                if self.refusals == 1 { Next::Announce(wait) } else { Next::Wait(wait) }
            }
            Recovery::Retry { after } => self.wait(after),
            Recovery::GiveUp => {
                // The request is always the same, so only time can help.
                self.wait(Some(TROUBLE.max))
            }
        }
    }

    fn wait(&mut self, hint: Option<Duration>) -> Next {
        self.trouble += 1;
        Next::Wait(TROUBLE.delay(self.trouble, hint))
    }

    /// Returns the state to show after a failed poll, given the state before.
    pub(crate) fn state(
        &self,
        err: &ClientError,
        before: &AccountState,
        now_ms: i64,
    ) -> AccountState {
        let reason = err.to_string();
        if self.refusals >= HOPELESS {
            let since_ms = match before {
                AccountState::NeedsLogin { since_ms, .. } => *since_ms,
                AccountState::Stopped
                | AccountState::Starting
                | AccountState::Polling
                | AccountState::Degraded { .. } => now_ms,
            };
            return AccountState::NeedsLogin { reason, since_ms };
        }
        let since_ms = match before {
            AccountState::Degraded { since_ms, .. } => *since_ms,
            AccountState::Stopped
            | AccountState::Starting
            | AccountState::Polling
            | AccountState::NeedsLogin { .. } => now_ms,
        };
        AccountState::Degraded { reason, since_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Recovery = Recovery::Retry { after: None };

    fn waits(pacer: &mut Pacer, recovery: Recovery, n: usize) -> Vec<u128> {
        let wait = |next| match next {
            Next::Poll => 0,
            Next::Wait(wait) | Next::Announce(wait) => wait.as_millis(),
        };
        (0..n).map(|_| wait(pacer.failed(recovery))).collect()
    }

    #[test]
    fn trouble_backs_off_and_an_answer_resets_it() {
        let mut pacer = Pacer::default();
        assert_eq!(waits(&mut pacer, RETRY, 3), [200, 400, 800]);
        assert_eq!(pacer.answered(), Next::Poll);
        assert_eq!(waits(&mut pacer, RETRY, 1), [200]);
    }

    #[test]
    fn the_backends_hint_wins() {
        let mut pacer = Pacer::default();
        let hint = Recovery::Retry { after: Some(Duration::from_secs(7)) };
        assert_eq!(waits(&mut pacer, hint, 2), [7_000, 7_000]);
    }

    #[test]
    fn a_refused_token_is_announced_once_and_then_probed_slowly() {
        let mut pacer = Pacer::default();
        assert_eq!(pacer.failed(Recovery::Relogin), Next::Announce(Duration::from_secs(1)));
        assert_eq!(
            waits(&mut pacer, Recovery::Relogin, 7),
            [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
        );
    }

    #[test]
    fn only_repeated_refusals_ask_for_a_person_and_the_first_one_dates_it() {
        let refused = ClientError {
            endpoint: "getupdates",
            cause: ilink::client::Cause::Refused {
                code: ilink::Code::STALE_TOKEN,
                errmsg: String::new(),
            },
        };
        let mut pacer = Pacer::default();
        let mut state = AccountState::Polling;
        let mut seen = Vec::new();
        for now in 1..=4 {
            pacer.failed(Recovery::Relogin);
            state = pacer.state(&refused, &state, now);
            seen.push(match &state {
                AccountState::Degraded { since_ms, .. } => ("degraded", *since_ms),
                AccountState::NeedsLogin { since_ms, .. } => ("needs login", *since_ms),
                AccountState::Stopped | AccountState::Starting | AccountState::Polling => ("?", 0),
            });
        }
        assert_eq!(
            seen,
            [("degraded", 1), ("degraded", 1), ("needs login", 3), ("needs login", 3)]
        );
    }
}

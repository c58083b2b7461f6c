//! Notices that the machine slept, or that its clock jumped.
//!
//! One light tick for all accounts compares two clocks. After a sleep every
//! connection is suspect: the other end has long forgotten it and nobody says
//! so. The connections are replaced, and each poll in flight is dropped and
//! begun anew.

use std::time::Duration;

use ilink::Http;
use tokio::sync::watch;

use crate::pace::Pace;
use crate::time::Reading;

/// How far a tick may be off before it counts as a sleep. A loaded machine is
/// late by less, and a poll too many does no harm.
const SLACK: Duration = Duration::from_secs(5);

/// What a monitor listens to.
pub(crate) struct Wakes(watch::Receiver<()>);

/// What tells monitors that the machine woke up.
#[derive(Clone)]
pub(crate) struct Alarm(watch::Sender<()>);

impl Alarm {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// Listens from now on.
    pub(crate) fn wakes(&self) -> Wakes {
        Wakes(self.0.subscribe())
    }

    /// Looks at the clocks until cancelled.
    pub(crate) async fn watch(self, pace: Pace, http: Http) {
        let mut before = pace.clocks.read();
        loop {
            tokio::time::sleep(pace.tick).await;
            let now = pace.clocks.read();
            if woke(before, now, pace.tick) {
                tracing::info!("the machine slept or its clock jumped; polling anew");
                http.renew(http.generation());
                self.0.send_replace(());
            }
            before = now;
        }
    }
}

impl Wakes {
    /// Waits for the next time that the machine wakes up. Cancel safe.
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody looks any more: the channel is stopping.
            std::future::pending::<()>().await;
        }
    }
}

/// Says whether more than a tick has passed between two readings, by either
/// clock, or whether the one on the wall went back.
fn woke(before: Reading, now: Reading, tick: Duration) -> bool {
    let most = tick + SLACK;
    now.wall.saturating_sub(before.wall) > most
        || now.monotonic.saturating_sub(before.monotonic) > most
        || before.wall.saturating_sub(now.wall) > SLACK
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Demand 16: what counts as a sleep, in seconds of both clocks.
    #[test]
    fn a_sleep_is_when_a_clock_has_gone_on_without_us() {
        let tick = Duration::from_secs(2);
        let at = |monotonic, wall| Reading {
            monotonic: Duration::from_secs(monotonic),
            wall: Duration::from_secs(wall),
        };
        let before = at(100, 1_000_000);
        let woke = |monotonic, wall| woke(before, at(monotonic, wall), tick);
        assert!(!woke(102, 1_000_002), "a tick");
        assert!(!woke(106, 1_000_006), "a late tick");
        assert!(!woke(102, 999_998), "a clock that is set back a little");
        assert!(woke(102, 1_003_600), "an hour of sleep, the monotonic clock stood still");
        assert!(woke(3_702, 1_003_602), "an hour of sleep, both went on");
        assert!(woke(102, 990_000), "a clock that is set back by hours");
    }
}

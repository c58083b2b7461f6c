//! The times that polls go by.

use std::time::Duration;

use ilink::Backoff;

use crate::time::Clocks;

/// When polls are given up, repeated and doubted. The defaults are for
/// everyone; tests are in a hurry.
#[derive(Clone, Debug)]
pub struct Pace {
    /// What a poll gets on top of its hold before the client gives up.
    pub margin: Duration,
    /// The shortest time after which polls are left on a way that cuts them.
    pub shortest_hold: Duration,
    /// Pauses after polls that failed.
    pub trouble: Backoff,
    /// Pauses while there is no connection: nobody is overloaded by another
    /// try, and someone may be waiting for the network to come back.
    pub unreachable: Backoff,
    /// Pauses while the backend refuses the bot token. It has been seen to heal.
    pub refused: Backoff,
    /// How often the clocks are compared, to notice that the machine slept.
    pub tick: Duration,
    /// How often it is tried to take over a token that another process polls.
    pub takeover: Duration,
    /// The clocks that are compared.
    pub clocks: Clocks,
}

impl Default for Pace {
    fn default() -> Self {
        let backoff = |min_ms, max_s| Backoff {
            min: Duration::from_millis(min_ms),
            max: Duration::from_secs(max_s),
        };
        Self {
            margin: Duration::from_secs(10),
            shortest_hold: Duration::from_secs(5),
            trouble: backoff(200, 15),
            unreachable: backoff(200, 4),
            refused: backoff(1_000, 60),
            tick: Duration::from_secs(2),
            takeover: Duration::from_secs(5),
            clocks: Clocks::system(),
        }
    }
}

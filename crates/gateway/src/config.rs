//! What a gateway is built from.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{Agent, Rules};

/// The settings of a gateway, all decided: nothing is read from the
/// environment or from a file below this point.
#[derive(Clone)]
pub struct Config {
    /// The gateway's own store; created with its folder if need be.
    pub store: PathBuf,
    /// What a configuration decides, until the gateway is configured anew.
    pub rules: Rules,
    /// How many messages of one session may wait for the turn before them,
    /// at least 1, whatever the queue does with them. A channel that brings
    /// more waits.
    pub lane_depth: usize,
    /// How long one turn may take.
    pub turn_timeout: Duration,
}

impl Config {
    /// Returns settings with the usual bounds: 100 waiting messages a session,
    /// 10 minutes a turn, one agent for all, and a code for everybody but owners.
    #[must_use]
    pub fn new(store: PathBuf, agent: Arc<dyn Agent>) -> Self {
        Self {
            store,
            rules: Rules::new(agent),
            lane_depth: 100,
            turn_timeout: Duration::from_secs(600),
        }
    }
}

//! What a backend is told at its start.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;
use crate::policy::Policy;

/// The settings of a backend.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Default: loopback, any free port.
    pub listen: SocketAddr,
    /// The folder of the store, created if need be. Default: a temporary one
    /// that goes with the backend.
    pub store: Option<PathBuf>,
    /// How clients reach the backend, such as `https://im.example.org`. Default:
    /// the listening address; when that is "any address", the `Host` of each
    /// request.
    pub public_url: Option<String>,
    /// The rules at the start.
    pub policy: Policy,
    /// How long polls are held open. Default: 35 seconds, as on Tencent's servers.
    pub hold: Duration,
    /// Opens the admin API to others than loopback.
    pub admin_token: Option<String>,
    /// How many requests are remembered for assertions. Default: none.
    pub recorded_requests: usize,
    /// Logs nothing about starting and stopping.
    pub quiet: bool,
    /// The clock. Default: a new one that shows real time.
    pub clock: Clock,
    /// The limits of this installation.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            store: None,
            public_url: None,
            policy: Policy::open(),
            hold: Duration::from_secs(35),
            admin_token: None,
            recorded_requests: 0,
            quiet: false,
            clock: Clock::new(),
            limits: Limits::default(),
        }
    }
}

/// How much a backend takes before it says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Users.
    pub users: u64,
    /// Users that the phone page may create per minute.
    pub new_users_per_minute: u32,
    /// Bots, stale ones included.
    pub bots: usize,
    /// QR codes that have not expired.
    pub open_logins: u64,
    /// QR codes per minute.
    pub new_logins_per_minute: u32,
    /// Messages that a bot has not acknowledged.
    pub unacknowledged_per_bot: u64,
    /// Bytes of one media.
    pub media_size: u64,
    /// Bytes of all media.
    pub all_media: u64,
    /// Open phones.
    pub phones: usize,
    /// Open connections.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            users: 100_000,
            new_users_per_minute: 60,
            bots: 100_000,
            open_logins: 10_000,
            new_logins_per_minute: 600,
            unacknowledged_per_bot: 100_000,
            media_size: 1 << 30,
            all_media: 20 << 30,
            phones: 1_024,
            connections: 20_000,
        }
    }
}

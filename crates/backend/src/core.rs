//! What all faces of the backend stand on: the store, the time, the rules, and
//! who must be told.
//!
//! The iLink API, the phone API, the admin API and the test face call the
//! methods of [`Core`]; none of them has logic of its own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::HOST;
use ilink::{BotId, QrCodeId, UserId};
use ledger::LedgerError;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::fault::Faults;
use crate::phones::{News, Phones};
use crate::policy::Policy;
use crate::rate::Rate;
use crate::recorder::Recorder;
use crate::registry::Registry;
use crate::secret::Secret;
use crate::store::Store;
use crate::tasks::Tasks;

mod binding;
mod housekeeping;
mod people;
mod send;
mod speak;
mod stream;
mod typing;
mod vault;

pub(crate) use self::binding::StatusAnswer;
pub(crate) use self::send::{SendAnswer, cdn_media};
pub(crate) use self::speak::{Quoting, Upload, UploadKind, Word};
pub(crate) use self::stream::{PollEnd, place_of};
pub(crate) use self::typing::TicketProblem;
pub(crate) use self::vault::{Chunks, Ownership, Plain};

/// The backend's state, shared by everything that runs.
pub(crate) struct Core {
    pub(crate) store: Store,
    pub(crate) secret: Secret,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    pub(crate) registry: Registry,
    pub(crate) phones: Phones,
    pub(crate) limits: Limits,
    pub(crate) hold: Duration,
    pub(crate) admin_token: Option<String>,
    pub(crate) place: Place,
    pub(crate) tasks: Tasks,
    /// Ends every wait.
    pub(crate) stopping: CancellationToken,
    pub(crate) started: Instant,
    // Read and replaced as a whole, never held across an await.
    policy: RwLock<Arc<Policy>>,
    typing: typing::Typing,
    /// Changes when any login changed.
    logins: watch::Sender<u64>,
    /// What each asking machine was told last.
    told: Mutex<HashMap<QrCodeId, ilink::wire::LoginStatus>>,
    new_logins: Rate,
    pub(crate) new_users: Rate,
}

/// Where the backend is reached.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The base URL, if it does not depend on the request.
    pub(crate) fixed: Option<String>,
    /// Whether only programs of this machine can reach it.
    pub(crate) is_private: bool,
    /// Whether it has a name for others.
    pub(crate) has_public_url: bool,
    /// The base URL for those on this machine.
    pub(crate) local: String,
}

impl Place {
    /// Works out where a backend that listens on an address is reached.
    pub(crate) fn new(address: SocketAddr, public_url: Option<&str>) -> Self {
        let public = public_url.map(|url| url.trim_end_matches('/').to_owned());
        let is_any = address.ip().is_unspecified();
        let near = if is_any { SocketAddr::new(LOOPBACK, address.port()) } else { address };
        let local = format!("http://{near}");
        let fixed = public.or_else(|| (!is_any).then(|| local.clone()));
        let has_public_url = fixed.as_deref().is_some_and(|url| !is_local_url(url));
        Self {
            fixed,
            is_private: address.ip().is_loopback() && !has_public_url,
            has_public_url,
            local,
        }
    }

    /// Says whether browsers reach it over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.fixed.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Returns the base URL for the sender of a request.
    pub(crate) fn base(&self, headers: &HeaderMap) -> String {
        let host = || headers.get(HOST).and_then(|host| host.to_str().ok());
        match &self.fixed {
            Some(fixed) => fixed.clone(),
            None => host().map_or_else(|| self.local.clone(), |host| format!("http://{host}")),
        }
    }
}

fn is_local_url(url: &str) -> bool {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    crate::guard::is_local_name(name) || crate::guard::is_local_name(host)
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Core {
    /// Opens the store in a folder and reads what has to be in memory.
    pub(crate) async fn open(config: &Config, dir: &Path, place: Place) -> Result<Self, OpenError> {
        let store = Store::open(dir).await?;
        let core = Self {
            store,
            secret: Secret::open(&dir.join("key"))?,
            clock: config.clock.clone(),
            faults: Faults::default(),
            recorder: Recorder::new(config.recorded_requests),
            registry: Registry::default(),
            phones: Phones::new(config.limits.phones),
            limits: config.limits,
            hold: config.hold,
            admin_token: config.admin_token.clone(),
            place,
            tasks: Tasks::default(),
            stopping: CancellationToken::new(),
            started: Instant::now(),
            policy: RwLock::new(Arc::new(config.policy.clone())),
            typing: typing::Typing::default(),
            logins: watch::Sender::new(0),
            told: Mutex::default(),
            new_logins: Rate::new(config.limits.new_logins_per_minute),
            new_users: Rate::new(config.limits.new_users_per_minute),
        };
        for bot in core.store.bots().await? {
            core.registry.add(bot);
        }
        for bot in core.store.bots_with_copies().await? {
            core.expect_copies(&bot);
        }
        core.sweep_media_folder().await?;
        Ok(core)
    }

    /// Returns the rules as they are now.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read())
    }

    /// Replaces the rules. What was decided before stays.
    pub(crate) fn set_policy(&self, policy: Policy) {
        *self.policy.write() = Arc::new(policy);
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Tells a user's phones that something about a bot changed.
    pub(crate) fn tell_contact(&self, user: &UserId, bot: &BotId) {
        self.phones.tell(user, News::Contact { bot: bot.clone() });
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Store(#[from] LedgerError),
    #[error(transparent)]
    File(#[from] std::io::Error),
}

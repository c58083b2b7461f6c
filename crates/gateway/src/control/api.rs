//! What all routes share.

use std::net::SocketAddr;
use std::sync::Arc;

use contract::Channel;
use parking_lot::RwLock;
use tokio::sync::mpsc;

use super::logins::Logins;
use super::{Followed, ListPlugins, LogRing, Problem, ProblemKind, Wish};
use crate::Gateway;
use crate::store::now_ms;

/// The state of the control API. Clones share it.
#[derive(Clone)]
pub(super) struct Api {
    shared: Arc<Shared>,
}

struct Shared {
    program: String,
    address: SocketAddr,
    since_ms: i64,
    logs: LogRing,
    wishes: mpsc::Sender<Wish>,
    logins: Logins,
    // Held to take or replace it, never while it is called.
    plugins: RwLock<Option<ListPlugins>>,
    // Held to take or replace it.
    problems: RwLock<Vec<String>>,
    // Held to take or replace it.
    followed: RwLock<Option<Followed>>,
    // Held to look at or replace, never across an await.
    stage: RwLock<Stage>,
}

/// Where the gateway stands.
#[derive(Clone)]
pub(super) enum Stage {
    /// The first one is not there yet.
    Starting,
    /// It runs, as the `run`-th of this process.
    Running { gateway: Gateway, run: u32, since_ms: i64 },
    /// The `run`-th is being stopped; another may follow.
    Draining { run: u32 },
}

impl Api {
    pub(super) fn new(
        program: String,
        address: SocketAddr,
        logs: LogRing,
        wishes: mpsc::Sender<Wish>,
    ) -> Self {
        let stage = RwLock::new(Stage::Starting);
        let since_ms = now_ms();
        let (logins, plugins) = (Logins::default(), RwLock::default());
        let (problems, followed) = (RwLock::default(), RwLock::default());
        let shared = Shared {
            program,
            address,
            since_ms,
            logs,
            wishes,
            logins,
            plugins,
            problems,
            followed,
            stage,
        };
        Self { shared: Arc::new(shared) }
    }

    pub(super) fn list_plugins_by(&self, list: ListPlugins) {
        *self.shared.plugins.write() = Some(list);
    }

    /// Returns what lists the plugins, if anything does.
    pub(super) fn list_plugins(&self) -> Option<ListPlugins> {
        self.shared.plugins.read().clone()
    }

    pub(super) fn set_problems(&self, problems: Vec<String>) {
        *self.shared.problems.write() = problems;
    }

    pub(super) fn problems(&self) -> Vec<String> {
        self.shared.problems.read().clone()
    }

    pub(super) fn set_followed(&self, followed: Followed) {
        *self.shared.followed.write() = Some(followed);
    }

    pub(super) fn followed(&self) -> Option<Followed> {
        self.shared.followed.read().clone()
    }

    pub(super) fn attach(&self, gateway: Gateway) {
        let mut stage = self.shared.stage.write();
        let run = stage.run() + 1;
        *stage = Stage::Running { gateway, run, since_ms: now_ms() };
    }

    pub(super) fn detach(&self) {
        let mut stage = self.shared.stage.write();
        *stage = Stage::Draining { run: stage.run() };
    }

    pub(super) fn stage(&self) -> Stage {
        self.shared.stage.read().clone()
    }

    pub(super) fn program(&self) -> &str {
        &self.shared.program
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Since when this process serves.
    pub(super) fn since_ms(&self) -> i64 {
        self.shared.since_ms
    }

    pub(super) fn logs(&self) -> &LogRing {
        &self.shared.logs
    }

    pub(super) fn logins(&self) -> &Logins {
        &self.shared.logins
    }

    /// Returns the gateway that runs.
    pub(super) fn gateway(&self) -> Result<Gateway, Problem> {
        match self.stage() {
            Stage::Running { gateway, .. } => Ok(gateway),
            Stage::Starting => Err(not_now("starting", "the gateway is starting")),
            Stage::Draining { .. } => Err(not_now("draining", "the gateway is stopping")),
        }
    }

    /// Returns the channel of this name.
    pub(super) fn channel(&self, id: &str) -> Result<Arc<dyn Channel>, Problem> {
        let gateway = self.gateway()?;
        let found = gateway.channels().into_iter().find(|channel| channel.id().as_str() == id);
        found.ok_or_else(|| Problem::no_channel(id, &ids(&gateway)))
    }

    /// Returns the channel of this name or, unnamed, the only one.
    pub(super) fn one_channel(&self, id: Option<&str>) -> Result<Arc<dyn Channel>, Problem> {
        if let Some(id) = id {
            return self.channel(id);
        }
        let gateway = self.gateway()?;
        match gateway.channels().as_slice() {
            [only] => Ok(Arc::clone(only)),
            _ => {
                let message = format!("name one of the channels: {}", ids(&gateway).join(", "));
                let hint = "GET /v1/channels lists them";
                Err(Problem::new(ProblemKind::Usage, "ambiguous_channel", message, hint))
            }
        }
    }

    /// Returns the channel of this name or, unnamed, all.
    pub(super) fn channels(&self, id: Option<&str>) -> Result<Vec<Arc<dyn Channel>>, Problem> {
        match id {
            Some(id) => Ok(vec![self.channel(id)?]),
            None => Ok(self.gateway()?.channels()),
        }
    }

    /// Hands a wish to the program around the gateway.
    pub(super) fn wish(&self, wish: Wish) -> Result<(), Problem> {
        self.shared.wishes.try_send(wish).map_err(|_| {
            let message = "the program has too much to do already";
            Problem::new(ProblemKind::Busy, "busy", message, "try again in a moment")
        })
    }
}

impl Stage {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running { .. } => "running",
            Self::Draining { .. } => "draining",
        }
    }

    /// Returns how many gateways this process has had.
    pub(super) fn run(&self) -> u32 {
        match self {
            Self::Starting => 0,
            Self::Running { run, .. } | Self::Draining { run } => *run,
        }
    }
}

fn ids(gateway: &Gateway) -> Vec<String> {
    gateway.channels().iter().map(|channel| channel.id().to_string()).collect()
}

fn not_now(code: &str, message: &str) -> Problem {
    Problem::new(ProblemKind::Unavailable, code, message, "try again in a second")
}

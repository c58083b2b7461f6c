//! How programs and people on this machine reach a running gateway: an HTTP
//! API on loopback.
//!
//! ```text
//!  program ─▶ connections ─▶ guard ─▶ table ─▶ routes ─▶ gateway, channels
//!             bounded        host,    scope,    answer
//!                            origin,  closed
//!                            token    params
//! ```
//!
//! Where it listens and a token stand in a file of the state folder, for the
//! one who may read that folder ([`ControlFile`]). `table` lists every
//! operation once: the router and the OpenAPI document are both made from it.
//! What only the program around the gateway can do, such as a restart, comes
//! out as a [`Wish`].

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tasks::Tasks;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::Gateway;

mod api;
mod connections;
mod document;
mod file;
mod guard;
mod logins;
mod logs;
mod params;
mod problem;
mod routes;
mod schema;
mod table;
mod token;

pub use self::file::ControlFile;
pub use self::logs::{Level, LogLine, LogRing, Tail};
pub use self::problem::{Problem, ProblemKind};
pub use self::token::Token;

use self::api::Api;
use self::guard::Guard;

/// Where it listens unless told otherwise: not where OpenClaw does, 18789, so
/// that both can run on one machine.
pub const PORT: u16 = 18_790;

/// What may wait to be heard by the program.
const MOST_WISHES: usize = 16;

/// The configuration file that a gateway goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// Where it is.
    pub file: PathBuf,
    /// Whether changes of it hold while the gateway runs, or from the next one on.
    pub at_once: bool,
}

/// The settings of the control API.
#[derive(Clone)]
pub struct ControlConfig {
    /// The folder of the gateway's state, which must exist. The address and a
    /// fresh token are written there.
    pub state: PathBuf,
    /// The port; 0 for any that is free. One that is taken becomes any, too.
    pub port: u16,
    /// A token besides the fresh one, for programs that cannot read the file.
    pub token: Option<Token>,
    /// The program's name and version.
    pub program: String,
    /// What was logged lately.
    pub logs: LogRing,
}

/// The control API that is being served. It outlives the gateways that it is
/// about: see [`attach`](Self::attach).
pub struct Control {
    api: Api,
    file: ControlFile,
    state: PathBuf,
    wishes: mpsc::Receiver<Wish>,
    stopping: CancellationToken,
    tasks: Tasks,
}

/// Lists plugins.
type ListPlugins = Arc<dyn Fn() -> Value + Send + Sync>;

/// What somebody wants of the program around the gateway.
#[derive(Debug)]
pub enum Wish {
    /// Stop the gateway, letting it finish for at most so long, and start anew.
    Restart {
        /// How long it may take to finish.
        grace: Duration,
    },
    /// Stop the gateway, letting it finish for at most so long, and end.
    Stop {
        /// How long it may take to finish.
        grace: Duration,
    },
    /// Read the configuration again and say what was not understood, or why
    /// nothing has changed.
    Reload(oneshot::Sender<Result<Vec<String>, String>>),
}

/// Why the control API cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It cannot listen.
    #[error("the control API cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file with its address cannot be written.
    #[error("the file {} cannot be written", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Control {
    /// Listens, writes down where, and serves. Nothing is attached yet: until
    /// then it answers that the gateway is starting.
    ///
    /// The caller has the lock of the state folder: a file of an earlier gateway
    /// is replaced.
    ///
    /// # Errors
    ///
    /// When it cannot listen or the file cannot be written; then nothing is served.
    pub async fn serve(config: ControlConfig) -> Result<Self, ControlError> {
        let listener = listen(config.port).await?;
        let here = |source| ControlError::Listen { address: loopback(config.port), source };
        let address = listener.local_addr().map_err(here)?;
        let fresh = Token::random();
        let file = ControlFile::new(address, fresh.clone(), config.program.clone());
        file.write(&config.state).map_err(|source| ControlError::File {
            path: ControlFile::path(&config.state),
            source,
        })?;
        let guard = Guard::new(address, [Some(fresh), config.token].into_iter().flatten());
        let (wish, wishes) = mpsc::channel(MOST_WISHES);
        let api = Api::new(config.program, address, config.logs, wish);
        let (stopping, tasks) = (CancellationToken::new(), Tasks::default());
        let router = table::router(api.clone(), Arc::new(guard));
        tasks.spawn("control", connections::serve(listener, router, stopping.clone()));
        Ok(Self { api, file, state: config.state, wishes, stopping, tasks })
    }

    /// Returns where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.file.address
    }

    /// From now on it is about this gateway.
    pub fn attach(&self, gateway: Gateway) {
        self.api.attach(gateway);
    }

    /// From now on it is about no gateway: one is being stopped.
    pub fn detach(&self) {
        self.api.detach();
    }

    /// From now on it lists plugins by this, which may read the disk: an object
    /// whose `plugins` is a list of objects, each with its `id`. Until then it
    /// lists none.
    pub fn list_plugins_by(&self, list: impl Fn() -> Value + Send + Sync + 'static) {
        self.api.list_plugins_by(Arc::new(list));
    }

    /// From now on its status tells of these, such as sections of the
    /// configuration that cannot be used.
    pub fn set_problems(&self, problems: Vec<String>) {
        self.api.set_problems(problems);
    }

    /// From now on its status tells which configuration file it goes by.
    pub fn set_followed(&self, followed: Followed) {
        self.api.set_followed(followed);
    }

    /// Waits for what somebody wants. Cancel safe.
    pub async fn wish(&mut self) -> Wish {
        match self.wishes.recv().await {
            Some(wish) => wish,
            // The sender lives in `api`, as long as we do.
            None => std::future::pending().await,
        }
    }

    /// Removes the file and stops serving, after requests that are open have
    /// been answered, or a moment later.
    pub async fn stop(self) {
        self.file.remove(&self.state);
        self.stopping.cancel();
        self.tasks.ended().await;
    }
}

/// Listens on loopback, on this port or, when it is taken, on any.
async fn listen(port: u16) -> Result<TcpListener, ControlError> {
    match TcpListener::bind(loopback(port)).await {
        Ok(listener) => return Ok(listener),
        Err(err) => tracing::info!(port, error = %err, "port not free; taking another"),
    }
    let any = loopback(0);
    TcpListener::bind(any).await.map_err(|source| ControlError::Listen { address: any, source })
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

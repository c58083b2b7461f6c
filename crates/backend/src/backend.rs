//! A running backend, and how to start one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::core::{Core, OpenError, Place};
use crate::links;
use crate::policy::Policy;
use crate::serve;
use crate::tasks::Tasks;

/// A backend that runs in this process. Clones share it; when the last one is
/// dropped, everything ends as if the process had been killed, and nothing that
/// was promised is lost.
///
/// Made for tests as much as for service: besides [`stop`](Backend::stop) it
/// has everything that a test wants to do or to know.
#[derive(Clone)]
pub struct Backend {
    pub(crate) core: Arc<Core>,
    running: Arc<Running>,
    url: Arc<str>,
    cdn_url: Arc<str>,
}

/// What ends with the last handle.
struct Running {
    core: Arc<Core>,
    /// Holds the listener and every connection.
    serving: Tasks,
    address: SocketAddr,
    quiet: bool,
    /// Removes a temporary store. Last, when all files are closed.
    _temporary: Option<tempfile::TempDir>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.core.stopping.cancel();
    }
}

/// A backend could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The store cannot be opened.
    #[error("the store in {} cannot be opened", dir.display())]
    Store {
        /// The folder.
        dir: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Backend {
    /// Starts a backend for a test: loopback, any port, a temporary store, the
    /// open policy, polls held for two seconds, requests remembered.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn start() -> Self {
        let started = Self::builder().start().await;
        started.unwrap_or_else(|err| panic!("the backend did not start: {err}: {err:?}"))
    }

    /// Prepares a backend for a test; see [`Backend::start`] for the defaults.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            config: Config {
                hold: Duration::from_secs(2),
                recorded_requests: 10_000,
                quiet: true,
                ..Config::default()
            },
        }
    }

    /// Starts a backend with these settings.
    ///
    /// # Errors
    ///
    /// When the address or the store cannot be used.
    pub async fn run(config: Config) -> Result<Self, StartError> {
        let address = config.listen;
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (dir, temporary) = folder(&config).await?;
        let place = Place::new(address, config.public_url.as_deref());
        let url = place.fixed.clone().unwrap_or_else(|| place.local.clone());
        let opened = Core::open(&config, &dir, place).await;
        let core = Arc::new(
            opened.map_err(|source: OpenError| StartError::Store { dir, source: source.into() })?,
        );
        core.start_tasks();
        let serving = Tasks::default();
        let most = config.limits.connections;
        serving
            .spawn("listener", serve::serve(listener, router(&core), most, core.stopping.clone()));
        if !config.quiet {
            tracing::info!(%address, "the backend listens");
        }
        let running = Running {
            core: Arc::clone(&core),
            serving,
            address,
            quiet: config.quiet,
            _temporary: temporary,
        };
        Ok(Self {
            core,
            running: Arc::new(running),
            cdn_url: links::cdn(&url).into(),
            url: url.into(),
        })
    }

    /// Returns the base URL of the iLink API, which is also that of the pages.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the base URL of the CDN.
    #[must_use]
    pub fn cdn_url(&self) -> &str {
        &self.cdn_url
    }

    /// Returns the address that is listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Returns the clock by which everything is decided.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.core.clock
    }

    /// Returns the rules as they are now.
    #[must_use]
    pub fn policy(&self) -> Policy {
        (*self.core.policy()).clone()
    }

    /// Replaces the rules. What was decided before stays.
    pub fn set_policy(&self, policy: Policy) {
        self.core.set_policy(policy);
    }

    /// Stops: no new connections, held calls are answered, open requests end
    /// (for up to five seconds), and the store is closed. Other handles are
    /// useless from then on.
    pub async fn stop(&self) {
        self.core.stopping.cancel();
        self.running.serving.join().await;
        self.core.tasks.abort().await;
        self.core.store.close().await;
        if !self.running.quiet {
            tracing::info!("the backend has stopped");
        }
    }

    /// Ends everything at once, as `kill -9` would: connections break, and what
    /// was not promised yet may be lost.
    pub async fn kill(&self) {
        self.running.serving.abort().await;
        self.core.tasks.abort().await;
        self.core.stopping.cancel();
        self.core.store.close().await;
    }

    /// Waits until the backend was stopped.
    pub async fn stopped(&self) {
        self.core.stopping.cancelled().await;
    }
}

fn router(core: &Arc<Core>) -> Router {
    Router::new()
        .merge(crate::api::router(core))
        .merge(crate::phone::router(core))
        .merge(crate::admin::router(core))
}

/// Finds or creates the folder of the store.
async fn folder(config: &Config) -> Result<(PathBuf, Option<tempfile::TempDir>), StartError> {
    let Some(dir) = config.store.clone() else {
        let made = tempfile::Builder::new().prefix("hongyan-backend-").tempdir();
        let temporary = made.map_err(|source| StartError::Store {
            dir: std::env::temp_dir(),
            source: source.into(),
        })?;
        return Ok((temporary.path().to_owned(), Some(temporary)));
    };
    let made = create_private(&dir).await;
    made.map_err(|source| StartError::Store { dir: dir.clone(), source: source.into() })?;
    Ok((dir, None))
}

/// Creates a folder that only its owner can enter; one that exists stays as it is.
async fn create_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = tokio::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(dir).await
}

/// Sets up a backend. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Builder {
    config: Config,
}

impl Builder {
    /// Sets the rules at the start.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.config.policy = policy;
        self
    }

    /// Keeps the store in this folder, so that a later backend can go on with it.
    #[must_use]
    pub fn store(mut self, dir: impl Into<PathBuf>) -> Self {
        self.config.store = Some(dir.into());
        self
    }

    /// Listens on this address.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.config.listen = address;
        self
    }

    /// Says how clients reach the backend.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.config.public_url = Some(url.into());
        self
    }

    /// Sets how long polls are held open.
    #[must_use]
    pub fn hold(mut self, hold: Duration) -> Self {
        self.config.hold = hold;
        self
    }

    /// Opens the admin API to others than loopback.
    #[must_use]
    pub fn admin_token(mut self, token: impl Into<String>) -> Self {
        self.config.admin_token = Some(token.into());
        self
    }

    /// Goes by this clock: one that another backend had before, for a restart.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.config.clock = clock.clone();
        self
    }

    /// Logs nothing about starting and stopping, or does.
    #[must_use]
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.config.quiet = quiet;
        self
    }

    /// Sets the limits of the installation.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Sets how many requests are remembered.
    #[must_use]
    pub fn recorded_requests(mut self, most: usize) -> Self {
        self.config.recorded_requests = most;
        self
    }

    /// Starts the backend.
    ///
    /// # Errors
    ///
    /// When the address or the store cannot be used.
    pub async fn start(self) -> Result<Backend, StartError> {
        Backend::run(self.config).await
    }
}

//! The gateway that runs on a state folder, as a command sees it.
//!
//! The folder's lock says whether there is one and which process it is; its
//! `control.json` says where it listens and what opens it. Nothing is ever
//! guessed by port or name, and no process is ever signalled.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use gateway::control::{ControlFile, LogRing};
use lockfile::{LockError, Owner, Process};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::texts::t;

mod events;
mod exchange;
mod problem;

pub(crate) use self::events::Events;
pub(crate) use self::problem::refusal;

use self::exchange::{Answer, Failure, Question, ask};

/// The name and version that go into locks, files and answers.
pub(crate) const PROGRAM: &str = concat!("hongyan ", env!("CARGO_PKG_VERSION"));
/// How the children of a gateway know it where nothing else tells them.
const GATEWAY_PID: &str = "HONGYAN_GATEWAY_PID";
/// How long an answer may take; a probe is the slowest.
const PATIENCE: Duration = Duration::from_secs(70);
/// How long a gateway that has just started may take to say where it listens.
const STARTING: Duration = Duration::from_secs(3);
/// How often it is looked for.
pub(crate) const LOOK: Duration = Duration::from_millis(10);

/// Returns what this process has logged lately.
pub(crate) fn logs() -> LogRing {
    // As global as the subscriber that fills it.
    static LOGS: LazyLock<LogRing> = LazyLock::new(LogRing::default);
    LOGS.clone()
}

/// A gateway that runs, and how to reach it.
pub(crate) struct Client {
    file: ControlFile,
    owner: Owner,
}

impl Client {
    /// Finds the gateway that runs on this state folder, if one does. Waits a
    /// moment for one that has not said yet where it listens.
    pub(crate) async fn find(state: &State) -> Result<Option<Self>, CliError> {
        let begun = tokio::time::Instant::now();
        loop {
            let owner = match lockfile::holder(&state.gateway_lock()) {
                Ok(None) => return Ok(None),
                Ok(Some(owner)) => Ok(owner),
                // It may be about to sign.
                Err(held) => Err(held.to_string()),
            };
            let owner = match (owner, read(state.dir())) {
                (Ok(owner), Some(file)) if file.process == owner.process => {
                    return Ok(Some(Self { file, owner }));
                }
                (Ok(owner), _) => owner.to_string(),
                (Err(unknown), _) => unknown,
            };
            if begun.elapsed() >= STARTING {
                let message = t!("error.gateway_silent", owner = owner);
                return Err(
                    CliError::new(Kind::Unavailable, message).hinted(t!("hint.gateway_silent"))
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Finds the gateway, or says that this needs one.
    pub(crate) async fn need(state: &State) -> Result<Self, CliError> {
        Self::find(state).await?.ok_or_else(|| {
            CliError::new(Kind::Unavailable, t!("error.no_gateway")).hinted(t!("hint.gateway_run"))
        })
    }

    /// Returns the process that is the gateway.
    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        decoded(&self.exchange("GET", path, None).await?)
    }

    /// Asks for a text.
    pub(crate) async fn plain(&self, path: &str) -> Result<String, CliError> {
        let bytes = self.exchange("GET", path, None).await?;
        String::from_utf8(bytes).map_err(CliError::bug)
    }

    /// Wants something done.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CliError> {
        let body = serde_json::to_vec(body).map_err(CliError::bug)?;
        decoded(&self.exchange("POST", path, Some(body)).await?)
    }

    /// Wants something removed.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        decoded(&self.exchange("DELETE", path, None).await?)
    }

    /// Wants something done that is told as it happens.
    pub(crate) async fn follow(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Events, CliError> {
        let body = Some(serde_json::to_vec(body).map_err(CliError::bug)?);
        let answer = self.begin(Question { method: "POST", path, body });
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        Ok(Events::new(answer.map_err(|_| self.silent())??))
    }

    async fn exchange(
        &self,
        method: &str,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, CliError> {
        let whole = async {
            let answer = self.begin(Question { method, path, body }).await?;
            answer.whole().await.map_err(|err| self.lost(err))
        };
        tokio::time::timeout(PATIENCE, whole).await.map_err(|_| self.silent())?
    }

    /// Asks, and returns the answer if it is a good one.
    async fn begin(&self, question: Question<'_>) -> Result<Answer, CliError> {
        let answer = ask(self.file.address, &self.file.token, question).await;
        let answer = answer.map_err(|err| self.lost(err))?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let status = answer.status;
        let bytes = answer.whole().await.map_err(|err| self.lost(err))?;
        Err(problem::error(status, &bytes))
    }

    /// The gateway is there and cannot be spoken to.
    pub(crate) fn lost(&self, why: Failure) -> CliError {
        let message = t!("error.gateway_unreachable", owner = self.owner);
        let error = CliError::new(Kind::Unavailable, message).hinted(t!("hint.gateway_silent"));
        error.caused_by(why)
    }

    fn silent(&self) -> CliError {
        self.lost(format!("no answer within {PATIENCE:?}").into())
    }

    /// Refuses what would end or replace the gateway when we are part of what it
    /// started: a child that cleans up must not take its own gateway down.
    pub(crate) fn refuse_from_inside(&self) -> Result<(), CliError> {
        let pid = self.owner.process.pid;
        let told = std::env::var(GATEWAY_PID).ok().and_then(|pid| pid.parse().ok());
        let is_inside =
            told == Some(pid) || lockfile::is_ancestor(self.owner.process) == Some(true);
        if !is_inside {
            return Ok(());
        }
        let message = t!("error.gateway_inside", pid = pid);
        Err(CliError::new(Kind::Usage, message).hinted(t!("hint.gateway_inside")))
    }
}

/// Says whether this process still runs the gateway on this state folder.
pub(crate) fn still_runs(state: &State, process: Process) -> bool {
    let owner = lockfile::holder(&state.gateway_lock()).ok().flatten();
    owner.is_some_and(|owner| owner.process == process)
}

/// What a second start is told.
pub(crate) fn running(held: &LockError) -> CliError {
    CliError::new(Kind::Busy, t!("error.gateway_runs", owner = held))
        .hinted(t!("hint.gateway_runs"))
}

/// One that cannot be read is not there: it is replaced as a whole.
fn read(dir: &Path) -> Option<ControlFile> {
    ControlFile::read(dir).ok().flatten()
}

fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CliError> {
    serde_json::from_slice(bytes).map_err(CliError::bug)
}

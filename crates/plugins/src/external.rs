//! A channel whose work another program does: a child that is started, watched
//! and started again.
//!
//! ```text
//!  host ─▶ External ─▶ supervisor ─▶ child ─▶ stdio::Remote ═ stdin, stdout ═ program
//!  host ◀─ door ◀───────────────────────────┘        log ◀─ stderr ◀──────────┘
//! ```
//!
//! The `supervisor` runs one life of the program after another, with pauses from
//! a `ladder`; what it knows is one [`Health`]. A call that finds no program waits
//! a bounded time for the next one. Replies and ends of turns that are cut go to
//! the next life: the contract numbers replies, so none is said twice. The `door`
//! is what the program sees of the host: it passes over a turn that the host has
//! still in work, which the next life hands over again.
//!
//! The program is in a process group of its own and hears that its host has gone
//! by the end of its input, also when the host was killed; nothing that it does
//! with signals reaches the host. Of the host's variables it has a few (`environment`),
//! so that it does not get to know keys that are another's.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::stdio::{Hello, Patience, Remote};
use contract::{AccountStatus, Channel as _, ChannelError, ChannelId, Reply, TurnEnd, TurnId};
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout, timeout_at};

use self::door::Held;
use self::health::State;
use self::supervisor::Run;

mod channel;
mod child;
mod door;
mod environment;
mod health;
mod ladder;
mod stderr;
mod supervisor;

pub use self::health::Health;
pub use self::ladder::Ladder;

/// What is run, and as whom it is greeted.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The plugin's id, for logs.
    pub plugin: String,
    /// The channel that is wanted of it.
    pub channel: ChannelId,
    /// The program and its arguments. A program that is named by a relative path
    /// with a slash lies in `dir`.
    pub command: Vec<String>,
    /// The plugin's folder, in which it runs.
    pub dir: PathBuf,
    /// Where it may keep what it must remember; told to it as
    /// `HONGYAN_STATE_DIR`, and created.
    pub state_dir: PathBuf,
    /// How the host introduces itself.
    pub hello: Hello,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// When it is started again.
    pub ladder: Ladder,
    /// For handshake, answers and pings.
    pub patience: Patience,
    /// How long a call waits for a program that is being started again, and how
    /// long `start` waits for the first.
    pub wait: Duration,
    /// How long a program may take to end once its input has; then it is killed.
    pub exit: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            ladder: Ladder::default(),
            patience: Patience::default(),
            wait: Duration::from_secs(20),
            exit: Duration::from_secs(3),
        }
    }
}

/// A channel in a child process. Dropping it ends the child.
pub struct External {
    shared: Arc<Shared>,
    /// One start after another.
    starting: tokio::sync::Mutex<()>,
}

/// What of a turn must not be lost.
#[derive(Clone)]
enum Word {
    Reply(Reply),
    End(TurnEnd),
}

impl Word {
    fn is_end(&self) -> bool {
        matches!(self, Self::End(_))
    }
}

/// What the supervisor and the callers share.
struct Shared {
    launch: Launch,
    pace: Pace,
    state: watch::Sender<State>,
    held: Held,
    /// Wakes a supervisor that has given up.
    again: Notify,
    // Each held for a look-up, never across an await.
    section: Mutex<Option<Value>>,
    accounts: Mutex<Vec<AccountStatus>>,
    run: Mutex<Option<Run>>,
}

impl External {
    /// Makes the channel; nothing runs yet.
    #[must_use]
    pub fn new(launch: Launch, pace: Pace) -> Self {
        let shared = Shared {
            launch,
            pace,
            state: watch::Sender::new(State::default()),
            held: Held::default(),
            again: Notify::new(),
            section: Mutex::default(),
            accounts: Mutex::default(),
            run: Mutex::default(),
        };
        Self { shared: Arc::new(shared), starting: tokio::sync::Mutex::default() }
    }

    /// Returns where the program stands.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.state.borrow().health.clone()
    }

    /// Waits until the program stands in such a way, and returns how.
    pub async fn health_when(&self, is_so: impl Fn(&Health) -> bool) -> Health {
        let mut seen = self.shared.state.subscribe();
        match seen.wait_for(|state| is_so(&state.health)).await {
            Ok(state) => state.health.clone(),
            // Never: the sender is ours.
            Err(_) => self.health(),
        }
    }

    /// Starts a program anew that has been given up.
    pub fn try_again(&self) {
        self.shared.again.notify_one();
    }

    async fn begin(&self, host: Arc<dyn contract::Host>) {
        let _starting = self.starting.lock().await;
        // What was run for a question only does not know the host.
        self.end(Duration::ZERO).await;
        self.run(Some(host));
        let mut state = self.shared.state.subscribe();
        let first = state.wait_for(|state| state.is_ready() || state.has_failed());
        if timeout(self.shared.pace.wait, first).await.is_err() {
            tracing::warn!(plugin = self.shared.launch.plugin, "it takes long to start");
        }
    }

    fn run(&self, host: Option<Arc<dyn contract::Host>>) {
        self.shared.state.send_modify(|state| state.health = Health::Starting);
        let run = Run::begin(Arc::clone(&self.shared), host);
        *lock(&self.shared.run) = Some(run);
    }

    async fn end(&self, grace: Duration) {
        let run = lock(&self.shared.run).take();
        if let Some(run) = run {
            run.end(grace).await;
        }
    }

    /// Returns the program for a question, which may be asked whether the
    /// channel is started or not.
    async fn desk(&self) -> Result<Remote, ChannelError> {
        {
            let _starting = self.starting.lock().await;
            let is_idle = lock(&self.shared.run).is_none();
            if is_idle {
                self.run(None);
            }
        }
        let deadline = Instant::now() + self.shared.pace.wait;
        self.ready(deadline, 0).await.map(|(_, remote)| remote)
    }

    /// Waits for a program of a later life than this one.
    async fn ready(&self, deadline: Instant, after: u64) -> Result<(u64, Remote), ChannelError> {
        let mut seen = self.shared.state.subscribe();
        let is_settled = |state: &State| state.ready_after(after).is_some() || state.is_over();
        let settled = match timeout_at(deadline, seen.wait_for(is_settled)).await {
            Ok(settled) => settled.map(|state| state.clone()).ok(),
            Err(_) => None,
        };
        let state = settled.unwrap_or_else(|| self.shared.state.borrow().clone());
        state.ready_after(after).ok_or_else(|| state.health.error())
    }

    /// Does what must not be lost: a program that dies over it is asked again in
    /// its next life.
    async fn keep(&self, turn: &TurnId, word: Word) -> Result<(), ChannelError> {
        let deadline = Instant::now() + self.shared.pace.wait;
        let mut asked_in = 0;
        let kept = loop {
            let (life, remote) = match self.ready(deadline, asked_in).await {
                Ok(ready) => ready,
                Err(err) => break Err(err),
            };
            let kept = match word.clone() {
                Word::Reply(reply) => remote.reply(turn, reply).await,
                Word::End(end) => remote.finish(turn, end).await,
            };
            match kept {
                Err(ChannelError::Gone(reason)) => {
                    tracing::debug!(reason, "asked again in its next life");
                }
                // The end was noted before the program died.
                Err(ChannelError::NoSuchTurn(_)) if asked_in > 0 && word.is_end() => break Ok(()),
                kept => break kept,
            }
            asked_in = life;
        };
        // The host goes on after a reply that will not do; after any other error
        // it leaves the turn, and wants to be given it again.
        let goes_on = matches!(kept, Ok(()) | Err(ChannelError::Media { .. }));
        if word.is_end() || !goes_on {
            self.shared.held.let_go(turn);
        }
        kept
    }

    /// Returns where the accounts stand: by the program's word if it runs, else
    /// as last heard, with what is wrong.
    async fn statuses(&self) -> Result<Vec<AccountStatus>, ChannelError> {
        let is_idle = lock(&self.shared.run).is_none();
        let remote = match is_idle {
            true => self.desk().await.ok(),
            false => self.shared.state.borrow().ready_after(0).map(|(_, remote)| remote),
        };
        if let Some(remote) = remote {
            match remote.status().await {
                Ok(accounts) => {
                    lock(&self.shared.accounts).clone_from(&accounts);
                    return Ok(accounts);
                }
                Err(ChannelError::Unsupported(_) | ChannelError::Gone(_)) => {}
                Err(err) => return Err(err),
            }
        }
        Ok(self.shared.statuses_from_here())
    }
}

impl Drop for External {
    fn drop(&mut self) {
        if let Some(run) = lock(&self.shared.run).take() {
            run.leave(Duration::ZERO);
        }
    }
}

impl Shared {
    fn statuses_from_here(&self) -> Vec<AccountStatus> {
        let known = lock(&self.accounts).clone();
        self.state.borrow().health.of(known)
    }
}

/// A panic elsewhere does not make a value unusable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

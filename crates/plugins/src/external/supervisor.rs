//! One life of the program after another.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contract::stdio::{Remote, connect};
use contract::{Alert, Channel as _, ChannelError, Host};
use tasks::Tasks;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::child::Child;
use super::door::Door;
use super::health::Health;
use super::{Shared, lock};

/// How long a program whose pipe has closed may take until it is asked how it
/// ended.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// A supervisor that runs.
pub(super) struct Run {
    tasks: Tasks,
    leave: watch::Sender<Option<Duration>>,
}

impl Run {
    pub(super) fn begin(shared: Arc<Shared>, host: Option<Arc<dyn Host>>) -> Self {
        let (leave, left) = watch::channel(None);
        let tasks = Tasks::default();
        shared.held.let_all_go();
        let supervisor = Supervisor { shared, host, left, tasks: tasks.clone() };
        tasks.spawn("plugin", supervisor.run());
        Self { tasks, leave }
    }

    /// Tells the program to stop; it has this long for what is on its way.
    pub(super) fn leave(&self, grace: Duration) {
        self.leave.send_replace(Some(grace));
    }

    /// The same; returns when it has ended.
    pub(super) async fn end(self, grace: Duration) {
        self.leave(grace);
        self.tasks.ended().await;
    }
}

struct Supervisor {
    shared: Arc<Shared>,
    host: Option<Arc<dyn Host>>,
    /// Says with how much grace to stop.
    left: watch::Receiver<Option<Duration>>,
    tasks: Tasks,
}

/// How a life has ended.
enum End {
    /// It was to.
    Left,
    /// It was not.
    Failed { reason: String, lived: Duration },
}

impl Supervisor {
    async fn run(mut self) {
        let ladder = self.shared.pace.ladder;
        let mut attempt = 0;
        let mut since_ms = now_ms();
        loop {
            let ended = self.live().await;
            let End::Failed { reason, lived } = ended else { break };
            if !lived.is_zero() {
                since_ms = now_ms();
            }
            attempt = ladder.next(attempt, lived);
            let pause = ladder.pause(attempt, rand::random());
            self.down(reason, since_ms, attempt, pause);
            if self.rest(pause).await.is_break() {
                break;
            }
            if pause.is_none() {
                attempt = 0;
            }
        }
        self.shared.state.send_modify(|state| state.health = Health::Stopped);
    }

    /// Waits until the next try is due, or somebody wants it now.
    async fn rest(&mut self, pause: Option<Duration>) -> ControlFlow<()> {
        let due = async {
            match pause {
                Some(pause) => sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = is_left(&mut self.left) => ControlFlow::Break(()),
            () = self.shared.again.notified() => ControlFlow::Continue(()),
            () = due => ControlFlow::Continue(()),
        }
    }

    /// Runs the program once. When it returns, the process has ended.
    async fn live(&mut self) -> End {
        let failed = |reason| End::Failed { reason, lived: Duration::ZERO };
        self.shared.state.send_modify(|state| {
            state.health = Health::Starting;
            state.life += 1;
        });
        let spawned = Child::spawn(&self.shared.launch, &self.tasks);
        let (mut child, stdout, stdin) = match spawned {
            Ok(spawned) => spawned,
            Err(reason) => return failed(reason),
        };
        let pid = child.pid();
        let mut left = self.left.clone();
        let greeted = tokio::select! {
            () = is_left(&mut left) => None,
            greeted = self.greet(pid, stdout, stdin) => Some(greeted),
        };
        let end = match greeted {
            None => End::Left,
            Some(Ok(remote)) => self.attend(&remote, &mut child).await,
            Some(Err(reason)) => failed(reason),
        };
        // Every handle of the pipe goes, so that the program hears the end.
        self.shared.state.send_modify(|state| {
            state.knows_turns = false;
            if let Some(remote) = state.remote.take() {
                remote.close("its program is being ended");
            }
        });
        let exit = match &end {
            End::Failed { .. } => LAST_MOMENT.min(self.shared.pace.exit),
            End::Left => self.shared.pace.exit,
        };
        let how = child.end(exit).await;
        match (end, how) {
            (End::Failed { reason, lived }, Some(how)) => {
                // What it said last may have come after its end.
                let is_end = how.starts_with(&reason);
                let reason = if is_end { how } else { format!("{reason}; {how}") };
                End::Failed { reason, lived }
            }
            (end, _) => end,
        }
    }

    /// Shakes hands, hands over the settings and starts the channel.
    async fn greet(
        &self,
        pid: u32,
        stdout: tokio::process::ChildStdout,
        stdin: tokio::process::ChildStdin,
    ) -> Result<Remote, String> {
        let Shared { launch, pace, state, section, .. } = &*self.shared;
        let hello = launch.hello.clone().of(launch.channel.clone());
        let remote = connect(stdout, stdin, hello, pace.patience).await;
        let remote = remote.map_err(|err| err.to_string())?;
        state.send_modify(|state| state.remote = Some(remote.clone()));
        let section = lock(section).clone();
        if let Some(section) = section {
            match remote.configure(section).await {
                Ok(warnings) => self.warn(&warnings),
                Err(ChannelError::Unsupported(_)) => {}
                Err(err) => return Err(format!("it does not take its settings: {err}")),
            }
        }
        if let Some(host) = &self.host {
            let door = Door { shared: Arc::clone(&self.shared), host: Arc::clone(host) };
            remote
                .start(Arc::new(door))
                .await
                .map_err(|err| format!("it does not start: {err}"))?;
        }
        state.send_modify(|state| {
            state.knows_turns = true;
            state.health = Health::Up { since_ms: now_ms(), pid };
        });
        tracing::info!(plugin = launch.plugin, version = remote.hello().version, "plugin runs");
        Ok(remote)
    }

    /// Waits for the end of a program that runs, or brings it about.
    async fn attend(&self, remote: &Remote, child: &mut Child) -> End {
        let born = Instant::now();
        let mut left = self.left.clone();
        let reason = tokio::select! {
            () = is_left(&mut left) => {
                let grace = left.borrow().unwrap_or_default();
                remote.stop(grace).await;
                return End::Left;
            }
            reason = remote.gone() => reason,
            how = child.ended() => how,
        };
        End::Failed { reason, lived: born.elapsed() }
    }

    fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            tracing::warn!(
                plugin = self.shared.launch.plugin,
                warning,
                "a setting is not understood"
            );
        }
    }

    /// Says everywhere that the program does not run.
    fn down(&self, reason: String, since_ms: i64, attempt: u32, pause: Option<Duration>) {
        let Shared { launch, pace, state, .. } = &*self.shared;
        tracing::warn!(plugin = launch.plugin, reason, attempt, ?pause, "plugin has ended");
        let health = match pause {
            Some(pause) => {
                let wait = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                let next_try_at_ms = now_ms().saturating_add(wait);
                Health::Waiting { reason, since_ms, attempt, of: pace.ladder.tries, next_try_at_ms }
            }
            None => Health::GivenUp { reason, since_ms },
        };
        state.send_modify(|state| state.health = health);
        let Some(host) = &self.host else { return };
        let accounts = self.shared.statuses_from_here();
        if pause.is_none() {
            let text = format!(
                "the plugin {} does not run any more: {}",
                launch.plugin,
                self.shared.state.borrow().health.error()
            );
            let account = accounts[0].account.clone();
            host.alert(Alert { account, code: "plugin_given_up".to_owned(), text });
        }
        for account in accounts {
            host.changed(account);
        }
    }
}

/// Returns when somebody has said to stop, or nobody is left to say it.
async fn is_left(left: &mut watch::Receiver<Option<Duration>>) {
    let said = left.wait_for(Option::is_some).await;
    drop(said);
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

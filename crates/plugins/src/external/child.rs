//! One process.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tasks::Tasks;
use tokio::io::BufReader;
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::stderr::{LastWords, tell};
use super::{Launch, environment};

/// A program that runs. Dropping it kills it.
pub(super) struct Child {
    process: tokio::process::Child,
    pid: u32,
    last_words: LastWords,
    /// Cancelled when all of stderr is told.
    told: CancellationToken,
    /// Cancelled when nobody waits for the rest of it.
    gone: CancellationToken,
}

/// How long what was written to stderr may take to be read after the end. What
/// the program has started may hold it open for ever.
const LAST_WORDS: Duration = Duration::from_millis(300);

impl Child {
    /// Starts the program; what it writes to stderr is told by a task.
    pub(super) fn spawn(
        launch: &Launch,
        tasks: &Tasks,
    ) -> Result<(Self, ChildStdout, ChildStdin), String> {
        let Some((program, arguments)) = launch.command.split_first() else {
            return Err("there is no command to run".to_owned());
        };
        std::fs::create_dir_all(&launch.state_dir).map_err(|err| {
            format!("its folder {} cannot be made: {err}", launch.state_dir.display())
        })?;
        let mut command = Command::new(place(program, &launch.dir));
        command
            .args(arguments)
            .current_dir(&launch.dir)
            .env_clear()
            .envs(environment::passed())
            .env("HONGYAN_STATE_DIR", &launch.state_dir)
            .env("HONGYAN_GATEWAY_PID", std::process::id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A signal to its group, from it or from a terminal, concerns it alone.
        #[cfg(unix)]
        command.process_group(0);
        let mut process =
            command.spawn().map_err(|err| format!("{program} cannot be run: {err}"))?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err("it has no pipes".to_owned());
        };
        let pid = process.id().unwrap_or_default();
        let stderr = process.stderr.take();
        let child = Self {
            process,
            pid,
            last_words: LastWords::default(),
            told: CancellationToken::new(),
            gone: CancellationToken::new(),
        };
        if let Some(stderr) = stderr {
            let told =
                tell(launch.plugin.clone(), BufReader::new(stderr), child.last_words.clone());
            let (done, gone) = (child.told.clone().drop_guard(), child.gone.clone());
            tasks.spawn("stderr", async move {
                let _done = done;
                tokio::select! {
                    () = told => {}
                    () = gone.cancelled() => {}
                }
            });
        }
        Ok((child, stdout, stdin))
    }

    /// Returns the id of its process.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns how it has ended, once it has.
    pub(super) async fn ended(&mut self) -> String {
        match self.process.wait().await {
            Ok(status) => {
                if timeout(LAST_WORDS, self.told.cancelled()).await.is_err() {
                    tracing::debug!("stderr is held open");
                }
                self.words(status)
            }
            Err(err) => format!("it cannot be waited for: {err}"),
        }
    }

    /// Waits until it ends by itself, and kills it otherwise, with all that it has
    /// started and that is in its group. To be called when its input is closed.
    /// Returns how it has ended, if by itself.
    pub(super) async fn end(mut self, within: Duration) -> Option<String> {
        let how = timeout(within, self.ended()).await.ok();
        self.kill_group();
        if how.is_none()
            && let Err(err) = self.process.kill().await
        {
            tracing::warn!(error = %err, "a plugin cannot be killed");
        }
        how
    }

    /// Its group has its id as long as anybody is in it. One that is empty is
    /// asked for a moment after it has ended: no other has that id so soon.
    #[cfg(unix)]
    fn kill_group(&self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let group = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let Some(group) = group else { return };
        if let Err(err) = kill_process_group(group, Signal::KILL) {
            tracing::trace!(error = %err, "nobody is left in the group of a plugin");
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "there are groups elsewhere")]
    fn kill_group(&self) {}

    fn words(&self, status: ExitStatus) -> String {
        match self.last_words.get() {
            Some(last) => format!("it has ended with {status}: {last}"),
            None => format!("it has ended with {status}"),
        }
    }
}

/// A name is looked for where programs are, a path with a slash in the plugin.
fn place(program: &str, dir: &Path) -> std::path::PathBuf {
    if program.contains(['/', '\\']) { dir.join(program) } else { program.into() }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}

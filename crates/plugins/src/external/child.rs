//! One process.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::BufReader;
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::Launch;
use super::stderr::{LastWords, tell};
use super::tasks::Tasks;

/// A program that runs. Dropping it kills it.
pub(super) struct Child {
    process: tokio::process::Child,
    last_words: LastWords,
}

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
            .env("HONGYAN_STATE_DIR", &launch.state_dir)
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
        let last_words = LastWords::default();
        if let Some(stderr) = process.stderr.take() {
            let (plugin, last) = (launch.plugin.clone(), last_words.clone());
            tasks.spawn("stderr", tell(plugin, BufReader::new(stderr), last));
        }
        Ok((Self { process, last_words }, stdout, stdin))
    }

    /// Returns its id; 0 when it has ended.
    pub(super) fn pid(&self) -> u32 {
        self.process.id().unwrap_or_default()
    }

    /// Returns how it has ended, once it has.
    pub(super) async fn ended(&mut self) -> String {
        match self.process.wait().await {
            Ok(status) => self.words(status),
            Err(err) => format!("it cannot be waited for: {err}"),
        }
    }

    /// Waits until it ends by itself, and kills it and its group otherwise. To
    /// be called when its input is closed. Returns how it has ended, if by itself.
    pub(super) async fn end(mut self, within: Duration) -> Option<String> {
        if let Ok(how) = timeout(within, self.ended()).await {
            return Some(how);
        }
        self.kill_group();
        if let Err(err) = self.process.kill().await {
            tracing::warn!(error = %err, "a plugin cannot be killed");
        }
        None
    }

    /// Kills what it has started itself, too. Not waited for yet, its id is its
    /// own.
    #[cfg(unix)]
    fn kill_group(&self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let id = self.process.id().and_then(|id| i32::try_from(id).ok());
        let Some(group) = id.and_then(Pid::from_raw) else { return };
        if let Err(err) = kill_process_group(group, Signal::KILL) {
            tracing::debug!(error = %err, "a plugin's group cannot be killed");
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

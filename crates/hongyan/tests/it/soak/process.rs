//! The gateway that is soaked: the program itself, with a log and a folder for
//! temporary files of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backend::User;
use serde_json::Value;
use tempfile::TempDir;

/// The program, its state and who is admitted. Killed when dropped.
pub(super) struct Gateway {
    binary: PathBuf,
    dir: PathBuf,
    admitted: Vec<String>,
    child: Option<Child>,
    _temporary: Option<TempDir>,
}

impl Gateway {
    /// Makes a gateway that does not run yet.
    pub(super) fn new() -> Self {
        let named = |name| std::env::var_os(name).filter(|path| !path.is_empty());
        let binary = named("HONGYAN_SOAK_BINARY");
        let (dir, temporary) = match named("HONGYAN_SOAK_DIR") {
            Some(dir) => (PathBuf::from(dir), None),
            None => {
                let dir = tempfile::tempdir().unwrap();
                (dir.path().to_owned(), Some(dir))
            }
        };
        for name in ["state", "temporary"] {
            fs::create_dir_all(dir.join(name)).unwrap();
        }
        let binary = binary.unwrap_or_else(|| env!("CARGO_BIN_EXE_hongyan").into());
        Self {
            binary: binary.into(),
            dir,
            admitted: Vec::new(),
            child: None,
            _temporary: temporary,
        }
    }

    /// Admits someone from the next start on.
    pub(super) fn admit(&mut self, user: &User) {
        self.admitted.push(user.id().to_string());
    }

    pub(super) fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// Starts the gateway; one that runs is killed before.
    pub(super) fn restart(&mut self) {
        self.kill();
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let admitted = self.admitted.iter().flat_map(|peer| ["--allow-from", peer]);
        let mut command = self.command();
        command.args(["gateway", "run"]).args(admitted).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Asks it to stop; it has to.
    pub(super) fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(asked.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{}", self.complaints());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let before = child.try_wait().unwrap();
            assert_eq!(before, None, "the gateway has ended by itself: {}", self.complaints());
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Waits until nothing is on its way out.
    pub(super) async fn is_idle(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.outbox().is_empty() || self.waiting() != serde_json::json!([]) {
            assert!(Instant::now() < deadline, "{:?} {}", self.outbox(), self.waiting());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Returns the copies of media that wait to leave.
    pub(super) fn outbox(&self) -> Vec<String> {
        files(&self.channel().join("outbox"))
    }

    /// Returns the media that came.
    pub(super) fn received(&self) -> Vec<String> {
        files(&self.channel().join("received"))
    }

    /// Returns the files in the folder for temporary ones.
    pub(super) fn temporary(&self) -> Vec<String> {
        files(&self.dir.join("temporary"))
    }

    /// Returns the files whose names say that they are not whole.
    pub(super) fn partial(&self) -> Vec<String> {
        let folders = ["", "outbox", "received", "quoted", "accounts"];
        let all = folders.iter().flat_map(|folder| files(&self.channel().join(folder)));
        all.filter(|name| name.contains(".tmp") || name.contains(".part")).collect()
    }

    /// Returns what waits, is parked or was given up.
    pub(super) fn waiting(&self) -> Value {
        let listed = self.command().args(["outbox", "list", "--json"]).output().unwrap();
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        serde_json::from_slice(&listed.stdout).unwrap()
    }

    /// Returns the errors of its log.
    pub(super) fn complaints(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let is_complaint = |line: &&str| line.contains("ERROR") || line.contains("panic");
        log.lines().filter(is_complaint).take(20).collect::<Vec<_>>().join("\n")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(["--lang", "en", "--log", "warn", "--state"])
            .arg(self.state())
            .env_remove("HONGYAN_STATE")
            .env_remove("HONGYAN_LOG")
            .env("TMPDIR", self.dir.join("temporary"))
            .env("NO_COLOR", "1")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }

    fn log(&self) -> PathBuf {
        self.dir.join("gateway.log")
    }

    fn channel(&self) -> PathBuf {
        self.state().join(weixin::CHANNEL_ID)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail when it is gone already.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn files(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

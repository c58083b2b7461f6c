//! The program, started and killed as an operating system does it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backend::Credentials as Bound;
use weixin::Settings;

/// A command of the program on a state folder, without colours, proxies or the
/// language of the machine.
pub(crate) fn hongyan(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan"));
    command
        .args(["--lang", "en", "--state"])
        .arg(state)
        .env_remove("HONGYAN_STATE")
        .env_remove("HONGYAN_CONFIG")
        .env_remove("HONGYAN_GATEWAY_PID")
        .env_remove("INVOCATION_ID")
        .env_remove("NOTIFY_SOCKET")
        .env("HONGYAN_GATEWAY_PORT", "0")
        .env("HONGYAN_LOG", "error")
        .env("NO_COLOR", "1")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null());
    command
}

/// A gateway in a process of its own. Killed when dropped.
pub(crate) struct GatewayProcess {
    child: Child,
}

impl GatewayProcess {
    pub(crate) fn start(state: &Path, args: &[&str]) -> Self {
        let child = hongyan(state)
            .args(["gateway", "run"])
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// One that was started in another way.
    pub(crate) fn of(child: Child) -> Self {
        Self { child }
    }

    /// Waits until the control API says that it runs.
    pub(crate) fn ready(self, state: &Path) -> Self {
        let begun = Instant::now();
        while status(state)["stage"] != "running" {
            assert!(begun.elapsed() < Duration::from_secs(60), "the gateway never runs");
        }
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Says whether the process has not ended.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself and returns its exit code.
    pub(crate) fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Ends it as kill -9 does: nothing is told, nothing is finished.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop and returns its exit code.
    #[cfg(unix)]
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        // Both fail when it is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What `gateway status` says; nothing between two gateways, when the address
/// is still that of the one that was killed.
pub(crate) fn status(state: &Path) -> serde_json::Value {
    let output = hongyan(state).args(["gateway", "status", "--json"]).output().unwrap();
    match output.status.success() {
        true => serde_json::from_slice(&output.stdout).unwrap(),
        false => serde_json::Value::Null,
    }
}

/// Exit code, stdout and stderr of a command on a state folder.
pub(crate) fn says(state: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = hongyan(state).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Waits until the status, which is noted now and then, says that the one
/// account polls.
pub(crate) fn polls(state: &Path) {
    eventually(|| {
        let output = hongyan(state).args(["channels", "status", "--json"]).output().unwrap();
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        status[0]["state"] == "polling"
    });
}

/// Waits until something is so, which another process brings about.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "nothing else runs on a test's own thread")]
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never is so");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Puts a bound bot's credentials where a login would put them.
pub(crate) fn log_in(state: &Path, bound: &Bound) {
    let issued = ilink::login::Credentials {
        token: bound.token.clone(),
        bot_id: bound.bot_id.clone(),
        user_id: Some(bound.user_id.clone()),
        base_url: bound.base_url.parse().unwrap(),
    };
    let dir = state.join(weixin::CHANNEL_ID);
    weixin::login::keep(&Settings::new(dir).registry(), issued).unwrap();
}

//! A gateway in a process of its own, and what is read off it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use weixin::Settings;

/// Ends with its value.
pub(crate) struct Gateway {
    child: Child,
}

impl Gateway {
    pub(crate) fn start(state: &Path) -> Self {
        let child = hongyan(state)
            .args(["gateway", "run", "--log", "error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Returns how much is in memory, in megabytes, as Linux counts it.
    pub(crate) fn resident(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kibibytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kibibytes * 1024.0 / 1e6
    }

    /// Returns the CPU time so far.
    pub(crate) fn cpu(&self) -> Duration {
        // Fields 14 and 15, of which Linux counts a hundred a second; the name in
        // field 2 has no space here.
        let stat = self.proc("stat");
        let ticks = stat.split(' ').skip(13).take(2).map(|field| field.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Returns the program, to be run on a state folder.
pub(crate) fn hongyan(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan"));
    command
        .arg("--state")
        .arg(state)
        .env("HONGYAN_GATEWAY_PORT", "0")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null());
    command
}

/// Keeps what a login would have kept.
pub(crate) fn log_in(state: &Path, bound: &backend::Credentials) {
    let issued = ilink::login::Credentials {
        token: bound.token.clone(),
        bot_id: bound.bot_id.clone(),
        user_id: Some(bound.user_id.clone()),
        base_url: bound.base_url.parse().unwrap(),
    };
    let dir = state.join(weixin::CHANNEL_ID);
    weixin::login::keep(&Settings::new(dir).registry(), issued).unwrap();
}

pub(crate) fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!("{what:<22} {:>8.2} ms p50   {:.2} ms p95   {:.2} ms p99", at(50), at(95), at(99));
}

//! How long the words of the command line take beside a gateway that runs:
//! `cargo bench -p hongyan --bench words`.
//!
//! Each is a process of its own, from its start to its end, as a person or a
//! script waits for it; the gateway has one account, which it polls.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark may panic and must print"
)]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use backend::Backend;
use weixin::Settings;

const ROUNDS: usize = 200;

/// What is asked; all but the last are answered by the gateway.
const WORDS: [&str; 7] = [
    "channels status",
    "gateway status",
    "outbox list --json",
    "peers list",
    "metrics",
    "sessions list",
    "--version",
];

#[tokio::main]
async fn main() {
    // `cargo test --benches` only asks whether it runs.
    let is_test = std::env::args().any(|arg| arg == "--test");
    let rounds = if is_test { 2 } else { ROUNDS };

    let backend = Backend::builder().hold(Duration::from_secs(35)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let state = tempfile::tempdir().unwrap();
    log_in(state.path(), &bot);
    let gateway = Gateway::start(state.path());
    alice.says("hello").await;
    alice.hears().await;

    for words in WORDS {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let begun = Instant::now();
            let Output { status, stdout, .. } = run(state.path(), words);
            times.push(begun.elapsed());
            assert!(status.success() && !stdout.is_empty(), "{words}");
        }
        report(words, times);
    }
    drop(gateway);
}

fn hongyan(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan"));
    command
        .arg("--state")
        .arg(state)
        .env("HONGYAN_GATEWAY_PORT", "0")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null());
    command
}

fn run(state: &Path, words: &str) -> Output {
    hongyan(state).args(words.split(' ')).output().unwrap()
}

struct Gateway {
    child: Child,
}

impl Gateway {
    fn start(state: &Path) -> Self {
        let child = hongyan(state)
            .args(["gateway", "run", "--log", "error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!("{what:<19} {:>10.2} ms p50   {:.2} ms p95   {:.2} ms p99", at(50), at(95), at(99));
}

fn log_in(state: &Path, bound: &backend::Credentials) {
    let issued = ilink::login::Credentials {
        token: bound.token.clone(),
        bot_id: bound.bot_id.clone(),
        user_id: Some(bound.user_id.clone()),
        base_url: bound.base_url.parse().unwrap(),
    };
    let dir = state.join(weixin::CHANNEL_ID);
    weixin::login::keep(&Settings::new(dir).registry(), issued).unwrap();
}

//! What a gateway weighs and how fast it answers, measured on the program as
//! it is started by people: `cargo bench -p hongyan`.
//!
//! Backend and gateway share the machine; the gateway is a process of its own,
//! the built-in agent answers at once, and everything goes to disk
//! (`synchronous=FULL`) before it moves on.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark may panic and must print"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backend::{Backend, Endpoint, Fault};
use weixin::Settings;

const STARTS: usize = 20;
const ROUNDS: usize = 500;
/// How many people talk in turn, each to an account of theirs: the gateway holds
/// back bursts of one account, as Tencent's servers want it.
const PEOPLE: usize = 42;
/// How long the gateway idles before its memory is read.
const REST: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    // `cargo test --benches` only asks whether it runs.
    let is_test = std::env::args().any(|arg| arg == "--test");
    let (starts, rounds) = if is_test { (1, 5) } else { (STARTS, ROUNDS) };

    let backend = Backend::builder().hold(Duration::from_secs(35)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let state = tempfile::tempdir().unwrap();
    log_in(state.path(), &bot);
    println!(
        "binary              {:>10.1} MB",
        megabytes(Path::new(env!("CARGO_BIN_EXE_hongyan")).metadata().unwrap().len())
    );

    let mut first_polls = Vec::new();
    for _ in 0..starts {
        let (fault, mut gate) = Fault::hold_before();
        backend.next(Endpoint::GetUpdates, fault);
        let begun = Instant::now();
        let gateway = Gateway::start(state.path());
        gate.arrived().await;
        first_polls.push(begun.elapsed());
        drop(gateway);
    }
    report("start to first poll", first_polls);

    let gateway = Gateway::start(state.path());
    alice.says("hello").await;
    alice.hears().await;
    tokio::time::sleep(REST).await;
    println!("resident, 1 account {:>10.1} MB", megabytes(gateway.resident()));

    let mut people = Vec::new();
    for n in 0..rounds.min(PEOPLE) {
        let person = backend.user(&format!("person-{n}")).await;
        log_in(state.path(), &backend.bind(&person).await);
        people.push(person);
    }
    for person in &people {
        person.says("hello").await;
        person.hears().await;
    }
    let mut turns = Vec::new();
    for (n, person) in people.iter().cycle().take(rounds).enumerate() {
        let text = format!("round {n}");
        let begun = Instant::now();
        person.says(&text).await;
        let answer = person.hears().await;
        turns.push(begun.elapsed());
        assert!(answer.contains(&text), "{answer}");
    }
    report("message to answer", turns);
    println!("resident, all then  {:>10.1} MB", megabytes(gateway.resident()));
}

struct Gateway {
    child: Child,
}

impl Gateway {
    fn start(state: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_hongyan"))
            .args(["gateway", "run", "--log", "error", "--state"])
            .arg(state)
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Bytes in memory, as Linux counts them.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kibibytes * 1024
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

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
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

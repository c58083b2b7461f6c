//! How many messages go the whole way, and how long one takes:
//! `cargo bench -p weixin --bench way`.
//!
//! ```text
//! stub ─▶ monitor ─▶ inbox on disk ─▶ host ─▶ outbox on disk ─▶ delivery ─▶ stub
//! ```
//!
//! Everything runs in one process on loopback: the channel with the limits of
//! a backend of one's own, a host that answers at once, and a backend that is
//! only as much of one as keeps it out of the measure (`stub`). Each phone
//! says its next thing when it has been answered, so every message is a turn
//! of its own. Nothing leaves before it is on disk (`synchronous=FULL`); a
//! commit takes up all writes that wait for it, at most 256.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark may panic and must print"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::{
    AccountStatus, Alert, Channel as _, ChannelError, Content, Host, HostError, Inbound, Reply,
    ReplyClass, Sender, TurnEnd, Verdict,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use ilink::client::{Http, HttpOptions};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use weixin::governor::Limits;
use weixin::{Settings, WeixinChannel};

mod machine;
mod stub;

use self::stub::{Plan, Stub};

/// How often each measure is taken, so that a neighbour's noise shows.
const REPEATS: usize = 5;
const MESSAGES: usize = 10_000;
const ROUNDS: usize = 300;
/// How long a single phone waits before it says the next thing, so that what
/// is written behind an answer does not delay the next message.
const PAUSE: Duration = Duration::from_millis(5);

#[tokio::main]
async fn main() {
    // `cargo test --benches` only asks whether it runs.
    let is_test = std::env::args().any(|arg| arg == "--test");
    let (repeats, n_messages, rounds) =
        if is_test { (1, 200, 5) } else { (REPEATS, MESSAGES, ROUNDS) };
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let is_wanted = |name: &str| only.as_ref().is_none_or(|only| name.contains(only.as_str()));

    println!("load average: {}", machine::load());
    machine::report("8 KiB and fdatasync", &mut machine::syncs(rounds));
    for (name, n_accounts, n_phones) in [("1 account", 1, 512), ("20 accounts", 20, 64)] {
        if is_wanted(name) {
            let plan = Plan { n_accounts, n_phones, n_messages, ..Plan::default() };
            throughput(name, repeats, plan).await;
        }
    }
    let one = Plan { n_messages: rounds, pause: PAUSE, ..Plan::default() };
    let echo = Plan { says: |n| format!("/echo {n}"), n_answers: 2, ..one };
    for (name, plan) in [("message to answer", one), ("/echo to answer", echo)] {
        for _ in 0..repeats {
            if is_wanted(name) {
                machine::report(name, &mut run(plan).await.took);
            }
        }
    }
    println!("load average: {}", machine::load());
}

async fn throughput(name: &str, repeats: usize, plan: Plan) {
    let mut rates = Vec::new();
    for _ in 0..repeats {
        let Outcome { lasted, cpu, took } = run(plan).await;
        let micros = cpu.as_secs_f64() * 1e6;
        let n = machine::float(took.len());
        rates.push(n / lasted.as_secs_f64());
        println!(
            "{name:<20} {:>7.0} per second over {:.1} s, {:.0} µs of CPU each, the stub's included",
            n / lasted.as_secs_f64(),
            lasted.as_secs_f64(),
            micros / n,
        );
    }
    rates.sort_by(f64::total_cmp);
    let (least, median) = (rates[0], rates[rates.len() / 2]);
    println!("{name:<20} {least:>7.0} per second at least, {median:.0} in the median");
}

/// What a run came to.
struct Outcome {
    /// From the start of the channel to the last answer.
    lasted: Duration,
    /// What the process took meanwhile.
    cpu: Duration,
    /// From the moment a message was handed to the socket to its answer's arrival.
    took: Vec<Duration>,
}

async fn run(plan: Plan) -> Outcome {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let stub = Stub::start(plan).await;
    let channel = channel(dir.path(), &stub);
    let (told, turns) = mpsc::unbounded_channel();
    let (begun, cpu) = (Instant::now(), machine::cpu());
    channel.start(Arc::new(AtOnce { told })).await.unwrap();
    tokio::select! {
        () = answer(&channel, turns) => {}
        () = stub.done() => {}
    }
    let outcome = Outcome { lasted: begun.elapsed(), cpu: machine::cpu() - cpu, took: stub.took() };
    channel.stop(Duration::from_secs(5)).await;
    outcome
}

fn channel(dir: &Path, stub: &Stub) -> WeixinChannel {
    let mut settings = Settings::new(dir.join("channel"));
    settings.locks = Some(dir.join("locks"));
    settings.sending.limits = Limits::open();
    for issued in stub.accounts() {
        weixin::login::keep(&settings.registry(), issued).unwrap();
    }
    let options = HttpOptions { system_proxy: false, ..HttpOptions::default() };
    WeixinChannel::new(settings, Http::new(&options).unwrap())
}

/// A host that has an answer to everything at once.
struct AtOnce {
    told: mpsc::UnboundedSender<Inbound>,
}

impl Host for AtOnce {
    fn admit(&self, _: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        async { Ok(Verdict::Admit) }.boxed()
    }

    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        let taken = self.told.send(inbound).map_err(|_| HostError::Stopping);
        async move { taken }.boxed()
    }

    fn changed(&self, _: AccountStatus) {}

    fn alert(&self, _: Alert) {}
}

/// Answers every turn in a task of its own.
async fn answer(channel: &WeixinChannel, mut turns: mpsc::UnboundedReceiver<Inbound>) {
    let mut answering = JoinSet::new();
    while let Some(inbound) = turns.recv().await {
        let channel = channel.clone();
        answering.spawn(async move {
            let content = Content::Text(format!("you said: {}", inbound.text));
            let reply = Reply { number: 0, class: ReplyClass::Answer, content };
            let done = async {
                channel.reply(&inbound.turn, reply).await?;
                channel.finish(&inbound.turn, TurnEnd::Answered).await
            };
            match done.await {
                // The last answers have left, and the run is over.
                Ok(()) | Err(ChannelError::Stopped) => {}
                Err(err) => panic!("not answered: {err}"),
            }
        });
        while let Some(done) = answering.try_join_next() {
            done.unwrap();
        }
    }
}

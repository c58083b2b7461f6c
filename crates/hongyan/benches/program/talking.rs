//! One person after the other.

use std::path::Path;
use std::time::{Duration, Instant};

use backend::{Backend, Endpoint, Fault};

use crate::gateway::{Gateway, log_in, report};

const STARTS: usize = 20;
const ROUNDS: usize = 500;
/// How many people talk in turn, each to an account of theirs: the gateway holds
/// back bursts of one account, as Tencent's servers want it.
const PEOPLE: usize = 42;
/// How long the gateway idles before its memory is read.
const REST: Duration = Duration::from_secs(3);

pub(crate) async fn measure(is_test: bool) {
    let (starts, rounds) = if is_test { (1, 5) } else { (STARTS, ROUNDS) };
    let backend = Backend::builder().hold(Duration::from_secs(35)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let state = tempfile::tempdir().unwrap();
    log_in(state.path(), &bot);
    report("start to first poll", first_polls(&backend, state.path(), starts).await);

    let gateway = Gateway::start(state.path());
    alice.says("hello").await;
    alice.hears().await;
    tokio::time::sleep(REST).await;
    println!("resident, 1 account    {:>8.1} MB", gateway.resident());

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
    println!("resident, all then     {:>8.1} MB", gateway.resident());
}

async fn first_polls(backend: &Backend, state: &Path, starts: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..starts {
        let (fault, mut gate) = Fault::hold_before();
        backend.next(Endpoint::GetUpdates, fault);
        let begun = Instant::now();
        let _gateway = Gateway::start(state);
        gate.arrived().await;
        times.push(begun.elapsed());
    }
    times
}

//! Many people at once: each says the next thing a while after the answer.

use std::time::{Duration, Instant};

use backend::{Backend, User};
use futures_util::future::join_all;

use crate::gateway::{Gateway, log_in, report};

const PEOPLE: usize = 200;
const ROUNDS: usize = 10;
/// From an answer to the next message. Each account may send ten messages in ten
/// seconds before it is held back, so this also keeps bursts away.
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) async fn measure(is_test: bool) {
    let (people, rounds) = if is_test { (2, 1) } else { (PEOPLE, ROUNDS) };
    let backend = Backend::builder().hold(Duration::from_secs(35)).start().await.unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut crowd = Vec::new();
    for n in 0..people {
        let person = backend.user(&format!("person-{n}")).await;
        log_in(state.path(), &backend.bind(&person).await);
        crowd.push(person);
    }
    let gateway = Gateway::start(state.path());
    join_all(crowd.iter().map(|person| talk(person, 1, Duration::ZERO))).await;

    let (begun, spent) = (Instant::now(), gateway.cpu());
    let steps = (0_u32..).map(|n| PAUSE / u32::try_from(people).unwrap() * n);
    let talks = crowd.iter().zip(steps).map(|(person, after)| talk(person, rounds, after));
    let times: Vec<Duration> = join_all(talks).await.into_iter().flatten().collect();
    let turns = f64::from(u32::try_from(times.len()).unwrap());
    println!(
        "load: {people} people   {:>8.1} messages per second, {:.2} ms of the gateway's CPU each",
        turns / begun.elapsed().as_secs_f64(),
        (gateway.cpu() - spent).as_secs_f64() * 1e3 / turns,
    );
    report("load: to the answer", times);
}

/// Returns how long each answer took.
async fn talk(person: &User, rounds: usize, after: Duration) -> Vec<Duration> {
    tokio::time::sleep(after).await;
    let mut times = Vec::new();
    for n in 0..rounds {
        let begun = Instant::now();
        person.says(&format!("round {n}")).await;
        person.hears().await;
        times.push(begun.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    times
}

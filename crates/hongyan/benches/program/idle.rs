//! Accounts that only poll.

use std::time::{Duration, Instant};

use backend::Backend;

use crate::gateway::{Gateway, log_in};

const ACCOUNTS: [usize; 3] = [1, 200, 10_000];
/// How long the CPU is watched: two holds of the poll.
const WATCHED: Duration = Duration::from_secs(70);
const HOLD: Duration = Duration::from_secs(35);

pub(crate) async fn measure(is_test: bool) {
    let (accounts, watched) =
        if is_test { (&ACCOUNTS[..1], Duration::ZERO) } else { (&ACCOUNTS[..], WATCHED) };
    for accounts in accounts {
        idle(*accounts, watched).await;
    }
}

async fn idle(accounts: usize, watched: Duration) {
    let backend = Backend::builder().hold(HOLD).start().await.unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut people = Vec::new();
    for n in 0..accounts {
        let person = backend.user(&format!("person-{n}")).await;
        log_in(state.path(), &backend.bind(&person).await);
        people.push(person);
    }
    let (begun, gateway) = (Instant::now(), Gateway::start(state.path()));
    // Whoever is answered is polled.
    for person in &people {
        person.says("hello").await;
    }
    for person in &people {
        person.hears().await;
    }
    let (ready, start) = (begun.elapsed(), gateway.cpu());
    tokio::time::sleep(watched).await;
    let spent = gateway.cpu() - start;
    println!(
        "idle: {accounts} accounts: all answered after {:.2} s and {:.2} s of CPU; then {:.2} % of \
         a core, {:.1} MB",
        ready.as_secs_f64(),
        start.as_secs_f64(),
        100.0 * spent.as_secs_f64() / watched.as_secs_f64().max(1.0),
        gateway.resident(),
    );
}

//! Accounts that only poll.

use std::path::Path;
use std::time::{Duration, Instant};

use backend::{Backend, Credentials, User};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;

use crate::gateway::Gateway;

const ACCOUNTS: [usize; 3] = [1, 200, 10_000];
/// How long the CPU is watched: two holds of the poll.
const WATCHED: Duration = Duration::from_secs(70);
/// How many say their first word at once: the backend has room for some phones only.
const TALKING: usize = 50;
/// How long the start may take for each account before somebody talks.
const START: Duration = Duration::from_millis(4);
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
    let people = join_all((0..accounts).map(|n| bound(&backend, n))).await;
    log_all_in(state.path(), people.iter().map(|(_, credentials)| credentials));
    let (begun, gateway) = (Instant::now(), Gateway::start(state.path()));
    tokio::time::sleep(START * u32::try_from(accounts).unwrap()).await;
    // Whoever is answered is polled.
    stream::iter(&people)
        .for_each_concurrent(TALKING, async |(person, _)| {
            person.says("hello").await;
            person.hears().await;
        })
        .await;
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

async fn bound(backend: &Backend, n: usize) -> (User, Credentials) {
    let person = backend.user(&format!("person-{n}")).await;
    let credentials = backend.bind(&person).await;
    (person, credentials)
}

/// Keeps what as many logins would have kept, in the official plugin's files. A
/// login by itself syncs the list of all accounts to the disk.
fn log_all_in<'a>(state: &Path, all: impl Iterator<Item = &'a Credentials>) {
    let dir = state.join(weixin::CHANNEL_ID);
    std::fs::create_dir_all(dir.join("accounts")).unwrap();
    let mut ids = Vec::new();
    for Credentials { bot_id, user_id, token, base_url, .. } in all {
        let id = bot_id.as_str().replace(['@', '.'], "-");
        let kept = json!({
            "token": token.expose(),
            "savedAt": "2026-11-21T00:00:00.000Z",
            "baseUrl": base_url,
            "userId": user_id.as_str(),
        });
        std::fs::write(dir.join(format!("accounts/{id}.json")), kept.to_string()).unwrap();
        ids.push(id);
    }
    std::fs::write(dir.join("accounts.json"), json!(ids).to_string()).unwrap();
}

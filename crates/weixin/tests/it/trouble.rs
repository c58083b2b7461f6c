//! When the backend or the way to it has trouble.

use std::time::Duration;

use backend::{Backend, Endpoint, Fault};
use ilink::Code;
use tokio::time::timeout;

use crate::host::{Scene, TestHost, log_in};
use crate::receiving::wait_until;

/// Far longer than a stop may take.
const HOLD: Duration = Duration::from_secs(100);

#[tokio::test]
async fn no_fault_of_a_poll_loses_a_message() {
    let faults = [
        Fault::DropRequest,
        Fault::DropAnswer,
        Fault::Reset,
        Fault::BadGateway,
        Fault::TruncatedJson,
        Fault::EmptyBody,
        Fault::refuse(Code::REFUSED, "rate limited"),
    ];
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    for (n, fault) in faults.into_iter().enumerate() {
        let label = format!("{fault:?}");
        scene.backend.next(Endpoint::GetUpdates, fault);
        scene.alice.says(&format!("{n}")).await;
        assert_eq!(host.answers("ok").await.text, format!("{n}"), "after {label}");
        assert_eq!(scene.alice.hears().await, "ok");
    }
}

/// Demand 3: a refusal that passes is nobody's business.
#[tokio::test]
async fn a_passing_minus_14_heals_by_itself() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.backend.next(Endpoint::GetUpdates, Fault::refuse(Code::STALE_TOKEN, "session timeout"));
    scene.alice.says("hello").await;
    assert_eq!(host.answers("back").await.text, "hello");
    assert_eq!(scene.alice.hears().await, "back");
    let starts = scene.backend.requests_to(Endpoint::NotifyStart);
    assert_eq!(starts.len(), 2, "announced at the start and once more");
}

/// Demands 3 and 40: with the pauses that everybody has.
#[tokio::test]
async fn a_lasting_minus_14_asks_for_a_login_and_a_login_mends_it_without_a_restart() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    // The same person binds elsewhere.
    let elsewhere = scene.backend.bind(&scene.alice).await;
    wait_until(&host, |status| status["state"] == "needs_login").await;

    log_in(scene.dir.path(), &elsewhere);
    wait_until(&host, |status| status["state"] == "polling").await;
    scene.alice.says("hello").await;
    host.answers("here again").await;
    assert_eq!(scene.alice.hears().await, "here again");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_the_poll_in_flight() {
    let scene = Scene::with(Backend::builder().hold(HOLD)).await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.polled().await;
    timeout(HOLD / 10, host.stops()).await.expect("the stop waited for the poll");
}

/// Demands 12 and 13: a login starts its account and nothing else changes.
#[tokio::test]
async fn an_account_that_logs_in_while_others_run_starts_and_disturbs_none() {
    let scene = Scene::with(Backend::builder().hold(HOLD)).await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.polled().await;

    let bob = scene.backend.user("bob").await;
    let bobs = scene.backend.bind(&bob).await;
    log_in(scene.dir.path(), &bobs);
    bob.says("me too").await;
    assert_eq!(host.answers("welcome").await.text, "me too");
    assert_eq!(bob.hears().await, "welcome");

    let polls = scene.backend.requests_to(Endpoint::GetUpdates);
    let alices = polls.iter().filter(|poll| poll.bot.as_ref() == Some(&scene.bot.bot_id));
    assert_eq!(alices.count(), 1, "the first account's poll was not aborted");
}

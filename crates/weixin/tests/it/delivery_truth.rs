//! What refusals, losses and broken answers of the backend come to.

use std::time::Duration;

use backend::{Backend, Credentials as Bound, Duplicate, Endpoint, Fault, Policy};
use contract::{Channel as _, Delivery, SendClass};
use ilink::Code;
use weixin::governor::Limits;

use crate::budget::code_of;
use crate::host::{Scene, TestHost, log_in, push};
use crate::receiving::wait_until;

const HOUR: Duration = Duration::from_secs(3_600);

fn refused(errmsg: &str) -> Fault {
    Fault::refuse(Code::REFUSED, errmsg)
}

/// The ids under which messages were tried, each once, in order.
fn client_ids(scene: &Scene) -> Vec<String> {
    let mut ids: Vec<_> = scene.sent().iter().map(|it| it["client_id"].to_string()).collect();
    ids.dedup();
    ids
}

/// The codes of everything that waits or was given up.
async fn codes(host: &TestHost) -> Vec<String> {
    let outbox = host.channel.outbox().await.unwrap();
    outbox.iter().map(|entry| code_of(&entry.delivery).to_owned()).collect()
}

/// Demand 9: no request during the cool-down; then the same message goes on.
#[tokio::test]
async fn nothing_is_asked_during_a_cool_down_and_all_arrives_after_it() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.backend.next(Endpoint::SendMessage, refused("rate limited"));
    scene.alice.says("hello").await;
    let turn = host.hears().await.turn;
    host.replies(&turn, 0, "one").await;
    host.replies(&turn, 1, "two").await;
    host.finishes(&turn).await;
    let limited = async || scene.sent().len() == 1 && scene.backend.faults_left() == 0;
    scene.passes_until(limited).await;

    // Others have to wait, too; fourteen seconds are not enough.
    let to = scene.alice.id().as_str();
    let report = host.pushes(push(to, SendClass::Notice, "three")).await;
    assert_eq!(report.delivery, Delivery::Queued);
    assert_eq!(scene.sent().len(), 1);
    scene.passes_until(async || scene.heard().await.len() == 3).await;
    assert_eq!(scene.heard().await, ["one", "two", "three"]);
    let requests = scene.backend.requests_to(Endpoint::SendMessage);
    assert!(requests[1].at_ms - requests[0].at_ms >= 15_000, "{requests:?}");
    assert_eq!(client_ids(&scene).len(), 3, "under the same id");
    wait_until(&host, |status| status["outbox"] == 0).await;
    assert_eq!((codes(&host).await, host.alerts()), (vec![], vec![]));
}

/// Demand 9: the words of code -2 together with what is known. Each is parked
/// without a second request, and leaves under the same id when the peer writes.
#[tokio::test]
async fn a_refusal_that_only_the_peer_can_lift_waits_for_the_peer() {
    let never = Duration::ZERO;
    let cases = [
        ("prepare failed", never, "W204"),
        ("prepare failed", 15 * HOUR, "W204"),
        ("", 15 * HOUR, "W207"),
        ("unknown error", never, "W207"),
    ];
    for (errmsg, age, code) in cases {
        let scene = Scene::tencent().await;
        scene.backend.set_policy(Policy { duplicate: None, ..Policy::tencent() });
        let host = scene.starts().await;
        scene.alice.says("hello").await;
        let turn = host.hears().await.turn;
        scene.passes(age);
        scene.backend.next(Endpoint::SendMessage, refused(errmsg));
        host.replies(&turn, 0, "kept").await;
        host.finishes(&turn).await;
        wait_until(&host, |status| status["parked"] == 1).await;
        assert_eq!(codes(&host).await, [code], "{errmsg:?} after {age:?}");
        scene.passes(60 * Duration::from_secs(60));
        assert_eq!(scene.sent().len(), 1, "{errmsg:?}: asked again");

        scene.alice.says("and now?").await;
        scene.passes_until(async || scene.heard().await.len() == 1).await;
        assert!(scene.heard().await[0].ends_with("kept"));
        wait_until(&host, |status| status["outbox"] == 0).await;
        assert_eq!(codes(&host).await, Vec::<String>::new());
    }
}

/// Demand 9: a quota that turns out smaller is believed.
#[tokio::test]
async fn a_smaller_quota_is_learnt_and_what_is_beyond_waits() {
    let scene = Scene::tencent().await;
    scene.backend.set_policy(Policy { sends_per_inbound: Some(5), ..Policy::tencent() });
    let host = scene.starts_with(|it| it.sending.limits.pace = Duration::ZERO).await;
    for (question, parked) in [("why?", 1), ("and how?", 2)] {
        scene.alice.says(question).await;
        let turn = host.hears().await.turn;
        for number in 0..6 {
            host.replies(&turn, number, "a part").await;
        }
        host.finishes(&turn).await;
        wait_until(&host, |status| status["outbox"] == 0 && status["parked"] == parked).await;
    }
    assert_eq!(scene.sent().len(), 11, "only the first sixth was refused");
    scene.alice.says("go on").await;
    scene.passes_until(async || scene.heard().await.len() == 12).await;
}

/// Demand 9: a copy of the peer's message that brings a newer context token is
/// all that a stale one needs.
#[tokio::test]
async fn a_newer_context_token_lets_what_was_refused_with_the_old_one_leave() {
    let scene = Scene::tencent().await;
    let copies = Duplicate { after: Duration::from_secs(60), new_context: true };
    scene.backend.set_policy(Policy { duplicate: Some(copies), ..Policy::tencent() });
    let host = scene.starts().await;
    scene.backend.next(Endpoint::SendMessage, refused(""));
    scene.alice.says("hello").await;
    host.answers("kept").await;
    wait_until(&host, |status| status["parked"] == 1).await;
    assert_eq!(codes(&host).await, ["W207"]);
    scene.passes(Duration::from_secs(61));
    assert_eq!(scene.alice.hears().await, "kept");
    let sent = scene.sent();
    assert_eq!(sent[0]["client_id"], sent[1]["client_id"]);
    assert_ne!(sent[0]["context_token"], sent[1]["context_token"]);
    assert!(host.heard_nothing_more().await, "the copy is no second question");
}

/// Demand 9: a wrong peer is no reason to try again.
#[tokio::test]
async fn a_wrong_peer_is_given_up_after_one_try() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.backend.next(Endpoint::SendMessage, Fault::refuse(Code::WRONG_PEER, "wrong user"));
    scene.alice.says("hello").await;
    host.answers("lost").await;
    scene.passes_until(async || codes(&host).await == ["W208"]).await;
    scene.passes(HOUR);
    assert_eq!(scene.sent().len(), 1);
    assert_eq!(scene.heard().await, Vec::<String>::new());
}

/// Demand 17: taken, and the answer lost: tried again after a restart, too,
/// under the same id, so the phone shows it once.
#[tokio::test]
async fn a_lost_answer_and_a_restart_make_one_message() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.backend.next_times(Endpoint::SendMessage, 2, Fault::DropAnswer);
    let (hold, mut gate) = Fault::hold_before();
    scene.backend.next(Endpoint::SendMessage, hold);
    scene.alice.says("hello").await;
    host.answers("once").await;
    let pauses = scene.passes_until(async || scene.backend.faults_left() == 0);
    tokio::join!(gate.arrived(), pauses);
    host.channel.stop(Duration::ZERO).await;
    drop(gate);
    let host = scene.starts().await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    assert_eq!(scene.texts().await, ["hello", "once"]);
    assert_eq!(client_ids(&scene).len(), 1);
    assert!(scene.sent().len() >= 3);
}

/// Demand 17: answers that cannot be read, and pages of an edge, lose and
/// double nothing.
#[tokio::test]
async fn no_broken_answer_loses_or_doubles_a_message() {
    let faults = [
        Fault::DropRequest,
        Fault::DropAnswer,
        Fault::Reset,
        Fault::BadGateway,
        Fault::TruncatedJson,
        Fault::EdgeTimeout { after: Duration::ZERO },
    ];
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    for (n, fault) in faults.into_iter().enumerate() {
        let label = format!("{fault:?}");
        scene.alice.says("again").await;
        scene.backend.next(Endpoint::SendMessage, fault);
        host.answers(&format!("answer {n}")).await;
        scene.passes_until(async || scene.heard().await.len() == n + 1).await;
        wait_until(&host, |status| status["outbox"] == 0).await;
        assert_eq!(scene.heard().await[n], format!("answer {n}"), "after {label}");
    }
    assert_eq!(client_ids(&scene).len(), 6);
}

/// Demand 40: what waits for a login leaves when there is one, not by the clock.
#[tokio::test]
async fn a_new_login_lets_what_waits_leave_at_once() {
    let backend = Backend::builder().start().await.unwrap();
    let alice = backend.user("alice").await;
    let bound = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    let token = ilink::BotToken::new(format!("{}:{}", bound.bot_id, "0".repeat(32)));
    log_in(dir.path(), &Bound { token, ..bound.clone() });
    let clock = weixin::Clock::default();
    let host = TestHost::start_with(dir.path(), |settings| {
        settings.clock = clock.clone();
        settings.sending.limits = Limits::open();
    })
    .await;
    let report = host.pushes(push(alice.id().as_str(), SendClass::Reminder, "kept")).await;
    assert_eq!(report.delivery, Delivery::Queued);
    // The pauses between the tries grow to a minute.
    let tries = || backend.requests_to(Endpoint::SendMessage).len();
    let time_passes = async {
        while tries() < 9 {
            clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(crate::host::PATIENCE, time_passes).await.expect("not tried again");
    log_in(dir.path(), &bound);
    assert_eq!(alice.hears().await, "kept");
    wait_until(&host, |status| status["state"] == "polling").await;
}

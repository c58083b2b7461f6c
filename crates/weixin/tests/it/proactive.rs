//! What is said without being asked: it waits for the peer if it must, arrives
//! once, or is given up and told.

use std::time::Duration;

use backend::{Endpoint, Fault, Policy};
use contract::{
    Channel as _, ChannelError, Delivery, OutboxAction, Outgoing, SendClass, SendReport, Target,
};
use ilink::Code;

use crate::budget::code_of;
use crate::host::{Scene, TestHost, log_in, push};
use crate::receiving::wait_until;

const HOUR: Duration = Duration::from_secs(3_600);

/// A scene in which the peer wrote a day and an hour ago, was answered, and
/// something was said since.
async fn a_day_later(scene: &Scene) -> (TestHost, SendReport) {
    let host = scene.starts().await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    assert_eq!(scene.alice.hears().await, "hi");
    scene.passes(25 * HOUR);
    let report =
        host.pushes(push(scene.alice.id().as_str(), SendClass::Reminder, "stand-up")).await;
    (host, report)
}

/// Demands 1, 44 and 53: nothing is asked of the backend while the window is
/// closed; when the peer writes, it arrives once, with the fresh token, also
/// when the channel was restarted in between.
#[tokio::test]
async fn a_push_after_a_day_waits_for_the_peer_and_arrives_once() {
    let scene = Scene::tencent().await;
    let (host, report) = a_day_later(&scene).await;
    assert_eq!(code_of(&report.delivery), "W302");
    assert!(matches!(&report.delivery, Delivery::Parked { until, .. } if !until.is_empty()));
    assert_eq!(scene.sent().len(), 1, "only the answer of yesterday");
    let outbox = host.channel.outbox().await.unwrap();
    let waiting: Vec<_> = outbox.iter().map(|it| (it.id, &*it.class, &*it.excerpt)).collect();
    assert_eq!(waiting, [(report.id, "reminder", "stand-up")]);
    host.stops().await;

    scene.passes(HOUR);
    let host = scene.starts().await;
    scene.alice.says("good morning").await;
    host.answers("morning").await;
    scene.passes_until(async || scene.heard().await.len() == 3).await;
    let heard = scene.heard().await;
    let late: Vec<_> = heard.iter().filter(|text| text.ends_with("stand-up")).collect();
    assert!(matches!(late[..], [text] if text.starts_with("(Delayed since ")), "{heard:?}");
    let sent = scene.sent();
    let tokens: Vec<_> = sent.iter().map(|it| it["context_token"].as_str().unwrap()).collect();
    assert!(tokens[0] != tokens[1] && tokens[1] == tokens[2], "{tokens:?}");
    wait_until(&host, |status| status["outbox"] == 0).await;
    assert!(host.channel.outbox().await.unwrap().is_empty());
}

/// Demands 1 and 56: a reminder is worth a day; then it is given up, and told once.
#[tokio::test]
async fn a_push_that_waits_too_long_is_given_up_and_told_once() {
    let scene = Scene::tencent().await;
    let (host, report) = a_day_later(&scene).await;
    scene.passes(25 * HOUR);
    scene.alice.says("good morning").await;
    host.answers("morning").await;
    scene.passes_until(async || host.alerts() == ["W307"]).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    assert_eq!(scene.heard().await, ["hi", "morning"]);
    let outbox = host.channel.outbox().await.unwrap();
    let given_up: Vec<_> = outbox.iter().map(|it| (it.id, code_of(&it.delivery))).collect();
    assert_eq!(given_up, [(report.id, "W307")]);
    host.stops().await;
    assert_eq!(scene.starts().await.alerts(), Vec::<String>::new(), "told again");
}

/// Demand 1: who logged in and never wrote is known, and is waited for.
#[tokio::test]
async fn an_owner_who_never_wrote_is_waited_for() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    let report = host.pushes(push(scene.alice.id().as_str(), SendClass::Report, "welcome")).await;
    assert_eq!(code_of(&report.delivery), "W301");
    assert!(scene.sent().is_empty());
    scene.alice.says("hello?").await;
    assert_eq!(scene.alice.hears().await, "welcome");
}

/// Demand 44: names, ids in any case, and what hosts put before them.
#[tokio::test]
async fn a_peer_is_found_by_whatever_they_are_called() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    let id = scene.alice.id().to_string();
    let called = |to: &str| Target { to: to.to_owned(), account: None };
    let alice = host.channel.resolve(called(&id)).await.unwrap();
    assert_eq!(alice.peer.as_str(), id);
    host.channel.name_peer(&called(&id), Some("妈妈")).await.unwrap();
    let words = [
        id.to_uppercase(),
        format!("user:{id}"),
        format!("openclaw-weixin:{}", id.to_lowercase()),
        "妈妈".to_owned(),
        "wechat:妈妈".to_owned(),
    ];
    for word in words {
        assert_eq!(host.channel.resolve(called(&word)).await.unwrap(), alice, "{word}");
    }
    // The account comes with the conversation, by id or by name.
    let report = host.pushes(push("妈妈", SendClass::Notice, "dinner")).await;
    assert_eq!((report.delivery, report.conversation), (Delivery::Sent, alice.clone()));
    let with = Target { to: id, account: Some(alice.account.to_string()) };
    assert_eq!(host.channel.resolve(with).await.unwrap(), alice);
    // The new name finds them, the old one no longer does.
    host.channel.name_peer(&called("妈妈"), Some("mum")).await.unwrap();
    assert_eq!(host.channel.resolve(called("mum")).await.unwrap(), alice);
    let gone = host.channel.resolve(called("妈妈")).await;
    assert!(matches!(gone, Err(ChannelError::UnknownTarget(_))), "{gone:?}");
}

/// Demand 44: refused when it is created, not when it is due.
#[tokio::test]
async fn an_unknown_target_is_refused_at_once() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    let refused = host.channel.send(push("nobody", SendClass::Reminder, "x")).await;
    assert!(matches!(&refused, Err(ChannelError::UnknownTarget(to)) if to == "nobody"));
    assert!(host.channel.outbox().await.unwrap().is_empty());
}

/// Demand 44: two accounts know the peer, so the account has to be named.
#[tokio::test]
async fn a_peer_of_two_accounts_is_ambiguous_until_the_account_is_named() {
    let scene = Scene::tencent().await;
    scene.backend.set_policy(Policy { strangers: true, ..Policy::tencent() });
    let bob = scene.backend.user("bob").await;
    let bobs = scene.backend.bind(&bob).await;
    log_in(scene.dir.path(), &bobs);
    let host = scene.starts().await;
    scene.alice.says("hello").await;
    host.answers("here is yours").await;
    let at_bobs = scene.alice.meets(&bobs.bot_id).await;
    at_bobs.says("hello, too").await;
    let second = host.answers("here is Bob's").await;

    let id = scene.alice.id().as_str();
    let refused = host.channel.send(push(id, SendClass::Notice, "which?")).await;
    let Err(ChannelError::AmbiguousTarget { among, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(among.len(), 2, "{among:?}");
    let account = second.conversation.account;
    let target = Target { to: id.to_owned(), account: Some(account.to_string()) };
    let report = host.pushes(Outgoing { target, ..push(id, SendClass::Notice, "this") }).await;
    assert_eq!((report.delivery, report.conversation.account), (Delivery::Sent, account));
    let sent = scene.backend.sent_by(&bobs.bot_id).await;
    assert_eq!(sent.last().unwrap().text(), Some("this"));
}

/// Demand 53: a key makes it at most once, also across a restart.
#[tokio::test]
async fn what_is_asked_twice_under_one_key_is_said_once() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    let keyed = || {
        let key = Some("backup 17".to_owned());
        Outgoing { key, ..push(scene.alice.id().as_str(), SendClass::Notice, "backup done") }
    };
    let first = host.pushes(keyed()).await;
    assert_eq!(first, host.pushes(keyed()).await);
    host.stops().await;
    let host = scene.starts().await;
    assert_eq!(first, host.pushes(keyed()).await);
    assert_eq!(scene.heard().await, ["hi", "backup done"]);
}

/// Demand 53: said beside a channel that does not run, it leaves when one does.
#[tokio::test]
async fn what_is_said_while_nothing_runs_leaves_at_the_next_start() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    host.stops().await;
    let outside = scene.channel(|_| {});
    let to = scene.alice.id().as_str();
    let report = outside.send(push(to, SendClass::Notice, "ready")).await.unwrap();
    assert_eq!(report.delivery, Delivery::Queued);
    let _host = scene.starts().await;
    scene.passes_until(async || scene.heard().await.len() == 2).await;
    assert_eq!(scene.heard().await, ["hi", "ready"]);
}

/// Demand 56: 110 answers that nobody waits for any more are not sent, and told
/// once; a reminder that is still worth it is, with its mark.
#[tokio::test]
async fn a_restart_replays_nothing_that_is_stale() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.backend.next_times(Endpoint::SendMessage, 1_000, Fault::DropRequest);
    scene.alice.says("hello").await;
    let turn = host.hears().await.turn;
    for number in 0..110 {
        host.replies(&turn, number, &format!("stale {number}")).await;
    }
    host.finishes(&turn).await;
    let to = scene.alice.id().as_str();
    let outgoing = push(to, SendClass::Reminder, "stand-up");
    let (report, ()) = tokio::join!(host.channel.send(outgoing), async {
        host.channel.stop(Duration::ZERO).await;
    });
    drop(report);
    scene.backend.clear_faults();
    let tried = scene.sent().len();

    scene.passes(HOUR);
    let host = scene.starts().await;
    scene.passes_until(async || scene.heard().await.len() == 1).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    let heard = scene.heard().await;
    assert!(heard[0].starts_with("(Delayed since ") && heard[0].ends_with("stand-up"), "{heard:?}");
    assert_eq!(scene.sent().len(), tried + 1);
    assert_eq!(host.alerts(), ["W307"]);
}

/// Demand 56: what is parked for one person holds up nobody else; what is
/// dropped never arrives, what is retried does.
#[tokio::test]
async fn entries_are_dropped_and_retried_and_hold_up_nobody() {
    let scene = Scene::tencent().await;
    let (host, dropped) = a_day_later(&scene).await;
    let bob = scene.backend.user("bob").await;
    log_in(scene.dir.path(), &scene.backend.bind(&bob).await);
    let kept = host.pushes(push(scene.alice.id().as_str(), SendClass::Report, "the news")).await;
    bob.says("hello").await;
    host.answers("hello, Bob").await;
    assert_eq!(bob.hears().await, "hello, Bob");

    assert_eq!(host.channel.act(OutboxAction::Drop, &[dropped.id, 4_711]).await.unwrap(), 1);
    // A retry looks anew; the window is still closed.
    assert_eq!(host.channel.act(OutboxAction::Retry, &[kept.id]).await.unwrap(), 1);
    scene
        .passes_until(async || {
            let outbox = host.channel.outbox().await.unwrap();
            outbox.iter().map(|it| code_of(&it.delivery)).eq(["W302"])
        })
        .await;
    scene.alice.says("back").await;
    host.answers("good").await;
    scene.passes_until(async || scene.heard().await.len() == 3).await;
    assert!(scene.heard().await.iter().all(|text| !text.contains("stand-up")));
}

/// Demand 56: what was given up is there to be retried, and arrives then.
#[tokio::test]
async fn what_was_given_up_can_be_retried() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.backend.next(Endpoint::SendMessage, Fault::refuse(Code(77), "out of order"));
    scene.alice.says("hello").await;
    host.answers("precious words").await;
    // The person is told, with a code for whoever runs this.
    assert_eq!(scene.alice.hears().await, "The message could not be sent. (W218)");
    let entry = host.channel.outbox().await.unwrap().remove(0);
    assert_eq!((code_of(&entry.delivery), entry.attempts), ("W218", 1));
    assert_eq!(host.channel.act(OutboxAction::Retry, &[entry.id]).await.unwrap(), 1);
    assert_eq!(scene.alice.hears().await, "precious words");
}

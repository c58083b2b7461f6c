//! From the backend to the host.

use backend::{Endpoint, Fault};
use contract::{AccountState, Attachment, Channel as _, MediaKind, Signal};
use serde_json::json;

use crate::host::{Scene, TestHost, log_in};

#[tokio::test]
async fn a_conversation_from_end_to_end() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;

    let id = scene.alice.says("hello").await;
    let inbound = host.answers("hello yourself").await;

    assert_eq!(inbound.text, "hello");
    assert_eq!(inbound.message_id, id.to_string());
    assert_eq!(inbound.offers, 1);
    assert_eq!(scene.alice.hears().await, "hello yourself");
    host.stops().await;
}

#[tokio::test]
async fn messages_of_one_peer_come_in_order() {
    let scene = Scene::new().await;
    let host = TestHost::start_one_by_one(scene.dir.path()).await;
    for n in 0..20 {
        scene.alice.says(&format!("number {n}")).await;
    }
    for n in 0..20 {
        assert_eq!(host.hears().await.text, format!("number {n}"));
    }
}

#[tokio::test]
async fn a_turn_that_takes_long_delays_nobody_else() {
    let scene = Scene::new().await;
    let bob = scene.backend.user("bob").await;
    let bobs = scene.backend.bind(&bob).await;
    log_in(scene.dir.path(), &bobs);
    let host = TestHost::start(scene.dir.path()).await;

    scene.alice.says("this takes all day").await;
    let never_answered = host.hears().await;
    bob.says("quick one").await;
    host.answers("quick answer").await;

    assert_eq!(bob.hears().await, "quick answer");
    assert_eq!(never_answered.text, "this takes all day");
}

/// Demand 8: twice in one batch.
#[tokio::test]
async fn copies_of_a_message_make_one_turn() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;

    scene.backend.next(Endpoint::GetUpdates, Fault::Duplicate);
    scene.alice.says("once").await;
    host.answers("first").await;
    scene.alice.says("twice").await;
    let second = host.answers("second").await;

    assert_eq!(second.text, "twice");
    assert!(host.heard_nothing_more().await);
}

/// Demand 8: who says something twice means it twice.
#[tokio::test]
async fn two_equal_texts_are_two_messages() {
    let scene = Scene::new().await;
    let host = TestHost::start_one_by_one(scene.dir.path()).await;
    scene.alice.says("again").await;
    scene.alice.says("again").await;
    let (first, second) = (host.hears().await, host.hears().await);
    assert_eq!((first.text.as_str(), second.text.as_str()), ("again", "again"));
    assert_ne!(first.turn, second.turn);
}

#[tokio::test]
async fn media_are_fetched_in_order_with_their_names() {
    let scene = Scene::new().await;
    let host = TestHost::start_one_by_one(scene.dir.path()).await;
    let picture = vec![7; 100_000];
    scene.alice.sends_image(&picture, "point.png").await;
    scene.alice.sends_file("鸿雁传书".as_bytes(), "../报告 1.txt").await;
    scene.alice.sends_voice_saying(b"#!SILK_V3", "good morning").await;

    let image = only_attachment(&host).await;
    assert_eq!(image.kind, MediaKind::Image);
    assert_eq!(std::fs::read(image.path.unwrap()).unwrap(), picture);
    let file = only_attachment(&host).await;
    assert_eq!((file.kind, file.name.as_str()), (MediaKind::File, "../报告 1.txt"));
    let path = file.path.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "鸿雁传书");
    assert_eq!(path.parent().unwrap(), scene.dir.path().join("received"));
    assert_eq!(path.extension().unwrap(), "txt");
    let voice = only_attachment(&host).await;
    assert_eq!(voice.transcript.as_deref(), Some("good morning"));
}

#[tokio::test]
async fn a_media_that_cannot_be_had_does_not_cost_the_message() {
    let scene = Scene::new().await;
    let host = TestHost::start_one_by_one(scene.dir.path()).await;
    scene.backend.next_times(Endpoint::CdnDownload, 5, Fault::BadGateway);
    scene.alice.sends_file(b"lost", "lost.txt").await;
    let file = only_attachment(&host).await;
    assert_eq!((file.name.as_str(), file.path), ("lost.txt", None));
    let left: Vec<_> = std::fs::read_dir(scene.dir.path().join("received")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

async fn only_attachment(host: &TestHost) -> Attachment {
    let mut inbound = host.hears().await;
    assert_eq!(inbound.attachments.len(), 1, "{inbound:?}");
    inbound.attachments.remove(0)
}

/// Demands 23 and 39: not even a typing indicator.
#[tokio::test]
async fn a_stranger_causes_no_work() {
    let scene = Scene::new().await;
    let stranger = scene.alice.id().to_string();
    let host = TestHost::start_refusing(scene.dir.path(), &[&stranger]).await;

    scene.alice.says("let me in").await;
    scene.alice.sends_file(&[0; 1_000_000], "large.bin").await;
    wait_until(&host, |status| status["inbox"] == 0 && status["last_inbound_at_ms"] != json!(null))
        .await;

    assert!(host.heard_nothing_more().await);
    let endpoints: Vec<_> = scene.backend.requests().iter().map(|r| r.endpoint).collect();
    let work = [
        Endpoint::SendMessage,
        Endpoint::GetConfig,
        Endpoint::SendTyping,
        Endpoint::GetUploadUrl,
        Endpoint::CdnDownload,
    ];
    assert!(!endpoints.iter().any(|endpoint| work.contains(endpoint)), "{endpoints:?}");
}

/// Demand 35: it ends with the turn.
#[tokio::test]
async fn the_indicator_shows_while_the_host_works_and_is_gone_after() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("think about it").await;
    let inbound = host.hears().await;

    host.channel.signal(&inbound.turn, Signal::Working).await;
    scene.alice.waits_for_typing(true).await;
    host.replies(&inbound.turn, 0, "done").await;
    host.finishes(&inbound.turn).await;

    scene.alice.waits_for_typing(false).await;
    assert_eq!(scene.alice.hears().await, "done");
}

#[tokio::test]
async fn status_tells_where_the_account_stands() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("one").await;
    host.answers("two").await;
    scene.alice.hears().await;

    let status = wait_until(&host, |status| status["outbox"] == 0).await;
    assert_eq!(status["state"], "polling");
    assert_eq!((&status["inbox"], &status["parked"]), (&json!(0), &json!(0)));
    let probes = host.channel.probe().await.unwrap();
    assert!(probes.len() == 1 && probes[0].ok, "{probes:?}");

    let channel = host.channel.clone();
    host.stops().await;
    let after = channel.status().await.unwrap();
    assert_eq!(after[0].state, AccountState::Stopped);
    assert!(!scene.backend.is_online(&scene.bot.bot_id), "the backend was not told");
}

/// Waits until the one account's status, as JSON, fits.
pub(crate) async fn wait_until(
    host: &TestHost,
    fits: impl Fn(&serde_json::Value) -> bool,
) -> serde_json::Value {
    let look = async {
        loop {
            let statuses = host.channel.status().await.unwrap();
            // None while one account takes the place of another.
            let status = serde_json::to_value(statuses.first()).unwrap();
            if fits(&status) {
                return status;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::host::PATIENCE, look).await.expect("the status never fitted")
}

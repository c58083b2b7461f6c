//! Messages that come close together, and those that must not wait.

use std::time::Duration;

use contract::{Channel as _, Lane, MediaKind};

use crate::host::{Scene, TestHost};
use crate::receiving::wait_until;

/// Nobody waits this long: what comes, comes for another reason.
const FOR_EVER: Duration = Duration::from_secs(60 * 60);

async fn patient(scene: &Scene) -> TestHost {
    TestHost::start_with(scene.dir.path(), |settings| {
        settings.intake.merge.media_wait = FOR_EVER;
    })
    .await
}

async fn waits(host: &TestHost, n: u64) {
    wait_until(host, |status| status["inbox"] == n).await;
}

/// Demand 47: a picture waits for the words that usually follow.
#[tokio::test]
async fn a_picture_and_the_question_behind_it_make_one_turn() {
    let scene = Scene::new().await;
    let host = patient(&scene).await;
    scene.alice.sends_image(b"\x89PNG\r\n\x1a\n", "").await;
    waits(&host, 1).await;
    scene.alice.sends_file(b"%PDF-1.7", "报告.pdf").await;
    waits(&host, 2).await;
    let words = scene.alice.says("what do they show?").await;

    let turn = host.answers("a goose").await;
    assert_eq!(turn.text, "what do they show?");
    assert_eq!(turn.message_id, words.to_string());
    let media: Vec<_> = turn.attachments.iter().map(|it| (it.kind, it.name.as_str())).collect();
    assert_eq!(media, [(MediaKind::Image, "image.png"), (MediaKind::File, "报告.pdf")]);
    assert_eq!(scene.alice.hears().await, "a goose");
    waits(&host, 0).await;
}

/// Demand 47.
#[tokio::test]
async fn a_picture_that_nothing_follows_goes_alone() {
    let scene = Scene::new().await;
    let host = TestHost::start_with(scene.dir.path(), |settings| {
        settings.intake.merge.media_wait = Duration::from_millis(1);
    })
    .await;
    scene.alice.sends_image(b"\x89PNG\r\n\x1a\n", "").await;
    let turn = host.hears().await;
    assert_eq!((turn.text.as_str(), turn.attachments.len()), ("", 1));
}

/// Demand 47: a turn at a time; what is said meanwhile makes the next.
#[tokio::test]
async fn what_is_said_while_a_turn_runs_makes_the_next_one() {
    let scene = Scene::new().await;
    let host = patient(&scene).await;
    scene.alice.says("one").await;
    let first = host.hears().await;
    scene.alice.says("two").await;
    scene.alice.sends_image(b"\x89PNG\r\n\x1a\n", "").await;
    let newest = scene.alice.says("three").await;
    waits(&host, 4).await;
    assert!(host.heard_nothing_more().await, "a second turn beside the first");

    host.finishes(&first.turn).await;
    let second = host.hears().await;
    assert_eq!((second.text.as_str(), second.attachments.len()), ("two\nthree", 1));
    assert_eq!(second.message_id, newest.to_string());
    assert!(second.sent_at_ms >= first.sent_at_ms);
    host.finishes(&second.turn).await;
    waits(&host, 0).await;
    assert!(host.heard_nothing_more().await);
}

/// Demands 4 and 47: a command comes at once, whatever runs and waits.
#[tokio::test]
async fn a_command_overtakes_and_ends_by_itself() {
    let scene = Scene::new().await;
    let host = patient(&scene).await;
    scene.alice.says("a long task").await;
    let running = host.hears().await;
    assert_eq!(running.lane, Lane::Conversation);
    scene.alice.says("and another").await;
    for word in ["/stop", "停止", "/model fast"] {
        scene.alice.says(word).await;
        let command = host.hears().await;
        assert_eq!((command.text.as_str(), command.lane), (word, Lane::Aside));
        host.finishes(&command.turn).await;
    }
    waits(&host, 2).await;
    host.finishes(&running.turn).await;
    assert_eq!(host.hears().await.text, "and another");
}

/// Demand 47: what resets a conversation keeps its place and its turn to itself.
#[tokio::test]
async fn a_reset_keeps_its_place_between_what_was_said_before_and_after() {
    let scene = Scene::new().await;
    let host = patient(&scene).await;
    scene.alice.says("first").await;
    let mut turn = host.hears().await;
    for text in ["before", "/new", "after", "wards"] {
        scene.alice.says(text).await;
    }
    waits(&host, 5).await;
    for (text, lane) in [
        ("before", Lane::Conversation),
        ("/new", Lane::Conversation),
        ("after\nwards", Lane::Conversation),
    ] {
        host.finishes(&turn.turn).await;
        turn = host.hears().await;
        assert_eq!((turn.text.as_str(), turn.lane), (text, lane));
    }
}

/// Demands 7 and 47.
#[tokio::test]
async fn a_merged_turn_is_the_same_after_a_restart_and_ends_as_a_whole() {
    let scene = Scene::new().await;
    let host = patient(&scene).await;
    scene.alice.says("one").await;
    let first = host.hears().await;
    scene.alice.says("two").await;
    scene.alice.says("three").await;
    waits(&host, 3).await;
    host.finishes(&first.turn).await;
    let merged = host.hears().await;
    host.replies(&merged.turn, 0, "answered").await;
    assert_eq!(scene.alice.hears().await, "answered");
    host.channel.stop(Duration::ZERO).await;

    scene.alice.says("four").await;
    let host = patient(&scene).await;
    let again = host.hears().await;
    assert_eq!((&again.turn, again.text.as_str()), (&merged.turn, "two\nthree"));
    host.replies(&again.turn, 0, "answered").await;
    host.finishes(&again.turn).await;
    assert_eq!(host.answers("four, too").await.text, "four");
    assert_eq!(scene.alice.hears().await, "four, too");
    waits(&host, 0).await;
}

/// Demands 21 and 47: a turn has room for one quote; no other is lost.
#[tokio::test]
async fn all_quotes_of_a_merged_turn_are_told() {
    let scene = Scene::new().await;
    let host = patient(&scene).await;
    let goose = scene.alice.says("goose").await;
    host.answers("ok").await;
    let swan = scene.alice.says("swan").await;
    host.answers("ok").await;
    scene.alice.says("wait").await;
    let running = host.hears().await;
    scene.alice.quotes(&goose, "this").await;
    scene.alice.quotes(&swan, "or that").await;
    waits(&host, 3).await;
    host.finishes(&running.turn).await;

    let turn = host.hears().await;
    assert_eq!(turn.quote.unwrap().text, "goose");
    assert_eq!(turn.text, "this\n[quoted: swan]\nor that");
}

/// Demand 45: who waits for an answer must hear it.
#[tokio::test]
async fn what_is_said_after_a_question_is_handed_over_while_its_turn_runs() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("delete it").await;
    let turn = host.hears().await.turn;
    scene.alice.says("held").await;
    host.asks(&turn, 0, "Sure?").await;
    assert_eq!(host.hears().await.text, "held");
    scene.alice.says("1").await;
    let answer = host.hears().await;
    assert_eq!(answer.text, "1");
    host.finishes(&answer.turn).await;
    host.finishes(&turn).await;
}

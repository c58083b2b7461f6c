//! The order on the phone, and the indicator above it.

use std::time::Duration;

use backend::{Endpoint, Fault, Request};
use contract::{Channel as _, Content, Media, MediaKind, SendClass, Signal, ToolOutcome};
use ilink::Code;

use crate::host::{Scene, push};
use crate::receiving::wait_until;

/// Demand 36: whatever is said, in parts, tools, notices and media, shows in
/// the order in which it was said, however late single answers come.
#[tokio::test]
async fn everything_shows_in_the_order_in_which_it_was_said() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    let path = scene.dir.path().join("table.csv");
    std::fs::write(&path, "a,b").unwrap();
    let late = |ms| Fault::Late { by: Duration::from_millis(ms) };
    for fault in [late(300), Fault::BadGateway, late(200), Fault::DropAnswer] {
        scene.backend.next(Endpoint::SendMessage, fault);
    }
    scene.backend.next(Endpoint::CdnUpload, late(300));

    scene.alice.says("work").await;
    let turn = host.hears().await.turn;
    host.replies(&turn, 0, "first").await;
    let (tool, call_id) = ("search".to_owned(), "c1".to_owned());
    let outcome = ToolOutcome::Completed;
    host.channel.signal(&turn, Signal::ToolEnded { tool, call_id, outcome }).await;
    let media = Media::file(MediaKind::File, path, "table.csv");
    host.gives(&turn, 1, Content::Media(media)).await;
    let long: String = (0..30).map(|n| format!("{n:02} {}\n\n", "x".repeat(100))).collect();
    host.replies(&turn, 2, &long).await;
    host.replies(&turn, 3, "last").await;
    host.finishes(&turn).await;
    let to = scene.alice.id().as_str();
    let (pushed, ()) = tokio::join!(
        host.channel.send(push(to, SendClass::Notice, "afterwards")),
        scene.passes_until(async || scene.heard().await.len() == 5)
    );
    pushed.unwrap();
    wait_until(&host, |status| status["outbox"] == 0).await;

    let seen = scene.alice.sees().await;
    let shown = seen.iter().filter(|it| !it.from_me).map(|it| match it.text() {
        Some(text) => text.chars().take(5).collect(),
        None => it.media().unwrap().name.clone(),
    });
    let shown: Vec<String> = shown.collect();
    assert_eq!(shown, ["first", "table.csv", "00 xx", "17 xx", "last", "after"]);
    // The backend saw no two of them closer than the pace, tries apart.
    let requests = scene.backend.requests_to(Endpoint::SendMessage);
    assert!(requests.windows(2).all(|two| two[1].at_ms >= two[0].at_ms + 200), "{requests:?}");
}

/// The statuses of typing calls, in order: 1 shows, 2 hides.
fn statuses(requests: &[Request]) -> Vec<i64> {
    requests.iter().map(|it| it.json()["status"].as_i64().unwrap()).collect()
}

/// Demand 35: a turn of twenty minutes shows the indicator for a bounded time,
/// with tickets that live for one minute, and hides it.
#[tokio::test]
async fn a_long_turn_ends_with_the_indicator_hidden() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.alice.says("think").await;
    let turn = host.hears().await.turn;
    host.channel.signal(&turn, Signal::Working).await;
    scene.alice.waits_for_typing(true).await;
    let begun = scene.backend.clock().offset();
    let hidden = async || statuses(&scene.backend.requests_to(Endpoint::SendTyping)).contains(&2);
    // Steps of a call each, so that a loaded machine gets through the minutes.
    scene.passes_in_steps_until(Duration::from_secs(5), hidden).await;
    scene.alice.waits_for_typing(false).await;
    let shown_for = scene.backend.clock().offset() - begun;
    let minutes = shown_for.as_secs().div_ceil(60);
    assert!((14..=16).contains(&minutes), "{shown_for:?}");
    let calls = scene.backend.requests_to(Endpoint::SendTyping).len();
    // 180 times, and once more for each ticket that had died.
    assert!(calls <= 220, "{calls}");
    host.finishes(&turn).await;
}

/// Demand 35: a turn that ends hides it, though its ticket has died and the
/// first call failed.
#[tokio::test]
async fn the_indicator_survives_a_failed_call_and_is_hidden_with_a_fresh_ticket() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.backend.next(Endpoint::SendTyping, Fault::BadGateway);
    scene.alice.says("think").await;
    let turn = host.hears().await.turn;
    host.channel.signal(&turn, Signal::Working).await;
    scene.passes_until(async || scene.alice.is_typing_shown()).await;
    // The backend forgets the ticket; the channel does not know.
    scene.backend.clock().advance(Duration::from_secs(61));
    host.finishes(&turn).await;
    let hidden = async || {
        let calls = scene.backend.requests_to(Endpoint::SendTyping);
        statuses(&calls).ends_with(&[2, 2])
    };
    scene.passes_until(hidden).await;
    scene.alice.waits_for_typing(false).await;
    assert_eq!(scene.backend.requests_to(Endpoint::GetConfig).len(), 2);
}

/// Demand 35: typing is limited, too: during a cool-down there is none.
#[tokio::test]
async fn nobody_types_during_a_cool_down() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.backend.next(Endpoint::SendMessage, Fault::refuse(Code::REFUSED, "rate limited"));
    scene.alice.says("think").await;
    let turn = host.hears().await.turn;
    host.replies(&turn, 0, "at once").await;
    scene.passes_until(async || scene.sent().len() == 1).await;
    host.channel.signal(&turn, Signal::Working).await;
    // Longer than the patience before the first call, and shorter than the cool-down.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(scene.backend.requests_to(Endpoint::SendTyping).is_empty());
    scene.passes_until(async || scene.alice.is_typing_shown()).await;
    assert_eq!(scene.heard().await, ["at once"]);
    host.finishes(&turn).await;
}

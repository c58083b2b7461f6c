//! What the indicator may cost.

use std::time::Duration;

use backend::{Endpoint, Fault};
use contract::{Channel as _, Content, Media, MediaKind, Signal};
use ilink::Code;

use crate::host::Scene;

fn rate_limited() -> Fault {
    Fault::refuse(Code::REFUSED, "rate limited")
}

/// When the calls of an endpoint came, by the backend's clock.
fn times(scene: &Scene, endpoint: Endpoint) -> Vec<u64> {
    scene.backend.requests_to(endpoint).iter().map(|request| request.at_ms).collect()
}

/// Demand 35: a call that is one too many is a pause for everything that is
/// said, also after a restart.
#[tokio::test]
async fn a_refused_typing_call_is_a_pause_for_all_that_is_said() {
    for endpoint in [Endpoint::GetConfig, Endpoint::SendTyping] {
        let scene = Scene::tencent().await;
        let host = scene.starts().await;
        scene.backend.next(endpoint, rate_limited());
        scene.alice.says("think").await;
        let turn = host.hears().await.turn;
        host.channel.signal(&turn, Signal::Working).await;
        scene.until("the call", || !times(&scene, endpoint).is_empty()).await;
        host.channel.stop(Duration::ZERO).await;

        let host = scene.starts().await;
        host.answers("here").await;
        scene.passes_until(async || !scene.heard().await.is_empty()).await;
        let (refused, sent) = (times(&scene, endpoint)[0], times(&scene, Endpoint::SendMessage)[0]);
        assert!(sent >= refused + 14_900, "{endpoint:?}: after {} ms", sent - refused);
        host.stops().await;
    }
}

/// Demand 35: the same for an upload's ticket.
#[tokio::test]
async fn a_refused_ticket_is_a_pause_also_after_a_restart() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.backend.next(Endpoint::GetUploadUrl, rate_limited());
    let path = scene.dir.path().join("table.csv");
    std::fs::write(&path, "a,b").unwrap();
    scene.alice.says("the table").await;
    let turn = host.hears().await.turn;
    let media = Media::file(MediaKind::File, path, "table.csv");
    host.gives(&turn, 0, Content::Media(media)).await;
    host.finishes(&turn).await;
    scene.until("the call", || !times(&scene, Endpoint::GetUploadUrl).is_empty()).await;
    host.channel.stop(Duration::ZERO).await;

    let host = scene.starts().await;
    scene.passes_until(async || times(&scene, Endpoint::GetUploadUrl).len() > 1).await;
    let asked = times(&scene, Endpoint::GetUploadUrl);
    assert!(asked[1] >= asked[0] + 14_900, "{asked:?}");
    host.stops().await;
}

/// Demand 35: turns that follow each other quickly do not add up to a flood.
#[tokio::test]
async fn the_indicator_of_the_next_turn_keeps_its_distance() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    for text in ["one", "two", "three"] {
        scene.alice.says(text).await;
        let turn = host.hears().await.turn;
        host.channel.signal(&turn, Signal::Working).await;
        scene.passes_until(async || scene.alice.is_typing_shown()).await;
        host.finishes(&turn).await;
        scene.alice.waits_for_typing(false).await;
    }
    let calls = scene.backend.requests_to(Endpoint::SendTyping);
    let shown = calls.iter().filter(|call| call.json()["status"] == 1);
    let shown: Vec<_> = shown.map(|call| call.at_ms).collect();
    assert_eq!(shown.len(), 3);
    assert!(shown.windows(2).all(|two| two[1] >= two[0] + 4_900), "{shown:?}");
}

//! The process dies between a request and its answer.

use std::time::Duration;

use backend::{Endpoint, Fault};
use contract::{Channel as _, Signal};
use tokio::runtime::{Builder, Runtime};
use weixin::Settings;

use crate::host::{Scene, TestHost};
use crate::receiving::wait_until;

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Runs a channel until one of its sends has reached the backend and been
/// taken there, and kills it before it hears of that.
fn dies_with_a_send_under_way(scene: &Scene, outside: &Runtime, says: impl AsyncFn(&TestHost)) {
    let process = runtime();
    let (fault, mut gate) = Fault::hold_after();
    scene.backend.next(Endpoint::SendMessage, fault);
    let host = process.block_on(async {
        let host = scene.starts().await;
        says(&host).await;
        host
    });
    outside.block_on(gate.arrived());
    process.shutdown_timeout(Duration::from_secs(5));
    drop(host);
}

/// How many sends the channel believes to be left, running or not.
fn sends_left(scene: &Scene, outside: &Runtime) -> Option<u32> {
    let peers = outside.block_on(scene.channel(|_| {}).peers()).unwrap();
    peers[0].sends_left
}

/// Demand 6: what was under way has been counted, and counts once.
#[test]
fn a_send_that_was_cut_is_counted_once() {
    let outside = runtime();
    let scene = outside.block_on(Scene::tencent());
    outside.block_on(scene.alice.says("hello"));
    dies_with_a_send_under_way(&scene, &outside, async |host| {
        host.answers("hi").await;
    });
    assert_eq!(sends_left(&scene, &outside), Some(9));

    let process = runtime();
    process.block_on(async {
        let host = scene.starts().await;
        wait_until(&host, |status| status["outbox"] == 0).await;
        host.stops().await;
    });
    assert_eq!(outside.block_on(scene.heard()), ["hi"]);
    assert_eq!(scene.sent().len(), 2, "it was sent again, under the same id");
    assert_eq!(sends_left(&scene, &outside), Some(9));
}

/// Demand 6: nor is progress forgotten, which is not sent again.
#[test]
fn progress_that_was_cut_stays_counted() {
    let outside = runtime();
    let scene = outside.block_on(Scene::tencent());
    outside.block_on(scene.alice.says("dig"));
    dies_with_a_send_under_way(&scene, &outside, async |host| {
        let turn = host.hears().await.turn;
        let (tool, call_id) = ("search".to_owned(), "c1".to_owned());
        host.channel.signal(&turn, Signal::ToolStarted { tool, call_id }).await;
    });
    let process = runtime();
    process.block_on(async {
        let host = scene.starts().await;
        host.answers("found").await;
        wait_until(&host, |status| status["outbox"] == 0).await;
        host.stops().await;
    });
    assert_eq!(outside.block_on(scene.heard()), ["found"]);
    assert_eq!(sends_left(&scene, &outside), Some(8));
}

/// Demand 9: it may have arrived, and parts of it would be read as another text.
#[test]
fn a_text_that_was_tried_as_one_message_stays_one_after_a_restart() {
    let outside = runtime();
    let scene = outside.block_on(Scene::tencent());
    outside.block_on(scene.alice.says("tell me"));
    let text = "all of it is here. ".repeat(50).trim_end().to_owned();
    dies_with_a_send_under_way(&scene, &outside, async |host| {
        host.answers(&text).await;
    });
    let process = runtime();
    process.block_on(async {
        let smaller = |settings: &mut Settings| settings.sending.limits.part_chars = 300;
        let host = scene.starts_with(smaller).await;
        wait_until(&host, |status| status["outbox"] == 0).await;
        host.stops().await;
    });
    assert_eq!(outside.block_on(scene.heard()), [text]);
    let sent = scene.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0]["client_id"], sent[1]["client_id"]);
}

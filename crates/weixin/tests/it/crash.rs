//! What a crash leaves. The channel is dropped without a stop, as a kill does
//! it, and started anew on the same folder.

use backend::{Endpoint, Fault};
use contract::Channel as _;

use crate::host::{Scene, TestHost, channel};

/// Ends a host as a crash does: nothing is told, nothing is finished.
async fn crashes(host: TestHost) {
    // The lock and the tasks belong to the process; within one process a stop
    // without grace is the nearest there is.
    host.channel.stop(std::time::Duration::ZERO).await;
}

/// Demand 7: nor what was being answered.
#[tokio::test]
async fn a_turn_that_was_cut_is_handed_over_again_and_answers_once() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("hello").await;
    let cut = host.hears().await;
    host.replies(&cut.turn, 0, "first half").await;
    assert_eq!(scene.alice.hears().await, "first half");
    crashes(host).await;

    let host = TestHost::start(scene.dir.path()).await;
    let again = host.hears().await;
    assert_eq!((&again.turn, again.offers), (&cut.turn, 2));
    host.replies(&again.turn, 0, "first half").await;
    host.replies(&again.turn, 1, "second half").await;
    host.finishes(&again.turn).await;

    assert_eq!(scene.alice.hears().await, "second half");
    assert_eq!(scene.texts().await, ["hello", "first half", "second half"]);
}

/// Demand 7: a crash loses nothing that waited.
#[tokio::test]
async fn messages_that_waited_behind_a_cut_turn_come_in_order() {
    let scene = Scene::new().await;
    let host = TestHost::start_one_by_one(scene.dir.path()).await;
    for text in ["one", "two", "three"] {
        scene.alice.says(text).await;
    }
    host.answers("1").await;
    host.hears().await;
    crashes(host).await;

    let host = TestHost::start_one_by_one(scene.dir.path()).await;
    assert_eq!(host.answers("2").await.text, "two");
    assert_eq!(host.answers("3").await.text, "three");
    for text in ["1", "2", "3"] {
        assert_eq!(scene.alice.hears().await, text);
    }
}

#[tokio::test]
async fn a_reply_that_could_not_leave_leaves_after_the_restart() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    let (fault, mut gate) = Fault::hold_before();
    scene.backend.next(Endpoint::SendMessage, fault);
    scene.alice.says("hello").await;
    host.answers("kept").await;
    gate.arrived().await;
    crashes(host).await;
    drop(gate);

    let host = TestHost::start(scene.dir.path()).await;
    assert_eq!(scene.alice.hears().await, "kept");
    assert!(host.heard_nothing_more().await, "the turn had ended");
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_and_is_answered_once() {
    let scene = Scene::new().await;
    // The batch is on disk here, but the backend never hears of the new cursor.
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    assert_eq!(scene.alice.hears().await, "hi");
    crashes(host).await;

    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("still there?").await;
    assert_eq!(host.answers("yes").await.text, "still there?");
    assert_eq!(scene.alice.hears().await, "yes");
    assert_eq!(scene.texts().await, ["hello", "hi", "still there?", "yes"]);
}

#[tokio::test]
async fn a_second_channel_on_the_same_folder_is_refused_and_told_by_whom() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    let second = channel(scene.dir.path());
    let nobody = std::sync::Arc::new(Nobody);
    let err = second.start(nobody).await.unwrap_err().to_string();
    assert!(err.contains(&format!("process {}", std::process::id())), "{err}");
    host.stops().await;
}

/// A host that is never reached.
struct Nobody;

impl contract::Host for Nobody {
    fn changed(&self, _: contract::AccountStatus) {}

    fn alert(&self, _: contract::Alert) {}

    fn admit(
        &self,
        _: contract::Sender,
    ) -> futures_util::future::BoxFuture<'_, Result<contract::Verdict, contract::HostError>> {
        unreachable!("this channel never starts")
    }

    fn receive(
        &self,
        _: contract::Inbound,
    ) -> futures_util::future::BoxFuture<'_, Result<(), contract::HostError>> {
        unreachable!("this channel never starts")
    }
}

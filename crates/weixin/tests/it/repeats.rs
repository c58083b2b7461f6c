//! Messages that come more than once.

use std::collections::HashSet;
use std::time::Duration;

use backend::{Backend, Duplicate, Endpoint, Policy};
use contract::{Channel as _, Content, Outgoing, SendClass, Target};

use crate::host::{Scene, TestHost};
use crate::polling::hasty;

/// How far apart copies have been seen.
const APART: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

async fn repeating(after: Duration) -> Scene {
    let duplicate = Some(Duplicate { after, new_context: true });
    let policy = Policy { duplicate, ..Policy::tencent() };
    Scene::with(Backend::builder().policy(policy).hold(Duration::from_millis(100))).await
}

/// How many batches have been acknowledged.
fn n_acknowledged(scene: &Scene) -> usize {
    let polls = scene.backend.requests_to(Endpoint::GetUpdates);
    let cursors: HashSet<_> =
        polls.iter().map(|poll| poll.json()["get_updates_buf"].to_string()).collect();
    cursors.len().saturating_sub(1)
}

/// Says something outside a turn and returns the tokens of all that was sent.
async fn pushed(scene: &Scene, host: &TestHost, text: &str) -> Vec<String> {
    let target = Target { to: scene.alice.id().to_string(), account: None };
    let (class, content) = (SendClass::Reminder, Content::Text(text.to_owned()));
    let outgoing = Outgoing { target, class, content, key: None, ttl: None };
    host.channel.send(outgoing).await.unwrap();
    assert_eq!(scene.alice.hears().await, text);
    let sends = scene.backend.requests_to(Endpoint::SendMessage);
    sends.iter().map(|send| send.json()["msg"]["context_token"].to_string()).collect()
}

/// Demand 8: seconds later, with another token.
#[tokio::test]
async fn a_copy_makes_no_second_turn_and_brings_the_token_to_use() {
    for after in APART {
        let scene = repeating(after).await;
        let host = TestHost::start_on(hasty(scene.dir.path())).await;
        scene.alice.says("once").await;
        host.answers("answer").await;
        assert_eq!(scene.alice.hears().await, "answer");

        let before = n_acknowledged(&scene);
        scene.backend.clock().advance(after);
        // The message and the echo of the answer are one batch or two.
        scene.until("the copy", || n_acknowledged(&scene) > before.max(1)).await;
        let tokens = pushed(&scene, &host, "behind the copy").await;
        assert_ne!(tokens[0], tokens[1], "after {after:?}: not the newer token");
        assert!(host.heard_nothing_more().await, "a second turn after {after:?}");
    }
}

/// Demand 8: the copy comes to a channel that was started anew meanwhile.
#[tokio::test]
async fn a_copy_after_a_restart_makes_no_second_turn() {
    for after in APART {
        let scene = repeating(after).await;
        let host = TestHost::start_on(hasty(scene.dir.path())).await;
        scene.alice.says("once").await;
        host.answers("answer").await;
        assert_eq!(scene.alice.hears().await, "answer");
        let before = n_acknowledged(&scene);
        host.stops().await;

        scene.backend.clock().advance(after);
        let host = TestHost::start_on(hasty(scene.dir.path())).await;
        scene.until("the copy", || n_acknowledged(&scene) > before.max(1)).await;
        let tokens = pushed(&scene, &host, "behind the copy").await;
        assert_ne!(tokens[0], tokens[1], "after {after:?}: not the newer token");
        assert!(host.heard_nothing_more().await, "a second turn after {after:?}");
    }
}

//! Messages that come more than once.

use std::time::Duration;

use backend::{Backend, Duplicate, Endpoint, Policy};
use contract::{Channel as _, Content, Outgoing, SendClass, Target};

use crate::host::{PATIENCE, Scene, TestHost};
use crate::polling::hasty;

/// How far apart copies have been seen.
const APART: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

async fn repeating(after: Duration) -> Scene {
    let duplicate = Some(Duplicate { after, new_context: true });
    let policy = Policy { duplicate, sends_per_inbound: None, throttle: None, ..Policy::tencent() };
    Scene::with(Backend::builder().policy(policy).hold(Duration::from_millis(100))).await
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

/// Says something until it carries another token than the first message did.
async fn pushed_with_another_token(scene: &Scene, host: &TestHost) {
    let renewed = async {
        loop {
            let tokens = pushed(scene, host, "behind the copy").await;
            if tokens.last() != tokens.first() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, renewed).await.expect("the newer token was never used");
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

        scene.backend.clock().advance(after);
        pushed_with_another_token(&scene, &host).await;
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
        host.stops().await;

        scene.backend.clock().advance(after);
        let host = TestHost::start_on(hasty(scene.dir.path())).await;
        pushed_with_another_token(&scene, &host).await;
        assert!(host.heard_nothing_more().await, "a second turn after {after:?}");
    }
}

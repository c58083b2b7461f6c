//! Fifty people at once, and one of them slow.

use std::collections::HashMap;

use backend::{Endpoint, User};
use contract::{Channel as _, Lane, TurnEnd};
use ilink::BotId;
use weixin::Settings;

use crate::host::{Scene, TestHost, log_in};
use crate::polling::{brisk_scene, hasty};
use crate::receiving::wait_until;

/// Who shares alice's bot, beside herself.
const GUESTS: usize = 39;
/// Who has a bot of their own.
const OWNERS: usize = 9;

/// Forty-eight people who are neither alice nor slow.
async fn crowd(scene: &Scene) -> Vec<User> {
    let mut crowd = Vec::new();
    for n in 0..GUESTS {
        let guest = scene.backend.user(&format!("guest {n}")).await;
        crowd.push(guest.meets(&scene.bot.bot_id).await);
    }
    for n in 0..OWNERS {
        let owner = scene.backend.user(&format!("owner {n}")).await;
        log_in(scene.dir.path(), &scene.backend.bind(&owner).await);
        crowd.push(owner);
    }
    crowd
}

/// Settings for many people on one bot: Tencent's servers bind one, and hold back
/// the bursts that answers to many would make.
fn for_many(scene: &Scene) -> Settings {
    let mut settings = hasty(scene.dir.path());
    settings.sending.limits.burst = None;
    settings
}

async fn slow_one(scene: &Scene) -> User {
    scene.backend.user("slow").await.meets(&scene.bot.bot_id).await
}

fn polls_by_bot(scene: &Scene) -> HashMap<Option<BotId>, usize> {
    let mut polls = HashMap::new();
    for poll in scene.backend.requests_to(Endpoint::GetUpdates) {
        *polls.entry(poll.bot).or_default() += 1;
    }
    polls
}

/// Demand 4: a turn that does not end keeps nobody waiting, neither on the same
/// bot nor on others. That it is slow is that it ends last of all.
#[tokio::test]
async fn forty_nine_are_answered_while_one_turn_goes_on() {
    let scene = brisk_scene().await;
    let mut others = crowd(&scene).await;
    others.push(scene.alice.clone());
    let slow = slow_one(&scene).await;
    let host = TestHost::start_on(for_many(&scene)).await;
    slow.says("research this for me").await;
    let endless = host.hears().await;

    for user in &others {
        user.says(&format!("I am {}", user.name())).await;
    }
    for _ in &others {
        let inbound = host.hears().await;
        let name = inbound.text.strip_prefix("I am ").unwrap();
        host.replies(&inbound.turn, 0, &format!("hello, {name}")).await;
        host.finishes(&inbound.turn).await;
    }
    for user in &others {
        assert_eq!(user.hears().await, format!("hello, {}", user.name()));
    }
    assert_eq!(others.len(), 49);
    assert_eq!(slow.has_heard().await, None);

    host.replies(&endless.turn, 0, "at last").await;
    host.finishes(&endless.turn).await;
    assert_eq!(slow.hears().await, "at last");
}

/// Demands 4 and 47: what somebody says to end a turn does not wait behind what
/// they said before, however much that is.
#[tokio::test]
async fn a_stop_overtakes_a_turn_and_thirty_messages_behind_it() {
    let scene = brisk_scene().await;
    let host = TestHost::start_on(for_many(&scene)).await;
    scene.alice.says("research this for me").await;
    let endless = host.hears().await;
    let lines: Vec<_> = (0..30).map(|n| format!("and this: {n}")).collect();
    for line in &lines {
        scene.alice.says(line).await;
    }
    wait_until(&host, |status| status["inbox"] == 31).await;
    assert!(host.heard_nothing_more().await);

    scene.alice.says("/stop").await;
    let stop = host.hears().await;
    assert_eq!((stop.text.as_str(), stop.lane), ("/stop", Lane::Aside));
    host.replies(&stop.turn, 0, "stopped").await;
    host.finishes(&stop.turn).await;
    assert_eq!(scene.alice.hears().await, "stopped");
    host.channel.finish(&endless.turn, TurnEnd::Stopped).await.unwrap();

    // Nothing that waited is lost, and its order is that in which it was said.
    let mut heard = Vec::new();
    while heard.len() < lines.len() {
        let inbound = host.answers("noted").await;
        assert_eq!(inbound.lane, Lane::Conversation);
        heard.extend(inbound.text.lines().map(str::to_owned));
    }
    assert_eq!(heard, lines);
}

/// Demand 4: no poll waits for a host, not even if it ends no turn at all.
#[tokio::test]
async fn polls_go_on_while_all_turns_hang() {
    let scene = brisk_scene().await;
    let mut all = crowd(&scene).await;
    all.extend([scene.alice.clone(), slow_one(&scene).await]);
    let host = TestHost::start_on(for_many(&scene)).await;
    for user in &all {
        user.says("think about it").await;
    }
    for _ in &all {
        host.hears().await;
    }

    let before = polls_by_bot(&scene);
    assert_eq!(before.len(), 1 + OWNERS);
    scene
        .until("each bot polls on", || {
            let now = polls_by_bot(&scene);
            before.iter().all(|(bot, polls)| now[bot] >= polls + 3)
        })
        .await;
    // And what comes in is looked at at once.
    for user in &all {
        user.says("停止").await;
        let stop = host.hears().await;
        assert_eq!((stop.lane, stop.conversation.peer.as_str()), (Lane::Aside, user.id().as_str()));
    }
}

//! "Typing…".

use std::time::Duration;

use backend::{Backend, Policy};
use serde_json::{Value, json};

use crate::bot::RawBot;

async fn ticket(bot: &RawBot) -> Value {
    let user = bot.who.user_id.as_str();
    bot.call("getconfig", json!({ "ilink_user_id": user })).await
}

async fn types(bot: &RawBot, ticket: &Value, status: i64) -> Value {
    let user = bot.who.user_id.as_str();
    let body = json!({ "ilink_user_id": user, "typing_ticket": ticket, "status": status });
    bot.call("sendtyping", body).await
}

#[tokio::test]
async fn there_is_no_ticket_before_the_user_has_written() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    assert_eq!(ticket(&bot).await["ret"], -4);
    alice.says("hi").await;
    assert!(ticket(&bot).await["typing_ticket"].is_string());
    let nobody = bot.call("getconfig", json!({ "ilink_user_id": "nobody@im.wechat" })).await;
    assert_eq!(nobody["ret"], -4);
}

#[tokio::test]
async fn typing_shows_until_cancelled_or_ten_seconds_later() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    alice.says("hi").await;
    let ticket = ticket(&bot).await["typing_ticket"].clone();
    assert!(!alice.is_typing_shown());
    assert_eq!(types(&bot, &ticket, 1).await["ret"], 0);
    alice.waits_for_typing(true).await;
    assert_eq!(types(&bot, &ticket, 2).await["ret"], 0);
    alice.waits_for_typing(false).await;

    types(&bot, &ticket, 1).await;
    backend.clock().advance(Duration::from_secs(6));
    types(&bot, &ticket, 1).await;
    backend.clock().advance(Duration::from_secs(6));
    assert!(alice.is_typing_shown(), "it was repeated in time");
    backend.clock().advance(Duration::from_secs(6));
    alice.waits_for_typing(false).await;
}

#[tokio::test]
async fn a_ticket_is_good_for_its_conversation_and_its_life() {
    let life = Duration::from_secs(60);
    let policy = Policy { typing_ticket_life: life, ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let (alice, bob) = (backend.user("alice").await, backend.user("bob").await);
    let (bot, other) = (RawBot::of(&backend, &alice).await, RawBot::of(&backend, &bob).await);
    alice.says("hi").await;
    bob.says("hi").await;
    let own = ticket(&bot).await["typing_ticket"].clone();
    let foreign = ticket(&other).await["typing_ticket"].clone();
    for wrong in [json!(""), json!("forged"), foreign] {
        assert_eq!(types(&bot, &wrong, 1).await["ret"], -2, "{wrong}");
    }
    assert_eq!(types(&bot, &own, 7).await["ret"], -3);
    backend.clock().advance(life);
    assert_eq!(types(&bot, &own, 1).await["ret"], -2);
    assert!(!alice.is_typing_shown());
}

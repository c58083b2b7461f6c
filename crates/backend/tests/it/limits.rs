//! The limits of Tencent's servers, as a client meets them.

use std::time::Duration;

use backend::{Backend, Policy, Throttle};
use serde_json::{Value, json};

use crate::bot::RawBot;

const HOUR: Duration = Duration::from_secs(3600);

/// Sends a text with the newest context token.
async fn says(bot: &RawBot, text: &str, context: &str) -> Value {
    let mut body = bot.text(text, None);
    body["msg"]["context_token"] = json!(context);
    bot.call("sendmessage", body).await
}

/// Returns the newest context token.
async fn context(bot: &RawBot) -> String {
    let batch = bot.poll("").await;
    let newest = batch["msgs"].as_array().unwrap().last().unwrap();
    newest["context_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn tencents_window_closes_after_a_day_and_a_word_opens_it() {
    let policy = Policy { duplicate: None, echo: false, ..Policy::tencent() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    assert_eq!(says(&bot, "first", "").await["ret"], -2, "the user must speak first");
    alice.says("hello").await;
    let token = context(&bot).await;
    assert!(says(&bot, "in time", &token).await["message_id"].is_u64());
    backend.clock().advance(24 * HOUR + Duration::from_secs(1));
    let refused = says(&bot, "too late", &token).await;
    assert_eq!((&refused["ret"], &refused["errmsg"]), (&json!(-2), &json!("prepare failed")));
    alice.says("hello again").await;
    let token = context(&bot).await;
    assert!(says(&bot, "back", &token).await["message_id"].is_u64());
    assert_eq!(alice.hears().await, "in time");
    assert_eq!(alice.hears().await, "back");
}

#[tokio::test]
async fn the_eleventh_send_is_refused_until_the_user_speaks() {
    let policy = Policy { sends_per_inbound: Some(10), ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    alice.says("go").await;
    for n in 0..10 {
        assert!(bot.says("x").await["message_id"].is_u64(), "send {n}");
    }
    assert_eq!(bot.says("x").await["ret"], -2);
    alice.says("go on").await;
    assert!(bot.says("x").await["message_id"].is_u64());
}

#[tokio::test]
async fn a_burst_is_throttled_and_trying_on_makes_it_worse() {
    let throttle =
        Throttle { sends: 3, period: Duration::from_secs(10), penalty: Duration::from_secs(60) };
    let policy = Policy { throttle: Some(throttle), ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    for _ in 0..3 {
        assert!(bot.says("x").await["message_id"].is_u64());
    }
    let refused = bot.says("x").await;
    assert_eq!((&refused["ret"], &refused["errmsg"]), (&json!(-2), &json!("rate limited")));
    backend.clock().advance(Duration::from_secs(40));
    assert_eq!(bot.says("x").await["ret"], -2);
    backend.clock().advance(Duration::from_secs(40));
    assert_eq!(bot.says("x").await["ret"], -2, "the second try prolonged it");
    backend.clock().advance(Duration::from_secs(61));
    assert!(bot.says("x").await["message_id"].is_u64());
}

#[tokio::test]
async fn long_texts_are_refused_or_cut() {
    let policy = Policy {
        text_chars: Some(5_000),
        text_bytes: Some(12_000),
        shown_chars: Some(2_000),
        ..Policy::open()
    };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    assert_eq!(bot.says(&"x".repeat(5_001)).await["ret"], -2);
    assert_eq!(bot.says(&"鸿".repeat(4_001)).await["ret"], -2);
    assert!(bot.says(&"鸿".repeat(4_000)).await["message_id"].is_u64());
    assert_eq!(alice.hears().await, "鸿".repeat(2_000));
}

/// Demand 18: what Tencent's servers do with a voice bubble of a bot.
#[tokio::test]
async fn a_native_voice_is_accepted_and_never_shown() {
    let policy = Policy { bot_voice_shown: false, ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let voice = json!({ "type": 3, "voice_item": { "media": { "encrypt_query_param": "x" } } });
    assert!(bot.call("sendmessage", bot.message(voice, None)).await["message_id"].is_u64());
    assert_eq!(alice.sees().await.len(), 0);
    let sent = backend.sent_by(&bot.who.bot_id).await;
    assert_eq!(sent.iter().map(|it| it.shown).collect::<Vec<_>>(), [false]);
}

#[tokio::test]
async fn a_suppressed_message_is_accepted_without_an_id() {
    let policy = Policy { suppressed: true, ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    assert_eq!(bot.says("x").await, json!({ "ret": 0 }));
    backend.set_policy(Policy::open());
    assert!(bot.says("y").await["message_id"].is_u64());
    assert_eq!(alice.sees().await.len(), 1);
}

#[tokio::test]
async fn a_context_token_of_another_conversation_is_stale() {
    let policy = Policy { context_required: true, ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let (alice, bob) = (backend.user("alice").await, backend.user("bob").await);
    let (bot, other) = (RawBot::of(&backend, &alice).await, RawBot::of(&backend, &bob).await);
    alice.says("hi").await;
    bob.says("hi").await;
    let (own, foreign) = (context(&bot).await, context(&other).await);
    for wrong in ["", "forged", &foreign] {
        let refused = says(&bot, "x", wrong).await;
        assert_eq!((&refused["ret"], &refused["errmsg"]), (&json!(-2), &json!("unknown error")));
    }
    assert!(says(&bot, "x", &own).await["message_id"].is_u64());
}

#[tokio::test]
async fn only_the_owner_talks_to_a_bot_of_tencent() {
    let backend = Backend::builder().policy(Policy::tencent()).start().await.unwrap();
    let alice = backend.user("alice").await;
    backend.user("eve").await;
    let bot = RawBot::of(&backend, &alice).await;
    let meet = format!("{}/admin/api/users/eve/meet", backend.url());
    let body = json!({ "bot": bot.who.bot_id.as_str() });
    let refused = bot.http.post(meet).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 409);
}

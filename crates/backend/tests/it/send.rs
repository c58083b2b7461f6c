//! What bots may send, and what becomes of it.

use std::time::Duration;

use backend::{Backend, Policy, SeenItem};
use serde_json::{Value, json};

use crate::bot::{RawBot, texts};

#[tokio::test]
async fn a_retry_under_the_same_client_id_has_the_same_answer_and_shows_once() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let first = bot.call("sendmessage", bot.text("once", Some("c-1"))).await;
    let second = bot.call("sendmessage", bot.text("once", Some("c-1"))).await;
    assert_eq!(first, second);
    let third = bot.call("sendmessage", bot.text("once", Some("c-2"))).await;
    assert_ne!(first, third);
    assert_eq!(alice.sees().await.len(), 2);
}

#[tokio::test]
async fn a_wrong_peer_is_refused_with_minus_3() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bob = backend.user("bob").await;
    let bot = RawBot::of(&backend, &alice).await;
    let id = alice.id().as_str();
    for wrong in [&id.to_lowercase(), &format!("weixin:{id}"), bob.id().as_str(), ""] {
        let mut body = bot.text("hi", None);
        body["msg"]["to_user_id"] = json!(wrong);
        assert_eq!(bot.call("sendmessage", body).await["ret"], -3, "{wrong}");
    }
    assert_eq!(alice.sees().await.len() + bob.sees().await.len(), 0);
}

#[tokio::test]
async fn a_message_has_exactly_one_item_with_something_in_it() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let text = json!({ "type": 1, "text_item": { "text": "x" } });
    let wrong = [
        json!([]),
        json!([text, text]),
        json!([text, 7]),
        json!([{ "type": 1 }]),
        json!([{ "type": 2, "image_item": {} }]),
        json!([{ "text_item": { "text": "x" } }]),
        Value::Null,
    ];
    for items in wrong {
        let mut body = bot.text("", None);
        body["msg"]["item_list"] = items.clone();
        assert_eq!(bot.call("sendmessage", body).await["ret"], -3, "{items}");
    }
    assert_eq!(bot.call("sendmessage", json!({})).await["ret"], -3);
}

#[tokio::test]
async fn tool_items_are_answered_with_silence() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let call = json!({ "tool_name": "search", "tool_call_id": "t1" });
    let start = json!({ "type": 11, "tool_call_start_item": call });
    assert_eq!(bot.call("sendmessage", bot.message(start, None)).await, Value::Null);
    let call = json!({ "tool_name": "search", "tool_call_id": "t1", "status": "completed" });
    let end = json!({ "type": 12, "tool_call_result_item": call });
    assert_eq!(bot.call("sendmessage", bot.message(end, None)).await, Value::Null);
    let seen = alice.sees().await;
    let statuses = seen.iter().map(|it| {
        let SeenItem::Tool { status, .. } = &it.items[0] else { panic!("{it:?}") };
        status.as_str()
    });
    assert_eq!(statuses.collect::<Vec<_>>(), ["running", "completed"]);
}

#[tokio::test]
async fn unknown_fields_and_kinds_do_no_harm() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let mut body = bot.text("hi", None);
    body["msg"]["from_the_future"] = json!({ "a": [1, 2] });
    body["shape"] = json!("new");
    assert!(bot.call("sendmessage", body).await["message_id"].is_u64());
    let item = json!({ "type": 99, "hologram_item": { "x": 1 } });
    assert!(bot.call("sendmessage", bot.message(item, None)).await["message_id"].is_u64());
    let seen = alice.sees().await;
    assert!(matches!(seen[1].items[0], SeenItem::Unsupported(99)), "{seen:?}");
}

#[tokio::test]
async fn every_call_needs_a_good_token() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let mut bot = RawBot::of(&backend, &alice).await;
    let good = bot.who.token.clone();
    let forged = format!("{}:{}", bot.who.bot_id, "0".repeat(64));
    let endpoints = [
        "getupdates",
        "sendmessage",
        "getuploadurl",
        "getconfig",
        "sendtyping",
        "msg/notifystart",
        "msg/notifystop",
    ];
    for token in ["", "nonsense", &forged, &good.expose()[1..]] {
        bot.who.token = ilink::BotToken::new(token);
        for endpoint in endpoints {
            let answer = bot.call(endpoint, json!({})).await;
            assert_eq!(
                (&answer["ret"], &answer["errcode"]),
                (&json!(-14), &json!(-14)),
                "{endpoint}"
            );
        }
    }
    bot.who.token = good;
    backend.make_stale(&bot.who.bot_id).await;
    for endpoint in endpoints {
        assert_eq!(bot.call(endpoint, json!({})).await["ret"], -14, "{endpoint}");
    }
}

#[tokio::test]
async fn a_token_that_becomes_stale_ends_a_held_poll() {
    let backend = Backend::builder().hold(Duration::from_secs(15)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let (answer, ()) = tokio::join!(bot.poll(""), async {
        while !backend.is_online(&bot.who.bot_id) {
            tokio::task::yield_now().await;
        }
        backend.make_stale(&bot.who.bot_id).await;
    });
    assert_eq!(answer["ret"], -14);
}

#[tokio::test]
async fn a_bot_can_hear_itself_where_the_policy_says_so() {
    let policy = Policy { echo: true, ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    bot.says("hi").await;
    let batch = bot.poll("").await;
    assert_eq!(texts(&batch), ["hi"]);
    assert_eq!(batch["msgs"][0]["message_type"], 2);
    assert_eq!(batch["msgs"][0]["from_user_id"], bot.who.bot_id.as_str());
}

//! Polls, cursors, acknowledgements.

use std::time::Duration;

use backend::{Backend, Duplicate, Endpoint, Policy};
use serde_json::json;

use crate::bot::{RawBot, cursor, texts};

#[tokio::test]
async fn a_held_poll_answers_as_soon_as_there_is_something() {
    let backend = Backend::builder().hold(Duration::from_secs(15)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let (batch, _) = tokio::join!(bot.poll(""), alice.says("now"));
    assert_eq!(texts(&batch), ["now"]);
    assert_eq!(batch["longpolling_timeout_ms"], 15_000);
}

#[tokio::test]
async fn an_idle_poll_ends_empty_after_the_hold() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let batch = bot.poll("").await;
    assert_eq!((&batch["ret"], &batch["msgs"]), (&json!(0), &json!([])));
    assert!(!cursor(&batch).is_empty());
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again_and_what_is_does_not() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    alice.says("one").await;
    alice.says("two").await;

    let first = bot.poll("").await;
    assert_eq!(texts(&first), ["one", "two"]);
    let again = bot.poll("").await;
    assert_eq!(again["msgs"], first["msgs"], "the same messages, tokens included");
    assert!(alice.sees().await.iter().all(|it| !it.delivered));

    assert_eq!(texts(&bot.poll(cursor(&first)).await), [""; 0]);
    assert!(alice.sees().await.iter().all(|it| it.delivered));
    assert_eq!(texts(&bot.poll("").await), [""; 0], "an empty cursor does not bring them back");
}

#[tokio::test]
async fn an_older_cursor_delivers_again() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    alice.says("one").await;
    let first = bot.poll("").await;
    alice.says("two").await;
    let second = bot.poll(cursor(&first)).await;
    alice.says("three").await;
    assert_eq!(texts(&bot.poll(cursor(&second)).await), ["three"]);
    assert_eq!(texts(&bot.poll(cursor(&first)).await), ["two", "three"]);
}

#[tokio::test]
async fn a_cursor_that_means_nothing_counts_as_none() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    alice.says("one").await;
    for strange in ["eyJjIjo5NTI5MzM5Mn0=", "\u{0}", "AAAA"] {
        assert_eq!(texts(&bot.poll(strange).await), ["one"], "{strange:?}");
    }
    let far = "MTp4OjE4NDQ2NzQ0MDczNzA5NTUxNjE1";
    assert_eq!(texts(&bot.poll(far).await), ["one"]);
}

#[tokio::test]
async fn the_newest_poller_wins() {
    let backend = Backend::builder().hold(Duration::from_secs(15)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let older = bot.poll("");
    let newer = async {
        while backend.requests_to(Endpoint::GetUpdates).is_empty() {
            tokio::task::yield_now().await;
        }
        let (batch, ()) = tokio::join!(bot.poll(""), async {
            while backend.requests_to(Endpoint::GetUpdates).len() < 2 {
                tokio::task::yield_now().await;
            }
        });
        batch
    };
    let speak = async {
        let empty = older.await;
        assert_eq!(texts(&empty), [""; 0]);
        alice.says("for the newer").await;
    };
    let (batch, ()) = tokio::join!(newer, speak);
    assert_eq!(texts(&batch), ["for the newer"]);
}

#[tokio::test]
async fn a_message_carries_what_the_wire_wants() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let id = alice.says("hello").await;
    let batch = bot.poll("").await;
    let message = &batch["msgs"][0];
    assert_eq!(message["message_id"].as_u64(), id.as_u64());
    assert!(id.as_u64().unwrap() > 1 << 53, "beyond what a double holds");
    assert_eq!(message["seq"], 1);
    assert_eq!(message["from_user_id"], alice.id().as_str());
    assert_eq!(message["to_user_id"], bot.who.bot_id.as_str());
    assert_eq!((&message["message_type"], &message["message_state"]), (&json!(1), &json!(2)));
    assert!(!message["context_token"].as_str().unwrap().is_empty());
    assert!(!message["session_id"].as_str().unwrap().is_empty());
    let now = backend.clock().now_ms();
    assert!(now - message["create_time_ms"].as_u64().unwrap() < 60_000);
}

#[tokio::test]
async fn a_copy_comes_later_with_another_context_token() {
    let duplicate = Duplicate { after: Duration::from_secs(5), new_context: true };
    let policy = Policy { duplicate: Some(duplicate), ..Policy::open() };
    let builder = Backend::builder().policy(policy).hold(Duration::from_millis(50));
    let backend = builder.start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    alice.says("once").await;
    let first = bot.poll("").await;
    assert_eq!(texts(&first), ["once"]);
    assert_eq!(texts(&bot.poll(cursor(&first)).await), [""; 0]);
    backend.clock().advance(Duration::from_secs(5));
    let second = bot.poll(cursor(&first)).await;
    let (one, two) = (&first["msgs"][0], &second["msgs"][0]);
    assert_eq!(one["message_id"], two["message_id"]);
    assert_ne!(one["context_token"], two["context_token"]);
    assert_eq!(alice.sees().await.len(), 1);
}

#[tokio::test]
async fn a_long_absence_is_caught_up_in_batches() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    for n in 0..250 {
        alice.says(&n.to_string()).await;
    }
    let (mut heard, mut at) = (Vec::new(), String::new());
    loop {
        let batch = bot.poll(&at).await;
        let new = texts(&batch);
        if new.is_empty() {
            break;
        }
        assert!(new.len() <= 100);
        heard.extend(new.into_iter().map(str::to_owned));
        at = cursor(&batch).to_owned();
    }
    assert_eq!(heard, (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn many_bots_do_not_hear_each_other() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bob = backend.user("bob").await;
    let (of_alice, of_bob) = (RawBot::of(&backend, &alice).await, RawBot::of(&backend, &bob).await);
    alice.says("from alice").await;
    bob.says("from bob").await;
    assert_eq!(texts(&of_alice.poll("").await), ["from alice"]);
    assert_eq!(texts(&of_bob.poll("").await), ["from bob"]);
}

#[tokio::test]
async fn a_stranger_reaches_a_bot_only_where_the_policy_allows_it() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let eve = backend.user("eve").await.meets(&bot.who.bot_id).await;
    eve.says("let me in").await;
    let batch = bot.poll("").await;
    assert_eq!(batch["msgs"][0]["from_user_id"], eve.id().as_str());
}

#[tokio::test]
async fn presence_follows_start_poll_and_stop() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    assert!(!backend.is_online(&bot.who.bot_id));
    bot.poll("").await;
    assert!(backend.is_online(&bot.who.bot_id));
    bot.call("msg/notifystop", json!({})).await;
    assert!(!backend.is_online(&bot.who.bot_id));
    bot.call("msg/notifystart", json!({})).await;
    assert!(backend.is_online(&bot.who.bot_id));
}

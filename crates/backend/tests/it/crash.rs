//! What survives.

use backend::{Backend, Clock, Endpoint, Fault, Policy};
use serde_json::json;

use crate::bot::{RawBot, cursor, texts};

/// Starts on a store, with a clock that goes on.
async fn on(dir: &std::path::Path, clock: &Clock) -> Backend {
    Backend::builder().store(dir).clock(clock).start().await.unwrap()
}

/// The same bot at the backend's new address.
fn at(backend: &Backend, bot: &RawBot) -> RawBot {
    RawBot::with(backend.credentials(&bot.who.bot_id).unwrap())
}

#[tokio::test]
async fn a_kill_loses_nothing_that_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let backend = on(dir.path(), &clock).await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    alice.says("one").await;
    let first = bot.poll("").await;
    alice.says("two").await;
    alice.sends_file(b"content", "a.txt").await;
    bot.poll(cursor(&first)).await;
    bot.says("heard").await;
    assert_eq!(alice.hears().await, "heard");
    let answer = bot.call("sendmessage", bot.text("unheard", Some("c-1"))).await;
    backend.kill().await;
    drop(backend);

    let backend = on(dir.path(), &clock).await;
    let alice = backend.user("alice").await;
    let again = at(&backend, &bot);
    assert_eq!(again.who.token, bot.who.token);
    let batch = again.poll("").await;
    assert_eq!(
        batch["msgs"].as_array().unwrap().len(),
        2,
        "two and the file; one was acknowledged"
    );
    assert_eq!(again.call("sendmessage", bot.text("unheard", Some("c-1"))).await, answer);
    assert_eq!(alice.hears().await, "unheard");
    let seen = alice.sees().await;
    assert_eq!(seen[2].media().unwrap().bytes().await, b"content");
    let newest = alice.says("three").await.as_u64();
    assert!(newest > seen.last().unwrap().id.as_u64(), "ids go on rising");
}

#[tokio::test]
async fn a_message_whose_answer_the_crash_took_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let backend = on(dir.path(), &clock).await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let (fault, mut gate) = Fault::hold_after();
    backend.next(Endpoint::SendMessage, fault);
    let body = bot.text("x", Some("c-1"));
    let crash = async {
        gate.arrived().await;
        backend.kill().await;
    };
    let (broken, ()) = tokio::join!(bot.request("sendmessage", &body).send(), crash);
    assert!(broken.is_err());

    let backend = on(dir.path(), &clock).await;
    at(&backend, &bot).call("sendmessage", body).await;
    let alice = backend.user("alice").await;
    assert_eq!(alice.sees().await.len(), 1);
}

#[tokio::test]
async fn limits_are_remembered_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let policy = Policy { sends_per_inbound: Some(2), ..Policy::open() };
    let backend = on(dir.path(), &clock).await;
    backend.set_policy(policy.clone());
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    alice.says("go").await;
    bot.says("1").await;
    bot.says("2").await;
    backend.stop().await;

    let backend = on(dir.path(), &clock).await;
    backend.set_policy(policy);
    assert_eq!(at(&backend, &bot).says("3").await["ret"], -2);
}

#[tokio::test]
async fn a_login_goes_on_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let backend = on(dir.path(), &clock).await;
    let alice = backend.user("alice").await;
    let http = crate::bot::http();
    let ask = format!("{}/ilink/bot/get_bot_qrcode?bot_type=3", backend.url());
    let code: serde_json::Value = http.post(ask).send().await.unwrap().json().await.unwrap();
    alice.confirm(code["qrcode_img_content"].as_str().unwrap()).await;
    backend.kill().await;

    let backend = on(dir.path(), &clock).await;
    let qrcode = code["qrcode"].as_str().unwrap();
    let ask = format!("{}/ilink/bot/get_qrcode_status?qrcode={qrcode}", backend.url());
    let status: serde_json::Value = http.get(ask).send().await.unwrap().json().await.unwrap();
    assert_eq!(status["status"], "confirmed");
    let bot = ilink::BotId::from(status["ilink_bot_id"].as_str().unwrap());
    let bot = RawBot::with(backend.credentials(&bot).unwrap());
    assert_eq!(bot.call("msg/notifystart", json!({})).await["ret"], 0);
}

#[tokio::test]
async fn a_stop_answers_held_polls() {
    let builder = Backend::builder().hold(std::time::Duration::from_secs(15));
    let backend = builder.start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let stop = async {
        while !backend.is_online(&bot.who.bot_id) {
            tokio::task::yield_now().await;
        }
        backend.stop().await;
    };
    let (batch, ()) = tokio::join!(bot.poll(""), stop);
    assert_eq!(texts(&batch), [""; 0]);
    assert!(bot.request("getupdates", &json!({})).send().await.is_err());
}

#[tokio::test]
async fn uploads_that_a_crash_cut_off_are_swept_away() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let backend = on(dir.path(), &clock).await;
    let alice = backend.user("alice").await;
    backend.bind(&alice).await;
    alice.sends_file(b"kept", "a").await;
    backend.kill().await;
    let media = dir.path().join("media");
    std::fs::write(media.join(".tmpXYZ"), b"half").unwrap();
    std::fs::write(media.join("0123456789abcdef0123456789abcdef"), b"orphan").unwrap();

    let backend = on(dir.path(), &clock).await;
    assert_eq!(std::fs::read_dir(&media).unwrap().count(), 1);
    let alice = backend.user("alice").await;
    assert_eq!(alice.sees().await[0].media().unwrap().bytes().await, b"kept");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_store() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let backend = on(&store, &Clock::new()).await;
    let alice = backend.user("alice").await;
    backend.bind(&alice).await;
    alice.sends_file(b"x", "a").await;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&store), 0o700);
    for file in ["backend.sqlite", "key"] {
        assert_eq!(mode(&store.join(file)), 0o600, "{file}");
    }
    for file in std::fs::read_dir(store.join("media")).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

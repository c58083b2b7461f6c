//! Each scripted fault, from the client's end.

use std::time::Duration;

use backend::{Backend, Endpoint, Fault};
use ilink::Code;
use serde_json::json;

use crate::bot::{RawBot, texts};

/// A backend with one bot whose user has said "hello".
async fn scene() -> (Backend, RawBot, backend::User) {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    alice.says("hello").await;
    (backend, bot, alice)
}

#[tokio::test]
async fn a_dropped_request_has_no_effect() {
    let (backend, bot, alice) = scene().await;
    backend.next(Endpoint::SendMessage, Fault::DropRequest);
    let broken = bot.request("sendmessage", &bot.text("x", Some("c"))).send().await;
    assert!(broken.is_err());
    assert_eq!(backend.sent_by(&bot.who.bot_id).await.len(), 0);
    bot.call("sendmessage", bot.text("x", Some("c"))).await;
    assert_eq!(alice.hears().await, "x");
}

#[tokio::test]
async fn a_dropped_answer_does_not_undo_the_message() {
    let (backend, bot, alice) = scene().await;
    backend.next(Endpoint::SendMessage, Fault::DropAnswer);
    let broken = bot.request("sendmessage", &bot.text("x", Some("c"))).send().await;
    assert!(broken.is_err());
    assert_eq!(alice.hears().await, "x");
    assert!(bot.call("sendmessage", bot.text("x", Some("c"))).await["message_id"].is_u64());
    assert_eq!(alice.sees().await.len(), 2, "hello, and x once");
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let (backend, bot, alice) = scene().await;
    backend.next(Endpoint::SendMessage, Fault::Reset);
    let broken = bot.request("sendmessage", &bot.text("x", None)).send().await.unwrap_err();
    assert!(format!("{broken:?}").contains("reset"), "{broken:?}");
    assert_eq!(alice.sees().await.len(), 1);
}

#[tokio::test]
async fn half_a_body_is_followed_by_silence() {
    let (backend, bot, _) = scene().await;
    backend.next(Endpoint::GetUpdates, Fault::HalfBody);
    let answer = bot.request("getupdates", &json!({})).send().await.unwrap();
    let length = answer.content_length().unwrap();
    let mut answer = answer;
    let mut n = 0;
    let silent = loop {
        match tokio::time::timeout(Duration::from_millis(300), answer.chunk()).await {
            Ok(chunk) => n += chunk.unwrap().unwrap().len() as u64,
            Err(_) => break true,
        }
    };
    assert!(silent);
    assert_eq!(n, length / 2);
    assert_eq!(texts(&bot.poll("").await), ["hello"]);
}

#[tokio::test]
async fn an_edge_gives_up_with_524() {
    let (backend, bot, alice) = scene().await;
    let after = Duration::from_millis(100);
    backend.next(Endpoint::SendMessage, Fault::EdgeTimeout { after });
    let answer = bot.request("sendmessage", &bot.text("x", None)).send().await.unwrap();
    assert_eq!(answer.status(), 524);
    assert!(answer.text().await.unwrap().contains("<html>"));
    assert_eq!(alice.hears().await, "x", "what is behind the edge has done it");
}

#[tokio::test]
async fn an_edge_cuts_a_held_poll() {
    let backend = Backend::builder().hold(Duration::from_secs(15)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    backend.next(Endpoint::GetUpdates, Fault::EdgeTimeout { after: Duration::from_millis(50) });
    let answer = bot.request("getupdates", &json!({})).send().await.unwrap();
    assert_eq!(answer.status(), 524);
}

#[tokio::test]
async fn an_impatient_edge_lets_pass_what_comes_in_time() {
    let backend = Backend::builder().hold(Duration::from_secs(15)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    backend.next(Endpoint::GetUpdates, Fault::EdgeCut { after: Duration::from_millis(50) });
    let answer = bot.request("getupdates", &json!({})).send().await.unwrap();
    assert_eq!(answer.status(), 524);

    backend.next(Endpoint::GetUpdates, Fault::EdgeCut { after: Duration::from_secs(60) });
    alice.says("in time").await;
    assert_eq!(texts(&bot.poll("").await), ["in time"]);
    backend.next(Endpoint::SendMessage, Fault::EdgeCut { after: Duration::from_secs(60) });
    bot.says("me too").await;
    assert_eq!(alice.hears().await, "me too");
}

#[tokio::test]
async fn a_bad_gateway_answers_with_a_page() {
    let (backend, bot, alice) = scene().await;
    backend.next_times(Endpoint::SendMessage, 2, Fault::BadGateway);
    for _ in 0..2 {
        let answer = bot.request("sendmessage", &bot.text("x", None)).send().await.unwrap();
        assert_eq!(answer.status(), 502);
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    }
    bot.says("y").await;
    assert_eq!(alice.hears().await, "y");
}

#[tokio::test]
async fn json_can_end_in_the_middle_or_be_absent() {
    let (backend, bot, _) = scene().await;
    backend.next(Endpoint::GetUpdates, Fault::TruncatedJson);
    let cut = bot.request("getupdates", &json!({})).send().await.unwrap().text().await.unwrap();
    assert!(cut.starts_with("{\"ret\":0") && !cut.ends_with('}'), "{cut}");
    backend.next(Endpoint::GetUpdates, Fault::EmptyBody);
    let empty = bot.request("getupdates", &json!({})).send().await.unwrap();
    assert_eq!((empty.status().as_u16(), empty.text().await.unwrap()), (200, String::new()));
}

#[tokio::test]
async fn a_code_can_be_given() {
    let (backend, bot, alice) = scene().await;
    backend.next(Endpoint::SendMessage, Fault::refuse(Code::REFUSED, "rate limited"));
    let refused = bot.says("x").await;
    assert_eq!(refused, json!({ "ret": -2, "errcode": -2, "errmsg": "rate limited" }));
    backend.next(Endpoint::SendMessage, Fault::suppress());
    assert_eq!(bot.says("x").await, json!({ "ret": 0 }));
    assert_eq!(alice.sees().await.len(), 1);
}

#[tokio::test]
async fn a_batch_can_come_twice_or_in_reverse() {
    let (backend, bot, alice) = scene().await;
    alice.says("world").await;
    backend.next(Endpoint::GetUpdates, Fault::Duplicate);
    assert_eq!(texts(&bot.poll("").await), ["hello", "hello", "world", "world"]);
    backend.next(Endpoint::GetUpdates, Fault::Reorder);
    assert_eq!(texts(&bot.poll("").await), ["world", "hello"]);
}

#[tokio::test]
async fn an_answer_can_be_late() {
    let (backend, bot, alice) = scene().await;
    backend.next(Endpoint::SendMessage, Fault::Late { by: Duration::from_millis(200) });
    let request = bot.request("sendmessage", &bot.text("x", None));
    let impatient = request.timeout(Duration::from_millis(50)).send().await;
    assert!(impatient.is_err_and(|err| err.is_timeout()));
    assert_eq!(alice.hears().await, "x", "the work was done at once");
}

#[tokio::test]
async fn a_request_can_be_held_before_and_after_its_effect() {
    let (backend, bot, alice) = scene().await;
    let (fault, mut gate) = Fault::hold_before();
    backend.next(Endpoint::SendMessage, fault);
    let watch = async {
        gate.arrived().await;
        assert_eq!(alice.has_heard().await, None);
        gate.release();
    };
    let (answer, ()) = tokio::join!(bot.says("x"), watch);
    assert!(answer["message_id"].is_u64());
    assert_eq!(alice.hears().await, "x");

    let (fault, mut gate) = Fault::hold_after();
    backend.next(Endpoint::SendMessage, fault);
    let watch = async {
        gate.arrived().await;
        assert_eq!(alice.has_heard().await.as_deref(), Some("y"));
        gate.release();
    };
    let (answer, ()) = tokio::join!(bot.says("y"), watch);
    assert!(answer["message_id"].is_u64());
}

#[tokio::test]
async fn a_poll_that_is_held_already_meets_a_new_fault() {
    let backend = Backend::builder().hold(Duration::from_secs(15)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let held = async {
        while !backend.is_online(&bot.who.bot_id) {
            tokio::task::yield_now().await;
        }
    };
    let cut = async {
        held.await;
        backend.next(Endpoint::GetUpdates, Fault::refuse(Code::STALE_TOKEN, "session timeout"));
    };
    let (answer, ()) = tokio::join!(bot.poll(""), cut);
    assert_eq!(answer["ret"], -14);

    let body = json!({});
    let lost = async {
        backend.next(Endpoint::GetUpdates, Fault::DropAnswer);
        alice.says("lost once").await;
    };
    let (broken, ()) = tokio::join!(bot.request("getupdates", &body).send(), lost);
    assert!(broken.is_err());
    assert_eq!(texts(&bot.poll("").await), ["lost once"]);
}

#[tokio::test]
async fn a_fault_for_one_bot_leaves_others_alone() {
    let backend = Backend::start().await;
    let (alice, bob) = (backend.user("alice").await, backend.user("bob").await);
    let (bot, other) = (RawBot::of(&backend, &alice).await, RawBot::of(&backend, &bob).await);
    backend.next_of(&bot.who.bot_id, Endpoint::SendMessage, Fault::refuse(Code::REFUSED, ""));
    assert!(other.says("x").await["message_id"].is_u64());
    assert_eq!(bot.says("x").await["ret"], -2);
    assert_eq!(backend.faults_left(), 0);
}

#[tokio::test]
async fn the_cdn_can_fail_in_its_own_ways() {
    let (backend, bot, alice) = scene().await;
    let key = ilink::MediaKey::random();
    let cipher = ilink::cipher::encrypt(&key, &[1; 4_000]);
    let request = json!({
        "filekey": "k", "media_type": 3, "to_user_id": alice.id().as_str(),
        "rawsize": 4_000, "filesize": cipher.len(), "no_need_thumb": true,
    });
    let ticket = bot.call("getuploadurl", request).await;
    let url = ticket["upload_full_url"].as_str().unwrap();
    let up = async || bot.http.post(url).body(cipher.clone()).send().await;

    backend.next(Endpoint::CdnUpload, Fault::NoEncryptedParam);
    let answer = up().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("x-encrypted-param"));

    backend.next(Endpoint::CdnUpload, Fault::refuse(Code(500), "disk full"));
    let answer = up().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["x-error-message"], "disk full");

    let of_bot = &bot.who.bot_id;
    backend.next_of(of_bot, Endpoint::CdnUpload, Fault::refuse(Code(503), ""));
    assert_eq!(up().await.unwrap().status(), 503);

    backend.next(Endpoint::CdnUpload, Fault::SlowCdn { bytes_per_second: 40_000 });
    let reference = up().await.unwrap().headers()["x-encrypted-param"].to_str().unwrap().to_owned();

    let url = format!("{}/download?encrypted_query_param={reference}", bot.who.cdn_url);
    backend.next(Endpoint::CdnDownload, Fault::TruncatedJson);
    let half = bot.http.get(&url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(half, cipher[..cipher.len() / 2]);
    backend.next(Endpoint::CdnDownload, Fault::HalfBody);
    let request = bot.http.get(&url).timeout(Duration::from_millis(300)).send().await.unwrap();
    assert!(request.bytes().await.is_err());
    backend.next(Endpoint::CdnDownload, Fault::SlowCdn { bytes_per_second: 40_000 });
    let slow = bot.http.get(&url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(slow, cipher);
}

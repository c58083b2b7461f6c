//! The QR login, in all its states.

use std::time::Duration;

use backend::{Backend, Policy};
use serde_json::{Value, json};

use crate::bot::{RawBot, http};

/// Where a login is begun: a machine that has these tokens.
struct Terminal {
    http: reqwest::Client,
    url: String,
    qrcode: String,
    link: String,
}

impl Terminal {
    async fn begins(backend: &Backend, tokens: &[&str]) -> Self {
        let (http, url) = (http(), backend.url().to_owned());
        let answer: Value = http
            .post(format!("{url}/ilink/bot/get_bot_qrcode?bot_type=3"))
            .json(&json!({ "local_token_list": tokens }))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self { http, url, qrcode: text("qrcode"), link: text("qrcode_img_content") }
    }

    async fn asks(&self) -> Value {
        self.asks_with("").await
    }

    async fn types(&self, digits: &str) -> Value {
        self.asks_with(&format!("&verify_code={digits}")).await
    }

    async fn asks_with(&self, more: &str) -> Value {
        let Self { url, qrcode, .. } = self;
        let url = format!("{url}/ilink/bot/get_qrcode_status?qrcode={qrcode}{more}");
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
}

async fn backend(policy: Policy) -> Backend {
    let builder = Backend::builder().policy(policy).hold(Duration::from_millis(200));
    builder.start().await.unwrap()
}

#[tokio::test]
async fn a_scanned_and_confirmed_code_gives_a_token_that_works() {
    let backend = backend(Policy::open()).await;
    let alice = backend.user("alice").await;
    let terminal = Terminal::begins(&backend, &[]).await;
    assert_eq!(terminal.link, format!("{}/q/{}", backend.url(), terminal.qrcode));
    assert_eq!(terminal.asks().await["status"], "wait");

    alice.scan(&terminal.link).await;
    assert_eq!(terminal.asks().await["status"], "scaned");
    alice.confirm(&terminal.link).await;
    let confirmed = terminal.asks().await;
    assert_eq!(confirmed["status"], "confirmed");
    assert_eq!(confirmed["baseurl"], backend.url());
    assert_eq!(confirmed["ilink_user_id"], alice.id().as_str());
    let bot = ilink::BotId::from(confirmed["ilink_bot_id"].as_str().unwrap());
    let who = backend.credentials(&bot).unwrap();
    assert_eq!(confirmed["bot_token"], who.token.expose());
    assert_eq!(terminal.asks().await, confirmed, "an answer that was lost comes again");

    let bot = RawBot::with(who);
    alice.says("hello").await;
    bot.says("hello, alice").await;
    assert_eq!(alice.hears().await, "hello, alice");
}

#[tokio::test]
async fn a_waiting_terminal_hears_of_the_scan_at_once() {
    let backend = Backend::builder().hold(Duration::from_secs(15)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let terminal = Terminal::begins(&backend, &[]).await;
    let (status, ()) = tokio::join!(terminal.asks(), alice.scan(&terminal.link));
    assert_eq!(status["status"], "scaned");
}

#[tokio::test]
async fn the_first_plugin_asked_with_get_and_without_a_body() {
    let backend = Backend::start().await;
    let url = format!("{}/ilink/bot/get_bot_qrcode?bot_type=3", backend.url());
    let answer: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    assert!(answer["qrcode"].is_string(), "{answer}");
}

#[tokio::test]
async fn another_bot_type_is_refused_with_code_2() {
    let backend = Backend::start().await;
    for query in ["?bot_type=1", ""] {
        let url = format!("{}/ilink/bot/get_bot_qrcode{query}", backend.url());
        let answer: Value = http().post(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["ret"], 2, "{query}");
    }
}

#[tokio::test]
async fn a_terminal_that_has_the_bot_is_told_so() {
    let backend = backend(Policy::open()).await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let terminal = Terminal::begins(&backend, &[bot.who.token.expose()]).await;
    alice.confirm(&terminal.link).await;
    assert_eq!(terminal.asks().await["status"], "binded_redirect");
    alice.says("still there?").await;
    assert_eq!(bot.poll("").await["ret"], 0, "the old token stays good");
}

#[tokio::test]
async fn binding_elsewhere_ends_the_older_token_after_its_grace() {
    let grace = Duration::from_secs(30);
    let backend = backend(Policy { rebind_grace: grace, ..Policy::open() }).await;
    let alice = backend.user("alice").await;
    let old = RawBot::of(&backend, &alice).await;
    let terminal = Terminal::begins(&backend, &[]).await;
    alice.confirm(&terminal.link).await;
    let new = terminal.asks().await;
    assert_ne!(new["ilink_bot_id"], old.who.bot_id.as_str());
    assert_eq!(old.poll("").await["ret"], 0);
    backend.clock().advance(grace);
    let refused = old.poll("").await;
    assert_eq!((&refused["ret"], &refused["errcode"]), (&json!(-14), &json!(-14)));
    assert_eq!(old.call("msg/notifystart", json!({})).await["ret"], -14);
}

#[tokio::test]
async fn wrong_digits_are_asked_again_and_then_blocked() {
    let backend = backend(Policy { verify_tries: Some(3), ..Policy::open() }).await;
    let alice = backend.user("alice").await;
    let terminal = Terminal::begins(&backend, &[]).await;
    let digits = alice.confirm(&terminal.link).await.unwrap();
    let wrong = if digits == "000000" { "111111" } else { "000000" };
    assert_eq!(terminal.asks().await["status"], "need_verifycode");
    assert_eq!(terminal.types(wrong).await["status"], "need_verifycode");
    assert_eq!(terminal.types(wrong).await["status"], "need_verifycode");
    assert_eq!(terminal.types(wrong).await["status"], "verify_code_blocked");
    assert_eq!(terminal.types(&digits).await["status"], "verify_code_blocked");
}

#[tokio::test]
async fn right_digits_confirm() {
    let backend = backend(Policy { verify_tries: Some(3), ..Policy::open() }).await;
    let alice = backend.user("alice").await;
    let terminal = Terminal::begins(&backend, &[]).await;
    let digits = alice.confirm(&terminal.link).await.unwrap();
    assert_eq!(terminal.types(&digits).await["status"], "confirmed");
}

#[tokio::test]
async fn a_code_expires() {
    let backend = backend(Policy::open()).await;
    let alice = backend.user("alice").await;
    let terminal = Terminal::begins(&backend, &[]).await;
    backend.clock().advance(Duration::from_secs(300));
    assert_eq!(terminal.asks().await["status"], "expired");
    alice.scan(&terminal.link).await;
    assert_eq!(terminal.asks().await["status"], "expired");
}

#[tokio::test]
async fn a_code_that_nobody_made_counts_as_expired() {
    let backend = Backend::start().await;
    let url = format!("{}/ilink/bot/get_qrcode_status?qrcode=nonsense", backend.url());
    let answer: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["status"], "expired");
}

#[tokio::test]
async fn a_scanned_login_can_be_sent_to_another_host() {
    let host = Some("sz.example".to_owned());
    let backend = backend(Policy { redirect_host: host, ..Policy::open() }).await;
    let alice = backend.user("alice").await;
    let terminal = Terminal::begins(&backend, &[]).await;
    assert_eq!(terminal.asks().await["status"], "wait");
    alice.confirm(&terminal.link).await;
    let answer = terminal.asks().await;
    assert_eq!(answer["status"], "scaned_but_redirect");
    assert_eq!(answer["redirect_host"], "sz.example");

    let path = format!("/ilink/bot/get_qrcode_status?qrcode={}", terminal.qrcode);
    let there = crate::wire::request("GET", &path, &[("Host", "sz.example")], b"");
    let answer = crate::wire::send(backend.address(), &there).await.unwrap().json();
    assert_eq!(answer["status"], "confirmed");
}

#[tokio::test]
async fn a_declined_login_ends() {
    let backend = backend(Policy::open()).await;
    let alice = backend.user("alice").await;
    let terminal = Terminal::begins(&backend, &[]).await;
    alice.decline(&terminal.link).await;
    assert_eq!(terminal.asks().await["status"], "expired");
}

//! The admin API.

use std::time::Duration;

use backend::Backend;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bot::{RawBot, http, texts};

/// A shell on this machine.
struct Shell {
    http: reqwest::Client,
    url: String,
}

impl Shell {
    fn at(backend: &Backend) -> Self {
        Self { http: http(), url: format!("{}/admin/api", backend.url()) }
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(Method::POST, path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
}

#[tokio::test]
async fn a_user_can_be_played_from_a_shell() {
    let backend = Backend::start().await;
    let shell = Shell::at(&backend);
    let alice = shell.post("/users", json!({ "name": "alice" })).await;
    let bound = shell.post("/bots", json!({ "user": "alice" })).await;
    assert_eq!(bound["ilink_user_id"], alice["id"]);
    let bot = ilink::BotId::from(bound["ilink_bot_id"].as_str().unwrap());
    let bot = RawBot::with(backend.credentials(&bot).unwrap());
    assert_eq!(bound["bot_token"], bot.who.token.expose());

    let said = shell.post("/users/alice/say", json!({ "text": "hello" })).await;
    let media = shell.http.post(format!("{}/users/alice/media?kind=file&name=a.txt", shell.url));
    assert_eq!(media.body("content").send().await.unwrap().status(), 201);
    let raw = json!({ "item_list": [{ "type": 99 }], "group_id": "g1" });
    shell.post("/users/alice/message", raw).await;
    let batch = bot.poll("").await;
    assert_eq!(batch["msgs"].as_array().unwrap().len(), 3);
    assert_eq!(batch["msgs"][2]["group_id"], "g1");

    bot.says("hi").await;
    let quote = json!({ "message_id": said["id"] });
    shell.post("/users/alice/say", json!({ "text": "I said", "quote": quote })).await;
    let shown = shell.get("/users/alice/messages").await;
    assert_eq!(shown.as_array().unwrap().len(), 5);
    let sent = shell.get(&format!("/bots/{}/sent", bot.who.bot_id)).await;
    assert_eq!((&sent[0]["shown"], &sent[0]["items"][0]["text"]), (&json!(true), &json!("hi")));
    shell.post("/users/alice/read", json!({})).await;
    let stats = shell.get("/stats").await;
    assert_eq!(
        (&stats["users"], &stats["bots"], &stats["messages"]),
        (&json!(1), &json!(1), &json!(5))
    );

    let (status, _) =
        shell.call(Method::POST, &format!("/bots/{}/stale", bot.who.bot_id), Value::Null).await;
    assert_eq!(status, 204);
    assert_eq!(shell.get("/bots").await[0]["stale"], true);
    assert_eq!(bot.poll("").await["ret"], -14);
}

#[tokio::test]
async fn a_stranger_can_meet_a_bot() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let shell = Shell::at(&backend);
    shell.post("/users", json!({ "name": "eve" })).await;
    let to = json!({ "bot": bot.who.bot_id.as_str() });
    shell.post("/users/eve/meet", to.clone()).await;
    shell.post("/users/eve/say", json!({ "text": "hi", "bot": to["bot"] })).await;
    assert_eq!(texts(&bot.poll("").await), ["hi"]);
}

#[tokio::test]
async fn rules_time_and_trouble_are_set_from_a_shell() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let shell = Shell::at(&backend);
    let (_, policy) = shell.call(Method::PUT, "/policy", json!({ "name": "tencent" })).await;
    assert_eq!(policy["window_ms"], 86_400_000);
    assert_eq!(backend.policy().name(), "tencent");
    let (_, policy) = shell.call(Method::PUT, "/policy", json!({ "text_chars": 5 })).await;
    assert_eq!((&policy["text_chars"], &policy["window_ms"]), (&json!(5), &Value::Null));
    assert_eq!(bot.says("123456").await["ret"], -2);
    for wrong in [json!({ "name": "strict" }), json!({ "txt": 1 }), json!(7)] {
        assert_eq!(shell.call(Method::PUT, "/policy", wrong.clone()).await.0, 400, "{wrong}");
    }

    let fault = json!({ "kind": "refuse", "code": -2, "errmsg": "rate limited" });
    let body = json!({ "endpoint": "sendmessage", "bot": bot.who.bot_id.as_str(), "times": 2, "fault": fault });
    let added = shell.post("/faults", body).await;
    assert_eq!(bot.says("x").await["errmsg"], "rate limited");
    let faults = shell.get("/faults").await;
    assert_eq!((&faults[0]["id"], &faults[0]["times"]), (&added["id"], &json!(1)));
    assert_eq!(
        shell.call(Method::DELETE, &format!("/faults/{}", added["id"]), Value::Null).await.0,
        204
    );
    assert!(bot.says("x").await["message_id"].is_u64());
    assert_eq!(shell.call(Method::DELETE, "/faults", Value::Null).await.0, 204);

    let before = shell.get("/clock").await;
    let after = shell.post("/clock", json!({ "advance_ms": 3_600_000 })).await;
    assert!(after["now"].as_u64().unwrap() >= before["now"].as_u64().unwrap() + 3_600_000);
    assert_eq!(shell.call(Method::POST, "/clock", json!({ "advance_ms": u64::MAX })).await.0, 400);
    assert!(!shell.get("/requests").await.as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_login_can_be_played_from_a_shell() {
    let backend = Backend::start().await;
    backend.user("alice").await;
    let shell = Shell::at(&backend);
    let ask = format!("{}/ilink/bot/get_bot_qrcode?bot_type=3", backend.url());
    let code: Value = shell.http.post(ask).send().await.unwrap().json().await.unwrap();
    let link = json!({ "link": code["qrcode_img_content"] });
    assert_eq!(shell.post("/users/alice/scan", link.clone()).await["status"], "scanned");
    assert_eq!(shell.post("/users/alice/confirm", link).await["status"], "confirmed");
}

#[tokio::test]
async fn pages_of_other_sites_are_turned_away() {
    let backend = Backend::start().await;
    let cases = [
        (vec![("Origin", "https://evil.example")], 403),
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Host", "evil.example")], 401),
        (vec![("Host", "127.0.0.1"), ("Origin", "http://127.0.0.1")], 200),
        (vec![], 200),
    ];
    for (headers, status) in cases {
        let request = crate::wire::request("GET", "/admin/api/stats", &headers, b"");
        let answer = crate::wire::send(backend.address(), &request).await.unwrap();
        assert_eq!(answer.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn behind_a_public_address_only_the_token_opens() {
    let builder = Backend::builder().public_url("https://im.example").admin_token("right");
    let backend = builder.start().await.unwrap();
    let url = format!("http://{}/admin/api/stats", backend.address());
    let http = http();
    assert_eq!(http.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(http.get(&url).bearer_auth("wrong").send().await.unwrap().status(), 401);
    assert_eq!(http.get(&url).bearer_auth("right").send().await.unwrap().status(), 200);
}

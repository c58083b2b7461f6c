//! What the phone is told as it happens.

use std::time::Duration;

use backend::{Backend, Limits};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::bot::cursor;
use crate::phone::{Browser, bound};

/// An open event stream.
struct Events {
    response: Response,
    buffer: String,
}

impl Events {
    async fn of(browser: &Browser, last: Option<&str>) -> Self {
        let mut request = browser.request(Method::GET, "/events");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// Reads the next event: its name and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| {
                    let mut lines = event.lines().filter_map(|line| line.split_once(':'));
                    lines.find(|(key, _)| *key == name).map(|(_, it)| it.trim().to_owned())
                };
                let Some(name) = field("event") else { continue };
                assert!(field("id").is_some(), "{event}");
                return (name, serde_json::from_str(&field("data").unwrap()).unwrap());
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.response.chunk());
            let chunk =
                chunk.await.expect("an event within 10 s").unwrap().expect("an open stream");
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Reads until an event of this name.
    async fn until(&mut self, name: &str) -> Value {
        loop {
            let (found, data) = self.next().await;
            if found == name {
                return data;
            }
        }
    }
}

#[tokio::test]
async fn everything_that_happens_is_told() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let (browser, bot) = bound(&backend).await;
    let mut events = Events::of(&browser, None).await;
    assert_eq!(events.next().await.0, "hello");

    let chat = format!("/chats/{}/messages", bot.who.bot_id);
    let said = browser.posts(&chat, json!({ "text": "hello", "local_id": "l" })).await;
    assert_eq!(events.until("message").await, said);

    let batch = bot.poll("").await;
    assert_eq!(events.until("contact").await["online"], true);
    bot.call("getconfig", json!({ "ilink_user_id": browser.user })).await;
    let ticket = bot.call("getconfig", json!({ "ilink_user_id": browser.user })).await;
    let typing = |status: i64| json!({ "ilink_user_id": browser.user, "typing_ticket": ticket["typing_ticket"], "status": status });
    bot.call("sendtyping", typing(1)).await;
    assert_eq!(events.until("typing").await, json!({ "bot": bot.who.bot_id.as_str(), "on": true }));

    bot.says("hi").await;
    let message = events.until("message").await;
    assert_eq!((&message["from"], &message["items"][0]["text"]), (&json!("bot"), &json!("hi")));
    assert_eq!(events.until("contact").await["unread"], 1);
    bot.call("sendtyping", typing(2)).await;
    assert_eq!(events.until("typing").await["on"], false);

    let poll = bot.request("getupdates", &json!({ "get_updates_buf": cursor(&batch) }));
    let (_, delivered) = tokio::join!(poll.send(), events.until("delivered"));
    assert_eq!(delivered, json!({ "bot": bot.who.bot_id.as_str(), "up_to": said["id"] }));

    backend.make_stale(&bot.who.bot_id).await;
    assert_eq!(events.until("contact").await["stale"], true);
}

#[tokio::test]
async fn a_login_is_told_step_by_step() {
    let backend = Backend::start().await;
    let browser = Browser::creates(&backend, "alice").await;
    let mut events = Events::of(&browser, None).await;
    let ask = format!("{}/ilink/bot/get_bot_qrcode?bot_type=3", backend.url());
    let code: Value = browser.http.post(ask).send().await.unwrap().json().await.unwrap();
    browser.posts("/scan", json!({ "link": code["qrcode"] })).await;
    assert_eq!(events.until("login").await["status"], "scanned");
    let path = format!("/logins/{}/confirm", code["qrcode"].as_str().unwrap());
    let confirmed = browser.posts(&path, json!({})).await;
    let contact = events.until("contact").await;
    assert_eq!(contact["bot"], confirmed["bot"]);
    assert_eq!(events.until("login").await, confirmed);
}

#[tokio::test]
async fn who_comes_back_reads_again() {
    let backend = Backend::start().await;
    let (browser, _) = bound(&backend).await;
    let mut events = Events::of(&browser, Some("7")).await;
    assert_eq!(events.next().await.0, "hello");
    assert_eq!(events.next().await, ("reset".to_owned(), json!({})));
}

#[tokio::test]
async fn events_of_others_are_not_told() {
    let backend = Backend::start().await;
    let (browser, bot) = bound(&backend).await;
    let eve = Browser::creates(&backend, "eve").await;
    let mut events = Events::of(&eve, None).await;
    assert_eq!(events.next().await.0, "hello");
    bot.says("for alice").await;
    let of_eve = backend.bind(&backend.user("eve").await).await;
    let (name, data) = events.next().await;
    assert_eq!((name.as_str(), &data["bot"]), ("contact", &json!(of_eve.bot_id.as_str())));
    assert_ne!(browser.user, eve.user);
}

#[tokio::test]
async fn open_phones_are_limited() {
    let limits = Limits { phones: 1, ..Limits::default() };
    let backend = Backend::builder().limits(limits).start().await.unwrap();
    let browser = Browser::creates(&backend, "alice").await;
    let first = Events::of(&browser, None).await;
    let second = browser.request(Method::GET, "/events").send().await.unwrap();
    assert_eq!(second.status(), 429);
    drop(first);
}

#[tokio::test]
async fn a_stop_ends_the_stream() {
    let backend = Backend::start().await;
    let browser = Browser::creates(&backend, "alice").await;
    let mut events = Events::of(&browser, None).await;
    events.next().await;
    backend.stop().await;
    assert!(events.response.chunk().await.is_ok_and(|it| it.is_none()));
}

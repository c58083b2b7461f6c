//! The phone API and the pages.

use std::time::Duration;

use backend::{Backend, Policy};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::bot::{RawBot, cursor, http};

/// A browser that is one user.
pub(crate) struct Browser {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) user: String,
    pub(crate) cookie: String,
}

impl Browser {
    /// Creates a user on the page.
    pub(crate) async fn creates(backend: &Backend, name: &str) -> Self {
        let (http, url) = (http(), format!("{}/phone/api", backend.url()));
        let request = http.post(format!("{url}/users")).header("X-Phone", "1");
        let created = request.json(&json!({ "name": name })).send().await.unwrap();
        assert_eq!(created.status(), StatusCode::CREATED);
        Self::welcomed(http, url, created).await
    }

    async fn welcomed(http: reqwest::Client, url: String, response: Response) -> Self {
        let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
        let user: Value = response.json().await.unwrap();
        let user = user["id"].as_str().unwrap().to_owned();
        assert!(cookie.contains(&format!("Path=/phone/api/u/{user};")), "{cookie}");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { http, url, user, cookie }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/u/{}{path}", self.url, self.user);
        let request = self.http.request(method.clone(), url).header("Cookie", &self.cookie);
        if method == Method::GET { request } else { request.header("X-Phone", "1") }
    }

    pub(crate) async fn gets(&self, path: &str) -> Value {
        let response = self.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn posts(&self, path: &str, body: Value) -> Value {
        let response = self.request(Method::POST, path).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.text().await.unwrap());
        response.json().await.unwrap_or_default()
    }
}

/// A browser whose user has bound a bot.
pub(crate) async fn bound(backend: &Backend) -> (Browser, RawBot) {
    let browser = Browser::creates(backend, "alice").await;
    let alice = backend.user("alice").await;
    assert_eq!(alice.id().as_str(), browser.user);
    (browser, RawBot::of(backend, &alice).await)
}

#[tokio::test]
async fn a_new_user_has_a_phone() {
    let backend = Backend::start().await;
    let browser = Browser::creates(&backend, "  爱丽丝 ").await;
    let me = browser.gets("/me").await;
    assert_eq!((&me["id"], &me["name"]), (&json!(browser.user), &json!("爱丽丝")));
    assert_eq!(browser.gets("/contacts").await, json!([]));
    let about: Value = browser
        .http
        .get(format!("{}/about", browser.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((&about["name"], &about["policy"]), (&json!("Hongyan"), &json!("open")));
    assert_eq!(about["open_door"], true);
    let users: Value = browser
        .http
        .get(format!("{}/users", browser.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(users.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn names_have_to_be_names() {
    let backend = Backend::start().await;
    for name in ["", "   ", &"x".repeat(65), "a\nb"] {
        let request = http().post(format!("{}/phone/api/users", backend.url()));
        let refused =
            request.header("X-Phone", "1").json(&json!({ "name": name })).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{name:?}");
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body["error"]["kind"], "invalid");
    }
}

#[tokio::test]
async fn a_conversation_looks_as_it_went() {
    let backend = Backend::builder().hold(Duration::from_millis(50)).start().await.unwrap();
    let (browser, bot) = bound(&backend).await;
    let chat = format!("/chats/{}", bot.who.bot_id);
    let said = browser
        .posts(&format!("{chat}/messages"), json!({ "text": "hello", "local_id": "l-1" }))
        .await;
    assert_eq!(
        (&said["from"], &said["local_id"], &said["state"]),
        (&json!("me"), &json!("l-1"), &json!("sent"))
    );
    let again = browser
        .posts(&format!("{chat}/messages"), json!({ "text": "hello", "local_id": "l-1" }))
        .await;
    assert_eq!(again["id"], said["id"], "a retry is the same message");

    let batch = bot.poll("").await;
    bot.poll(cursor(&batch)).await;
    bot.says("**hi** <b>").await;
    let page = browser.gets(&format!("{chat}/messages")).await;
    assert_eq!(page["more"], false);
    assert_eq!(page["messages"][0]["state"], "delivered");
    assert_eq!(
        page["messages"][0]["items"],
        json!([{ "type": "text", "text": "hello", "html": null }])
    );
    let html = "<p><strong>hi</strong> &lt;b&gt;</p>";
    let items = json!([{ "type": "text", "text": "**hi** <b>", "html": html }]);
    assert_eq!(page["messages"][1]["items"], items);

    let contacts = browser.gets("/contacts").await;
    let contact = &contacts[0];
    assert_eq!(
        (&contact["unread"], &contact["online"], &contact["stale"]),
        (&json!(1), &json!(true), &json!(false))
    );
    assert_eq!(
        (&contact["last"]["text"], &contact["last"]["from"]),
        (&json!("**hi** <b>"), &json!("bot"))
    );
    browser.posts(&format!("{chat}/read"), json!({})).await;
    assert_eq!(browser.gets("/contacts").await[0]["unread"], 0);
}

#[tokio::test]
async fn history_comes_in_pages() {
    let backend = Backend::start().await;
    let (browser, bot) = bound(&backend).await;
    for n in 0..5 {
        bot.says(&n.to_string()).await;
    }
    let chat = format!("/chats/{}/messages?limit=2", bot.who.bot_id);
    let texts = |page: &Value| -> Vec<String> {
        let messages = page["messages"].as_array().unwrap();
        messages.iter().map(|it| it["items"][0]["text"].as_str().unwrap().to_owned()).collect()
    };
    let newest = browser.gets(&chat).await;
    assert_eq!(
        (texts(&newest), &newest["more"]),
        (vec!["3".to_owned(), "4".to_owned()], &json!(true))
    );
    let before = newest["messages"][0]["id"].as_str().unwrap();
    let older = browser.gets(&format!("{chat}&before={before}")).await;
    assert_eq!(texts(&older), ["1", "2"]);
    let before = older["messages"][0]["id"].as_str().unwrap();
    let oldest = browser.gets(&format!("{chat}&before={before}")).await;
    assert_eq!((texts(&oldest), &oldest["more"]), (vec!["0".to_owned()], &json!(false)));
}

#[tokio::test]
async fn quotes_are_shown_with_what_they_quote() {
    let backend = Backend::start().await;
    let (browser, bot) = bound(&backend).await;
    let sent = bot.says("the quick brown fox").await;
    let chat = format!("/chats/{}/messages", bot.who.bot_id);
    let id = sent["message_id"].to_string();
    let quote = json!({ "message_id": id, "text": "quick" });
    let said = browser.posts(&chat, json!({ "text": "?", "local_id": "a", "quote": quote })).await;
    let shown = json!({ "message_id": id, "from": "bot", "text": "quick", "kind": "text" });
    assert_eq!(said["quote"], shown);

    let item =
        json!({ "type": 1, "text_item": { "text": "!" }, "ref_msg": { "svr_id": said["id"] } });
    bot.call("sendmessage", bot.message(item, None)).await;
    let page = browser.gets(&chat).await;
    let shown = json!({ "message_id": said["id"], "from": "me", "text": "?", "kind": "text" });
    assert_eq!(page["messages"][2]["quote"], shown);

    let request = browser.request(Method::POST, &chat);
    let foreign = json!({ "text": "?", "quote": { "message_id": "1" } });
    assert_eq!(request.json(&foreign).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn media_are_sent_shown_and_served_in_parts() {
    let backend = Backend::start().await;
    let (browser, bot) = bound(&backend).await;
    let png: Vec<u8> = [b"\x89PNG\r\n\x1a\n".as_slice(), &[9; 100_000]].concat();
    let path = format!(
        "/chats/{}/media?kind=image&name=a.png&local_id=l&width=4&height=3",
        bot.who.bot_id
    );
    let sent: Value = browser
        .request(Method::POST, &path)
        .body(png.clone())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let item = &sent["items"][0];
    assert_eq!(
        (&item["type"], &item["width"], &item["size"]),
        (&json!("image"), &json!(4), &json!(png.len()))
    );

    let url = format!("{}{}", backend.url(), item["url"].as_str().unwrap());
    let get = |range: &str| {
        browser.http.get(&url).header("Cookie", &browser.cookie).header("Range", range).send()
    };
    let whole = get("").await.unwrap();
    assert_eq!(whole.headers()["content-type"], "image/png");
    assert_eq!(whole.headers()["content-disposition"], "inline");
    assert_eq!(whole.headers()["x-content-type-options"], "nosniff");
    assert_eq!(whole.bytes().await.unwrap(), png);
    for (range, part) in [
        ("bytes=5-20", &png[5..=20]),
        ("bytes=99000-", &png[99_000..]),
        ("bytes=-3", &png[png.len() - 3..]),
    ] {
        let response = get(range).await.unwrap();
        assert_eq!(response.status(), 206, "{range}");
        assert_eq!(response.bytes().await.unwrap(), part, "{range}");
    }
}

#[tokio::test]
async fn what_a_stranger_sends_is_never_a_page() {
    let backend = Backend::start().await;
    let (browser, bot) = bound(&backend).await;
    let hostile = [
        ("file", "evil.html", b"<script>alert(1)</script>".as_slice()),
        ("image", "evil.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("file", "photo.png", b"\x89PNG\r\n\x1a\n"),
    ];
    for (kind, name, bytes) in hostile {
        let path = format!("/chats/{}/media?kind={kind}&name={name}", bot.who.bot_id);
        let sent =
            browser.request(Method::POST, &path).header("Content-Type", "text/html").body(bytes);
        let sent: Value = sent.send().await.unwrap().json().await.unwrap();
        let url = format!("{}{}", backend.url(), sent["items"][0]["url"].as_str().unwrap());
        let shown = browser.http.get(url).header("Cookie", &browser.cookie).send().await.unwrap();
        let headers = shown.headers();
        let content_type = headers["content-type"].to_str().unwrap();
        assert!(
            ["application/octet-stream", "image/png"].contains(&content_type),
            "{content_type}"
        );
        assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
        assert!(headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    }
}

#[tokio::test]
async fn a_bot_is_connected_from_the_phone() {
    let policy = Policy { verify_tries: Some(3), ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let browser = Browser::creates(&backend, "alice").await;
    let ask = format!("{}/ilink/bot/get_bot_qrcode?bot_type=3", backend.url());
    let code: Value = browser.http.post(ask).send().await.unwrap().json().await.unwrap();
    let login = browser.posts("/scan", json!({ "link": code["qrcode_img_content"] })).await;
    assert_eq!((&login["status"], &login["qrcode"]), (&json!("scanned"), &code["qrcode"]));
    let path = format!("/logins/{}", code["qrcode"].as_str().unwrap());
    let login = browser.posts(&format!("{path}/confirm"), json!({})).await;
    assert_eq!(login["status"], "verify");
    let digits = login["verify_code"].as_str().unwrap();
    let ask = format!("{}/ilink/bot/get_qrcode_status", backend.url());
    let ask = format!("{ask}?qrcode={}&verify_code={digits}", code["qrcode"].as_str().unwrap());
    browser.http.get(ask).send().await.unwrap();
    let login = browser.gets(&path).await;
    assert_eq!((&login["status"], &login["already_bound"]), (&json!("confirmed"), &json!(false)));
    assert_eq!(browser.gets("/contacts").await[0]["bot"], login["bot"]);

    let other = Browser::creates(&backend, "eve").await;
    assert_eq!(other.request(Method::GET, &path).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn an_expired_code_says_so_and_an_unknown_one_is_not_found() {
    let backend = Backend::start().await;
    let browser = Browser::creates(&backend, "alice").await;
    let ask = format!("{}/ilink/bot/get_bot_qrcode?bot_type=3", backend.url());
    let code: Value = browser.http.post(ask).send().await.unwrap().json().await.unwrap();
    backend.clock().advance(Duration::from_secs(300));
    let login = browser.posts("/scan", json!({ "link": code["qrcode"] })).await;
    assert_eq!(login["status"], "expired");
    let unknown = browser.request(Method::POST, "/scan").json(&json!({ "link": "nonsense" }));
    assert_eq!(unknown.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let backend = Backend::start().await;
    let (browser, bot) = bound(&backend).await;
    let eve = Browser::creates(&backend, "eve").await;
    let paths = ["/me", "/contacts", "/events", &format!("/chats/{}/messages", bot.who.bot_id)];
    for path in paths {
        let url = format!("{}/u/{}{path}", browser.url, browser.user);
        for cookie in ["", "phone=", "phone=0000", &eve.cookie] {
            let request = browser.http.get(&url).header("Cookie", cookie);
            assert_eq!(request.send().await.unwrap().status(), 401, "{path} with {cookie}");
        }
    }
    let chat = format!("/chats/{}/messages", bot.who.bot_id);
    let url = format!("{}/u/{}{chat}", browser.url, browser.user);
    let forged =
        browser.http.post(url).header("Cookie", &browser.cookie).json(&json!({ "text": "x" }));
    assert_eq!(forged.send().await.unwrap().status(), 403, "without X-Phone");
    let stranger = eve.request(Method::POST, &chat).json(&json!({ "text": "x" }));
    assert_eq!(stranger.send().await.unwrap().status(), 404, "no contact of eve");
}

#[tokio::test]
async fn the_door_is_open_on_this_machine_only() {
    let backend = Backend::builder()
        .public_url("https://im.example")
        .admin_token("the admin token")
        .start()
        .await
        .unwrap();
    let alice = backend.user("alice").await;
    let url = format!("http://{}/phone/api", backend.address());
    let http = http();
    assert_eq!(http.get(format!("{url}/users")).send().await.unwrap().status(), 403);
    let enter = || http.post(format!("{url}/u/{}/enter", alice.id())).header("X-Phone", "1");
    assert_eq!(enter().send().await.unwrap().status(), 403);
    let entered = enter().bearer_auth("the admin token").send().await.unwrap();
    assert_eq!(entered.status(), 200);
    assert!(entered.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));

    let here = Backend::start().await;
    let bob = here.user("bob").await;
    let url = format!("{}/phone/api/u/{}/enter", here.url(), bob.id());
    assert_eq!(http.post(url).header("X-Phone", "1").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_name_that_points_here_is_not_enough() {
    let backend = Backend::start().await;
    let hosts = [("evil.example", 403), ("127.0.0.1", 200), ("localhost:80", 200), ("[::1]", 200)];
    for (host, status) in hosts {
        let request = crate::wire::request("GET", "/phone/api/users", &[("Host", host)], b"");
        let answer = crate::wire::send(backend.address(), &request).await.unwrap();
        assert_eq!(answer.status, status, "{host}");
    }
}

#[tokio::test]
async fn the_page_is_served_hardened_and_cached() {
    let backend = Backend::start().await;
    let http = http();
    let root = http.get(backend.url()).send().await.unwrap();
    assert_eq!(
        (root.status(), &root.headers()["location"]),
        (StatusCode::TEMPORARY_REDIRECT, &"/phone/".parse().unwrap())
    );
    for path in ["/phone/", "/q/abc"] {
        let page = http.get(format!("{}{path}", backend.url())).send().await.unwrap();
        assert_eq!(page.status(), 200);
        let headers = page.headers().clone();
        assert!(
            headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'")
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert!(headers["content-type"].to_str().unwrap().starts_with("text/html"));
        if let Some(tag) = headers.get("etag") {
            let again = http.get(format!("{}{path}", backend.url())).header("If-None-Match", tag);
            assert_eq!(again.send().await.unwrap().status(), 304);
        }
    }
    for path in [
        "/phone/assets/none.js",
        "/phone/assets/..%2f..%2fCargo.toml",
        "/phone/assets/%2e%2e/index.html",
    ] {
        let answer = http.get(format!("{}{path}", backend.url())).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
}

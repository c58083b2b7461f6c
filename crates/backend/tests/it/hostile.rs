//! What nobody should send.

use std::time::Duration;

use backend::{Backend, Limits};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bot::{RawBot, http};
use crate::wire;

#[tokio::test]
async fn bodies_that_are_no_protocol_are_refused_as_such() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let url = format!("{}/ilink/bot/sendmessage", backend.url());
    let post = async |body: Vec<u8>| {
        let request = bot.http.post(&url).bearer_auth(bot.who.token.expose()).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    for body in ["[]", "null", "{", "hello", "{\"msg\":", "\u{0}"] {
        assert_eq!(post(body.into()).await, 400, "{body}");
    }
    assert_eq!(post(vec![0xff, 0xfe]).await, 400);
    assert_eq!(post(vec![b' '; 3 << 20]).await, 413);
    let deep = format!("{{\"msg\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!([200, 400].contains(&post(deep.into()).await));
    let nested = (0..200).fold(json!({ "text_item": { "text": "x" }, "type": 1 }), |item, _| {
        json!({ "type": 1, "text_item": { "text": "x" }, "ref_msg": { "message_item": item } })
    });
    let answer = bot.request("sendmessage", &bot.message(nested, None)).send().await.unwrap();
    assert!([200, 400].contains(&answer.status().as_u16()));
    assert!(bot.says("still alive").await["message_id"].is_u64());
}

#[tokio::test]
async fn fields_of_the_wrong_type_do_not_break_anything() {
    let backend = Backend::builder().hold(Duration::from_millis(20)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let odd = [json!(null), json!(-1), json!(1e300), json!(""), json!([]), json!({}), json!(true)];
    for value in odd {
        for endpoint in ["getupdates", "sendmessage", "getuploadurl", "getconfig", "sendtyping"] {
            let body = json!({
                "get_updates_buf": value, "msg": value, "to_user_id": value, "filekey": value,
                "rawsize": value, "filesize": value, "media_type": value, "ilink_user_id": value,
                "typing_ticket": value, "status": value, "base_info": value,
            });
            let request = bot.request(endpoint, &body).timeout(Duration::from_secs(5));
            assert_eq!(request.send().await.unwrap().status(), 200, "{endpoint} {value}");
        }
        let mut body = bot.text("x", None);
        for field in ["to_user_id", "client_id", "context_token", "run_id", "message_type"] {
            body["msg"][field] = value.clone();
            let answer = bot.request("sendmessage", &body).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{field} {value}");
            body = bot.text("x", None);
        }
    }
}

#[tokio::test]
async fn references_lead_to_no_file_but_media() {
    let backend = Backend::start().await;
    let http = http();
    for reference in ["../key", "..%2Fkey", "%2e%2e%2fbackend.sqlite", "/etc/passwd", "", "%00"] {
        let url = format!("{}/download?encrypted_query_param={reference}", backend.cdn_url());
        assert_eq!(http.get(url).send().await.unwrap().status(), 404, "{reference}");
    }
    let url = format!("{}/upload?encrypted_query_param=..%2F..%2Fx&filekey=..", backend.cdn_url());
    assert_eq!(http.post(url).body("x").send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn file_names_are_only_names() {
    let dir = tempfile::tempdir().unwrap();
    let backend = Backend::builder().store(dir.path().join("store")).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let name = "../../outside\0.txt";
    alice.sends_file(b"x", name).await;
    let batch = bot.poll("").await;
    assert_eq!(batch["msgs"][0]["item_list"][0]["file_item"]["file_name"], name);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn paths_that_do_not_exist_do_not_exist() {
    let backend = Backend::start().await;
    for path in ["/ilink/bot/unknown", "/ilink", "/c2c/other", "/admin", "/../etc/passwd", "//"] {
        let request = wire::request("GET", path, &[], b"");
        let answer = wire::send(backend.address(), &request).await.unwrap();
        assert!([400, 401, 404].contains(&answer.status), "{path}: {}", answer.status);
    }
    let wrong_method = wire::request("DELETE", "/ilink/bot/sendmessage", &[], b"");
    assert_eq!(wire::send(backend.address(), &wrong_method).await.unwrap().status, 405);
}

#[tokio::test]
async fn nonsense_on_the_socket_is_survived() {
    let backend = Backend::start().await;
    let nonsense: [&[u8]; 5] = [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"POST /ilink/bot/sendmessage HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
        b"POST /ilink/bot/sendmessage HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    ];
    for bytes in nonsense {
        let mut stream = TcpStream::connect(backend.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
    }
    let huge =
        format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "a".repeat(1 << 20));
    drop(wire::send(backend.address(), huge.as_bytes()).await);
    assert_eq!(http().get(format!("{}/phone/", backend.url())).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn everything_is_limited() {
    let limits = Limits {
        users: 2,
        new_users_per_minute: 3,
        bots: 1,
        open_logins: 1,
        new_logins_per_minute: 3,
        unacknowledged_per_bot: 2,
        all_media: 100,
        ..Limits::default()
    };
    let backend = Backend::builder().limits(limits).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let post = async |path: &str, body: Value| {
        let request = bot.http.post(format!("{}{path}", backend.url())).header("X-Phone", "1");
        request.body(body.to_string()).send().await.unwrap()
    };
    assert_eq!(post("/phone/api/users", json!({ "name": "bob" })).await.status(), 201);
    for _ in 0..3 {
        assert_eq!(post("/phone/api/users", json!({ "name": "eve" })).await.status(), 429);
    }
    assert_eq!(post("/admin/api/bots", json!({ "user": "bob" })).await.status(), 429);
    alice.says("1").await;
    alice.says("2").await;
    assert_eq!(post("/admin/api/users/alice/say", json!({ "text": "3" })).await.status(), 429);
    let media = "/admin/api/users/alice/media?kind=file&name=x";
    assert_eq!(post(media, json!("x".repeat(200))).await.status(), 429);
    let ask = "/ilink/bot/get_bot_qrcode?bot_type=3";
    let first: Value = post(ask, json!({})).await.json().await.unwrap();
    assert_eq!(first["ret"], 0);
    for _ in 0..3 {
        let refused: Value = post(ask, json!({})).await.json().await.unwrap();
        assert_eq!(refused["ret"], -2);
    }
}

#[tokio::test]
async fn connections_are_limited() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let backend = Backend::builder().limits(limits).start().await.unwrap();
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(backend.address()).await.unwrap();
        stream
            .write_all(b"GET /phone/api/about HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        assert!(stream.read(&mut [0; 64]).await.unwrap() > 0);
        open.push(stream);
    }
    let mut third = TcpStream::connect(backend.address()).await.unwrap();
    assert!(matches!(third.read(&mut [0; 64]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn secrets_do_not_show_when_things_are_printed() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let who = backend.bind(&alice).await;
    assert!(!format!("{who:?}").contains(who.token.expose()));
    alice.sends_image(b"x", "").await;
    let seen = format!("{:?}", alice.sees().await);
    assert!(seen.contains("SeenMedia") && !seen.contains("key"), "{seen}");
}

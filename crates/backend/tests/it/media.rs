//! Media, up and down.

use std::time::Duration;

use backend::{Backend, Endpoint, Limits, Policy, SeenItem};
use ilink::MediaKey;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::bot::RawBot;

/// A media that a bot uploads.
struct Upload {
    key: MediaKey,
    plain: Vec<u8>,
    cipher: Vec<u8>,
}

impl Upload {
    fn of(plain: &[u8]) -> Self {
        let key = MediaKey::random();
        let cipher = ilink::cipher::encrypt(&key, plain);
        Self { key, plain: plain.to_vec(), cipher }
    }

    fn request(&self, bot: &RawBot, media_type: u8) -> Value {
        json!({
            "filekey": "0123456789abcdef0123456789abcdef",
            "media_type": media_type,
            "to_user_id": bot.who.user_id.as_str(),
            "rawsize": self.plain.len(),
            "filesize": self.cipher.len(),
            "no_need_thumb": true,
            "aeskey": self.key.to_hex().expose(),
        })
    }

    async fn ticket(&self, bot: &RawBot) -> Value {
        bot.call("getuploadurl", self.request(bot, 3)).await
    }

    /// A message with this media as a file.
    fn message(&self, bot: &RawBot, reference: &str, name: &str) -> Value {
        let media = json!({
            "encrypt_query_param": reference,
            "aes_key": self.key.to_base64().expose(),
            "encrypt_type": 1,
        });
        let len = self.plain.len().to_string();
        let file = json!({ "media": media, "file_name": name, "len": len });
        bot.message(json!({ "type": 4, "file_item": file }), None)
    }
}

async fn upload(bot: &RawBot, url: &str, body: &[u8]) -> Response {
    bot.http.post(url).body(body.to_vec()).send().await.unwrap()
}

fn param_url(bot: &RawBot, ticket: &Value) -> String {
    let param = ticket["upload_param"].as_str().unwrap();
    let key = "0123456789abcdef0123456789abcdef";
    format!("{}/upload?encrypted_query_param={param}&filekey={key}", bot.who.cdn_url)
}

fn reference(uploaded: &Response) -> String {
    assert_eq!(uploaded.status(), 200, "{:?}", uploaded.headers().get("x-error-message"));
    uploaded.headers()["x-encrypted-param"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_arrives_on_the_phone_by_each_way_of_uploading() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let media = Upload::of(&vec![7; 300_000]);
    for (method, full) in
        [(Method::POST, true), (Method::PUT, true), (Method::POST, false), (Method::PUT, false)]
    {
        let ticket = media.ticket(&bot).await;
        let url = match full {
            true => ticket["upload_full_url"].as_str().unwrap().to_owned(),
            false => param_url(&bot, &ticket),
        };
        let request = bot.http.request(method, url).body(media.cipher.clone());
        let reference = reference(&request.send().await.unwrap());
        bot.call("sendmessage", media.message(&bot, &reference, "报告.pdf")).await;
    }
    let seen = alice.sees().await;
    assert_eq!(seen.len(), 4);
    for it in seen {
        let SeenItem::File(file) = &it.items[0] else { panic!("{it:?}") };
        assert_eq!(file.name, "报告.pdf");
        assert_eq!(file.bytes().await, media.plain);
    }
}

#[tokio::test]
async fn media_of_a_phone_are_read_by_the_bot() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let bytes: Vec<u8> = (0..100_003_u32).map(|n| n.to_le_bytes()[0] ^ 0x5a).collect();
    alice.sends_image(&bytes, "").await;
    alice.sends_voice(b"\x02#!SILK_V3 and so on", "").await;
    alice.sends_voice_saying(b"RIFF....WAVE", "你好").await;
    alice.sends_file(&bytes, "名字 #1.txt").await;
    alice.sends_video(&bytes, "").await;
    alice.sends_file(b"", "empty").await;

    let batch = bot.poll("").await;
    let item = |n: usize| &batch["msgs"][n]["item_list"][0];
    let read = async |media: &Value| {
        let reference = media["encrypt_query_param"].as_str().unwrap();
        let url = format!("{}/download?encrypted_query_param={reference}", bot.who.cdn_url);
        let cipher = bot.http.get(url).send().await.unwrap().bytes().await.unwrap();
        let key = ilink::secret::MediaKeyText::new(media["aes_key"].as_str().unwrap());
        ilink::cipher::decrypt(&MediaKey::from_base64(&key).unwrap(), &cipher).unwrap()
    };
    assert_eq!(read(&item(0)["image_item"]["media"]).await, bytes);
    assert_eq!(item(1)["voice_item"]["encode_type"], 6);
    assert_eq!(item(1)["voice_item"]["text"], Value::Null);
    assert_eq!(item(2)["voice_item"]["text"], "你好");
    assert_eq!(item(3)["file_item"]["file_name"], "名字 #1.txt");
    assert_eq!(item(3)["file_item"]["len"], "100003");
    assert_eq!(read(&item(3)["file_item"]["media"]).await, bytes);
    assert_eq!(read(&item(4)["video_item"]["media"]).await, bytes);
    assert_eq!(read(&item(5)["file_item"]["media"]).await, b"");
}

#[tokio::test]
async fn a_ticket_is_for_one_peer_and_one_size() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let media = Upload::of(b"some bytes");
    let mut request = media.request(&bot, 3);
    request["to_user_id"] = json!("nobody@im.wechat");
    assert_eq!(bot.call("getuploadurl", request).await["ret"], -1);

    let ticket = media.ticket(&bot).await;
    let url = ticket["upload_full_url"].as_str().unwrap();
    for wrong in [&media.cipher[1..], &[&media.cipher[..], b"x"].concat()] {
        let refused = upload(&bot, url, wrong).await;
        assert_eq!(refused.status(), 400);
        assert!(refused.headers().contains_key("x-error-message"));
    }
    assert_eq!(upload(&bot, url, &media.cipher).await.status(), 200);
}

#[tokio::test]
async fn a_stream_without_a_length_is_measured() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let media = Upload::of(b"some bytes");
    let ticket = media.ticket(&bot).await;
    let path = ticket["upload_full_url"].as_str().unwrap().strip_prefix(backend.url()).unwrap();
    let chunked = |body: &[u8]| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            body.len()
        );
        [head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat()
    };
    let long = [&media.cipher[..], &[0; 1000]].concat();
    let refused = crate::wire::send(backend.address(), &chunked(&long)).await.unwrap();
    assert_eq!(refused.status, 400);
    let taken = crate::wire::send(backend.address(), &chunked(&media.cipher)).await.unwrap();
    assert_eq!(taken.status, 200);
}

#[tokio::test]
async fn tickets_and_media_expire() {
    let policy = Policy {
        upload_ticket_life: Duration::from_secs(600),
        media_life: Some(Duration::from_secs(3_600)),
        ..Policy::open()
    };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let media = Upload::of(b"some bytes");
    let ticket = media.ticket(&bot).await;
    let url = ticket["upload_full_url"].as_str().unwrap();
    let reference = reference(&upload(&bot, url, &media.cipher).await);
    backend.clock().advance(Duration::from_secs(600));
    assert_eq!(upload(&bot, url, &media.cipher).await.status(), 403);

    let download = format!("{}/download?encrypted_query_param={reference}", bot.who.cdn_url);
    assert_eq!(bot.http.get(&download).send().await.unwrap().status(), 200);
    backend.clock().advance(Duration::from_secs(3_600));
    assert_eq!(bot.http.get(&download).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_download_can_be_had_in_parts() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let media = Upload::of(&(0..=255).collect::<Vec<u8>>());
    let ticket = media.ticket(&bot).await;
    let reference = reference(&upload(&bot, &param_url(&bot, &ticket), &media.cipher).await);
    let url = format!("{}/download?encrypted_query_param={reference}", bot.who.cdn_url);
    let part = bot.http.get(&url).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"], "bytes 10-19/272");
    assert_eq!(part.bytes().await.unwrap(), media.cipher[10..20]);
    let none = bot.http.get(&url).header("range", "bytes=999-").send().await.unwrap();
    assert_eq!(none.status(), StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn large_uploads_need_the_whole_address_where_the_policy_says_so() {
    let policy = Policy { upload_param_cap: Some(50 * 1024), ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let media = Upload::of(&vec![1; 60_000]);
    let ticket = media.ticket(&bot).await;
    assert_eq!(upload(&bot, &param_url(&bot, &ticket), &media.cipher).await.status(), 500);
    let full = ticket["upload_full_url"].as_str().unwrap();
    assert_eq!(upload(&bot, full, &media.cipher).await.status(), 200);

    backend.set_policy(Policy { upload_full_url: false, ..Policy::open() });
    let ticket = media.ticket(&bot).await;
    assert_eq!(ticket["upload_full_url"], Value::Null);
    assert_eq!(upload(&bot, &param_url(&bot, &ticket), &media.cipher).await.status(), 200);
}

#[tokio::test]
async fn a_thumbnail_has_a_ticket_of_its_own() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let (picture, thumb) = (Upload::of(&[1; 5_000]), Upload::of(&[2; 50]));
    let mut request = picture.request(&bot, 1);
    request["no_need_thumb"] = json!(false);
    request["thumb_rawsize"] = json!(thumb.plain.len());
    request["thumb_filesize"] = json!(thumb.cipher.len());
    let ticket = bot.call("getuploadurl", request).await;
    let url = param_url(&bot, &json!({ "upload_param": ticket["thumb_upload_param"] }));
    assert_eq!(upload(&bot, &url, &picture.cipher).await.status(), 400);
    assert_eq!(upload(&bot, &url, &thumb.cipher).await.status(), 200);
}

#[tokio::test]
async fn sizes_are_limited() {
    let limits = Limits { media_size: 1_000, ..Limits::default() };
    let backend = Backend::builder().limits(limits).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let media = Upload::of(&[0; 2_000]);
    assert_eq!(media.ticket(&bot).await["ret"], -2);
    let mut lying = media.request(&bot, 3);
    lying["filesize"] = json!(16);
    assert_eq!(bot.call("getuploadurl", lying).await["ret"], -2);

    let url = format!("{}/admin/api/users/alice/media?kind=file&name=x", backend.url());
    let refused = bot.http.post(url).body(vec![0; 1_001]).send().await.unwrap();
    assert_eq!(refused.status(), 413);
}

#[tokio::test]
async fn voice_tickets_can_be_refused() {
    let policy = Policy { voice_upload_refused: true, ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let request = Upload::of(b"x").request(&bot, 4);
    assert_eq!(bot.call("getuploadurl", request).await["ret"], 2);
    assert_eq!(backend.requests_to(Endpoint::GetUploadUrl).len(), 1);
}

//! What we send is, byte for byte, what the official plugin sends.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use ilink::cipher::Fingerprint;
use ilink::media::{Limits, Source, Upload, Uploaded, download, upload};
use ilink::wire::{CdnMedia, Item, MediaType, Message, TypingStatus};
use ilink::{BotToken, ContextToken, Cursor, MediaKey, MediaKeyText, RunId, TypingTicket};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::backend::{Answer, Backend, Request};

#[derive(Deserialize)]
struct Golden {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Box<RawValue>,
}

macro_rules! golden {
    ($name:literal) => {
        serde_json::from_str::<Golden>(include_str!(concat!("../golden/requests/", $name, ".json")))
            .unwrap()
    };
}

impl Golden {
    fn check(&self, request: &Request) {
        assert_eq!(request.method, self.method);
        assert_eq!(request.target, self.path);
        for (name, value) in &self.headers {
            let ours = request.header(name);
            if name == "x-wechat-uin" {
                check_uin(ours.unwrap());
            } else {
                assert_eq!(ours, Some(value.as_str()), "header {name}");
            }
        }
        if self.body.get().starts_with('{') {
            assert_eq!(request.text(), compact(self.body.get()));
        }
    }
}

fn check_uin(header: &str) {
    let digits = base64::engine::general_purpose::STANDARD.decode(header).unwrap();
    let digits = String::from_utf8(digits).unwrap();
    let uin: u32 = digits.parse().unwrap();
    assert_eq!(uin.to_string(), digits);
}

/// Takes the white space out, except inside of strings.
fn compact(json: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut escaped) = (false, false);
    for c in json.chars() {
        if inside || !c.is_ascii_whitespace() {
            out.push(c);
        }
        match c {
            '"' if !escaped => inside = !inside,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    out
}

#[tokio::test]
async fn a_poll() {
    let backend = Backend::answering("{}").await;
    let cursor = Cursor::new("eyJjIjo5NTI5MzM5Mn0=");
    backend.client().get_updates(&cursor, Duration::from_secs(1)).await.unwrap();
    golden!("getupdates").check(&backend.only_request());
}

#[tokio::test]
async fn a_text() {
    let backend = Backend::answering("{}").await;
    let message = Message::outbound(
        "user0001@im.wechat".into(),
        Item::text("warm"),
        Some(ContextToken::new("ctx-user0001@im.wechat-1795293962507")),
        "openclaw-weixin:1795293966681-852ae305".into(),
    );
    backend.client().send_message(message).await.unwrap();
    golden!("sendmessage_text").check(&backend.only_request());
}

#[tokio::test]
async fn a_picture() {
    let backend = Backend::answering("{}").await;
    let key = MediaKeyText::new("222ff3a09fd15d184db62ecd7f5f482b");
    let uploaded = Uploaded {
        reference: "dl-AfBeqxzgmdQVwHG6".to_owned(),
        key: MediaKey::from_hex(&key).unwrap(),
        cipher_size: 12432,
        plain: Fingerprint { size: 12420, md5: [0; 16] },
        thumb: None,
    };
    let message = Message::outbound(
        "user0001@im.wechat".into(),
        uploaded.image_item(None),
        Some(ContextToken::new("ctx-user0001@im.wechat-1795293962513")),
        "openclaw-weixin:1795294071720-85acb33f".into(),
    );
    let run_id = Some(RunId::new("ddc3faed-d37b-4f08-90e2-fe4d2c21d8d6"));
    backend.client().send_message(Message { run_id, ..message }).await.unwrap();
    golden!("sendmessage_image").check(&backend.only_request());
}

#[tokio::test]
async fn a_typing_ticket() {
    let backend = Backend::answering("{}").await;
    let context = ContextToken::new("ctx-user0002@im.wechat-1795293962515");
    let peer = "user0002@im.wechat".into();
    backend.client().get_config(&peer, Some(&context)).await.unwrap();
    golden!("getconfig").check(&backend.only_request());
}

#[tokio::test]
async fn typing_begins_and_ends() {
    let backend = Backend::answering("{}").await;
    let client = backend.client();
    let peer = "user0001@im.wechat".into();
    let ticket = TypingTicket::new("dGlja2V0LW1vY2s=");
    client.send_typing(&peer, &ticket, TypingStatus::Typing).await.unwrap();
    client.send_typing(&peer, &ticket, TypingStatus::Cancel).await.unwrap();
    golden!("sendtyping_start").check(&backend.requests()[0]);
    golden!("sendtyping_cancel").check(&backend.requests()[1]);
}

#[tokio::test]
async fn the_bot_arrives() {
    let backend = Backend::answering("{}").await;
    backend.client().notify_start().await.unwrap();
    golden!("notifystart").check(&backend.only_request());
}

/// The random parts of an upload have a fixed length, so that they can be
/// replaced by the recorded ones before comparing.
#[tokio::test]
async fn an_upload_of_a_picture() {
    const RECORDED_FILE_KEY: &str = "eeb94e8b74d6221cdeab236fd5b4433b";
    const RECORDED_MD5: &str = "692ebfc768c81011708fd55f1267bd78";
    const RECORDED_KEY: &str = "222ff3a09fd15d184db62ecd7f5f482b";

    let backend = Backend::start(|request| match request.path() {
        "/upload" => Answer::With("x-encrypted-param", "ref".to_owned(), Vec::new()),
        _ => {
            let asked: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            let param = format!("up-{}", asked["filekey"].as_str().unwrap());
            Answer::Ok(serde_json::json!({ "upload_param": param }).to_string())
        }
    })
    .await;
    let picture = Upload {
        to: "user0001@im.wechat".into(),
        kind: MediaType::Image,
        source: Source::Bytes(vec![7; 12420].into()),
        thumb: None,
    };
    let uploaded = upload(&backend.client(), &picture, &Limits::default()).await.unwrap();

    let [mut ticket, mut bytes] = <[Request; 2]>::try_from(backend.requests()).unwrap();
    let asked: serde_json::Value = serde_json::from_slice(&ticket.body).unwrap();
    let file_key = asked["filekey"].as_str().unwrap();
    let recorded = ticket
        .text()
        .replace(file_key, RECORDED_FILE_KEY)
        .replace(&uploaded.plain.md5_hex(), RECORDED_MD5)
        .replace(uploaded.key.to_hex().expose(), RECORDED_KEY);
    ticket.body = recorded.into_bytes();
    golden!("getuploadurl_image").check(&ticket);
    bytes.target = bytes.target.replace(file_key, RECORDED_FILE_KEY);
    golden!("cdn_upload").check(&bytes);
    assert_eq!(bytes.header("authorization"), None, "the CDN is not told the token");
}

#[tokio::test]
async fn a_download() {
    let backend = Backend::answering("plain bytes").await;
    let folder = tempfile::tempdir().unwrap();
    let media = CdnMedia { encrypt_query_param: Some("img1".to_owned()), ..CdnMedia::default() };
    let dest = folder.path().join("picture");
    download(&backend.client(), &media, None, &dest, &Limits::default()).await.unwrap();
    golden!("cdn_download").check(&backend.only_request());
}

#[tokio::test]
async fn a_qr_code_is_asked_for_without_a_token() {
    let backend = Backend::answering(r#"{"qrcode":"q","qrcode_img_content":"https://l"}"#).await;
    let known: Vec<_> = (0..12).map(|n| BotToken::new(format!("t{n}"))).collect();
    backend.client().get_qr_code(&known).await.unwrap();
    let request = backend.only_request();
    assert_eq!(request.target, "/ilink/bot/get_bot_qrcode?bot_type=3");
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        request.text(),
        r#"{"local_token_list":["t0","t1","t2","t3","t4","t5","t6","t7","t8","t9"]}"#
    );
}

#[tokio::test]
async fn the_status_is_asked_for_with_escaped_digits() {
    let backend = Backend::answering("{}").await;
    let client = backend.client();
    client.qr_status(&backend.url, &"a+b c".into(), Some("12 3&x")).await.unwrap();
    let request = backend.only_request();
    let expected = "/ilink/bot/get_qrcode_status?qrcode=a%2Bb%20c&verify_code=12%203%26x";
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", expected));
    assert_eq!(request.header("ilink-app-clientversion"), Some("132105"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("x-wechat-uin"), None, "only POSTs carry it");
}

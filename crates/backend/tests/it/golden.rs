//! The official plugin's own requests, as captured, are understood.

use backend::{Backend, Credentials, SeenItem};
use ilink::MediaKey;
use serde_json::Value;

use crate::bot::{RawBot, texts};
use crate::wire::{self, Answer};

/// Plays captures for one bot, with its own token and ids in place.
struct Official {
    backend: Backend,
    who: Credentials,
    /// What stands in the captures, and what stands for it here.
    instead: Vec<(String, String)>,
}

impl Official {
    fn new(backend: &Backend, who: &Credentials) -> Self {
        let mut it = Self { backend: backend.clone(), who: who.clone(), instead: Vec::new() };
        it.put("tok-0000", who.token.expose());
        for user in ["user0001@im.wechat", "user0002@im.wechat"] {
            it.put(user, who.user_id.as_str());
        }
        it
    }

    fn put(&mut self, captured: &str, ours: &str) {
        self.instead.push((captured.to_owned(), ours.to_owned()));
    }

    /// Sends a capture over a raw socket.
    async fn plays(&self, name: &str, body: Option<Vec<u8>>) -> Answer {
        let path = format!("{}/tests/golden/requests/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let capture = std::fs::read_to_string(path).unwrap();
        let capture = self.instead.iter().fold(capture, |text, (from, to)| text.replace(from, to));
        let capture: Value = serde_json::from_str(&capture).unwrap();
        let captured = capture["body"].as_object().map(|body| serde_json::to_vec(body).unwrap());
        let body = body.or(captured).unwrap_or_default();
        let headers = capture["headers"].as_object().unwrap().iter();
        let headers: Vec<(&str, &str)> = headers
            .filter(|(name, _)| *name != "content-length")
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let path = capture["path"].as_str().unwrap();
        let path = if path.starts_with("/ilink") { path.to_owned() } else { format!("/c2c{path}") };
        let request = wire::request(capture["method"].as_str().unwrap(), &path, &headers, &body);
        wire::send(self.backend.address(), &request).await.unwrap()
    }
}

#[tokio::test]
async fn the_official_plugin_starts_polls_and_answers() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let who = backend.bind(&alice).await;
    let official = Official::new(&backend, &who);

    let started = official.plays("notifystart", None).await;
    assert_eq!((started.status, started.json()["ret"].as_i64()), (200, Some(0)));
    assert!(backend.is_online(&who.bot_id));

    alice.says("hello").await;
    let batch = official.plays("getupdates", None).await.json();
    assert_eq!(texts(&batch), ["hello"]);

    let sent = official.plays("sendmessage_text", None).await.json();
    assert!(sent["message_id"].is_u64(), "{sent}");
    assert_eq!(alice.hears().await, "warm");
}

#[tokio::test]
async fn the_official_plugin_shows_and_hides_typing() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let who = backend.bind(&alice).await;
    let mut official = Official::new(&backend, &who);
    alice.says("hello").await;

    let config = official.plays("getconfig", None).await.json();
    official.put("dGlja2V0LW1vY2s=", config["typing_ticket"].as_str().unwrap());
    assert_eq!(official.plays("sendtyping_start", None).await.json()["ret"], 0);
    assert!(alice.is_typing_shown());
    assert_eq!(official.plays("sendtyping_cancel", None).await.json()["ret"], 0);
    assert!(!alice.is_typing_shown());
}

#[tokio::test]
async fn the_official_plugin_sends_a_picture_and_reads_one() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let who = backend.bind(&alice).await;
    let mut official = Official::new(&backend, &who);
    let picture: Vec<u8> = (0..12_420).map(|n| (n % 251) as u8).collect();
    let key = MediaKey::new(hex16("222ff3a09fd15d184db62ecd7f5f482b"));

    let ticket = official.plays("getuploadurl_image", None).await.json();
    assert_eq!(ticket["ret"], 0, "{ticket}");
    official.put("up-eeb94e8b74d6221cdeab236fd5b4433b", ticket["upload_param"].as_str().unwrap());
    let cipher = ilink::cipher::encrypt(&key, &picture);
    let uploaded = official.plays("cdn_upload", Some(cipher.clone())).await;
    assert_eq!(uploaded.status, 200, "{uploaded:?}");
    official.put("dl-AfBeqxzgmdQVwHG6", uploaded.header("x-encrypted-param").unwrap());
    let sent = official.plays("sendmessage_image", None).await.json();
    assert!(sent["message_id"].is_u64(), "{sent}");

    let seen = alice.sees().await;
    let SeenItem::Image(shown) = &seen[0].items[0] else { panic!("{seen:?}") };
    assert_eq!(shown.bytes().await, picture);
    assert_eq!(seen[0].run_id.as_ref().unwrap().as_str(), "ddc3faed-d37b-4f08-90e2-fe4d2c21d8d6");

    alice.sends_image(&picture, "").await;
    let batch = RawBot::with(official.who.clone()).poll("").await;
    let image = &batch["msgs"][0]["item_list"][0]["image_item"];
    official.put(
        "encrypted_query_param=img1",
        &format!(
            "encrypted_query_param={}",
            image["media"]["encrypt_query_param"].as_str().unwrap()
        ),
    );
    let downloaded = official.plays("cdn_download", None).await;
    let key = MediaKey::new(hex16(image["aeskey"].as_str().unwrap()));
    assert_eq!(ilink::cipher::decrypt(&key, &downloaded.body).unwrap(), picture);
}

fn hex16(text: &str) -> [u8; 16] {
    let byte = |at: usize| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap();
    std::array::from_fn(byte)
}

//! Secrets in what is logged: everything at trace level, searched for all of them.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend::{Backend, Endpoint, Fault};
use contract::Channel as _;
use contract::{Content, Media, MediaKind, Reply, ReplyClass, Signal};
use ilink::login::LoginOptions;
use ilink::wire::{CdnMedia, ImageItem, Item, ItemKind};
use ilink::{Code, MediaKeyText};
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;
use weixin::Settings;
use weixin::login::{Event, Flow, FlowOptions};

use crate::accounts::http;
use crate::host::TestHost;
use crate::receiving::wait_until;

/// What was logged, in memory.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const KEY: &str = "Y2FuYXJ5Y2FuYXJ5Y2FuYQ==";
const PARAM: &str = "canaryparam0123456789";

/// Demand 37: a login, a conversation with media and every kind of trouble at
/// trace level, and no secret in any line.
#[tokio::test]
async fn no_secret_is_ever_logged() {
    let captured = Captured::default();
    let lines = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone());
    // Where only one listens, `tracing` asks the thread that comes to a line first
    // whether anybody does, and believes it for all threads.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _guard = tracing::subscriber::set_default(lines.finish());

    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    log_in_twice(&backend, &alice, dir.path()).await;
    let registry = Settings::new(dir.path()).registry();
    let found = registry.load(&registry.accounts().unwrap()[0]).unwrap().unwrap();
    tracing::trace!(?found, entries = ?registry.entries(), "credentials");

    let host = TestHost::start(dir.path()).await;
    converse(&backend, &alice, &host, dir.path()).await;
    trouble(&backend, &alice, &host).await;
    host.stops().await;

    let mut secrets = sent_secrets(&backend);
    secrets.extend([found.token.expose(), KEY, PARAM].map(str::to_owned));
    let kinds = ["bot token", "context token", "typing ticket", "media key", "upload ticket"];
    assert!(secrets.len() >= kinds.len(), "too few secrets travelled: {}", secrets.len());
    let text = captured.text();
    assert!(text.lines().count() > 50 && text.contains("TRACE"), "nothing was captured");
    for secret in &secrets {
        assert!(secret.len() >= 8, "too short to search for");
        let line = text.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "a secret was logged");
    }
    // The search finds what is there.
    tracing::trace!(token = found.token.expose(), "on purpose");
    assert!(captured.text().contains(found.token.expose()));
}

/// The second login tells the backend the token of the first.
async fn log_in_twice(backend: &Backend, alice: &backend::User, dir: &std::path::Path) {
    for _ in 0..2 {
        let pause = Duration::from_millis(1);
        let options = FlowOptions {
            base_url: Some(backend.url().parse().unwrap()),
            qr: LoginOptions { pause, ..LoginOptions::default() },
            ..FlowOptions::default()
        };
        backend.next(Endpoint::GetQrcodeStatus, Fault::TruncatedJson);
        let mut flow = Flow::begin(&Settings::new(dir), &http(), options).unwrap();
        while let Some(event) = flow.next().await {
            tracing::trace!(?event, "login");
            if let Event::Qr { url, .. } = event {
                alice.confirm(&url).await;
            }
        }
    }
}

async fn converse(
    backend: &Backend,
    alice: &backend::User,
    host: &TestHost,
    dir: &std::path::Path,
) {
    alice.sends_image(b"\x89PNG\r\n\x1a\npicture", "p.png").await;
    let inbound = host.hears().await;
    tracing::trace!(?inbound, "inbound");
    host.channel.signal(&inbound.turn, Signal::Working).await;
    alice.waits_for_typing(true).await;
    let path = dir.join("answer.bin");
    std::fs::write(&path, [7; 1_000]).unwrap();
    for fault in [Fault::NoEncryptedParam, Fault::refuse(Code::REFUSED, "busy")] {
        backend.next(Endpoint::CdnUpload, fault);
    }
    let content = Content::Media(Media::file(MediaKind::File, path, "answer.bin"));
    let reply = Reply { number: 0, class: ReplyClass::Answer, content };
    host.channel.reply(&inbound.turn, reply).await.unwrap();
    host.replies(&inbound.turn, 1, "and a word").await;
    host.finishes(&inbound.turn).await;
    alice.sees_from_bots(2).await;
}

async fn trouble(backend: &Backend, alice: &backend::User, host: &TestHost) {
    let media = CdnMedia {
        encrypt_query_param: Some(PARAM.to_owned()),
        aes_key: Some(MediaKeyText::new(KEY)),
        ..CdnMedia::default()
    };
    let image = ImageItem { media: Some(media), ..ImageItem::default() };
    let item = Item { kind: Some(ItemKind::Image), image_item: Some(image), ..Item::default() };
    alice.sends_items(vec![item]).await;
    host.answers("that picture is gone").await;
    for fault in [
        Fault::TruncatedJson,
        Fault::BadGateway,
        Fault::DropAnswer,
        Fault::refuse(Code::STALE_TOKEN, "session timeout"),
    ] {
        backend.next(Endpoint::GetUpdates, fault.clone());
        backend.next(Endpoint::SendMessage, Fault::BadGateway);
        alice.says("again").await;
        host.answers("yes").await;
        alice.hears().await;
    }
    wait_until(host, |status| status["outbox"] == 0).await;
}

/// Everything secret that went over the wire.
fn sent_secrets(backend: &Backend) -> Vec<String> {
    const NAMES: [&str; 5] =
        ["context_token", "typing_ticket", "aeskey", "aes_key", "encrypt_query_param"];
    let mut secrets = Vec::new();
    for request in backend.requests() {
        let json: Value = serde_json::from_str(&request.body).unwrap_or_default();
        collect(&json, &NAMES, &mut secrets);
        let query = request.query.split('&').filter_map(|pair| pair.split_once('='));
        let tickets = query.filter(|(name, _)| *name == "encrypted_query_param");
        secrets.extend(tickets.map(|(_, value)| value.to_owned()));
    }
    secrets.sort();
    secrets.dedup();
    secrets
}

fn collect(json: &Value, names: &[&str], into: &mut Vec<String>) {
    for (name, value) in json.as_object().into_iter().flatten() {
        if let (true, Some(text)) = (names.contains(&name.as_str()), value.as_str()) {
            into.push(text.to_owned());
        }
        collect(value, names, into);
    }
    for value in json.as_array().into_iter().flatten() {
        collect(value, names, into);
    }
}

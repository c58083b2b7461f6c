//! The official plugin's state, taken over and given back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use backend::Endpoint;
use contract::AccountId;
use ilink::UserId;
use serde_json::{Value, json};
use weixin::{Settings, StoreKey, official};

use crate::host::{Scene, TestHost, channel};

fn json_at(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/state/accounts").join(name)
}

/// A scene whose account has the official plugin's golden state beside it.
async fn scene() -> (Scene, String) {
    let scene = Scene::new().await;
    let account = scene.bot.bot_id.as_str().replace(['@', '.'], "-");
    for kind in ["sync", "context-tokens"] {
        let to = scene.dir.path().join(format!("accounts/{account}.{kind}.json"));
        std::fs::write(to, std::fs::read(golden(&format!("acct0000-im-bot.{kind}.json"))).unwrap())
            .unwrap();
    }
    (scene, account)
}

fn first_cursor(scene: &Scene) -> Value {
    let polls = scene.backend.requests_to(Endpoint::GetUpdates);
    polls[0].json()["get_updates_buf"].clone()
}

/// Demand 40 and the way between the plugins: the first poll goes on where the
/// official plugin stopped, and a stop gives everything back, whole.
#[tokio::test]
async fn the_state_is_taken_over_and_given_back() {
    let (scene, account) = scene().await;
    let at = |kind: &str| scene.dir.path().join(format!("accounts/{account}.{kind}.json"));
    let cursor = json_at(golden("acct0000-im-bot.sync.json"))["get_updates_buf"].clone();
    let mut tokens = json_at(golden("acct0000-im-bot.context-tokens.json"));

    let host = TestHost::start(scene.dir.path()).await;
    scene.polled().await;
    assert_eq!(first_cursor(&scene), cursor);
    scene.alice.says("hello").await;
    host.answers("hi").await;
    scene.alice.hears().await;
    host.stops().await;

    let given_back = json_at(at("sync"));
    assert_ne!(given_back["get_updates_buf"], cursor, "the cursor has moved on");
    assert_eq!(given_back.as_object().unwrap().len(), 1);
    let given_back = json_at(at("context-tokens"));
    tokens[scene.alice.id().as_str()] = given_back[scene.alice.id().as_str()].clone();
    assert!(tokens[scene.alice.id().as_str()].is_string());
    assert_eq!(given_back, tokens, "what only the official plugin knew is still there");
    #[cfg(unix)]
    for kind in ["sync", "context-tokens"] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(at(kind).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// Without a message in between, what is given back is what was taken.
#[tokio::test]
async fn what_did_not_change_is_given_back_equal() {
    let (scene, account) = scene().await;
    // A backend that knows no such cursor answers with one of its own, so none polls.
    let settings = Settings::new(scene.dir.path());
    settings.registry().set_disabled(&AccountId::from(account.as_str()), true).unwrap();
    let host = TestHost::start(scene.dir.path()).await;
    host.stops().await;
    for kind in ["sync", "context-tokens"] {
        let ours = json_at(scene.dir.path().join(format!("accounts/{account}.{kind}.json")));
        assert_eq!(ours, json_at(golden(&format!("acct0000-im-bot.{kind}.json"))), "{kind}");
    }
}

/// Whose cursor counts: the official plugin's if it was written after our last
/// poll, else ours.
#[tokio::test]
async fn the_newer_cursor_wins() {
    let (scene, account) = scene().await;
    let sync = scene.dir.path().join(format!("accounts/{account}.sync.json"));
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    scene.alice.hears().await;
    host.stops().await;
    let ours = json_at(&sync)["get_updates_buf"].clone();

    let next_cursor = async || {
        let n = scene.backend.requests_to(Endpoint::GetUpdates).len();
        let host = TestHost::start(scene.dir.path()).await;
        let next = loop {
            let polls = scene.backend.requests_to(Endpoint::GetUpdates);
            if let Some(poll) = polls.get(n) {
                break poll.json()["get_updates_buf"].clone();
            }
            tokio::task::yield_now().await;
        };
        host.stops().await;
        next
    };
    let write = |age: i64| {
        std::fs::write(&sync, json!({"get_updates_buf": "theirs"}).to_string()).unwrap();
        let hour = Duration::from_secs(3_600);
        let now = SystemTime::now();
        let at = if age > 0 { now - hour } else { now + hour };
        std::fs::File::options().write(true).open(&sync).unwrap().set_modified(at).unwrap();
    };
    write(1);
    assert_eq!(next_cursor().await, ours, "an old file, as a crash leaves it");
    write(-1);
    assert_eq!(next_cursor().await, "theirs", "a young one: the official plugin has run");
}

/// Damaged files of the official plugin stop nothing.
#[tokio::test]
async fn damaged_state_is_passed_over() {
    let (scene, account) = scene().await;
    for kind in ["sync", "context-tokens"] {
        std::fs::write(scene.dir.path().join(format!("accounts/{account}.{kind}.json")), "{\"")
            .unwrap();
    }
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    assert_eq!(scene.alice.hears().await, "hi");
    host.stops().await;
}

/// Demand 38: where credentials are sealed, no context token is written openly.
#[tokio::test]
async fn nothing_is_given_back_where_credentials_are_sealed() {
    let scene = Scene::new().await;
    let dir = scene.dir.path();
    let file = dir.join("key");
    std::fs::write(&file, "0123456789abcdef0123456789abcdef").unwrap();
    let mut settings = Settings::new(dir);
    settings.key = Some(StoreKey::read(&file).unwrap());
    settings.registry().rewrite(true).unwrap();
    let host = TestHost::start_on(settings).await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    scene.alice.hears().await;
    host.stops().await;
    let account = scene.bot.bot_id.as_str().replace(['@', '.'], "-");
    assert!(!dir.join(format!("accounts/{account}.sync.json")).exists());
    assert!(!dir.join(format!("accounts/{account}.context-tokens.json")).exists());
    drop(channel(dir));
}

/// Who debugs and who is admitted is read for the host to take over.
#[test]
fn debug_mode_and_admitted_peers_are_read() {
    let state = tempfile::tempdir().unwrap();
    let dir = state.path().join("openclaw-weixin");
    let credentials = state.path().join("credentials");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::create_dir_all(&credentials).unwrap();
    let debug = json!({"accounts": {"a-im-bot": true, "b-im-bot": false}});
    std::fs::write(dir.join("debug-mode.json"), debug.to_string()).unwrap();
    let allowed = json!({"version": 1, "allowFrom": ["Bob@im.wechat"]});
    let file = credentials.join("openclaw-weixin-a-im-bot-allowFrom.json");
    std::fs::write(file, allowed.to_string()).unwrap();

    let accounts = ["a-im-bot", "b-im-bot"].map(AccountId::from);
    let found = official::read(&Settings::new(&dir), &accounts);
    assert_eq!(found.debugging, [accounts[0].clone()].into());
    let bob = vec![UserId::from("Bob@im.wechat")];
    assert_eq!(found.allowed, BTreeMap::from([(accounts[0].clone(), bob)]));
}

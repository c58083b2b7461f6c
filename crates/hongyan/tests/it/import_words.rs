//! `hongyan import openclaw`: from the state of an OpenClaw to a conversation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use backend::{Backend, Credentials, Endpoint};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{GatewayProcess, hongyan, says};

/// What OpenClaw's users have in their file, comments and includes included.
const CONFIG: &str = r#"{
  // the WeChat of the office
  channels: { $include: "channels.json5" },
  session: { dmScope: "main", mainKey: "desk" },
  bindings: [
    { agentId: "work", match: { channel: "openclaw-weixin", accountId: "*" } },
    { agentId: "work", match: { channel: "telegram" } },
  ],
  agents: { entries: { work: { name: "Wu" } } },
  models: { providers: { mine: { baseUrl: "http://127.0.0.1:1/v1", apiKey: "${IMPORTED_KEY}" } } },
  commands: { ownerAllowFrom: ["openclaw-weixin:boss@im.wechat"] },
  messages: { queue: { mode: "later" } },
  gateway: { port: 18789, auth: { token: "canary" }, reload: { mode: "off" } },
  plugins: { allow: ["openclaw-weixin"], entries: { "openclaw-weixin": { enabled: true } } },
  wizard: { lastRunAt: "2026" },
}
"#;

/// The state of an OpenClaw with one account that is bound to a backend.
struct OpenClaw {
    dir: TempDir,
    account: String,
}

impl OpenClaw {
    fn of(bot: &Credentials, cursor: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let account = bot.bot_id.as_str().replace(['@', '.'], "-");
        let this = Self { dir, account };
        this.write("openclaw.json", CONFIG);
        let channels = r#"{ "openclaw-weixin": { replyProgressMessages: false, channelConfigUpdatedAt: "x" } }"#;
        this.write("channels.json5", channels);
        let account = &this.account;
        this.write("openclaw-weixin/accounts.json", &json!([account]).to_string());
        let credentials = json!({
            "token": bot.token.expose(),
            "savedAt": "2026-11-21T00:00:00.000Z",
            "baseUrl": bot.base_url,
            "userId": bot.user_id.as_str(),
        });
        let at = |kind: &str| format!("openclaw-weixin/accounts/{account}{kind}.json");
        this.write(&at(""), &credentials.to_string());
        this.write(&at(".sync"), &json!({ "get_updates_buf": cursor }).to_string());
        let tokens = json!({ bot.user_id.as_str(): "ctx-1", "other@im.wechat": "ctx-2" });
        this.write(&at(".context-tokens"), &tokens.to_string());
        let debug = json!({ "accounts": { account: true } });
        this.write("openclaw-weixin/debug-mode.json", &debug.to_string());
        let quotes = include_bytes!("../golden/ref-messages.sqlite");
        std::fs::write(this.path("openclaw-weixin/ref-messages.sqlite"), quotes).unwrap();
        let allowed = json!({ "version": 1, "allowFrom": ["Carol@im.wechat", "*"] });
        let file = format!("credentials/openclaw-weixin-{account}-allowFrom.json");
        this.write(&file, &allowed.to_string());
        this.write("credentials/openclaw-weixin-gone-im-bot-allowFrom.json", &allowed.to_string());
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Approvals as OpenClaw 2026.9.6 keeps them, and who still writes there.
    fn approves(&self, peer: &str) -> Connection {
        std::fs::create_dir_all(self.path("state")).unwrap();
        let store = Connection::open(self.path("state/openclaw.sqlite")).unwrap();
        store.pragma_update(None, "journal_mode", "WAL").unwrap();
        store
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS channel_pairing_allow_entries (channel_key TEXT NOT NULL,
                    account_id TEXT NOT NULL, entry TEXT NOT NULL, sort_order INTEGER NOT NULL,
                    updated_at INTEGER NOT NULL, PRIMARY KEY (channel_key, account_id, entry)) STRICT;
                 PRAGMA user_version = 18",
            )
            .unwrap();
        for (channel, account) in [("openclaw-weixin", &*self.account), ("telegram", "default")] {
            let row = (channel, account, peer);
            let insert = "INSERT INTO channel_pairing_allow_entries VALUES (?1, ?2, ?3, 0, 1)";
            store.execute(insert, row).unwrap();
        }
        store
    }

    fn import(&self, state: &Path, more: &[&str]) -> Value {
        let from = self.dir.path().to_str().unwrap();
        let args = [&["import", "openclaw", "--json", "--from", from], more].concat();
        let (code, stdout, stderr) = says(state, &args);
        assert_eq!(code, Some(0), "{stderr}");
        serde_json::from_str(&stdout).unwrap()
    }
}

/// `part name` → `taken`, `known`, or the reason why it was left.
fn outcomes(report: &Value) -> BTreeMap<String, String> {
    let text = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let items = report["items"].as_array().unwrap().iter();
    let told = items.map(|item| {
        let outcome = text(item, "outcome");
        let outcome = if outcome == "left" { text(item, "reason") } else { outcome };
        (format!("{} {}", text(item, "part"), text(item, "name")), outcome)
    });
    told.collect()
}

/// All files below a folder, with what is in them.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn json_of(state: &Path, line: &str) -> Value {
    let (code, stdout, stderr) = says(state, &line.split(' ').collect::<Vec<_>>());
    assert_eq!(code, Some(0), "{line}: {stderr}");
    serde_json::from_str(&stdout).unwrap()
}

async fn bound(backend: &Backend) -> (backend::User, Credentials) {
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    (alice, bot)
}

/// From the files of an OpenClaw to the first answer, by the words of a person.
#[tokio::test(flavor = "multi_thread")]
async fn an_openclaw_is_taken_over_and_its_account_goes_on_at_its_cursor() {
    let backend = Backend::start().await;
    let (alice, bot) = bound(&backend).await;
    let openclaw = OpenClaw::of(&bot, "the cursor of the official plugin");
    drop(openclaw.approves("Bob@im.wechat"));
    let source = files(openclaw.dir.path());
    let state = tempfile::tempdir().unwrap();
    let account = &openclaw.account;

    let dry = openclaw.import(state.path(), &["--dry-run"]);
    assert_eq!(files(state.path()), BTreeMap::new(), "a dry run writes nothing");
    let report = openclaw.import(state.path(), &[]);
    assert_eq!(outcomes(&report), outcomes(&dry));
    let approval = |peer: &str| format!("approval {account}/{peer}");
    let expected: BTreeMap<String, String> = [
        ("config agents", "taken"),
        ("config bindings", "taken"),
        ("config bindings[1]", "other_channel"),
        ("config channels.openclaw-weixin", "taken"),
        ("config commands", "taken"),
        ("config gateway.auth", "own_gateway"),
        ("config gateway.port", "own_gateway"),
        ("config gateway.reload", "taken"),
        ("config messages", "wrong"),
        ("config models", "taken"),
        ("config plugins", "own_plugins"),
        ("config plugins.entries.openclaw-weixin.enabled", "taken"),
        ("config session", "taken"),
        ("config wizard", "not_here"),
        (&approval("Bob@im.wechat"), "taken"),
        (&approval("Carol@im.wechat"), "taken"),
        (&approval("*"), "everybody"),
        ("approval openclaw-weixin-gone-im-bot-allowFrom.json", "no_account"),
        (&format!("account {account}"), "taken"),
        (&format!("cursor {account}"), "taken"),
        (&format!("tokens {account} (2)"), "taken"),
        (&format!("debug {account}"), "taken"),
        ("quotes 40", "taken"),
    ]
    .into_iter()
    .map(|(name, outcome)| (name.to_owned(), outcome.to_owned()))
    .collect();
    assert_eq!(outcomes(&report), expected);
    let warnings = report["warnings"].to_string();
    assert!(warnings.contains("IMPORTED_KEY"), "{warnings}");
    assert!(!report.to_string().contains("canary"), "a secret is never shown");

    assert_eq!(json_of(state.path(), "accounts list --json")[0]["account"], json!(account));
    let approvals = json_of(state.path(), "pairing approvals --json");
    let approved: Vec<_> =
        approvals["approvals"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(approved, ["Bob@im.wechat", "Carol@im.wechat"]);
    let owners = json_of(state.path(), "config get commands.ownerAllowFrom --json");
    assert_eq!(owners, json!(["openclaw-weixin:boss@im.wechat"]));
    let written = std::fs::read_to_string(state.path().join("config.json5")).unwrap();
    assert!(written.contains("${IMPORTED_KEY}") && !written.contains("canary"), "{written}");

    let again = openclaw.import(state.path(), &[]);
    let taken = |report: &Value| outcomes(report).into_values().filter(|it| it == "taken").count();
    assert_eq!(taken(&again), 0, "{again}");
    assert_eq!(files(openclaw.dir.path()), source, "nothing there was touched");

    let _gateway = GatewayProcess::start(state.path(), &["--agent", "guide"]);
    alice.says("hello").await;
    assert!(!alice.hears().await.is_empty());
    let polls = backend.requests_to(Endpoint::GetUpdates);
    assert_eq!(polls[0].json()["get_updates_buf"], "the cursor of the official plugin");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_here_and_younger_stays_unless_it_is_forced() {
    let backend = Backend::start().await;
    let (_, bot) = bound(&backend).await;
    let openclaw = OpenClaw::of(&bot, "c");
    let state = tempfile::tempdir().unwrap();
    openclaw.import(state.path(), &[]);
    let file = state.path().join(format!("openclaw-weixin/accounts/{}.json", openclaw.account));
    let mut ours: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    (ours["token"], ours["savedAt"]) = (json!("ours:1"), json!("2026-12-01T00:00:00.000Z"));
    std::fs::write(&file, ours.to_string()).unwrap();
    let text = "{ // mine\n session: { dmScope: 'per-peer' } }";
    std::fs::write(state.path().join("config.json5"), text).unwrap();

    let report = outcomes(&openclaw.import(state.path(), &[]));
    assert_eq!(report[&format!("account {}", openclaw.account)], "newer_here");
    assert_eq!(report["config session.dmScope"], "ours");
    assert_eq!(report["config session.mainKey"], "taken");
    let written = std::fs::read_to_string(state.path().join("config.json5")).unwrap();
    assert!(written.contains("// mine") && written.contains("per-peer"), "{written}");
    let token = || {
        serde_json::from_slice::<Value>(&std::fs::read(&file).unwrap()).unwrap()["token"].clone()
    };
    assert_eq!(token(), "ours:1");

    let report = outcomes(&openclaw.import(state.path(), &["--force"]));
    assert_eq!(report[&format!("account {}", openclaw.account)], "taken");
    assert_eq!(token(), bot.token.expose());
}

/// OpenClaw's gateway is warned of and its store read beside it; ours is refused.
#[tokio::test(flavor = "multi_thread")]
async fn who_runs_is_told() {
    let backend = Backend::start().await;
    let (_, bot) = bound(&backend).await;
    let openclaw = OpenClaw::of(&bot, "c");
    let running = openclaw.approves("Bob@im.wechat");
    let lock = json!({ "pid": std::process::id(), "createdAt": "x", "configPath": "y" });
    openclaw.write("tmp/openclaw-1000/gateway.state.lock", &lock.to_string());
    let state = tempfile::tempdir().unwrap();
    let report = openclaw.import(state.path(), &["--dry-run"]);
    let approval = format!("approval {}/Bob@im.wechat", openclaw.account);
    assert_eq!(outcomes(&report)[&approval], "taken", "also while it is open");
    assert!(report["warnings"][0].as_str().unwrap().contains("OpenClaw's gateway"), "{report}");
    drop(running);

    let _gateway = GatewayProcess::start(state.path(), &[]).ready(state.path());
    let from = openclaw.dir.path().to_str().unwrap();
    for more in [&[][..], &["--dry-run"]] {
        let args = [&["import", "openclaw", "--from", from], more].concat();
        let (code, _, stderr) = says(state.path(), &args);
        assert_eq!(code, Some(75), "{stderr}");
    }
}

#[test]
fn what_cannot_be_read_is_left_and_nothing_at_all_is_an_error() {
    let (openclaw, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let from = openclaw.path().to_str().unwrap();
    let (code, _, stderr) = says(state.path(), &["import", "openclaw", "--from", from]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("hint: name its folder with --from"), "{stderr}");

    std::fs::write(openclaw.path().join("openclaw.json"), "{").unwrap();
    std::fs::create_dir_all(openclaw.path().join("state")).unwrap();
    let store = Connection::open(openclaw.path().join("state/openclaw.sqlite")).unwrap();
    store.execute_batch("PRAGMA user_version = 99; CREATE TABLE other (n)").unwrap();
    drop(store);
    let output = hongyan(state.path())
        .args(["import", "openclaw", "--json"])
        .env("OPENCLAW_STATE_DIR", openclaw.path())
        .env_remove("OPENCLAW_CONFIG_PATH")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected =
        [("approval openclaw.sqlite", "no_table"), ("config openclaw.json", "unreadable")];
    let expected = expected.map(|(name, why)| (name.to_owned(), why.to_owned()));
    assert_eq!(outcomes(&report), expected.into());
    let table = says(state.path(), &["import", "openclaw", "--from", from]).1;
    assert!(table.contains("version 99"), "{table}");
}

/// A cursor that was taken over is not undone by an older file of our own.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_cursor_there_counts_after_a_run_of_ours() {
    let backend = Backend::start().await;
    let (alice, bot) = bound(&backend).await;
    let openclaw = OpenClaw::of(&bot, "first");
    let state = tempfile::tempdir().unwrap();
    openclaw.import(state.path(), &[]);
    let gateway = GatewayProcess::start(state.path(), &["--agent", "guide"]);
    alice.says("hello").await;
    alice.hears().await;
    #[cfg(unix)]
    assert_eq!(gateway.terminate(), Some(0));
    #[cfg(not(unix))]
    gateway.kill();

    let file = openclaw.path(&format!("openclaw-weixin/accounts/{}.sync.json", openclaw.account));
    std::fs::write(&file, json!({ "get_updates_buf": "second" }).to_string()).unwrap();
    let soon = SystemTime::now() + Duration::from_secs(60);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(soon).unwrap();
    let report = outcomes(&openclaw.import(state.path(), &[]));
    assert_eq!(report[&format!("cursor {}", openclaw.account)], "taken");
    let n = backend.requests_to(Endpoint::GetUpdates).len();
    let _gateway = GatewayProcess::start(state.path(), &["--agent", "guide"]);
    let begun = std::time::Instant::now();
    while backend.requests_to(Endpoint::GetUpdates).len() == n {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never polls");
        tokio::task::yield_now().await;
    }
    let polls = backend.requests_to(Endpoint::GetUpdates);
    assert_eq!(polls[n].json()["get_updates_buf"], "second");
}

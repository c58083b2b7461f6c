//! The commands of the two public documents, typed in their order with this
//! program in OpenClaw's place, beside a gateway that runs.
//! `docs/openclaw-compat.md` has the table.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use backend::{Backend, User};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{GatewayProcess, eventually, hongyan, log_in, says, status};

/// A state folder whose logins begin at a backend of its own, and its gateway.
struct Desk {
    state: TempDir,
    backend: Backend,
    _gateway: GatewayProcess,
}

impl Desk {
    fn of(backend: Backend, state: TempDir) -> Self {
        let section = json!({ "baseUrl": backend.url() });
        let config = json!({ "channels": { "openclaw-weixin": section } });
        std::fs::write(state.path().join("config.json5"), config.to_string()).unwrap();
        let gateway = GatewayProcess::start(state.path(), &[]).ready(state.path());
        Self { state, backend, _gateway: gateway }
    }

    /// Types a line of a document and returns what it prints.
    #[track_caller]
    fn types(&self, line: &str) -> String {
        let (code, stdout, stderr) = self.tries(line);
        assert_eq!(code, Some(0), "{line}: {stderr}");
        stdout
    }

    fn tries(&self, line: &str) -> (Option<i32>, String, String) {
        // As a shell takes the quotes away.
        let line = line.replace('"', "");
        says(self.state.path(), &line.split(' ').collect::<Vec<_>>())
    }

    #[track_caller]
    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.types(line)).unwrap()
    }

    /// Logs an account in: a person scans what the terminal shows.
    async fn logs_in(&self, person: &User) {
        let mut child = hongyan(self.state.path())
            .args("channels login --channel openclaw-weixin".split(' '))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let link = lines.find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("or open this link on the phone: ").map(str::to_owned)
        });
        person.confirm(&link.unwrap()).await;
        let said: Vec<String> = lines.map(Result::unwrap).collect();
        assert!(child.wait().unwrap().success(), "{said:?}");
    }

    fn n_polling(&self) -> usize {
        let rows = self.json("channels status --json");
        rows.as_array().unwrap().iter().filter(|row| row["state"] == "polling").count()
    }
}

/// The read-me of the official plugin, from the first command to the last.
#[tokio::test(flavor = "multi_thread")]
async fn the_read_me_of_the_plugin_can_be_typed() {
    let backend = Backend::start().await;
    let (alice, bob) = (backend.user("alice").await, backend.user("bob").await);
    let desk = Desk::of(backend, tempfile::tempdir().unwrap());

    let version = concat!("hongyan ", env!("CARGO_PKG_VERSION"));
    assert!(desk.types("--version").starts_with(version));
    let installed = desk.types("plugins install \"@tencent-weixin/openclaw-weixin\"");
    assert!(installed.contains("is part of this program"), "{installed}");
    desk.types("config set plugins.entries.openclaw-weixin.enabled true");
    assert_eq!(desk.json("config get plugins.entries.openclaw-weixin.enabled --json"), true);

    desk.logs_in(&alice).await;
    let before = status(desk.state.path())["run"].as_u64();
    desk.types("gateway restart");
    assert!(status(desk.state.path())["run"].as_u64() > before);
    eventually(|| desk.n_polling() == 1);
    assert!(desk.types("channels status").contains("polling"));
    alice.says("does it work?").await;
    assert!(alice.hears().await.contains("does it work?"));

    desk.logs_in(&bob).await;
    eventually(|| desk.n_polling() == 2);
    desk.types("config set session.dmScope per-account-channel-peer");
    bob.says("and for me?").await;
    assert!(bob.hears().await.contains("and for me?"));
    let sessions = desk.json("sessions list --json");
    let keys = sessions.as_array().unwrap().iter().map(|it| it["key"].as_str().unwrap());
    let keys: Vec<_> = keys.collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    let has_all = |key: &&str| key.starts_with("agent:main:openclaw-weixin:");
    assert!(keys.iter().all(has_all), "{keys:?}");

    desk.types("config set channels.openclaw-weixin.botAgent \"MyBot/1.2.0\"");
    eventually(|| {
        let mut requests = desk.backend.requests().into_iter();
        requests.any(|request| request.json()["base_info"]["bot_agent"] == "MyBot/1.2.0")
    });

    // The deliberate difference: what is part of the program is switched off.
    let told = desk.types("plugins uninstall @tencent-weixin/openclaw-weixin");
    assert!(told.contains("switched off and not removed"), "{told}");
    assert!(told.contains("hongyan plugins enable openclaw-weixin"), "{told}");
    assert!(told.ends_with("The gateway that runs follows at once.\n"), "{told}");
    assert_eq!(status(desk.state.path())["channels"], json!([]), "it has left already");
    assert_eq!(desk.json("accounts list --json").as_array().map(Vec::len), Some(2));
    let back = desk.types("plugins install \"@tencent-weixin/openclaw-weixin\"");
    assert!(back.contains("The gateway that runs follows at once."), "{back}");
    bob.says("are you back?").await;
    assert!(bob.hears().await.contains("are you back?"));
}

/// OpenClaw's page of the channel.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_openclaw_can_be_typed() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let bob = backend.user("bob").await.meets(&bot.bot_id).await;
    let state = tempfile::tempdir().unwrap();
    log_in(state.path(), &bot);
    let desk = Desk::of(backend, state);

    for line in [
        "plugins install \"@tencent-weixin/openclaw-weixin\"",
        "plugins install \"@tencent-weixin/openclaw-weixin\" --force",
        "plugins install @tencent-weixin/openclaw-weixin@legacy",
        "plugins enable openclaw-weixin",
    ] {
        desk.types(line);
    }
    let (code, _, told) = desk.tries("plugins update @tencent-weixin/openclaw-weixin@2.4.8");
    assert_eq!(code, Some(0));
    assert!(told.contains("is updated with it"), "{told}");
    assert!(desk.types("plugins list").starts_with("Plugins (1/1 enabled)"));

    // What the gateway runs follows the words at once.
    let told = desk.types("plugins disable openclaw-weixin");
    let follows = "Disabled plugin \"openclaw-weixin\". The gateway that runs follows at once.\n";
    assert_eq!(told, follows);
    assert_eq!(status(desk.state.path())["channels"], json!([]));
    let inspect = "plugins inspect openclaw-weixin --runtime --json";
    let found = desk.json(inspect);
    assert_eq!(found["runtime"], json!({ "gateway": true, "channels": [] }));
    desk.types("config set plugins.entries.openclaw-weixin.enabled true");
    eventually(|| desk.json(inspect)["runtime"]["channels"][0]["polling"] == 1);
    assert_eq!(desk.json(inspect)["status"], "enabled");
    let (_, shown, _) = desk.tries("plugins inspect openclaw-weixin --runtime");
    assert!(shown.contains("openclaw-weixin: 1 accounts, 1 polling, 0 to log in"), "{shown}");
    assert!(desk.types("channels status --probe").contains("polling"));

    assert_eq!(
        desk.types("pairing list openclaw-weixin").trim(),
        "No pending openclaw-weixin pairing requests."
    );
    bob.says("may I?").await;
    bob.hears().await;
    let requests = desk.json("pairing list openclaw-weixin --json");
    let code = requests["requests"][0]["code"].as_str().unwrap();
    assert!(desk.types("pairing list openclaw-weixin").contains(code));
    let approved = desk.types(&format!("pairing approve openclaw-weixin {code}"));
    assert!(approved.contains("Approved openclaw-weixin sender"), "{approved}");
    bob.says("am I in?").await;
    assert!(bob.hears().await.contains("am I in?"));
}

/// `npx -y @tencent-weixin/openclaw-weixin-cli install` puts the channel into an
/// OpenClaw, and so does this; what it does there is tested with an OpenClaw.
#[test]
fn the_quick_install_needs_an_openclaw_and_says_so() {
    let state = tempfile::tempdir().unwrap();
    let nowhere = state.path().join("openclaw");
    let install = ["openclaw", "install", "--openclaw", nowhere.to_str().unwrap()];
    let (code, _, stderr) = says(state.path(), &install);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("npm install -g openclaw"), "{stderr}");
}

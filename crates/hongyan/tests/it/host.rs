//! The host as somebody who runs it sees it: one file that decides who answers
//! whom out of which memory, and that is followed while everything runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use backend::{Backend, Endpoint};
use serde_json::{Value, json};

use crate::model::Model;
use crate::program::{GatewayProcess, eventually, log_in, says};

fn sets(state: &Path, path: &str, value: &Value) {
    let (code, _, stderr) = says(state, &["config", "set", path, &value.to_string()]);
    assert_eq!(code, Some(0), "{path}: {stderr}");
}

fn listed(state: &Path, args: &[&str]) -> Value {
    let (code, stdout, stderr) = says(state, args);
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn session_keys(state: &Path) -> Vec<String> {
    let sessions = listed(state, &["sessions", "list", "--json"]);
    let keys = sessions.as_array().unwrap().iter();
    keys.map(|session| session["key"].as_str().unwrap().to_owned()).collect()
}

/// Returns the id of the account that a bot is here.
fn account_of(bot: &backend::Credentials) -> String {
    bot.bot_id.as_str().to_lowercase().replace(['@', '.'], "-")
}

/// Makes the example's package with a program that is changed a little.
fn copy_of_letterbox(package: &Path, changed: impl Fn(&str) -> String) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/letterbox");
    fs::create_dir(package).unwrap();
    fs::copy(example.join("openclaw.plugin.json"), package.join("openclaw.plugin.json")).unwrap();
    let program = fs::read_to_string(example.join("main.py")).unwrap();
    fs::write(package.join("main.py"), changed(&program)).unwrap();
}

/// Demand 24: what one person says is remembered for that person, unless asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_memory_is_shared_as_the_scope_says_from_the_next_message_on() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);
    let _gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    let (account, peer) = (account_of(&bot), alice.id().as_str().to_lowercase());
    let scopes = [
        ("per-account-channel-peer", format!("agent:main:openclaw-weixin:{account}:direct:{peer}")),
        ("per-channel-peer", format!("agent:main:openclaw-weixin:direct:{peer}")),
        ("per-peer", format!("agent:main:direct:{peer}")),
        ("main", "agent:main:main".to_owned()),
    ];
    for (scope, key) in scopes {
        sets(dir.path(), "session.dmScope", &json!(scope));
        // What the gateway says is what holds for the next word.
        eventually(|| {
            let explained = ["route", "explain", "--account", &account, "--peer", &peer, "--json"];
            listed(dir.path(), &explained)["route"]["sessionKey"] == key
        });
        alice.says(scope).await;
        assert!(alice.hears().await.contains(scope));
        assert!(session_keys(dir.path()).contains(&key), "{scope}");
    }
    assert_eq!(session_keys(dir.path()).len(), 4);
}

/// Demand 22: accounts are bound to agents.
#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_have_different_agents_with_models_of_their_own() {
    let (day, night) = (Model::named("day").await, Model::named("night").await);
    let backend = Backend::start().await;
    let (alice, bob) = (backend.user("alice").await, backend.user("bob").await);
    let (first, second) = (backend.bind(&alice).await, backend.bind(&bob).await);
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &first);
    log_in(dir.path(), &second);
    let provider = |model: &Model| json!({"baseUrl": model.base_url, "models": [{"id": "m"}]});
    let config = json!({
        "models": {"providers": {"sun": provider(&day), "moon": provider(&night)}},
        "agents": {"defaults": {"model": "sun/m"}, "entries": {
            "work": {"default": true}, "sleep": {"model": {"primary": "moon/m"}},
        }},
        "bindings": [
            {"agentId": "sleep", "match": {"channel": "wechat", "accountId": account_of(&second)}},
        ],
    });
    fs::write(dir.path().join("config.json5"), config.to_string()).unwrap();
    let _gateway = GatewayProcess::start(dir.path(), &[]);
    alice.says("who are you?").await;
    assert_eq!(alice.hears().await, "day: who are you?");
    bob.says("who are you?").await;
    assert_eq!(bob.hears().await, "night: who are you?");
    let keys = session_keys(dir.path());
    assert!(keys.iter().any(|key| key.starts_with("agent:work:")), "{keys:?}");
    assert!(keys.iter().any(|key| key.starts_with("agent:sleep:")), "{keys:?}");
}

/// Demand 12: what concerns one account does not end the poll of another.
#[tokio::test(flavor = "multi_thread")]
async fn one_account_is_switched_off_and_on_while_another_polls_on() {
    let backend = Backend::builder().hold(Duration::from_secs(100)).start().await.unwrap();
    let (alice, bob) = (backend.user("alice").await, backend.user("bob").await);
    let (first, second) = (backend.bind(&alice).await, backend.bind(&bob).await);
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &first);
    log_in(dir.path(), &second);
    let _gateway = GatewayProcess::start(dir.path(), &[]);
    alice.says("hello").await;
    alice.hears().await;
    bob.says("hello").await;
    bob.hears().await;
    let polls = || backend.requests_to(Endpoint::GetUpdates).len();
    // Each has been answered once and polls again.
    eventually(|| polls() == 4);

    let enabled = format!("channels.openclaw-weixin.accounts.{}.enabled", account_of(&first));
    let n_running = || {
        let accounts = listed(dir.path(), &["channels", "status", "--json"]);
        let polling = |account: &&Value| account["state"] == "polling";
        accounts.as_array().unwrap().iter().filter(polling).count()
    };
    sets(dir.path(), &enabled, &json!(false));
    eventually(|| n_running() == 1);
    assert_eq!(polls(), 4, "the other's poll was closed");
    sets(dir.path(), &enabled, &json!(true));
    alice.says("are you back?").await;
    assert!(alice.hears().await.contains("are you back?"));
    bob.says("still there?").await;
    assert!(bob.hears().await.contains("still there?"));
}

/// Demand 34: one wrong value stops its section, not the house.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_section_is_told_and_the_rest_runs_until_it_is_mended() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &backend.bind(&alice).await);
    let file = dir.path().join("config.json5");
    fs::write(&file, "{ session: { dmScope: 'everyone' } }").unwrap();
    let gateway = GatewayProcess::start(dir.path(), &[]);
    alice.says("does it run?").await;
    assert!(alice.hears().await.contains("does it run?"));
    drop(gateway);

    fs::write(&file, "{ channels: { weixin: { enabled: 'perhaps' } } }").unwrap();
    let _gateway = GatewayProcess::start(dir.path(), &[]);
    eventually(|| crate::program::status(dir.path())["stage"] == "running");
    let status = crate::program::status(dir.path());
    assert_eq!(status["channels"], json!([]));
    let problem = status["problems"][0].as_str().unwrap();
    assert!(problem.contains("channels.weixin.enabled"), "{problem}");
    alice.says("is somebody there?").await;
    fs::write(&file, "{ channels: { weixin: { enabled: true } } }").unwrap();
    assert!(alice.hears().await.contains("is somebody there?"));
}

/// A second channel, in another language, on a host that knows none.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_installed_beside_a_running_gateway_and_holds_a_conversation() {
    let dir = tempfile::tempdir().unwrap();
    let _gateway = GatewayProcess::start(dir.path(), &[]);
    eventually(|| crate::program::status(dir.path())["stage"] == "running");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/letterbox");
    sets(dir.path(), "channels.letterbox", &json!({"dmPolicy": "pairing", "allowFrom": ["ann"]}));
    let install = ["plugins", "install", example.to_str().unwrap(), "--force"];
    let (code, _, stderr) = says(dir.path(), &[&install[..], &["--accept-capabilities"]].concat());
    assert_eq!(code, Some(0), "{stderr}");
    let names = || {
        let status = crate::program::status(dir.path());
        let channels = status["channels"].as_array().cloned().unwrap_or_default();
        channels.iter().map(|it| it["channel"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    eventually(|| names().contains(&"letterbox".to_owned()));

    let letters = dir.path().join("plugins/letterbox");
    eventually(|| letters.join("in").is_dir());
    let posts = |name: &str, text: &str| {
        let part = letters.join(format!("{name}.part"));
        fs::write(&part, text).unwrap();
        fs::rename(part, letters.join("in").join(format!("{name}.txt"))).unwrap();
    };
    let reply = |name: &str| fs::read_to_string(letters.join(format!("out/{name}.0.txt")));
    posts("ann-1", "hello from a folder");
    eventually(|| reply("ann-1").is_ok_and(|text| text.contains("hello from a folder")));

    posts("eve-1", "let me in");
    eventually(|| reply("eve-1").is_ok_and(|text| text.contains("hongyan pairing approve")));
    let requests = listed(dir.path(), &["pairing", "list", "letterbox", "--json"]);
    let code = requests["requests"][0]["code"].as_str().unwrap();
    let (approved, _, stderr) = says(dir.path(), &["pairing", "approve", "letterbox", code]);
    assert_eq!(approved, Some(0), "{stderr}");
    posts("eve-2", "am I in?");
    eventually(|| reply("eve-2").is_ok_and(|text| text.contains("am I in?")));

    let (code, _, stderr) = says(dir.path(), &["plugins", "disable", "letterbox"]);
    assert_eq!(code, Some(0), "{stderr}");
    eventually(|| !names().contains(&"letterbox".to_owned()));
}

/// The words for channels are for those of plugins, too, where they mean something.
#[test]
fn the_words_for_channels_know_those_of_plugins() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/letterbox");
    let install = ["plugins", "install", example.to_str().unwrap(), "--force"];
    let (code, _, stderr) = says(state, &[&install[..], &["--accept-capabilities"]].concat());
    assert_eq!(code, Some(0), "{stderr}");
    let types = |line: &str| says(state, &line.split(' ').collect::<Vec<_>>());
    let refused = |line: &str, code: i32, parts: &[&str]| {
        let (found, _, stderr) = types(line);
        assert_eq!(found, Some(code), "{line}: {stderr}");
        for part in parts {
            assert!(stderr.contains(part), "{line}: {part}: {stderr}");
        }
    };
    let told = |line: &str, parts: &[&str]| {
        let (code, stdout, stderr) = types(line);
        assert_eq!(code, Some(0), "{line}: {stderr}");
        for part in parts {
            assert!(stdout.contains(part), "{line}: {part}: {stdout}{stderr}");
        }
    };
    let all = "there are: openclaw-weixin, letterbox".replace("there are", "there is");
    refused("channels status --channel nobody", 2, &["no channel `nobody`", &all]);
    refused("channels status --channel letterbox", 69, &["a plugin's", "hongyan gateway run"]);
    told("channels list", &["- letterbox: installed; its accounts are known while"]);

    let gateway = GatewayProcess::start(state, &[]).ready(state);
    refused("channels status --channel nobody", 2, &["no channel `nobody`", &all]);
    told("channels status --channel letterbox", &["letterbox: box", "polling"]);
    told("channels status", &["letterbox: box"]);
    told("channels status --probe", &["letterbox: box"]);
    let built_in = ["channels", "status", "--channel", "weixin", "--json"];
    assert_eq!(listed(state, &built_in), json!([]));
    told("channels list", &["- letterbox box: installed, polling"]);
    let list = listed(state, &["channels", "list", "--json"]);
    assert_eq!(list["chat"]["letterbox"]["accounts"], json!(["box"]));
    told("channels logs --channel letterbox", &[]);
    refused("peers list --channel nobody", 2, &["no channel `nobody`"]);
    for line in [
        "channels logout --channel letterbox",
        "channels login --channel letterbox",
        "channels remove --channel letterbox --account box",
        "channels remove --channel letterbox --delete --yes",
        "message send --channel letterbox --target ann --message hello",
        "peers list --channel letterbox",
        "peers name ann Ann --channel letterbox",
        "outbox list --channel letterbox",
        "outbox retry 1 --channel letterbox",
    ] {
        refused(line, 2, &["does not know how to", "this channel cannot do it"]);
    }

    told("plugins disable letterbox", &["follows at once"]);
    let off = ["is installed, but does not run", "hongyan plugins enable letterbox"];
    refused("channels status --channel letterbox", 69, &off);
    drop(gateway);
}

/// A channel that refuses its settings is told, and the others have theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_refuses_its_settings_keeps_no_other_channel_from_theirs() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    let (state, package) = (dir.path().join("state"), dir.path().join("letterbox"));
    log_in(&state, &bot);
    copy_of_letterbox(&package, |program| {
        program.replace(
            "    global box\n",
            "    global box\n    1 / len(params[\"section\"].get(\"dir\", \"-\"))\n",
        )
    });
    let _gateway = GatewayProcess::start(&state, &[]).ready(&state);
    let install = ["plugins", "install", package.to_str().unwrap(), "--force"];
    let (code, _, stderr) = says(&state, &[&install[..], &["--accept-capabilities"]].concat());
    assert_eq!(code, Some(0), "{stderr}");
    eventually(|| state.join("plugins/letterbox/in").is_dir());
    let list = ["channels", "status", "--channel", "weixin", "--json"];
    let polls = || listed(&state, &list).to_string().contains("polling");
    eventually(polls);

    let channels = json!({
        "letterbox": {"dir": ""},
        "openclaw-weixin": {"accounts": {account_of(&bot): {"enabled": false}}},
    });
    let patch = dir.path().join("patch.json5");
    fs::write(&patch, json!({ "channels": channels }).to_string()).unwrap();
    let patch = ["config", "patch", "--file", patch.to_str().unwrap()];
    let (code, _, stderr) = says(&state, &patch);
    assert_eq!(code, Some(0), "{stderr}");
    eventually(|| !polls());
    let (_, logged, _) = says(&state, &["logs"]);
    assert!(logged.contains("letterbox: "), "{logged}");
}

/// Another installation is another program, also under the same version.
#[test]
fn an_updated_plugin_is_run_by_the_gateway_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (state, package) = (dir.path().join("state"), dir.path().join("letterbox"));
    copy_of_letterbox(&package, str::to_owned);
    let gateway = GatewayProcess::start(&state, &[]).ready(&state);
    sets(&state, "channels.letterbox", &json!({"dmPolicy": "open", "allowFrom": ["*"]}));
    let package_name = package.to_str().unwrap();
    let install = ["plugins", "install", package_name, "--force", "--accept-capabilities"];
    let (code, told, stderr) = says(&state, &install);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(told, "Installed plugin: letterbox\nThe gateway that runs follows at once.\n");

    let letters = state.join("plugins/letterbox");
    let answer = |name: &str| {
        eventually(|| letters.join("in").is_dir());
        let part = letters.join("part");
        fs::write(&part, "hello").unwrap();
        fs::rename(part, letters.join("in").join(format!("{name}.txt"))).unwrap();
        let reply = letters.join(format!("out/{name}.0.txt"));
        eventually(|| reply.exists());
        fs::read_to_string(reply).unwrap()
    };
    assert!(!answer("ann-1").starts_with("newer: "));
    let program = fs::read_to_string(package.join("main.py")).unwrap();
    let newer = program.replace("content[\"text\"] if", "\"newer: \" + content[\"text\"] if");
    assert_ne!(newer, program);
    fs::write(package.join("main.py"), newer).unwrap();
    let run = crate::program::status(&state)["run"].clone();
    let (code, told, stderr) = says(&state, &["plugins", "update", "letterbox"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(told.ends_with("The gateway that runs follows at once.\n"), "{told}");
    assert!(answer("ann-2").starts_with("newer: "));
    assert_eq!(crate::program::status(&state)["run"], run, "the same gateway");

    sets(&state, "gateway.reload.mode", &json!("off"));
    let disable = ["plugins", "disable", "letterbox", "--json"];
    assert_eq!(listed(&state, &disable)["effect"], "afterRestart");
    drop(gateway);
    assert_eq!(listed(&state, &disable)["effect"], "nextStart");
}

/// What is configured and what holds differ where the file is not followed.
#[test]
fn a_route_is_explained_by_the_gateway_that_runs() {
    let dir = tempfile::tempdir().unwrap();
    let explain = ["route", "explain", "--account", "a", "--peer", "Ann & Bob"];
    let json = [&explain[..], &["--json"]].concat();
    let scope = |explained: &Value| explained["route"]["dmScope"].clone();
    let by_file = listed(dir.path(), &json);
    assert_eq!(by_file["asked"], "file");
    sets(dir.path(), "gateway.reload.mode", &json!("off"));
    let gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    sets(dir.path(), "session.dmScope", &json!("main"));

    let by_gateway = listed(dir.path(), &json);
    assert_eq!(by_gateway["asked"], "gateway");
    assert_eq!(by_gateway["peer"], "Ann & Bob");
    let (_, stdout, _) = says(dir.path(), &explain);
    assert!(stdout.contains("asked:    the gateway that runs\n"), "{stdout}");
    let same = |mut explained: Value| {
        explained.as_object_mut().unwrap().remove("asked");
        explained
    };
    assert_eq!(same(by_gateway), same(by_file), "the file has changed, the gateway has not");
    fs::write(dir.path().join("config.json5"), "{ channels: { weixin: 1 } }").unwrap();
    assert_eq!(listed(dir.path(), &json)["asked"], "gateway", "whatever the file says");

    drop(gateway);
    fs::write(dir.path().join("config.json5"), "{ session: { dmScope: 'main' } }").unwrap();
    assert_eq!(scope(&listed(dir.path(), &json)), "main");
    let (_, stdout, _) = says(dir.path(), &explain);
    assert!(stdout.contains("asked:    the configuration file, as no gateway runs\n"), "{stdout}");
}

/// Whom the official plugin admits on one account is a stranger to the others,
/// with its files as they lie there and after an import.
#[test]
fn an_allowlist_of_an_account_admits_nobody_to_another() {
    let (dir, imported) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let write = |path: &str, value: Value| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value.to_string()).unwrap();
    };
    write("openclaw.json", json!({}));
    write("openclaw-weixin/accounts.json", json!(["a-im-bot", "b-im-bot"]));
    for account in ["a", "b"] {
        let credentials = json!({"token": format!("{account}@im.bot:1"), "userId": "me@im.wechat"});
        write(&format!("openclaw-weixin/accounts/{account}-im-bot.json"), credentials);
    }
    let allowed = json!({"version": 1, "allowFrom": ["Carol@im.wechat"]});
    write("credentials/openclaw-weixin-a-im-bot-allowFrom.json", allowed);
    let from = dir.path().to_str().unwrap();
    listed(imported.path(), &["import", "openclaw", "--from", from, "--json"]);
    let is_heard = |state: &Path, account: &str| {
        let explain =
            ["route", "explain", "--account", account, "--peer", "carol@im.wechat", "--json"];
        listed(state, &explain)["access"]["admitted"].clone()
    };
    for state in [dir.path(), imported.path()] {
        for gateway in [None, Some(())] {
            let _gateway = gateway.map(|()| GatewayProcess::start(state, &[]).ready(state));
            assert_eq!(is_heard(state, "a-im-bot"), true, "{}", state.display());
            assert_eq!(is_heard(state, "b-im-bot"), false, "{}", state.display());
        }
    }
}

/// What waits is the queue's matter as soon as somebody has written what it does,
/// also while everything runs.
#[tokio::test(flavor = "multi_thread")]
async fn the_mode_of_the_queue_decides_about_messages_that_come_while_a_turn_runs() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &backend.bind(&alice).await);
    let model = Model::start().await;
    let agent = ["--agent", "openai", "--model", "m", "--base-url", &model.base_url];
    let _gateway = GatewayProcess::start(dir.path(), &agent).ready(dir.path());
    let queue = |settings: Value| {
        sets(dir.path(), "messages.queue", &settings);
        // Whatever the file says is followed when this has been answered.
        let follow = ["plugins", "enable", "weixin", "--json"];
        assert_eq!(listed(dir.path(), &follow)["effect"], "followed");
    };
    let asks = async |text: &str| {
        alice.says(text).await;
        model.is_asked().await;
    };

    queue(json!({"mode": "interrupt", "debounceMs": 0, "noticeAfterMs": 0}));
    model.hold();
    asks("one").await;
    // The model is asked for it although it still thinks about the first.
    asks("two").await;
    model.release();
    assert_eq!(alice.hears().await, "re: two");

    queue(json!({"byChannel": {"wechat": "collect"}, "noticeAfterMs": 1}));
    model.hold();
    asks("three").await;
    alice.says("four").await;
    let notice = alice.hears().await;
    assert!(notice.contains("1 before this one"), "{notice}");
    alice.says("five").await;
    loop {
        alice.says("/status").await;
        if alice.hears().await.contains("2 more waiting") {
            break;
        }
    }
    model.release();
    assert_eq!(alice.hears().await, "re: three");
    let joint = alice.hears().await;
    assert!(joint.contains("four") && joint.contains("five"), "{joint}");
    alice.says("six").await;
    assert_eq!(alice.hears().await, "re: six", "there was one notice");
}

/// Demand 45: what an agent wants leave for is answered by a digit or a word of
/// the one who was asked, and of nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_the_agent_is_answered_on_the_phone() {
    let backend = Backend::start().await;
    let (alice, bob) = (backend.user("alice").await, backend.user("bob").await);
    let dir = tempfile::tempdir().unwrap();
    let bot = backend.bind(&alice).await;
    log_in(dir.path(), &bot);
    let allow = ["--allow-from", bob.id().as_str()];
    let _gateway = GatewayProcess::start(dir.path(), &allow).ready(dir.path());
    let bob = bob.meets(&bot.bot_id).await;
    for (answer, outcome) in
        [("1", "Off they go."), ("拒绝", "Then they stay."), ("同意", "Off they go.")]
    {
        alice.says("ask").await;
        let asked = alice.hears().await;
        assert!(asked.contains("1. Allow\n2. Deny"), "{asked}");
        bob.says(answer).await;
        assert_eq!(bob.hears().await, answer, "it is bob's own matter");
        alice.says(answer).await;
        assert_eq!(alice.hears().await, outcome, "{answer}");
    }
    alice.says("1").await;
    assert_eq!(alice.hears().await, "1", "nothing is asked any more");
}

/// Where the agent can take it, what is said meanwhile is answered with the turn
/// that runs.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_a_slow_agent_is_steered_into_its_turn() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &backend.bind(&alice).await);
    sets(dir.path(), "messages.queue.mode", &json!("steer"));
    let _gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    alice.says("slow").await;
    alice.waits_for_typing(true).await;
    alice.says("/status").await;
    let status = alice.hears().await;
    assert!(status.starts_with("Working for"), "{status}");
    alice.says("and a picture").await;
    let answer = alice.hears().await;
    assert!(answer.starts_with("Done. I took 8 seconds"), "{answer}");
    assert!(answer.contains("and a picture"), "{answer}");
}

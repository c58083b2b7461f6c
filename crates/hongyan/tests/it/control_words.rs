//! The words that ask a running gateway, and what they say when there is none.

use backend::{Backend, Policy};
use serde_json::{Value, json};

use crate::cli::Login;
use crate::program::{GatewayProcess, log_in, polls, says};

fn value(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap_or_else(|err| panic!("{err}: {stdout:?}"))
}

/// Demands 44 and 53: what a command says goes through the gateway that runs.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_channels_and_messages_do_what_they_say() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);
    let says = |args: &[&str]| says(dir.path(), args);
    let gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    polls(dir.path());
    alice.says("hello").await;
    alice.hears().await;

    let account = bot.bot_id.as_str().replace(['@', '.'], "-");
    let (code, stdout, stderr) = says(&["channels", "status", "--probe", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let rows = value(&stdout);
    assert_eq!((&rows[0]["account"], &rows[0]["state"]), (&json!(account), &json!("polling")));
    assert_eq!(rows[0]["probe"]["ok"], true);

    let (_, stdout, _) = says(&["channels", "list", "--json"]);
    assert_eq!(value(&stdout)["chat"]["openclaw-weixin"]["accounts"], json!([account]));
    let (_, stdout, _) = says(&["channels", "list"]);
    assert!(stdout.contains(&format!("- openclaw-weixin {account}: installed")), "{stdout}");

    let target = alice.id().to_string();
    let send = ["message", "send", "--channel", "openclaw-weixin", "-t", &target];
    let (code, stdout, stderr) = says(&[&send[..], &["-m", "hi", "--dry-run", "--json"]].concat());
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(value(&stdout)["peer"], json!(target));
    let (code, _, stderr) = says(&[&send[..], &["-m", "a word from here"]].concat());
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(alice.hears().await, "a word from here");

    let (code, stdout, _) = says(&["logs", "--json", "--limit", "2000"]);
    let lines: Vec<Value> = stdout.lines().map(value).collect();
    assert_eq!(code, Some(0));
    assert!(lines.iter().any(|line| line["message"] == "account changed"), "{stdout}");
    let (code, stdout, _) = says(&["channels", "logs", "--channel", "openclaw-weixin"]);
    assert!(code == Some(0) && stdout.contains("INFO  weixin::"), "{stdout}");
    assert!(!stdout.contains("gateway::"), "{stdout}");
    let (code, stdout, _) = says(&["metrics"]);
    assert!(code == Some(0) && stdout.contains("# TYPE"), "{stdout}");

    let (code, _, stderr) = says(&["channels", "remove", "--channel", "openclaw-weixin"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (_, stdout, _) = says(&["accounts", "show", &account, "--json"]);
    assert_eq!(value(&stdout)["enabled"], false);
    drop(gateway);
}

/// The gateway that runs does the login: the account works when it is told so.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_beside_a_gateway_is_done_by_it_and_undone_by_it() {
    let policy = Policy { verify_tries: Some(3), ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    let gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());

    let words = ["--name", "home", "--verify-code", "wrong"];
    let mut login = Login::start(dir.path(), backend.url(), &words);
    let shown = login.event();
    assert_eq!((&shown["event"], &shown["n_refresh"]), (&json!("qr"), &json!(0)));
    let digits = alice.confirm(shown["url"].as_str().unwrap()).await.expect("it shows digits");
    let again = std::iter::repeat_with(|| login.event())
        .find(|event| event["event"] == "verify_code_needed" && event["wrong"] == true);
    assert!(again.is_some());
    login.types(&digits);
    let events = login.rest();
    let last = events.last().unwrap();
    let account = last["account"].as_str().unwrap();
    let expected = json!({"event": "polling", "account": account, "name": "home", "by": "channel"});
    assert_eq!(*last, expected);
    let (_, stdout, _) = says(dir.path(), &["channels", "status", "--json"]);
    assert_eq!(value(&stdout)[0]["state"], "polling");
    alice.says("hello").await;
    alice.hears().await;

    let forget = ["channels", "remove", "--account", "home", "--delete", "--yes", "--json"];
    let (code, stdout, stderr) = says(dir.path(), &forget);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(value(&stdout)["account"], account);
    let (_, stdout, _) = says(dir.path(), &["channels", "status", "--json"]);
    assert_eq!(value(&stdout), json!([]));
    let bob = backend.user("bob").await;
    log_in(dir.path(), &backend.bind(&bob).await);
    polls(dir.path());
    let (code, stdout, stderr) = says(dir.path(), &["channels", "logout", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let out = value(&stdout);
    assert_eq!((&out["cleared"], &out["announced"]), (&json!(true), &json!(true)));
    drop(gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_gateway_an_account_is_logged_out_and_removed_all_the_same() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);
    let account = bot.bot_id.as_str().replace(['@', '.'], "-");
    let (code, stdout, stderr) = says(dir.path(), &["channels", "logout", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let out = value(&stdout);
    assert_eq!((&out["account"], &out["cleared"]), (&json!(account), &json!(true)));
    log_in(dir.path(), &bot);
    let forget = ["channels", "remove", "--delete", "--yes", "--json"];
    let (code, stdout, stderr) = says(dir.path(), &forget);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(value(&stdout)["account"], json!(account));
    let (code, _, stderr) = says(dir.path(), &forget);
    assert_eq!(code, Some(2), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_the_gateway_cannot_do_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let (code, _, stderr) = says(dir.path(), &["channels", "login", "--base-url", &url]);
    assert_eq!(code, Some(69), "{stderr}");
    assert!(stderr.contains("no QR code"), "{stderr}");
    let bad = ["channels", "login", "--base-url", &url, "--name", "a/b"];
    let (code, _, stderr) = says(dir.path(), &bad);
    assert!(code == Some(2) && stderr.contains("cannot be a name"), "{code:?} {stderr}");
    drop(gateway);
}

#[test]
fn what_needs_a_gateway_says_so_when_there_is_none() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["logs"][..], &["gateway", "restart"], &["gateway", "status", "--require-rpc"]] {
        let (code, _, stderr) = says(dir.path(), args);
        assert_eq!(code, Some(69), "{args:?}: {stderr}");
        assert!(stderr.contains("hongyan gateway run"), "{args:?}: {stderr}");
    }
    let (code, stdout, _) = says(dir.path(), &["gateway", "status", "--json"]);
    assert_eq!((code, value(&stdout)), (Some(0), json!({ "running": false })));
}

#[test]
fn the_doctor_names_what_is_wrong_with_a_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = says(dir.path(), &["doctor", "--json"]);
    assert_eq!(code, Some(0), "{stderr}{stdout}");
    let findings = value(&stdout);
    let verdict = |findings: &Value, check: &str| {
        let all = findings.as_array().unwrap();
        all.iter().find(|it| it["check"] == check).map(|it| it["verdict"].clone())
    };
    assert_eq!(verdict(&findings, "config"), Some(json!("good")));
    assert_eq!(verdict(&findings, "scope"), Some(json!("note")));

    std::fs::write(dir.path().join("config.json5"), "{ channels: 1 }").unwrap();
    let (code, stdout, stderr) = says(dir.path(), &["doctor", "--json"]);
    assert_eq!(code, Some(1), "{stderr}");
    let findings = value(&stdout);
    assert_eq!(verdict(&findings, "config"), Some(json!("fault")));
    let bad = findings.as_array().unwrap().iter().filter(|it| it["verdict"] != "good");
    let mut told = bad.filter(|it| it["check"] != "scope");
    assert!(told.all(|it| it["fix"].as_str().is_some_and(|fix| !fix.is_empty())), "{stdout}");
}

#[test]
fn the_doctor_reads_the_configuration_closely() {
    let dir = tempfile::tempdir().unwrap();
    let config = r#"{
        session: { dmScope: "main", dmScoop: "main" },
        commands: { ownerAllowFrom: ["weixin:ann"] },
        models: { providers: { p: { apiKey: "${NOT_SET_ANYWHERE}" } } },
        plugins: { allow: ["nobody"] },
    }"#;
    std::fs::write(dir.path().join("config.json5"), config).unwrap();
    let (_, stdout, stderr) = says(dir.path(), &["doctor"]);
    for told in [
        "what one says can be told to another",
        "hongyan config set session.dmScope per-account-channel-peer",
        "did you mean \"dmScope\"?",
        "NOT_SET_ANYWHERE",
        "plugins.allow: no plugin is called nobody",
        "✓ owner",
    ] {
        assert!(stdout.contains(told), "{told}: {stdout}{stderr}");
    }
}

/// Two folders with one token: the one that is not running is told who polls.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_the_other_program_on_one_token() {
    let backend = Backend::start().await;
    let bot = backend.bind(&backend.user("alice").await).await;
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    log_in(dir.path(), &bot);
    log_in(copy.path(), &bot);
    let gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    polls(dir.path());
    let token = |stdout: &str| {
        let found =
            value(stdout).as_array().unwrap().iter().find(|it| it["check"] == "token").cloned();
        found.map(|it| it["text"].as_str().unwrap().to_owned())
    };
    let (code, stdout, stderr) = says(dir.path(), &["doctor", "--json"]);
    assert_eq!((code, token(&stdout)), (Some(0), None), "{stderr}{stdout}");
    let (code, stdout, _) = says(copy.path(), &["doctor", "--json"]);
    let text = token(&stdout).unwrap();
    assert_eq!(code, Some(1));
    let (pid, folder) = (gateway.pid().to_string(), dir.path().display().to_string());
    assert!(text.contains(&pid) && text.contains(&folder), "{text}");
}

#[test]
fn the_manual_page_has_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, _) = says(dir.path(), &["man"]);
    assert_eq!(code, Some(0));
    for word in ["hongyan\\-gateway", "hongyan\\-channels", "hongyan\\-doctor"] {
        assert!(stdout.contains(word), "{word}");
    }
    let pages = dir.path().join("man/man1");
    let (code, _, stderr) = says(dir.path(), &["man", "--dir", pages.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{stderr}");
    for page in ["hongyan.1", "hongyan-doctor.1", "hongyan-channels-login.1"] {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
    let (code, _, _) = says(dir.path(), &["man", "--dir", "/dev/null/man"]);
    assert_eq!(code, Some(2));
}

/// A gateway goes on with the settings that it has read, and so do the words
/// that ask it.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_is_no_matter_to_words_that_ask_the_gateway() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &backend.bind(&alice).await);
    let gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    polls(dir.path());
    alice.says("hello").await;
    alice.hears().await;
    std::fs::write(dir.path().join("config.json5"), "{ not a configuration").unwrap();

    let to = alice.id().to_string();
    let said: [&[&str]; 7] = [
        &["channels", "status", "--json"],
        &["outbox", "list", "--json"],
        &["peers", "list", "--json"],
        &["peers", "name", &to, "Alice", "--json"],
        &["metrics"],
        &["send", "--target", "Alice", "--dry-run", "--json"],
        &["message", "send", "--to", "Alice", "-m", "still here"],
    ];
    for args in said {
        let (code, _, stderr) = says(dir.path(), args);
        assert_eq!(code, Some(0), "{args:?}: {stderr}");
    }
    assert_eq!(alice.hears().await, "still here");
    let (code, _, stderr) = says(dir.path(), &["outbox", "drop", "999"]);
    assert!(code == Some(2) && stderr.contains("outbox"), "{code:?} {stderr}");
    let (code, _, _) = says(dir.path(), &["send", "--to", "nobody", "hi"]);
    assert_eq!(code, Some(2));
    drop(gateway);
}

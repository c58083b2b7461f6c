//! The words that ask a running gateway, and what they say when there is none.

use backend::Backend;
use serde_json::{Value, json};

use crate::program::{GatewayProcess, log_in, polls, says};

fn value(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap_or_else(|err| panic!("{err}: {stdout:?}"))
}

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
    assert_eq!(code, Some(78), "{stderr}");
    let findings = value(&stdout);
    assert_eq!(verdict(&findings, "config"), Some(json!("fault")));
    let fault = findings.as_array().unwrap().iter().find(|it| it["verdict"] == "fault");
    assert!(fault.unwrap()["fix"].as_str().is_some_and(|fix| !fix.is_empty()));
}

#[test]
fn the_manual_page_has_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, _) = says(dir.path(), &["man"]);
    assert_eq!(code, Some(0));
    for word in ["hongyan\\-gateway", "hongyan\\-channels", "hongyan\\-doctor"] {
        assert!(stdout.contains(word), "{word}");
    }
}

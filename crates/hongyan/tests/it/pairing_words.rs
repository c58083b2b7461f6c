//! The words of pairing, agents and routes, as OpenClaw's documents type them.

use std::path::Path;
use std::process::Output;

use backend::Backend;
use serde_json::{Value, json};

use crate::program::{GatewayProcess, hongyan, log_in};

/// Exit code, result, and what a person is told.
fn types(state: &Path, line: &str) -> (Option<i32>, String, String) {
    let words = line.split(' ').map(|word| if word == "''" { "" } else { word });
    let Output { status, stdout, stderr } = hongyan(state).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    (status.code(), text(stdout), text(stderr))
}

fn json_of(state: &Path, line: &str) -> Value {
    let (code, stdout, stderr) = types(state, line);
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

/// Demand 23, from a stranger to their first answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_approved_told_so_and_answered() {
    let backend = Backend::builder().start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let bob = backend.user("bob").await.meets(&bot.bot_id).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);
    let account = bot.bot_id.as_str().replace(['@', '.'], "-");
    let _gateway = GatewayProcess::start(dir.path(), &[]);

    bob.says("may I?").await;
    let challenge = bob.hears().await;
    let (_, command) = challenge.split_once("hongyan pairing approve openclaw-weixin ").unwrap();
    let code: String = command.chars().take(8).collect();
    let listed = json_of(dir.path(), "pairing list weixin --json");
    assert_eq!(listed["channel"], "openclaw-weixin");
    let request = &listed["requests"][0];
    let found = (&request["id"], &request["code"], &request["meta"]);
    let expected = (&json!(bob.id().as_str()), &json!(code), &json!({"accountId": account}));
    assert_eq!(found, expected);
    let (_, table, _) = types(dir.path(), "pairing list");
    assert!(table.starts_with("Pairing requests (1)") && table.contains("userId"), "{table}");

    let (exit, said, told) =
        types(dir.path(), &format!("pairing approve {} --notify", code.to_lowercase()));
    let bob_id = bob.id().as_str();
    let expected = format!(
        "Approved openclaw-weixin sender {bob_id}.\nCommand owner configured \
         openclaw-weixin:{bob_id} (commands.ownerAllowFrom was empty)."
    );
    assert_eq!((exit, said), (Some(0), expected), "{told}");
    let owners = json_of(dir.path(), "config get commands.ownerAllowFrom --json");
    assert_eq!(owners, json!([format!("openclaw-weixin:{bob_id}")]));
    assert!(bob.hears().await.contains("access approved"));
    bob.says("and now?").await;
    assert!(bob.hears().await.contains("and now?"));
    assert!(!bob.sees().await.iter().any(|it| !it.from_me && it.text() == Some("may I?")));

    let explain = format!("route explain --account {account} --peer {} --json", bob.id().as_str());
    let explained = json_of(dir.path(), &explain);
    assert_eq!(
        (&explained["access"]["approved"], &explained["access"]["admitted"]),
        (&json!(true), &json!(true))
    );
    let (exit, ..) =
        types(dir.path(), &format!("pairing revoke {} --account {account}", bob.id().as_str()));
    assert_eq!(exit, Some(0));
    assert_eq!(json_of(dir.path(), &explain)["access"]["admitted"], false);
    let owner = format!("route explain --account {account} --peer {}", alice.id().as_str());
    let (_, told, _) = types(dir.path(), &owner);
    assert!(told.contains("heard:    yes, they logged the account in"), "{told}");
}

#[test]
fn what_is_typed_wrong_is_said_as_openclaw_says_it() {
    let dir = tempfile::tempdir().unwrap();
    let unknown = "error: No pending pairing request found for code \"ABCD2345\". \
                   Run hongyan pairing list --channel openclaw-weixin to list pending requests.";
    let invalid = "error: Invalid channel \"Bad/channel\". Use lowercase letters, numbers, \
                   \"_\" or \"-\", for example \"telegram\".";
    let usage = "error: Usage: hongyan pairing approve <channel> <code> \
                 (or: hongyan pairing approve --channel <channel> <code>)";
    for (line, expected) in [
        ("pairing approve openclaw-weixin ABCD2345", unknown),
        ("pairing approve --channel wechat ABCD2345", unknown),
        ("pairing reject ABCD2345", unknown),
        ("pairing list Bad/channel", invalid),
        ("pairing list --account ''", "error: --account must not be blank"),
        ("pairing approve --channel weixin weixin ABCD2345", usage),
        ("pairing revoke p --account a", "error: p was not approved on a"),
    ] {
        let (code, stdout, stderr) = types(dir.path(), line);
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(1), "", expected), "{line}");
    }
    for (channel, name) in
        [("", "openclaw-weixin"), (" WeChat", "openclaw-weixin"), (" telegram", "telegram")]
    {
        let (code, stdout, _) = types(dir.path(), &format!("pairing list{channel}"));
        assert_eq!((code, stdout), (Some(0), format!("No pending {name} pairing requests.")));
    }
}

fn two_agents() -> Value {
    json!({
        "agents": {"list": [{"id": "main", "name": "Mia", "default": true}, {"id": "work"}]},
        "bindings": [
            {"agentId": "work", "match": {"channel": "weixin", "accountId": "office"}},
            {"agentId": "work", "match": {"channel": "wechat", "peer": {"kind": "direct", "id": "VIP"}}},
        ],
    })
}

#[test]
fn agents_and_their_bindings_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let listed = json_of(dir.path(), "agents list --json");
    let main = json!({"id": "main", "name": null, "bindings": 0, "isDefault": true});
    assert_eq!(listed, json!([main]));
    assert_eq!(types(dir.path(), "agents bindings").1, "No routing bindings.");

    std::fs::write(dir.path().join("config.json5"), two_agents().to_string()).unwrap();
    let listed = json_of(dir.path(), "agents list --json");
    let main = json!({"id": "main", "name": "Mia", "bindings": 0, "isDefault": true});
    let work = json!({"id": "work", "name": null, "bindings": 2, "isDefault": false});
    assert_eq!(listed, json!([main, work]));
    let expected = "Routing bindings:\n\
                    - work <- openclaw-weixin accountId=office\n\
                    - work <- openclaw-weixin peer=direct:VIP";
    assert_eq!(types(dir.path(), "agents bindings").1, expected);
    assert_eq!(json_of(dir.path(), "agents bindings --agent main --json"), json!([]));
}

/// Demand 22: who would answer can be asked before somebody writes.
#[test]
fn a_route_is_explained_with_a_warning_of_the_binding_that_never_holds() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.json5"), two_agents().to_string()).unwrap();
    let at = |account: &str| {
        json_of(
            dir.path(),
            &format!("route explain --channel weixin --account {account} --peer VIP --json"),
        )
    };
    let explained = at("office");
    let route = json!({
        "agentId": "work",
        "sessionKey": "agent:work:openclaw-weixin:office:direct:vip",
        "mainSessionKey": "agent:work:main",
        "matchedBy": "binding.account",
        "dmScope": "per-account-channel-peer",
    });
    assert_eq!(explained["route"], route);
    assert_eq!(explained["bindings"][1]["mismatch"], "only_default_account");
    let warning = explained["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("bindings[1] names no accountId"), "{warning}");
    assert_eq!(at("default")["route"]["matchedBy"], "binding.peer");

    let (code, stdout, stderr) = types(dir.path(), "route explain --account home --peer VIP");
    assert_eq!(code, Some(0), "{stderr}");
    for line in [
        "openclaw-weixin/home/VIP",
        "answers:  main (default)",
        "session:  agent:main:openclaw-weixin:home:direct:vip",
        "heard:    no, they need an approval: hongyan pairing list (dmPolicy pairing)",
        "commands: all",
    ] {
        assert!(stdout.lines().any(|it| it == line), "{line:?} is not in {stdout}");
    }
}

#[test]
fn a_binding_is_refused_where_it_cannot_be_made() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.json5"), two_agents().to_string()).unwrap();
    for (line, expected) in [
        ("agents bind --agent nobody --bind weixin", "error: Agent \"nobody\" not found."),
        ("agents bind --bind weixin:office", "error: some bindings belong to another agent"),
        (
            "agents bind --bind :x",
            "error: \":x\" is neither a channel nor a channel and an account",
        ),
    ] {
        let (code, _, stderr) = types(dir.path(), line);
        assert_eq!((code, stderr.as_str()), (Some(1), expected), "{line}");
    }
    let present = json_of(dir.path(), "agents bind --agent work --bind wechat:OFFICE --json");
    assert_eq!(present["skipped"], json!(["openclaw-weixin accountId=OFFICE"]));
    let missing = json_of(dir.path(), "agents unbind --bind weixin --json");
    assert_eq!(missing["missing"], json!(["openclaw-weixin accountId=*"]));
}

#[test]
fn bindings_are_made_and_unmade_in_the_file_and_its_comments_stay() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json5");
    let bindings = || json_of(dir.path(), "agents bindings --json");
    let descriptions = || {
        let all = bindings();
        all.as_array().unwrap().iter().map(|it| it["description"].clone()).collect::<Vec<_>>()
    };
    let (code, stdout, stderr) = types(dir.path(), "agents bind --bind weixin");
    let expected = "Added bindings:\n- openclaw-weixin accountId=*";
    assert_eq!((code, stdout.as_str()), (Some(0), expected), "{stderr}");

    let text = "{\n  // who is there\n  agents: { entries: { a: {}, b: {} } },\n  bindings: [\n    \
                // mine\n    { agentId: 'a', match: { channel: 'weixin', accountId: 'x' } },\n  ],\n}\n";
    std::fs::write(&file, text).unwrap();
    let (code, stdout, stderr) =
        types(dir.path(), "agents bind --agent b --bind wechat:y --bind weixin --bind telegram:z");
    let expected = "Added bindings:\n- openclaw-weixin accountId=y\n\
                    - openclaw-weixin accountId=*\n- telegram accountId=z";
    assert_eq!((code, stdout.as_str()), (Some(0), expected), "{stderr}");
    assert_eq!(bindings().as_array().unwrap().len(), 4);

    let (code, stdout, stderr) = types(dir.path(), "agents unbind --agent b --all");
    let expected = expected.replace("Added", "Removed");
    assert_eq!((code, stdout), (Some(0), expected), "{stderr}");
    assert_eq!(descriptions(), ["openclaw-weixin accountId=x"]);
    let edited = std::fs::read_to_string(&file).unwrap();
    assert!(edited.contains("// who is there") && edited.contains("// mine"), "{edited}");
    let (code, stdout, _) = types(dir.path(), "agents unbind --agent b --all");
    assert_eq!((code, stdout.as_str()), (Some(0), "No bindings to remove for agent \"b\"."));
}

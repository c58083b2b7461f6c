//! One gateway per state folder: who runs is said, a killed one is in nobody's
//! way, and nothing that a gateway has started can end it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use backend::Backend;

use crate::program::{GatewayProcess, eventually, hongyan, log_in, polls, says, status};

/// Demand 33: nothing that runs is taken for stale.
#[test]
fn a_second_start_says_who_runs_and_disturbs_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = GatewayProcess::start(dir.path(), &[]).ready(dir.path());

    let (code, _, stderr) = says(dir.path(), &["gateway", "run"]);
    assert_eq!(code, Some(75), "{stderr}");
    let names_it = stderr.contains(&format!("process {} since 20", first.pid()));
    assert!(names_it && stderr.contains("hint: "), "{stderr}");

    // A supervisor would start it again and again.
    let supervised =
        hongyan(dir.path()).args(["gateway", "run"]).env("INVOCATION_ID", "1").output().unwrap();
    assert_eq!(supervised.status.code(), Some(78));
    assert!(first.lives());
    assert_eq!(status(dir.path())["pid"], first.pid());
}

/// Demand 33: a lock cannot outlive who had it.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_killed_leaves_nothing_in_the_way() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);

    let first = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    let killed = first.pid();
    first.kill();
    assert!(dir.path().join("control.json").exists(), "nothing is left behind to be recognised");
    assert_eq!(status(dir.path())["running"], false);
    let (code, _, stderr) = says(dir.path(), &["gateway", "stop"]);
    assert!(code == Some(0) && stderr.contains("No gateway"), "{stderr}");
    let (code, _, stderr) = says(dir.path(), &["gateway", "restart"]);
    assert!(code == Some(69) && stderr.contains("gateway run"), "{stderr}");

    let second = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    let told = status(dir.path());
    assert_eq!(told["pid"], second.pid());
    assert_ne!(told["pid"], killed);
    polls(dir.path());
    alice.says("still there?").await;
    assert!(alice.hears().await.contains("still there?"));
}

/// A file that cannot be read any more is in nobody's way but a restart's.
#[test]
fn a_gateway_is_looked_at_and_stopped_beside_a_broken_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json5");
    std::fs::write(&file, "{ session: { dmScope: 'main' } }").unwrap();
    let gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    std::fs::write(&file, "{ session: ").unwrap();
    eventually(|| status(dir.path())["problems"][0].to_string().contains("config.json5:1:"));
    let (code, _, stderr) = says(dir.path(), &["gateway", "restart"]);
    assert!(code == Some(78) && stderr.contains("config.json5:1:"), "{stderr}");
    let (code, _, stderr) = says(dir.path(), &["gateway", "stop"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(gateway.ended(), Some(0));
}

/// What is said of a change is true of the gateway that runs.
#[test]
fn a_change_of_a_file_that_nobody_follows_is_told_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let other = dir.path().join("other.json5");
    std::fs::write(&other, "{}").unwrap();
    let named = other.to_str().unwrap();
    let gateway = GatewayProcess::start(dir.path(), &["--config", named]).ready(dir.path());
    let says = |args: &[&str]| {
        let (code, stdout, stderr) = says(dir.path(), args);
        assert_eq!(code, Some(0), "{stderr}");
        stdout
    };
    let set = ["config", "set", "channels.weixin.botAgent", "A/1"];
    let another = format!("The gateway that runs follows another file: {named}");
    let told = says(&set);
    assert!(told.contains(&another), "{told}");
    let told = says(&["plugins", "disable", "openclaw-weixin"]);
    assert!(told.contains(&another), "{told}");

    let told = says(&[&["--config", named], &set[..]].concat());
    assert!(told.contains("without restarting the gateway"), "{told}");
    says(&["--config", named, "config", "set", "gateway.reload.mode", "off"]);
    eventually(|| status(dir.path())["config"]["at_once"] == false);
    let told = says(&["--config", named, "config", "unset", "channels.weixin.botAgent"]);
    assert!(told.contains("`hongyan gateway restart` applies it"), "{told}");
    drop(gateway);
}

/// What the child does: everything that a careless one would, through every
/// word of the program that could end or replace its gateway.
const CLEANS_UP: &str = r#"
until "$H" gateway status --require-rpc; do :; done
"$H" gateway stop --timeout 0; echo "stop $?"
"$H" gateway restart --timeout 0; echo "restart $?"
"$H" gateway run; echo "run $?"
env -u HONGYAN_STATE "$H" --state "$HONGYAN_STATE" gateway stop; echo "stop again $?"
echo done
"#;

/// OpenClaw's issue 68451: a child that cleaned up took its own gateway down.
/// The shell becomes the gateway, so what it started before is its child.
#[cfg(target_os = "linux")]
/// Demand 33: what a gateway starts does not end it.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_cleans_up_cannot_end_its_gateway() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);

    let told = dir.path().join("told");
    let template = hongyan(dir.path());
    let script = format!("( {CLEANS_UP} ) >\"$TOLD\" 2>&1 & exec \"$H\" gateway run");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]);
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
        .env("H", template.get_program())
        .env("HONGYAN_STATE", dir.path())
        .env("TOLD", &told)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut gateway = GatewayProcess::of(shell.spawn().unwrap()).ready(dir.path());

    let begun = Instant::now();
    let text = loop {
        let text = std::fs::read_to_string(&told).unwrap_or_default();
        if text.ends_with("done\n") {
            break text;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    for line in ["stop 2", "restart 2", "run 75", "stop again 2"] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    assert!(text.contains("started by the gateway itself"), "{text}");
    assert!(gateway.lives());
    let now = status(dir.path());
    assert_eq!((now["pid"].as_u64(), now["run"].as_u64()), (Some(gateway.pid().into()), Some(1)));
    alice.says("alive?").await;
    assert!(alice.hears().await.contains("alive?"));
    // From outside it is allowed.
    let (code, _, stderr) = says(dir.path(), &["gateway", "stop"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(gateway.ended(), Some(0));
}

/// Where nobody can say who started whom, the gateway's children are told.
#[test]
fn a_child_that_was_told_whose_it_is_is_refused_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut gateway = GatewayProcess::start(dir.path(), &[]).ready(dir.path());
    let output = hongyan(dir.path())
        .args(["gateway", "stop"])
        .env("HONGYAN_GATEWAY_PID", gateway.pid().to_string())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(gateway.lives());
}

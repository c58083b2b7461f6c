//! `hongyan sessions` as a person or a script types it, beside a gateway.

use std::path::Path;

use backend::Backend;
use serde_json::Value;

use crate::program::{GatewayProcess, hongyan, log_in};

fn sessions(state: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = hongyan(state).arg("sessions").args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn read(state: &Path, args: &[&str]) -> Value {
    let (code, stdout, stderr) = sessions(state, args);
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_shown_reset_and_exported_beside_a_gateway() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path();
    assert_eq!(read(state, &["list", "--json"]), Value::Array(Vec::new()));
    log_in(state, &bot);
    let _gateway = GatewayProcess::start(state, &[]);
    alice.says("are you there?").await;
    alice.hears().await;

    let listed = read(state, &["list", "--json"]);
    let key = listed[0]["key"].as_str().unwrap();
    assert_eq!(listed[0]["to"], alice.id().as_str());
    let (code, table, _) = sessions(state, &["list"]);
    assert!(code == Some(0) && table.contains("Last spoken"), "{table}");
    let shown = read(state, &["show", ":direct:", "--json"]);
    assert_eq!(shown["lines"][0]["text"], "are you there?");
    let (_, text, _) = sessions(state, &["show", key]);
    assert!(text.lines().next().unwrap().ends_with(": are you there?"), "{text}");

    let (code, _, stderr) = sessions(state, &["reset", key]);
    assert_eq!((code, stderr.contains("begins anew")), (Some(0), true), "{stderr}");
    assert_eq!(read(state, &["show", key, "--json"])["lines"], Value::Array(Vec::new()));
    let old = read(state, &["show", key, "--window", "0", "--json"]);
    assert_eq!(old["lines"][0]["text"], "are you there?");
    assert_eq!(old["windows"][0]["reason"], "operator");
    // The gateway has seen it: what is said now begins the new window.
    alice.says("and now?").await;
    alice.hears().await;
    let shown = read(state, &["show", key, "--json"]);
    let first = &shown["lines"][0];
    assert_eq!((&first["window"], &first["text"]), (&1.into(), &"and now?".into()));

    let (_, jsonl, _) = sessions(state, &["export", key, "--all"]);
    let types: Vec<Value> = jsonl
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone())
        .collect();
    let message = "message";
    assert_eq!(types, ["session", "window", "window", message, message, message, message]);
    let file = state.join("chat.md");
    let path = file.to_str().unwrap();
    let to_file = ["export", key, "--all", "--format", "markdown", "--output", path];
    assert_eq!(sessions(state, &to_file).0, Some(0));
    assert!(std::fs::read_to_string(&file).unwrap().contains("are you there?"));
    let (code, _, stderr) = sessions(state, &to_file);
    assert!(code == Some(2) && stderr.contains("not there yet"), "{code:?} {stderr}");
}

#[test]
fn what_is_not_there_is_told_with_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, stderr) = sessions(dir.path(), &["show", "nobody"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("no session \"nobody\"") && stderr.contains("sessions list"),
        "{stderr}"
    );
    let (code, _, stderr) = sessions(dir.path(), &["list"]);
    assert_eq!((code, stderr.trim()), (Some(0), "There are no sessions yet"));
}

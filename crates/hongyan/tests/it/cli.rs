//! The commands as a person or a script types them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Output, Stdio};

use backend::{Backend, Policy};
use serde_json::{Value, json};

use crate::program::{GatewayProcess, hongyan, log_in, polls};

fn output(command: &mut std::process::Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_version_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, _) = output(hongyan(dir.path()).arg("--version"));
    let version = concat!("hongyan ", env!("CARGO_PKG_VERSION"), " (");
    assert!(code == Some(0) && stdout.starts_with(version), "{stdout}");
}

#[test]
fn the_demo_says_something_prints_the_answer_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = output(hongyan(dir.path()).args(["demo", "--say", "carry this"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("carry this"), "{stdout}");
}

#[test]
fn the_demo_goes_on_with_its_state() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..2 {
        let text = format!("round {n}");
        let (code, stdout, stderr) = output(hongyan(dir.path()).args(["demo", "--say", &text]));
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stdout.contains(&text), "{stdout}");
        assert_eq!(stdout.matches("round").count(), 1, "only what is new is printed: {stdout}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_by_program_ends_with_an_account_that_works() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    let mut login = Login::start(dir.path(), backend.url(), &[]);

    let shown = login.event();
    assert_eq!(shown["event"], "qr");
    alice.confirm(shown["url"].as_str().unwrap()).await;
    let events = login.rest();
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["by"]), (&json!("polling"), &json!("login")), "{events:?}");
    let token = std::fs::read_to_string(
        dir.path()
            .join("openclaw-weixin/accounts")
            .join(format!("{}.json", last["account"].as_str().unwrap())),
    );
    let token: Value = serde_json::from_str(&token.unwrap()).unwrap();
    let told = format!("{shown}{events:?}");
    assert!(!told.contains(token["token"].as_str().unwrap()), "the token was printed");

    let (code, stdout, stderr) =
        output(hongyan(dir.path()).args(["channels", "status", "--probe", "--json"]));
    assert_eq!(code, Some(0), "{stderr}");
    let status: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(status[0]["account"], last["account"]);
    assert_eq!((&status[0]["state"], &status[0]["probe"]["ok"]), (&json!("stopped"), &json!(true)));

    // The same person scans again: this machine already has the bot.
    let mut again = Login::start(dir.path(), backend.url(), &[]);
    let link = again.event()["url"].as_str().unwrap().to_owned();
    alice.confirm(&link).await;
    let events = again.rest();
    assert!(events.iter().any(|event| event["event"] == "already_bound"), "{events:?}");
    let ended = events.last().unwrap();
    assert_eq!((&ended["event"], &ended["account"]), (&json!("polling"), &last["account"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_are_asked_for_again_when_they_were_wrong() {
    let policy = Policy { verify_tries: Some(3), ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    let mut login = Login::start(dir.path(), backend.url(), &["--verify-code", "wrong"]);

    let link = login.event()["url"].as_str().unwrap().to_owned();
    let digits = alice.confirm(&link).await.expect("the phone shows digits");
    let again = std::iter::repeat_with(|| login.event())
        .find(|event| event["event"] == "verify_code_needed" && event["wrong"] == true);
    assert!(again.is_some());
    login.types(&digits);
    assert_eq!(login.rest().last().unwrap()["event"], "polling");
}

#[test]
fn a_backend_that_is_not_there_is_an_error_with_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let (code, _, stderr) =
        output(hongyan(dir.path()).args(["channels", "login", "--base-url", &url]));
    assert_eq!(code, Some(69), "{stderr}");
    assert!(
        stderr.contains("error: the backend gave no QR code") && stderr.contains("hint: "),
        "{stderr}"
    );
}

#[test]
fn a_channel_that_does_not_exist_is_a_usage_error() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, stderr) =
        output(hongyan(dir.path()).args(["channels", "login", "--channel", "telegram"]));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("telegram") && stderr.contains("openclaw-weixin"), "{stderr}");
}

#[test]
fn status_without_accounts_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = output(hongyan(dir.path()).args(["channels", "status"]));
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    assert!(stderr.contains("channels login"), "{stderr}");
    let (_, stdout, _) = output(hongyan(dir.path()).args(["channels", "status", "--json"]));
    assert_eq!(stdout.trim(), "[]");
}

#[test]
fn both_languages_are_spoken() {
    let dir = tempfile::tempdir().unwrap();
    let (_, _, english) = output(hongyan(dir.path()).args(["channels", "status"]));
    let (_, _, chinese) = output(hongyan(dir.path()).args(["channels", "status", "--lang", "zh"]));
    assert!(english.contains("No account") && chinese.contains("登录"), "{english}{chinese}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_stops_when_asked_and_tells_the_backend() {
    let backend =
        Backend::builder().hold(std::time::Duration::from_secs(100)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);

    let gateway = GatewayProcess::start(dir.path(), &[]);
    alice.says("are you there?").await;
    assert!(alice.hears().await.contains("are you there?"));
    polls(dir.path());

    let second = output(hongyan(dir.path()).args(["gateway", "run"]));
    assert_eq!(second.0, Some(75), "{}", second.2);
    assert!(second.2.contains("process"), "it does not say who runs: {}", second.2);

    assert_eq!(gateway.terminate(), Some(0));
    assert!(!backend.is_online(&bot.bot_id));
}

/// Demand 14: whom the official plugin admitted is heard after the change.
#[tokio::test(flavor = "multi_thread")]
async fn those_whom_the_official_plugin_admits_are_heard() {
    let backend = Backend::builder().start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let bob = backend.user("bob").await.meets(&bot.bot_id).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);
    let account = bot.bot_id.as_str().replace(['@', '.'], "-");
    let folder = dir.path().join("credentials");
    std::fs::create_dir(&folder).unwrap();
    let allowed = json!({ "version": 1, "allowFrom": [bob.id().as_str()] });
    let file = folder.join(format!("openclaw-weixin-{account}-allowFrom.json"));
    std::fs::write(file, allowed.to_string()).unwrap();

    let _gateway = GatewayProcess::start(dir.path(), &[]);
    bob.says("may I?").await;
    assert!(bob.hears().await.contains("may I?"));
}

/// `hongyan channels login --json` in progress.
pub(crate) struct Login {
    child: Child,
    events: BufReader<ChildStdout>,
}

impl Login {
    pub(crate) fn start(state: &std::path::Path, backend: &str, args: &[&str]) -> Self {
        let mut child = hongyan(state)
            .args(["channels", "login", "--channel", "openclaw-weixin", "--json"])
            .args(["--base-url", backend])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let events = BufReader::new(child.stdout.take().unwrap());
        Self { child, events }
    }

    pub(crate) fn event(&mut self) -> Value {
        let mut line = String::new();
        self.events.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|err| panic!("{err}: {line:?}"))
    }

    pub(crate) fn types(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// All events up to the end, which must be a success.
    pub(crate) fn rest(mut self) -> Vec<Value> {
        let lines = self.events.by_ref().lines();
        let events = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        assert!(self.child.wait().unwrap().success(), "{events:?}");
        events
    }
}

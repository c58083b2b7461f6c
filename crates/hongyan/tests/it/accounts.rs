//! `hongyan accounts` and `hongyan channels login` as a person or a script types
//! them.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use backend::{Backend, Policy};
use serde_json::{Value, json};

use crate::program::{GatewayProcess, eventually, hongyan, log_in, polls};

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn accounts(state: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    run(hongyan(state).arg("accounts").args(args).env("PASS", "correct horse"))
}

fn listed(state: &Path) -> Value {
    let (code, stdout, stderr) = accounts(state, &["list", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

/// Demands 22, 54 and 55: naming, switching and removing beside a gateway.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_named_switched_and_removed_beside_a_gateway() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);
    let gateway = GatewayProcess::start(dir.path(), &[]);
    alice.says("are you there?").await;
    alice.hears().await;
    polls(dir.path());

    let id = listed(dir.path())[0]["account"].as_str().unwrap().to_owned();
    assert_eq!(accounts(dir.path(), &["rename", &id, "Work"]).0, Some(0));
    // The gateway writes its states down, but nobody waits for that.
    eventually(|| {
        let (_, shown, _) = accounts(dir.path(), &["show", "work"]);
        shown.contains("name: Work") && shown.contains("state: polling")
    });
    // The gateway that runs hears of it within a moment.
    eventually(|| {
        let (_, status, _) = run(hongyan(dir.path()).args(["channels", "status", "--json"]));
        let status: Value = serde_json::from_str(&status).unwrap();
        status[0]["name"] == "Work"
    });

    let (code, off, _) = accounts(dir.path(), &["disable", "work", "--json"]);
    let off: Value = serde_json::from_str(&off).unwrap();
    assert_eq!((code, &off["enabled"]), (Some(0), &json!(false)));
    assert_eq!(accounts(dir.path(), &["enable", "work"]).0, Some(0));
    alice.says("and now?").await;
    alice.hears().await;

    let unsure = accounts(dir.path(), &["remove", "work"]);
    assert_eq!(unsure.0, Some(2));
    assert!(unsure.2.contains("--yes"), "{}", unsure.2);
    let (code, _, stderr) = accounts(dir.path(), &["remove", "work", "--yes"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("WeChat keeps the chat"), "{stderr}");
    assert_eq!(listed(dir.path()), json!([]));
    assert!(!backend.is_online(&bot.bot_id));
    drop(gateway);
}

/// Demand 14: an export comes back, and what is wrong with one is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_written_once_and_read_with_its_passphrase() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = backend.bind(&alice).await;
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    log_in(dir.path(), &bot);
    let file = dir.path().join("backup.json");
    let file = file.to_str().unwrap();

    let nobody_to_ask = accounts(dir.path(), &["export", file]);
    assert_eq!(nobody_to_ask.0, Some(2));
    assert!(nobody_to_ask.2.contains("--passphrase-env"), "{}", nobody_to_ask.2);
    let export = ["export", file, "--passphrase-env", "PASS"];
    let (code, _, stderr) = accounts(dir.path(), &export);
    assert_eq!(code, Some(0), "{stderr}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = accounts(dir.path(), &export);
    assert_eq!(again.0, Some(2), "an export was overwritten");

    let wrong = dir.path().join("wrong");
    std::fs::write(&wrong, "incorrect horse\n").unwrap();
    let import = |state: &Path, passphrase: &[&str]| {
        accounts(state, &[&["import", file, "--json"], passphrase].concat())
    };
    let refused = import(other.path(), &["--passphrase-file", wrong.to_str().unwrap()]);
    assert_eq!(refused.0, Some(2));
    assert!(refused.2.contains("passphrase is wrong"), "{}", refused.2);
    let (code, stdout, stderr) = import(other.path(), &["--passphrase-env", "PASS"]);
    assert_eq!(code, Some(0), "{stderr}");
    let imported: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(imported[0]["import"], "added");

    let gateway = GatewayProcess::start(other.path(), &[]);
    alice.says("restored?").await;
    assert!(alice.hears().await.contains("restored?"));
    drop(gateway);
}

/// Demand 38: with a key file nothing readable is left, and without it the
/// program says what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn sealed_credentials_need_their_key() {
    let backend = Backend::start().await;
    let bot = backend.bind(&backend.user("alice").await).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);
    let key = dir.path().join("key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    let with_key = |args: &[&str]| {
        run(hongyan(dir.path()).args(args).env("HONGYAN_CREDENTIALS_KEY_FILE", &key))
    };
    assert_eq!(with_key(&["accounts", "seal"]).0, Some(0));
    for entry in std::fs::read_dir(dir.path().join("openclaw-weixin/accounts")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains(bot.token.expose()));
    }
    let (code, probed, _) = with_key(&["channels", "status", "--probe", "--json"]);
    let probed: Value = serde_json::from_str(&probed).unwrap();
    assert_eq!((code, &probed[0]["probe"]["ok"]), (Some(0), &json!(true)));

    let problem = listed(dir.path())[0]["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("no key is configured"), "{problem}");
    let (code, _, stderr) = accounts(dir.path(), &["unseal"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("HONGYAN_CREDENTIALS_KEY_FILE"), "{stderr}");
    assert_eq!(with_key(&["accounts", "unseal"]).0, Some(0));
    assert_eq!(listed(dir.path())[0]["problem"], Value::Null);
}

/// Demands 30 and 31: without a terminal the picture is written, the address
/// printed, and digits that nobody can give end the login at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_without_a_terminal_draws_a_picture_and_never_hangs() {
    let policy = Policy { verify_tries: Some(3), ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    let picture = dir.path().join("qr.png");
    let login = |environment: Option<&str>| {
        let mut command = hongyan(dir.path());
        command
            .args(["channels", "login", "--json", "--base-url", backend.url(), "--qr-png"])
            .arg(&picture)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(digits) = environment {
            command.env("HONGYAN_VERIFY_CODE", digits);
        }
        command.spawn().unwrap()
    };
    let mut child = login(None);
    let mut events = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut event = || -> Value { serde_json::from_str(&events.next().unwrap().unwrap()).unwrap() };
    let shown = event();
    assert!(shown["lives_secs"].as_u64() > Some(0), "{shown}");
    alice.confirm(shown["url"].as_str().unwrap()).await;
    let failed = std::iter::repeat_with(&mut event).find(|event| event["event"] == "failed");
    let failed = failed.unwrap();
    assert_eq!(failed["code"], "verify_code_unavailable");
    assert!(failed["sentence"].as_str().unwrap().contains("digits"), "{failed}");
    assert!(failed["hint"].as_str().unwrap().contains("HONGYAN_VERIFY_CODE"), "{failed}");
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG\r\n"));

    // Wrong digits from the environment are tried, and then there are none left.
    let mut child = login(Some("000"));
    let mut events = BufReader::new(child.stdout.take().unwrap()).lines();
    let shown: Value = serde_json::from_str(&events.next().unwrap().unwrap()).unwrap();
    alice.confirm(shown["url"].as_str().unwrap()).await;
    let rest: Vec<String> = events.map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.contains("\"wrong\":true")), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

/// Demand 22: names that mean nothing or too much are refused with what there is.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_means_no_account_is_told_what_there_is() {
    let backend = Backend::start().await;
    let bot = backend.bind(&backend.user("alice").await).await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &bot);
    let id = listed(dir.path())[0]["account"].as_str().unwrap().to_owned();
    let (code, _, stderr) = accounts(dir.path(), &["show", "nobody"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains(&id) && stderr.contains("hongyan accounts list"), "{stderr}");
    let (code, _, stderr) = accounts(dir.path(), &["rename", &id, &id]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("belongs to the account"), "{stderr}");
}

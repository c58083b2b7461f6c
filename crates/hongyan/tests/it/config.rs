//! The configuration file, read at the start and while a gateway runs.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};
use std::time::Duration;

use backend::{Backend, Endpoint};

use crate::program::{hongyan, log_in};

/// A gateway whose log is read. Killed when dropped.
struct Logged {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Logged {
    fn start(state: &Path, args: &[&str]) -> Self {
        let mut child = hongyan(state)
            .args(["gateway", "run"])
            .args(args)
            .env("HONGYAN_LOG", "info")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log }
    }

    /// Returns the next line with this in it.
    fn says(&mut self, what: &str) -> String {
        let line = self.log.by_ref().lines().map_while(Result::ok).find(|line| line.contains(what));
        line.unwrap_or_else(|| panic!("the log ended without {what:?}"))
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Demands 12 and 34: an edit is applied while the gateway runs, without a new
/// poll; one that is broken changes nothing and is reported with its place.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_the_file_holds_at_once_and_a_broken_one_changes_nothing() {
    let backend = Backend::builder().hold(Duration::from_secs(100)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    log_in(dir.path(), &backend.bind(&alice).await);
    let file = dir.path().join("config.json5");
    let polls = || backend.requests_to(Endpoint::GetUpdates).len();

    let mut gateway = Logged::start(dir.path(), &[]);
    gateway.says("account started");
    alice.says("one two three four five").await;
    assert!(alice.hears().await.contains("one two three four five"));
    let before = polls();

    let edited = "{ channels: { weixin: { sending: { limits: { partChars: 9 } } } } } // short";
    std::fs::write(&file, edited).unwrap();
    gateway.says("settings applied");
    assert_eq!(polls(), before, "the poll in flight was closed");
    alice.says("six seven eight nine ten").await;
    assert!(alice.hears().await.chars().count() <= 9);

    std::fs::write(&file, "{ channels:\n  { weixin: { enabled: false }").unwrap();
    let line = gateway.says("configuration not applied");
    assert!(line.contains("config.json5:2:"), "{line}");
    std::fs::write(&file, "{ channels: { weixin: { enabled: 'never' } } }").unwrap();
    let line = gateway.says("configuration not applied");
    assert!(line.contains("channels.weixin.enabled: Invalid input: expected boolean"), "{line}");
    assert_eq!(polls(), before + 1, "one message ended one poll");
}

/// Demand 34: a broken file ends the start, with its place and a hint.
#[test]
fn a_broken_file_is_told_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let named = dir.path().join("other.json5");
    let run = |text: &str| {
        std::fs::write(&named, text).unwrap();
        let mut command = hongyan(dir.path());
        let output = command.args(["channels", "status", "--config"]).arg(&named).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = run("{");
    assert_eq!(code, Some(78), "{stderr}");
    assert!(stderr.contains("other.json5:1:1: ") && stderr.contains("hint: "), "{stderr}");
    let (code, stderr) = run("{channels: {wechat: {accounts: {a: {enabled: 1}}}}}");
    assert_eq!(code, Some(78), "{stderr}");
    assert!(stderr.contains("channels.wechat.accounts.a.enabled: Invalid input"), "{stderr}");
    let (code, stderr) = run("{channels: {wechat: {credentialsKeyFile: 'missing.key'}}}");
    assert_eq!(code, Some(78), "{stderr}");
    assert!(stderr.contains("missing.key"), "{stderr}");
    assert_eq!(run("{channels: {wechat: {}}}").0, Some(0));
    std::fs::remove_file(&named).unwrap();
    let mut command = hongyan(dir.path());
    let status = command.args(["channels", "status"]).env("HONGYAN_CONFIG", &named).output();
    assert_eq!(status.unwrap().status.code(), Some(78), "a file that is named must be there");
}

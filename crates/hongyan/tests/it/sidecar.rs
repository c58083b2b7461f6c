//! `hongyan sidecar` and `hongyan openclaw`, as a host and a person meet them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use backend::Backend;
use serde_json::{Value, json};

use crate::program::{hongyan, log_in};

/// A sidecar at whose pipes the test is the host.
struct Sidecar {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    next_id: u64,
    /// What it asked or told meanwhile.
    heard: Vec<Value>,
}

impl Sidecar {
    fn start(state: &Path) -> Self {
        let mut child = hongyan(state)
            .arg("sidecar")
            .env("HONGYAN_LOG", "info")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let stdout = BufReader::new(stdout);
        let mut sidecar = Self { child, stdin, stdout, next_id: 1, heard: Vec::new() };
        let hello =
            sidecar.asks("hello", json!({"contract": [1], "program": "test", "version": "1"}));
        assert_eq!(hello["channel"], weixin::CHANNEL_ID);
        sidecar
    }

    fn writes(&mut self, line: &Value) {
        writeln!(self.stdin.as_ref().unwrap(), "{line}").unwrap();
    }

    fn reads(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn asks(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        self.writes(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let line = self.reads();
            if line["method"].is_null() && line["id"] == id {
                assert!(line["error"].is_null(), "{line}");
                return line["result"].clone();
            }
            self.heard.push(line);
        }
    }

    /// Answers requests until one of this method has come, which is returned.
    fn answers_until(&mut self, method: &str, result: &Value) -> Value {
        loop {
            let line = if self.heard.is_empty() { self.reads() } else { self.heard.remove(0) };
            if line["method"] == method {
                self.writes(&json!({"jsonrpc": "2.0", "id": line["id"], "result": result}));
                return line["params"].clone();
            }
        }
    }

    /// Returns its exit code, how long it took to end, and its log.
    fn ends(mut self, begun: Instant) -> (Option<i32>, Duration, Vec<Value>) {
        let code = self.child.wait().unwrap().code();
        let took = begun.elapsed();
        let log = BufReader::new(self.child.stderr.take().unwrap());
        let log = log.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        (code, took, log)
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        // Both fail when it is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Long enough for a machine under load, and under what a host allows.
const SOON: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_through_it_and_the_answer_comes_back() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let state = tempfile::tempdir().unwrap();
    log_in(state.path(), &backend.bind(&alice).await);
    let mut sidecar = Sidecar::start(state.path());
    sidecar.asks("start", json!({}));
    alice.says("hello").await;
    let sender = sidecar.answers_until("admit", &json!("admit"));
    assert_eq!(sender["sender"]["is_owner"], true);
    let inbound = sidecar.answers_until("receive", &Value::Null);
    assert_eq!(inbound["inbound"]["text"], "hello");
    let turn = &inbound["inbound"]["turn"];
    let reply = json!({"number": 0, "class": "answer", "content": {"text": "good day"}});
    sidecar.asks("reply", json!({"turn": turn, "reply": reply}));
    sidecar.asks("finish", json!({"turn": turn, "end": "answered"}));
    assert_eq!(alice.hears().await, "good day");

    let begun = Instant::now();
    sidecar.asks("stop", json!({"grace_ms": 1_000}));
    sidecar.stdin = None;
    let (code, took, log) = sidecar.ends(begun);
    assert_eq!(code, Some(0));
    assert!(took < SOON, "{took:?}");
    assert!(log.iter().any(|entry| entry["message"] == "account started"), "{log:?}");
    backend.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_its_host_is_gone() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let state = tempfile::tempdir().unwrap();
    log_in(state.path(), &backend.bind(&alice).await);
    let mut sidecar = Sidecar::start(state.path());
    sidecar.asks("start", json!({}));
    let begun = Instant::now();
    sidecar.stdin = None;
    let (code, took, _) = sidecar.ends(begun);
    assert_eq!(code, Some(0));
    assert!(took < SOON, "{took:?}");
    backend.stop().await;
}

#[cfg(target_os = "linux")]
#[test]
fn it_listens_on_nothing() {
    let state = tempfile::tempdir().unwrap();
    let mut sidecar = Sidecar::start(state.path());
    sidecar.asks("start", json!({}));
    let pid = sidecar.child.id();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = open.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
    let sockets: Vec<_> = links
        .filter_map(|link| {
            let text = link.to_string_lossy().into_owned();
            text.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned)
        })
        .collect();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        let ours = text.lines().filter(|line| sockets.iter().any(|socket| line.contains(socket)));
        assert_eq!(ours.count(), 0, "{table}");
    }
}

#[test]
fn the_manifest_of_the_package_declares_every_setting() {
    let state = tempfile::tempdir().unwrap();
    let printed = hongyan(state.path()).args(["sidecar", "--schema"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openclaw/openclaw.plugin.json");
    let manifest: Value = serde_json::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
    let declared = &manifest["channelConfigs"][weixin::CHANNEL_ID]["schema"]["properties"];
    for (name, field) in schema["properties"].as_object().unwrap() {
        if name != "accounts" {
            let (declared, field) = (as_read(&declared[name]), as_read(field));
            assert_eq!(declared, field, "{name}: run openclaw/manifest.mjs");
        }
    }
}

/// A value as JavaScript writes it again, where 30.0 is 30.
fn as_read(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(values) => values.iter().map(as_read).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), as_read(field))).collect()
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(unix)]
mod openclaw {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;

    /// An OpenClaw that notes what it is asked.
    struct Pretender {
        dir: tempfile::TempDir,
    }

    impl Pretender {
        fn of(version: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let script = format!(
                "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho \"$*\" >> asked\ncase \"$*\" in\n\
                 --version) echo 'OpenClaw {version} (abc)';;\n\
                 'config get'*) echo '{{\"botAgent\":\"Mine/1\"}}';;\nesac\n"
            );
            fs::write(dir.path().join("openclaw"), script).unwrap();
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(dir.path().join("openclaw"), mode).unwrap();
            Self { dir }
        }

        fn program(&self) -> PathBuf {
            self.dir.path().join("openclaw")
        }

        fn asked(&self) -> Vec<String> {
            let asked = fs::read_to_string(self.dir.path().join("asked")).unwrap();
            asked.lines().map(str::to_owned).collect()
        }
    }

    fn run(host: &Pretender, args: &[&str]) -> (Option<i32>, String) {
        let mut command = hongyan(host.dir.path());
        command.arg("openclaw").args(args).arg("--openclaw").arg(host.program());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    #[test]
    fn an_installation_takes_the_place_of_the_official_plugin_and_keeps_the_settings() {
        let host = Pretender::of("2026.9.6");
        let package = host.dir.path().join("p.tgz");
        fs::write(&package, "").unwrap();
        let package = package.to_str().unwrap();
        let (code, said) = run(&host, &["install", "--no-login", "--package", package]);
        assert_eq!(code, Some(0), "{said}");
        let expected = [
            "--version".to_owned(),
            "config get channels.openclaw-weixin --json".to_owned(),
            "plugins inspect openclaw-weixin".to_owned(),
            "plugins uninstall openclaw-weixin --force".to_owned(),
            format!("plugins install --force --accept-capabilities {package}"),
            "plugins enable openclaw-weixin".to_owned(),
            "config set channels.openclaw-weixin {\"botAgent\":\"Mine/1\"} --strict-json --replace"
                .to_owned(),
            "gateway restart".to_owned(),
            "channels status --channel openclaw-weixin --probe".to_owned(),
        ];
        assert_eq!(host.asked(), expected);
    }

    #[test]
    fn a_host_that_is_too_old_is_refused_with_the_way_out() {
        let host = Pretender::of("2026.5.12");
        let (code, said) = run(&host, &["install", "--no-login"]);
        assert_eq!(code, Some(78));
        assert!(said.contains("2026.9.1 or newer is needed"), "{said}");
        assert!(said.contains("npm install -g openclaw@latest"), "{said}");
        assert_eq!(host.asked(), ["--version"]);
    }

    #[test]
    fn an_uninstallation_touches_no_login() {
        let host = Pretender::of("2026.9.6");
        let (code, said) = run(&host, &["uninstall"]);
        assert_eq!(code, Some(0), "{said}");
        let expected =
            ["--version", "plugins uninstall openclaw-weixin --force", "gateway restart"];
        assert_eq!(host.asked(), expected);
    }
}

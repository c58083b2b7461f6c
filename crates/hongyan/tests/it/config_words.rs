//! `hongyan config …`, as a person or a script types it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::hongyan;

/// A state folder whose configuration is edited.
struct Desk {
    dir: tempfile::TempDir,
}

/// Exit code, stdout, stderr, without the folder's name and line ends behind.
type Said = (i32, String, String);

impl Desk {
    fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn with(text: &str) -> Self {
        let desk = Self::empty();
        std::fs::write(desk.file(), text).unwrap();
        desk
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("config.json5")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = hongyan(self.dir.path());
        command.arg("config").args(args).env("HOME", self.dir.path()).env("SOME_KEY", "k-e-y");
        command
    }

    fn says(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().unwrap();
        let place = self.dir.path().display().to_string();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&place, "DIR");
        let text = |bytes| text(bytes).trim_end().to_owned();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    #[track_caller]
    fn prints(&self, args: &[&str], stdout: &str) {
        assert_eq!(self.says(args), (0, stdout.to_owned(), String::new()), "{args:?}");
    }

    #[track_caller]
    fn refuses(&self, args: &[&str], stderr: &str) {
        assert_eq!(self.says(args), (1, String::new(), stderr.to_owned()), "{args:?}");
    }
}

#[test]
fn the_file_is_named_whatever_is_in_it() {
    for desk in [Desk::empty(), Desk::with("{{{")] {
        desk.prints(&["file"], "DIR/config.json5");
        desk.prints(&["file", "--json"], "{\n  \"path\": \"DIR/config.json5\"\n}");
    }
}

#[test]
fn values_are_printed_as_the_table_says() {
    let desk = Desk::with(
        "{gateway: {port: 1, mode: 'local', auth: {token: '${SOME_KEY}', password: '${UNSET_KEY}'}},
          bindings: [{agentId: 'a', match: {channel: 'weixin'}}]}",
    );
    desk.prints(&["get", "gateway.port"], "1");
    desk.prints(&["get", "gateway.mode"], "local");
    desk.prints(&["get", "gateway.mode", "--json"], "\"local\"");
    desk.prints(&["get", "bindings[0].match"], "{\n  \"channel\": \"weixin\"\n}");
    desk.prints(&["get", "bindings.0.agentId"], "a");
    desk.prints(&["get", "gateway.auth.token"], "__HONGYAN_REDACTED__");
    desk.prints(&["get", "gateway.auth.password"], "${UNSET_KEY}");
    desk.refuses(
        &["get", "gateway.bind"],
        "Config path is valid but unset: gateway.bind. The runtime default applies until you set an authored value with hongyan config set gateway.bind <value>.",
    );
    desk.refuses(
        &["get", "gateway.bnd"],
        "Unknown config path: gateway.bnd. Run hongyan config schema to inspect valid paths.",
    );
    desk.refuses(&["get", "a..b"], "Invalid path (empty segment): a..b");
    let (code, stdout, stderr) = desk.says(&["get", "nope", "--json"]);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let told: Value = serde_json::from_str(&stdout).unwrap();
    let message = "Unknown config path: nope. Run hongyan config schema to inspect valid paths.";
    assert_eq!(told, json!({"ok": false, "error": {"type": "cli_error", "message": message}}));
}

#[test]
fn setting_says_when_it_takes_effect() {
    let desk = Desk::empty();
    desk.prints(
        &["set", "session.dmScope", "per-peer"],
        "Updated session.dmScope. No gateway restart needed.",
    );
    desk.prints(
        &["set", "channels.openclaw-weixin.botAgent", "Me/1"],
        "Updated channels.openclaw-weixin.botAgent. Change will apply without restarting the gateway.",
    );
    desk.prints(
        &["set", "gateway.port", "8080"],
        "Updated gateway.port. Restart the gateway to apply.",
    );
    desk.prints(&["set", "gateway.port", "8080"], "No change");
    desk.prints(&["get", "gateway.port"], "8080");
    desk.prints(&["unset", "gateway.port"], "Removed gateway.port. Restart the gateway to apply.");
    desk.refuses(
        &["unset", "gateway.port"],
        "Config path not found: gateway.port. Nothing was changed. Run hongyan config get <path> first if you are unsure of the path.",
    );
    assert!(desk.dir.path().join("config.json5.bak").exists());
}

#[test]
fn what_cannot_be_set_is_refused_and_nothing_changes() {
    let text = "{ /* mine */ session: {mainKey: 'x'}, plugins: {entries: {a: {}}} }\n";
    let desk = Desk::with(text);
    for (args, why) in [
        (
            &["gateway.port", "lan"][..],
            "Config validation failed: gateway.port: Invalid input: expected integer, received string",
        ),
        (
            &["gateway.port", "0"],
            "Config validation failed: gateway.port: Too small: expected number to be >=1",
        ),
        (&["a..b", "1"], "Invalid path (empty segment): a..b"),
        (&["a.__proto__", "1"], "Invalid path segment: __proto__"),
        (&["gateway.port"], "config set mode error: value/json mode requires <value>."),
        (&[], "config set mode error: value/json mode requires <path>."),
        (&["gateway.port", "Infinity"], "Numbers must be finite: Infinity"),
        (
            &["gateway.bind", "lan", "--strict-json"],
            "Could not parse \"lan\" as JSON for --strict-json. Quote strings, as in '\"text\"', or drop the flag.",
        ),
        (
            &["gateway.bind", "lan", "--json"],
            "Could not parse \"lan\" as JSON for --strict-json. Quote strings, as in '\"text\"', or drop the flag.",
        ),
        (
            &["plugins.entries", "{b: {}}"],
            "Refusing to replace plugins.entries: it would lose a. Use --merge to add, or --replace to replace all the same.",
        ),
        (
            &["session.mainKey", "y", "--expect-current-json", "'z'"],
            "Config path session.mainKey is not what was expected: another text is there",
        ),
        (
            &["session.mainKey", "y", "--expect-current-absent"],
            "Config path session.mainKey is not what was expected: another text is there",
        ),
    ] {
        desk.refuses(&[&["set"], args].concat(), why);
        assert_eq!(desk.text(), text);
    }
    desk.prints(
        &["set", "session.mainKey", "y", "--expect-current-json", "'x'"],
        "Updated session.mainKey. No gateway restart needed.",
    );
    assert!(desk.text().starts_with("{ /* mine */ session: {mainKey: \"y\"}"), "{}", desk.text());
}

#[test]
fn an_unknown_key_is_set_with_a_warning() {
    let desk = Desk::empty();
    let (code, stdout, stderr) = desk.says(&["set", "session.dmscope", "main"]);
    assert_eq!((code, stdout.as_str()), (0, "Updated session.dmscope. No gateway restart needed."));
    assert_eq!(
        stderr,
        "Warning: session: Unrecognized key: \"dmscope\"; did you mean \"dmScope\"?"
    );
}

#[test]
fn merging_adds_and_replacing_replaces() {
    let desk = Desk::with("{plugins: {entries: {a: {enabled: true}}}}");
    let set = |args: &[&str]| desk.says(&[&["set", "plugins.entries"], args].concat()).0;
    assert_eq!(set(&["{b: {}}", "--merge"]), 0);
    desk.prints(&["get", "plugins.entries.a.enabled"], "true");
    assert_eq!(set(&["{c: {}}", "--replace"]), 0);
    desk.prints(&["get", "plugins.entries"], "{\n  \"c\": {}\n}");
    assert_eq!(set(&["{}", "--merge", "--replace"]), 2, "both at once make no sense");
}

#[test]
fn a_dry_run_writes_nothing() {
    let desk = Desk::empty();
    desk.prints(
        &["set", "gateway.port", "8080", "--dry-run"],
        "Dry run note: value mode does not run schema/resolvability checks. Use --strict-json or a batch to run them.\nDry run successful: 1 update(s) validated against ~/config.json5.",
    );
    desk.refuses(
        &["set", "gateway.port", "true", "--strict-json", "--dry-run"],
        "Config validation failed: gateway.port: Invalid input: expected integer, received boolean",
    );
    desk.prints(
        &["set", "--dry-run", "--batch-json", "[{path: 'a', value: 1}, {path: 'b', value: 2}]"],
        "Dry run successful: 2 update(s) validated against ~/config.json5.",
    );
    assert!(!desk.file().exists());
}

#[test]
fn batches_and_patches_are_done_as_a_whole() {
    let desk = Desk::with("{session: {mainKey: 'x', scope: 'global'}}");
    let batch =
        r#"[{"path": "session.mainKey", "value": "y"}, {"path": "gateway.port", "value": 1}]"#;
    desk.prints(
        &["set", "--batch-json", batch],
        "Updated 2 config paths. Restart the gateway to apply.",
    );
    let bad =
        r#"[{"path": "session.mainKey", "value": "z"}, {"path": "gateway.port", "value": "x"}]"#;
    assert_eq!(desk.says(&["set", "--batch-json", bad]).0, 1);
    desk.prints(&["get", "session.mainKey"], "y");

    let batch_file = desk.dir.path().join("batch.json5");
    std::fs::write(&batch_file, "[{path: 'session.mainKey', value: 'f'}]").unwrap();
    let batch_file = batch_file.to_str().unwrap();
    desk.prints(
        &["set", "--batch-file", batch_file],
        "Updated session.mainKey. No gateway restart needed.",
    );

    let mut child = desk.command(&["patch", "--stdin"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let patch = b"{session: {scope: null, dmScope: 'main'}} // mine";
    child.stdin.take().unwrap().write_all(patch).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        told.trim(),
        "Updated 2 config paths. Change will apply without restarting the gateway."
    );
    desk.prints(&["get", "session"], "{\n  \"dmScope\": \"main\",\n  \"mainKey\": \"f\"\n}");
    desk.refuses(&["patch"], "config patch requires --file or --stdin.");
}

#[test]
fn validating_says_what_is_wrong_and_where() {
    let desk = Desk::with("{session: {dmScope: 'main'}}");
    desk.prints(&["validate"], "Config valid: ~/config.json5");
    desk.prints(
        &["validate", "--json"],
        "{\"path\":\"DIR/config.json5\",\"valid\":true,\"warnings\":[]}",
    );

    let desk =
        Desk::with("{sesion: {},\n channels: {weixin: {botAgent: '${UNSET_KEY}', routTag: 1}}}");
    let expected = "Config valid: ~/config.json5
3 warning(s):
  ! channels.weixin.botAgent: the environment variable UNSET_KEY is not set
  ! <root>: Unrecognized key: \"sesion\"; did you mean \"session\"?
  ! channels.weixin: Unrecognized key: \"routTag\"; did you mean \"routeTag\"?";
    desk.prints(&["validate"], expected);

    let desk = Desk::with("{\n gateway: {port: 'x'}}");
    let expected = "Hongyan config is invalid: ~/config.json5
  × config.json5:2 — gateway.port: Invalid input: expected integer, received string
Fix it by hand or with hongyan config set; hongyan config schema prints what may stand there.";
    desk.refuses(&["validate"], expected);
    let (code, stdout, _) = desk.says(&["validate", "--json"]);
    let told: Value = serde_json::from_str(&stdout).unwrap();
    let message = "Invalid input: expected integer, received string";
    assert_eq!((code, &told["ok"], &told["valid"]), (1, &json!(false), &json!(false)));
    assert_eq!(told["issues"], json!([{"path": "gateway.port", "message": message}]));

    let expected =
        "Config file not found: ~/config.json5\nCreate it with hongyan config set <path> <value>.";
    Desk::empty().refuses(&["validate"], expected);
}

#[test]
fn a_file_that_is_no_json5_is_refused_by_all() {
    let text = "{\n  a: {";
    let desk = Desk::with(text);
    let why =
        "<root>: JSON5 parse failed: SyntaxError: JSON5: Unterminated object (line 2, column 6)";
    desk.refuses(&["get", "a"], &format!("Hongyan config is invalid: ~/config.json5\n- {why}"));
    let block = format!("Hongyan config is invalid\nFile: ~/config.json5\nProblem:\n- {why}");
    desk.refuses(&["set", "a", "1"], &block);
    desk.refuses(&["unset", "a"], &block);
    let (_, _, stderr) = desk.says(&["validate"]);
    assert!(stderr.contains(&format!("  × {why}")), "{stderr}");
    assert_eq!(desk.text(), text);
}

/// Demand 34: one wrong section is no reason to do nothing.
#[test]
fn a_broken_section_keeps_nobody_from_the_others_and_can_be_mended() {
    let desk = Desk::with("{gateway: {port: 'x', mode: 'far'}, session: {mainKey: 'm'}}");
    desk.prints(&["get", "session.mainKey"], "m");
    let (code, _, stderr) = desk.says(&["get", "gateway.port"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("- gateway.port: Invalid input"), "{stderr}");
    assert_eq!(desk.says(&["set", "session.mainKey", "n"]).0, 0);
    assert_eq!(desk.says(&["set", "gateway.port", "1"]).0, 0, "one of two mistakes is mended");
    assert_eq!(desk.says(&["unset", "gateway.mode"]).0, 0);
    desk.prints(&["validate"], "Config valid: ~/config.json5");
}

#[test]
fn the_schema_has_the_channels_section_and_ours() {
    let desk = Desk::empty();
    let (code, stdout, _) = desk.says(&["schema"]);
    let schema: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, 0);
    let section = &schema["properties"]["channels"]["properties"]["openclaw-weixin"];
    for pointer in ["/properties/botAgent", "/properties/dmPolicy", "/properties/accounts"] {
        assert!(section.pointer(pointer).is_some(), "{pointer}");
    }
    assert!(schema.pointer("/properties/session/properties/dmScope/description").is_some());
}

#[test]
fn a_read_only_configuration_is_not_changed() {
    let desk = Desk::with("{}");
    let mut command = desk.command(&["set", "gateway.port", "1"]);
    let output = command.env("HONGYAN_CONFIG_READONLY", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(desk.text(), "{}");
}

#[test]
fn texts_of_ours_are_chinese_on_request() {
    let desk = Desk::empty();
    desk.prints(
        &["set", "gateway.port", "1", "--lang", "zh"],
        "已更新 gateway.port。重启网关后生效。",
    );
}

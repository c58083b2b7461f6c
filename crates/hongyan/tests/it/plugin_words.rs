//! `hongyan plugins` as a person or a script types it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::hongyan;

/// A state folder with packages beside it.
struct Desk {
    dir: TempDir,
}

/// What a command said: exit code, result, notes.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn package(&self, id: &str) -> PathBuf {
        let root = self.dir.path().join(id);
        write_package(&root, &manifest(id));
        root
    }

    fn plugins(&self, args: &[&str]) -> Said {
        let output = hongyan(&self.state()).arg("plugins").args(args).output().unwrap();
        let Output { status, stdout, stderr } = output;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    fn json(&self, args: &[&str]) -> Value {
        let said = self.plugins(&[args, &["--json"]].concat());
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"))
    }

    fn install(&self, path: &Path) -> Said {
        self.plugins(&["install", path.to_str().unwrap(), "--force", "--accept-capabilities"])
    }

    fn config(&self) -> String {
        fs::read_to_string(self.state().join("config.json5")).unwrap_or_default()
    }
}

fn manifest(id: &str) -> Value {
    json!({
        "id": id, "name": "Letterbox", "version": "1.0.0", "channels": [id],
        "configSchema": { "type": "object" },
        "hongyan": { "command": ["./run", "--quiet"], "contract": 1 },
    })
}

fn write_package(root: &Path, manifest: &Value) {
    fs::create_dir_all(root).unwrap();
    fs::write(root.join("openclaw.plugin.json"), manifest.to_string()).unwrap();
    fs::write(root.join("run"), "#!/bin/sh\n").unwrap();
}

#[test]
fn the_command_of_the_documents_finds_the_channel_built_in() {
    let desk = Desk::new();
    for spec in [
        "@tencent-weixin/openclaw-weixin",
        "@tencent-weixin/openclaw-weixin@2.4.9",
        "npm:@tencent-weixin/openclaw-weixin@latest",
        "openclaw-weixin",
        "wechat",
    ] {
        let said = desk.plugins(&["install", spec]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.out.contains("\"openclaw-weixin\" is part of this program"), "{said:?}");
    }
    assert!(!desk.state().join("extensions").exists());

    assert_eq!(desk.plugins(&["disable", "weixin"]).code, Some(0));
    assert_eq!(desk.json(&["inspect", "wechat"])["status"], "disabled");
    let said = desk.plugins(&["install", "@tencent-weixin/openclaw-weixin"]);
    assert!(said.out.contains("Enabled plugin \"openclaw-weixin\"."), "{said:?}");
    assert_eq!(desk.json(&["inspect", "openclaw-weixin"])["enabled"], true);
}

/// The documents type it as an ordinary step, so it is one; what is built in is
/// switched off, and whatever else there is stays.
#[test]
fn what_is_built_in_is_switched_off_by_uninstalling_it_and_comes_back() {
    let desk = Desk::new();
    fs::create_dir(desk.state()).unwrap();
    let own = "// mine\n{ channels: { weixin: { name: 'x' } } }\n";
    fs::write(desk.state().join("config.json5"), own).unwrap();
    let dry = desk.json(&["uninstall", "openclaw-weixin", "--dry-run"]);
    let expected =
        json!({ "id": "openclaw-weixin", "bundled": true, "dryRun": true, "enabled": true });
    assert_eq!((dry, desk.config().as_str()), (expected, own));

    for back in [&["install", "@tencent-weixin/openclaw-weixin"][..], &["enable", "weixin"]] {
        let said = desk.plugins(&["uninstall", "@tencent-weixin/openclaw-weixin"]);
        let expected = "Plugin \"openclaw-weixin\" is part of this program, so it is switched off \
                        and not removed. Logins, settings and what was said stay.\nGet it back \
                        with `hongyan plugins enable openclaw-weixin`.\nSaved for the next gateway \
                        start.\n";
        assert_eq!((said.code, said.out.as_str()), (Some(0), expected), "{said:?}");
        assert_eq!(desk.json(&["inspect", "weixin"])["status"], "disabled");
        let config = desk.config();
        assert!(config.starts_with("// mine\n") && config.contains("name: 'x'"), "{config}");
        assert_eq!(desk.plugins(back).code, Some(0));
        assert_eq!(desk.json(&["inspect", "weixin"])["status"], "enabled");
    }
}

#[test]
fn without_anybody_to_ask_an_installation_needs_two_words() {
    let desk = Desk::new();
    let path = desk.package("letterbox");
    let path = path.to_str().unwrap();
    let said = desk.plugins(&["install", path]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    let cancelled = "Install cancelled; rerun with --force after reviewing the source.";
    assert!(said.err.contains("WARNING - ") && said.err.contains(cancelled), "{said:?}");

    let said = desk.plugins(&["install", path, "--force"]);
    assert_eq!(said.code, Some(1));
    for part in ["requires capability consent", "channels: letterbox", "./run --quiet"] {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
    assert!(said.err.contains("--accept-capabilities"), "{said:?}");
    assert_eq!(fs::read_dir(desk.state().join("extensions")).unwrap().count(), 0);
    assert_eq!(desk.config(), "");

    let said = desk.plugins(&["install", path, "--force", "--accept-capabilities"]);
    let expected = "Installed plugin: letterbox\nSaved for the next gateway start.\n";
    assert_eq!((said.code, said.out.as_str()), (Some(0), expected), "{said:?}");
}

#[test]
fn a_plugin_lives_from_installation_to_uninstallation() {
    let desk = Desk::new();
    fs::create_dir(desk.state()).unwrap();
    let own = "// mine\n{ channels: { letterbox: { a: 1 }, other: {} } }\n";
    fs::write(desk.state().join("config.json5"), own).unwrap();
    let path = desk.package("letterbox");
    assert_eq!(desk.install(&path).code, Some(0));
    let listed = desk.json(&["list"])["plugins"].clone();
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["letterbox", "openclaw-weixin"]);
    assert_eq!(listed[0]["install"]["source"], "path");
    assert!(desk.config().starts_with("// mine\n"), "{}", desk.config());
    assert!(desk.plugins(&["list"]).out.starts_with("Plugins (2/2 enabled)\n"));

    for (word, text) in [("disable", "Disabled"), ("disable", "Disabled"), ("enable", "Enabled")] {
        let said = desk.plugins(&[word, "letterbox"]);
        let expected = format!("{text} plugin \"letterbox\". Saved for the next gateway start.\n");
        assert_eq!((said.code, said.out), (Some(0), expected));
    }

    let mut newer = manifest("letterbox");
    newer["version"] = json!("1.1.0");
    write_package(&path, &newer);
    let said = desk.plugins(&["update", "letterbox", "--dry-run"]);
    assert!(said.out.contains("would be updated: 1.0.0 → 1.1.0"), "{said:?}");
    assert_eq!(desk.json(&["inspect", "letterbox"])["version"], "1.0.0");
    let said = desk.plugins(&["update", "--all"]);
    let updated =
        "Updated plugin \"letterbox\": 1.0.0 → 1.1.0\nSaved for the next gateway start.\n";
    assert_eq!(said.out, updated, "{said:?}");

    let said = desk.plugins(&["uninstall", "letterbox"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("requires confirmation input"), "{said:?}");
    let said = desk.plugins(&["uninstall", "letterbox", "--dry-run"]);
    let folder = desk.state().join("extensions/letterbox");
    let preview = format!(
        "Plugin: Letterbox (letterbox)\nWill remove: plugin settings, install record, \
         channel config (channels.letterbox), directory: {}\n",
        folder.display()
    );
    assert_eq!(said.out, format!("{preview}Dry run, no changes made.\n"), "{said:?}");
    assert!(folder.exists());
    let said = desk.plugins(&["uninstall", "letterbox", "--force"]);
    let done = "Uninstalled plugin \"letterbox\". Removed: plugin settings, install record, \
                channel config, directory.\nSaved for the next gateway start.\n";
    assert_eq!((said.code, said.out), (Some(0), format!("{preview}{done}")));
    assert!(!folder.exists() && path.exists());
    let config = desk.config();
    assert!(config.starts_with("// mine\n") && config.contains("other"), "{config}");
    assert!(!config.contains("letterbox"), "{config}");
}

#[test]
fn a_linked_folder_is_used_where_it_lies() {
    let desk = Desk::new();
    let path = desk.package("letterbox");
    let said = desk.plugins(&["install", "-l", path.to_str().unwrap(), "--accept-capabilities"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let found = desk.json(&["inspect", "letterbox"]);
    assert_eq!((&found["origin"], &found["source"]), (&json!("load-path"), &json!(path)));
    // Its channel's section is known from then on.
    let state = desk.state();
    let set = ["config", "set", "channels.letterbox.dmPolicy", "open"];
    let (code, stdout, stderr) = crate::program::says(&state, &set);
    assert!(code == Some(0) && !(stdout + &stderr).contains("Unrecognized"), "{set:?}");
    let said = desk.plugins(&["uninstall", "letterbox", "--force"]);
    assert!(said.out.contains("Stays where it is"), "{said:?}");
    assert!(path.exists() && !desk.config().contains("letterbox"), "{}", desk.config());
}

#[test]
fn what_cannot_be_done_says_why_and_what_can() {
    let desk = Desk::new();
    let check = |args: &[&str], parts: &[&str]| {
        let said = desk.plugins(args);
        assert_eq!(said.code, Some(1), "{said:?}");
        for part in parts {
            assert!(said.err.contains(part), "{part}: {said:?}");
        }
    };
    check(&["install", "/x.tgz"], &["Plugin path not found: /x.tgz"]);
    for spec in ["npm:other", "other@1.0", "clawhub:other", "git:github.com/a/b"] {
        check(&["install", spec], &["fetches no plugins from the internet", "tarball"]);
    }
    for word in ["enable", "disable", "inspect", "update"] {
        check(&[word, "nope"], &["Plugin not found: nope.", "hongyan plugins list"]);
    }
    check(&["uninstall", "nope", "--force"], &["Plugin not found: nope."]);

    let path = desk.package("javascript");
    let mut papers = manifest("javascript");
    papers.as_object_mut().unwrap().remove("hongyan");
    write_package(&path, &papers);
    let force = |path: &Path| path.to_str().unwrap().to_owned();
    let path = force(&path);
    let args = ["install", &path, "--force", "--accept-capabilities"];
    check(&args, &["runs inside OpenClaw only", "openclaw plugins install"]);

    let path = desk.package("specx");
    let needs = json!({ "openclaw": { "install": { "minHostVersion": ">=2027.1.1" } } });
    fs::write(path.join("package.json"), needs.to_string()).unwrap();
    let path = force(&path);
    let args = ["install", &path, "--force", "--accept-capabilities"];
    let text = "plugin \"specx\" requires OpenClaw >=2027.1.1, but this host is 2026.9.6";
    check(&args, &[text, "upgrade Hongyan"]);

    assert_eq!(desk.install(&desk.package("letterbox")).code, Some(0));
    let linked = desk.package("letterbox");
    let args = ["install", "-l", linked.to_str().unwrap(), "--accept-capabilities"];
    check(&args, &["plugin already exists: ", "--force"]);
    let said = desk.plugins(&["update", "openclaw-weixin"]);
    assert_eq!(said.code, Some(0));
    assert!(said.err.contains("is updated with it"), "{said:?}");
}

#[test]
fn a_hostile_archive_leaves_nothing() {
    let desk = Desk::new();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..7].copy_from_slice(b"../evil");
    header.set_size(4);
    header.set_cksum();
    builder.append(&header, &b"evil"[..]).unwrap();
    let path = desk.dir.path().join("evil.tar");
    fs::write(&path, builder.into_inner().unwrap()).unwrap();
    let said = desk.install(&path);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("\"../evil\" leads upwards"), "{said:?}");
    assert_eq!(fs::read_dir(desk.state().join("extensions")).unwrap().count(), 0);
}

#[test]
fn the_doctor_answers_as_openclaws_does() {
    let desk = Desk::new();
    let said = desk.plugins(&["doctor"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "No plugin issues detected.\n"));
    let expected = json!({
        "ok": true, "pluginErrors": [], "diagnostics": [], "sourceShadowing": [],
        "compatibility": [], "configurationWarnings": [], "untracked": [],
    });
    assert_eq!(desk.json(&["doctor"]), expected);

    fs::create_dir_all(desk.state().join("extensions/broken")).unwrap();
    let said = desk.plugins(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &report["ok"]), (Some(1), &json!(false)));
    assert_eq!(report["pluginErrors"][0]["id"], "broken");
}

#[test]
fn people_are_answered_in_their_language() {
    let desk = Desk::new();
    let said = desk.plugins(&["--lang", "zh", "uninstall", "weixin", "--force"]);
    assert!(said.out.contains("内置于本程序，因此只是停用而不移除"), "{said:?}");
}

#[test]
fn a_configuration_that_cannot_be_read_is_not_overwritten() {
    let desk = Desk::new();
    fs::create_dir(desk.state()).unwrap();
    fs::write(desk.state().join("config.json5"), "{ plugins: ").unwrap();
    let said = desk.install(&desk.package("letterbox"));
    assert_eq!(said.code, Some(78), "{said:?}");
    assert_eq!(desk.config(), "{ plugins: ");
    assert!(!desk.state().join("extensions").exists());
}

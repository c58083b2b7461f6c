//! Changes of the file by programs.

use config::{Edit, EditError, How, Path, Schema};
use serde_json::{Value, json};

use crate::folder::{Folder, path};

fn set(at: &str, value: Value) -> Edit {
    Edit::Set { path: path(at), value, how: How::Set }
}

fn unset(at: &str) -> Edit {
    Edit::Unset { path: path(at) }
}

/// Does edits and returns what of the file has changed.
fn edit(folder: &Folder, edits: &[Edit]) -> Result<Vec<String>, String> {
    let schema = Schema::standard();
    let draft = folder
        .file()
        .edit(edits, &|path| schema.keeps_entries(path), |_| Ok(()))
        .map_err(|err| err.to_string())?;
    Ok(draft.changes().iter().map(Path::to_string).collect())
}

const COMMENTED: &str = "// Mine.
{
  // The gateway.
  gateway: {
    port: 1, // the port
    'mode': \"local\", /* how */
    auth: { token: '${KEY}' },
  },
  unknown: [1, /* two */ 2],
}
";

#[test]
fn an_edit_keeps_comments_order_unknown_keys_and_names_of_variables() {
    let folder = Folder::with(COMMENTED).variable("KEY", "secret");
    let changed = edit(&folder, &[set("gateway.port", json!(2)), set("unknown[1]", json!([3]))]);
    assert_eq!(changed.unwrap(), ["gateway.port", "unknown"]);
    let expected = COMMENTED.replace("port: 1", "port: 2").replace("*/ 2]", "*/ [3]]");
    assert_eq!(folder.text("config.json5"), expected);

    edit(&folder, &[set("session.dmScope", json!("main")), unset("gateway.mode")]).unwrap();
    let text = folder.text("config.json5");
    for kept in ["// Mine.", "// The gateway.", "// the port", "/* two */", "token: '${KEY}'"] {
        assert!(text.contains(kept), "{kept} is gone: {text}");
    }
    let said = folder.file().read().unwrap().authored;
    assert_eq!(said["session"], json!({"dmScope": "main"}));
    assert_eq!(said["gateway"], json!({"port": 2, "auth": {"token": "${KEY}"}}));
}

#[test]
fn a_file_that_is_not_there_is_made_and_only_its_owner_can_read_it() {
    let folder = Folder::empty();
    edit(&folder, &[set("a.b[0]", json!(1))]).unwrap();
    assert_eq!(folder.file().read().unwrap().authored, json!({"a": {"b": [1]}}));
    assert_eq!(folder.names(), ["config.json5", "config.json5.lock"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path("config.json5")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn five_older_versions_are_kept_and_nothing_is_written_without_a_change() {
    let folder = Folder::with("{n: 0}");
    for n in [1, 1, 2, 3, 4, 5, 6] {
        edit(&folder, &[set("n", json!(n))]).unwrap();
    }
    let copies = [".bak", ".bak.1", ".bak.2", ".bak.3", ".bak.4"];
    let copies = copies.map(|suffix| folder.text(&format!("config.json5{suffix}")));
    assert_eq!(copies, ["{n: 5}", "{n: 4}", "{n: 3}", "{n: 2}", "{n: 1}"]);
    assert_eq!(folder.names().len(), 7, "{:?}", folder.names());
}

#[test]
fn a_value_of_an_included_file_is_changed_there() {
    let main =
        "{agents: {$include: 'agents.json5'}, session: {$include: 'session.json5', mainKey: 'x'}}";
    let folder = Folder::with(main);
    folder.write("agents.json5", "{ /* all */ entries: {a: {$include: 'a.json5'}} }");
    folder.write("a.json5", "{name: 'A'}");
    folder.write("session.json5", "{dmScope: 'main'}");
    edit(&folder, &[set("agents.entries.a.name", json!("B"))]).unwrap();
    assert_eq!(
        (folder.text("config.json5"), folder.text("a.json5")),
        (main.into(), "{name: \"B\"}".into())
    );

    edit(&folder, &[set("session.dmScope", json!("per-peer")), set("session.mainKey", json!("y"))])
        .unwrap();
    assert_eq!(folder.text("session.json5"), "{dmScope: \"per-peer\"}");
    assert_eq!(folder.text("config.json5"), main.replace("'x'", "\"y\""));

    // The whole of what is included is replaced in its own file.
    edit(
        &folder,
        &[Edit::Set { path: path("agents"), value: json!({"defaults": {}}), how: How::Replace }],
    )
    .unwrap();
    assert_eq!(folder.file().read().unwrap().authored["agents"], json!({"defaults": {}}));
    assert!(folder.text("config.json5").contains("$include: 'agents.json5'"));
    assert!(folder.names().contains(&"agents.json5.bak".to_owned()));
}

#[test]
fn what_several_includes_say_is_not_pretended_to_be_changed() {
    let folder = Folder::with("{a: {$include: ['x.json5', 'y.json5']}}");
    folder.write("x.json5", "{list: [1], n: 1}");
    folder.write("y.json5", "{list: [2]}");
    // Beside the include a plain value wins, a list would be added.
    assert_eq!(edit(&folder, &[set("a.n", json!(2))]).unwrap(), ["a.n"]);
    let refused = edit(&folder, &[set("a.list", json!([3]))]).unwrap_err();
    assert!(refused.contains("a.list is also set by an included file"), "{refused}");
    assert!(edit(&folder, &[unset("a.list")]).unwrap_err().contains("included"));
}

#[test]
fn an_edit_that_does_not_fit_changes_nothing() {
    let folder = Folder::with(COMMENTED);
    for (edits, why) in [
        (vec![set("gateway.port.x", json!(1))], "gateway.port is neither an object nor a list"),
        (vec![set("unknown[5]", json!(1))], "unknown has only 2 elements"),
        (vec![set("unknown.x", json!(1))], "unknown is a list: its elements have numbers"),
        (vec![set("gateway.port", json!(5)), unset("nope")], "Config path not found: nope."),
        (
            vec![Edit::Expect { path: path("gateway.port"), value: Some(json!(7)) }],
            "Config path gateway.port is not what was expected: another number is there",
        ),
        (
            vec![Edit::Expect { path: path("gateway"), value: None }],
            "Config path gateway is not what was expected: another object is there",
        ),
    ] {
        let err = edit(&folder, &edits).unwrap_err();
        assert!(err.starts_with(why), "{err}");
        assert_eq!(folder.text("config.json5"), COMMENTED);
    }
    let refused = folder.file().edit(&[set("a", json!(1))], &|_| false, |draft| {
        assert_eq!(draft.after.effective["a"], 1);
        Err("not so".to_owned())
    });
    assert_eq!(refused.unwrap_err().to_string(), "Config validation failed: not so");
    assert_eq!(folder.names(), ["config.json5", "config.json5.lock"]);
}

#[test]
fn entries_are_not_lost_by_chance() {
    let folder = Folder::with("{plugins: {entries: {a: {enabled: true}, b: {}}}}");
    for at in ["plugins", "plugins.entries"] {
        let value = if at == "plugins" { json!({"entries": {"c": {}}}) } else { json!({"c": {}}) };
        let err = edit(&folder, &[set(at, value)]).unwrap_err();
        assert_eq!(err, "plugins.entries would lose a, b");
    }
    let how = |how| Edit::Set { path: path("plugins.entries"), value: json!({"c": {}}), how };
    edit(&folder, &[how(How::Merge)]).unwrap();
    let entries = || folder.file().read().unwrap().authored["plugins"]["entries"].clone();
    assert_eq!(entries(), json!({"a": {"enabled": true}, "b": {}, "c": {}}));
    edit(&folder, &[how(How::Replace)]).unwrap();
    assert_eq!(entries(), json!({"c": {}}));
}

#[test]
fn a_patch_is_merged_and_null_removes() {
    let folder = Folder::with("{a: {b: 1, /* c */ c: {d: 1}}, e: [1]}");
    let patch =
        json!({"a": {"b": null, "c": {"d": 2, "x": {"y": null, "z": 1}}}, "e": [2], "gone": null});
    edit(&folder, &[Edit::Patch { path: Path::root(), patch }]).unwrap();
    assert_eq!(
        folder.file().read().unwrap().authored,
        json!({"a": {"c": {"d": 2, "x": {"z": 1}}}, "e": [2]})
    );
}

#[test]
fn a_file_does_not_lose_most_of_its_text_unless_that_was_said() {
    let much = format!("{{big: '{}', n: 1}}", "x".repeat(2000));
    let folder = Folder::with(&much);
    let err = folder.file().edit(&[unset("big")], &|_| false, |_| Ok(())).unwrap_err();
    let EditError::Shrinks { rejected } = err else { panic!("{err}") };
    assert_eq!(folder.text("config.json5"), much);
    assert!(!std::fs::read_to_string(rejected).unwrap().contains("big"));
    edit(&folder, &[Edit::Set { path: path("big"), value: json!(""), how: How::Replace }]).unwrap();
    assert_eq!(folder.file().read().unwrap().authored["big"], "");
}

#[test]
fn a_read_only_configuration_stays_as_it_is() {
    let folder = Folder::with("{n: 1}").variable("OPENCLAW_CONFIG_READONLY", "1");
    let err = edit(&folder, &[set("n", json!(2))]).unwrap_err();
    assert!(err.contains("read-only"), "{err}");
    assert_eq!(folder.names(), ["config.json5"]);
}

#[test]
fn many_writers_lose_nothing() {
    let folder = Folder::with("{n: {}}");
    std::thread::scope(|scope| {
        for n in 0..8 {
            let file = folder.file();
            scope.spawn(move || {
                let at = path(&format!("n.w{n}"));
                let edit = Edit::Set { path: at, value: json!(n), how: How::Set };
                file.edit(&[edit], &|_| false, |_| Ok(())).unwrap();
            });
        }
    });
    assert_eq!(folder.file().read().unwrap().authored["n"].as_object().unwrap().len(), 8);
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_stays_a_link() {
    let folder = Folder::empty();
    folder.write("real.json5", "{n: 1}");
    std::os::unix::fs::symlink(folder.path("real.json5"), folder.path("config.json5")).unwrap();
    edit(&folder, &[set("n", json!(2))]).unwrap();
    assert!(folder.path("config.json5").is_symlink());
    assert_eq!(folder.text("real.json5"), "{n: 2}");
}

//! What the file says.

use serde_json::json;

use crate::folder::{Folder, path};

#[test]
fn json5_is_read_and_each_value_knows_where_it_was_written() {
    let folder = Folder::with("{ // mine\n  a: { 'b': [0x7, .5, +2, 1e3,], },\n}\n");
    let loaded = folder.file().read().unwrap();
    assert_eq!(loaded.effective, json!({"a": {"b": [7, 0.5, 2, 1000.0]}}));
    let at = |text| loaded.place(&path(text)).unwrap().to_string();
    let file = folder.path("config.json5").display().to_string();
    assert_eq!(at("a.b"), format!("{file}:2:8"));
    assert_eq!(at("a.b[1]"), format!("{file}:2:19"));
    assert_eq!(at("a.nowhere"), format!("{file}:2:3"), "what was not written has its parent's");
}

/// Found by fuzzing: this number was not the one that was written back.
#[test]
fn a_number_that_is_written_back_is_the_same() {
    let text = "[55599999999999999999999995555555, -9223372036854775808, 18446744073709551615]";
    let before = config::text::parse(text).unwrap();
    let after = config::text::set(text, &config::Path::root(), &before).unwrap();
    assert_eq!(config::text::parse(&after).unwrap(), before);
    assert_eq!((&before[1], &before[2]), (&json!(i64::MIN), &json!(u64::MAX)));
}

#[test]
fn a_file_that_is_not_there_says_nothing() {
    let folder = Folder::empty();
    let loaded = folder.file().read().unwrap();
    assert_eq!((loaded.effective.clone(), loaded.is_there), (json!({}), false));
}

#[test]
fn a_file_that_cannot_be_read_says_where() {
    for (text, expected) in [
        ("{\n  a: {", ":2:6: Unterminated object"),
        ("{a: 1\n b: 2}", ":1:6: Expected comma"),
        ("{a: -Infinity}", ":1:5: -Infinity is no finite number"),
        ("[]", ": it must be an object in braces"),
        ("", ":1:1: there is no value"),
        ("{$include: 7}", ":1:2: $include: it names no files"),
        ("{$include: '../x'}", " cannot be read: "),
    ] {
        let folder = Folder::with(text);
        let err = folder.file().read().unwrap_err().to_string();
        assert!(err.contains(expected), "{text}: {err}");
    }
    let folder = Folder::with(&format!("{{a: '{}'}}", "x".repeat(2 << 20)));
    assert!(folder.file().read().unwrap_err().to_string().contains("larger than"));
}

#[test]
fn included_files_are_merged_in_order_and_what_stands_beside_wins() {
    let folder = Folder::with("{x: {$include: ['a.json5', './sub/b.json5'], own: 1, list: [4]}}");
    std::fs::create_dir(folder.path("sub")).unwrap();
    folder.write("a.json5", "{list: [1], deep: {a: 1, b: 1}, own: 0}");
    folder.write("sub/b.json5", "{list: [2, 3], deep: {b: 2, c: {$include: 'c.json'}}}");
    folder.write("sub/c.json", "[7]");
    let loaded = folder.file().read().unwrap();
    assert_eq!(
        loaded.effective,
        json!({"x": {"list": [1, 2, 3, 4], "deep": {"a": 1, "b": 2, "c": [7]}, "own": 1}})
    );
    let files: Vec<_> = loaded.files().map(|it| it.file_name().unwrap().to_owned()).collect();
    assert_eq!(files, ["config.json5", "a.json5", "b.json5", "c.json"]);
    let at = |text| loaded.place(&path(text)).unwrap().file.file_name().unwrap().to_owned();
    assert_eq!((at("x.list[2]"), at("x.own")), ("b.json5".into(), "config.json5".into()));

    let before = loaded.hash();
    folder.write("sub/c.json", "[8]");
    assert_ne!(folder.file().read().unwrap().hash(), before, "an include belongs to the version");
}

#[test]
fn files_that_include_each_other_are_refused_with_the_chain() {
    let folder = Folder::with("{$include: 'a.json5'}");
    folder.write("a.json5", "{b: {$include: 'b.json5'}}");
    folder.write("b.json5", "{$include: 'a.json5'}");
    let err = folder.file().read().unwrap_err().to_string();
    let (a, b) = (folder.path("a.json5"), folder.path("b.json5"));
    let (a, b) = (a.display(), b.display());
    assert!(err.contains(&format!("Circular include detected: {a} -> {b} -> {a}")), "{err}");
}

#[cfg(unix)]
#[test]
fn no_file_outside_of_the_folder_is_included_unless_its_folder_was_named() {
    let elsewhere = Folder::with("{secret: 1}");
    let outside = elsewhere.path("config.json5");
    let folder = Folder::with(&format!("{{$include: {:?}}}", outside.to_str().unwrap()));
    let refused = |folder: &Folder| folder.file().read().unwrap_err().to_string();
    assert!(refused(&folder).contains("outside"), "{}", refused(&folder));

    let linked = Folder::with("{$include: 'link.json5'}");
    std::os::unix::fs::symlink(&outside, linked.path("link.json5")).unwrap();
    assert!(refused(&linked).contains("outside"), "a symlink leads out");

    let root = outside.parent().unwrap().to_str().unwrap().to_owned();
    let allowed = linked.variable("OPENCLAW_INCLUDE_ROOTS", &root);
    assert_eq!(allowed.file().read().unwrap().effective, json!({"secret": 1}));
}

#[test]
fn variables_are_filled_in_and_missing_ones_are_warned_of() {
    let folder = Folder::with(
        "{env: {vars: {MINE: 'own'}},\n a: '${KEY}/${MINE}', b: '$${KEY}',\n c: ['${GONE}']}",
    );
    let folder = folder.variable("KEY", "k");
    let loaded = folder.file().read().unwrap();
    assert_eq!(loaded.effective["a"], "k/own");
    assert_eq!(loaded.effective["b"], "${KEY}");
    assert_eq!(loaded.effective["c"][0], "${GONE}");
    assert_eq!(loaded.authored["a"], "${KEY}/${MINE}");
    let [warning] = loaded.warnings.as_slice() else { panic!("{:?}", loaded.warnings) };
    assert_eq!(warning.to_string(), "c[0]: the environment variable GONE is not set");
    assert_eq!(warning.place.as_ref().map(|it| it.line), Some(3));
}

#[cfg(unix)]
#[test]
fn secrets_are_found_by_reference() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::with(
        "{secrets: {providers: {
             box: {source: 'file', path: 'box.json', mode: 'json'},
             one: {source: 'file', path: 'one', mode: 'singleValue'},
             few: {source: 'env', allowlist: ['OTHER']}}},
          env1: {source: 'env', id: 'KEY'},
          box1: {source: 'file', provider: 'box', id: '/a/b'},
          one1: {source: 'file', provider: 'one', id: 'value'},
          few1: {source: 'env', provider: 'few', id: 'KEY'},
          run1: {source: 'exec', provider: 'x', id: 'y'},
          none: {source: 'file', provider: 'box', id: '/c'}}",
    );
    folder.write("box.json", "{a: {b: 'in the box'}}");
    folder.write("one", "alone\n");
    let folder = folder.variable("KEY", "k");
    for (name, mode) in [("box.json", 0o600), ("one", 0o644)] {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.path(name), mode).unwrap();
    }
    let loaded = folder.file().read().unwrap();
    assert_eq!(
        (&loaded.effective["env1"], &loaded.effective["box1"]),
        (&json!("k"), &json!("in the box"))
    );
    let mut warned: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    warned.sort();
    let expected = [
        "few1: the secret is missing: the provider's allowlist does not have KEY",
        "none: the secret is missing: ",
        "one1: the secret is missing: ",
        "run1: the secret is missing: secrets from programs (`exec`) are not supported",
    ];
    assert_eq!(warned.len(), expected.len(), "{warned:?}");
    for (warned, expected) in warned.iter().zip(expected) {
        assert!(warned.starts_with(expected), "{warned}");
    }
    assert!(warned[2].contains("others can read it"), "{}", warned[2]);
    assert!(!format!("{loaded:?}").contains("in the box"), "a secret was printed");
}

//! Whatever is edited, everything else stays.

use config::{Path, Segment, text};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A value, and how a person might have written it, with comments.
fn written(depth: u32) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("'it''s'".replace("''", "\\'")),
        Just("\"${A}\"".to_owned()),
        Just("null".to_owned()),
        Just("0x1F".to_owned()),
        Just("true".to_owned()),
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        let gap = prop_oneof![
            Just(" "),
            Just("\n  "),
            Just(" /* keep */ "),
            Just(" // keep\n"),
            Just("\n\n\t"),
            Just(""),
        ];
        let key = prop_oneof![Just("a"), Just("'b'"), Just("\"c d\""), Just("$e"), Just("f-g")];
        let key = key.prop_map(|key| if key == "f-g" { "'f-g'" } else { key });
        let entry = (gap.clone(), key, gap.clone(), inner.clone(), gap.clone());
        let entry = entry.prop_map(|(a, key, b, value, c)| format!("{a}{key}:{b}{value}{c}"));
        let item =
            (gap.clone(), inner, gap.clone()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        let ends = (gap, any::<bool>());
        prop_oneof![
            (prop::collection::vec(entry, 0..4), ends.clone())
                .prop_map(|(all, (gap, comma))| list('{', &all, gap, comma, '}')),
            (prop::collection::vec(item, 0..4), ends)
                .prop_map(|(all, (gap, comma))| list('[', &all, gap, comma, ']')),
        ]
    })
}

fn list(open: char, all: &[String], gap: &str, comma: bool, close: char) -> String {
    let comma = if comma && !all.is_empty() { "," } else { "" };
    format!("{open}{}{comma}{gap}{close}", all.join(","))
}

/// Paths to all values, and to some that are not there.
fn paths(value: &Value, at: &Path, found: &mut Vec<Path>) {
    match value {
        Value::Object(map) => {
            found.push(at.key("new"));
            for (key, value) in map {
                found.push(at.key(key));
                paths(value, &at.key(key), found);
            }
        }
        Value::Array(items) => {
            found.push(at.index(items.len()));
            for (n, value) in items.iter().enumerate() {
                found.push(at.child(Segment::Key(n.to_string())));
                paths(value, &at.index(n), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn comments(text: &str) -> usize {
    text.matches("keep").count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_value_that_is_set_is_there_and_nothing_else_changes(
        text in written(3), pick in any::<prop::sample::Index>(), deep in any::<bool>(),
    ) {
        let text = format!("// keep\n{text} // keep");
        let before = text::parse(&text).unwrap();
        let mut all = Vec::new();
        paths(&before, &Path::root(), &mut all);
        prop_assume!(!all.is_empty());
        let path = &all[pick.index(all.len())];
        let value = if deep { json!({"x": ["${B}", {"y": 1}]}) } else { json!("new\n\"value\"") };

        let after = text::set(&text, path, &value).unwrap();
        let said = text::parse(&after).unwrap();
        prop_assert_eq!(path.get(&said), Some(&value));
        let inside = path.get(&before).is_some_and(|it| it.is_object() || it.is_array());
        prop_assert!(inside || comments(&after) == comments(&text), "{} -> {}", text, after);

        // There and back again: all else is what it was.
        let back = match path.get(&before) {
            Some(old) => text::set(&after, path, old).unwrap(),
            None => text::unset(&after, path).unwrap().unwrap(),
        };
        prop_assert_eq!(text::parse(&back).unwrap(), before);
    }

    #[test]
    fn a_value_that_is_removed_is_gone_and_nothing_else_changes(
        text in written(3), pick in any::<prop::sample::Index>(),
    ) {
        let before = text::parse(&text).unwrap();
        let mut all = Vec::new();
        paths(&before, &Path::root(), &mut all);
        prop_assume!(!all.is_empty());
        let path = &all[pick.index(all.len())];
        match text::unset(&text, path).unwrap() {
            None => prop_assert!(path.get(&before).is_none()),
            Some(after) => {
                prop_assert!(path.get(&before).is_some());
                let after = text::parse(&after).unwrap();
                let size = |value: &Value| value.to_string().len();
                prop_assert!(size(&after) < size(&before));
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        let path: Path = "a.b[0]".parse().unwrap();
        if let Ok(after) = text::set(&text, &path, &json!(7)) {
            let said = text::parse(&after).unwrap();
            prop_assert_eq!(path.get(&said), Some(&json!(7)));
        }
    }
}

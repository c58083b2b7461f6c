//! How values are written on the command line.

use ::config::{Edit, How, Path, text};
use serde_json::Value;

use crate::texts::t;

/// Reads a value: JSON5, or else the text as it is, unless that is forbidden.
pub(super) fn value(text: &str, is_strict: bool) -> Result<Value, String> {
    let trimmed = text.trim();
    if matches!(trimmed.trim_start_matches(['+', '-']), "Infinity" | "NaN") {
        return Err(t!("config.not_finite", value = trimmed).into_owned());
    }
    match text::parse(trimmed) {
        Ok(value) => Ok(value),
        Err(_) if is_strict => {
            let value = Value::from(text);
            Err(t!("config.not_json", value = value).into_owned())
        }
        Err(_) => Ok(Value::from(text)),
    }
}

/// Reads a batch: `[{path, value, merge?, replace?}, …]`.
pub(super) fn batch(text: &str) -> Result<Vec<Edit>, String> {
    let bad = |why: String| t!("config.bad_batch", why = why).into_owned();
    let all = text::parse(text).map_err(|err| bad(err.to_string()))?;
    let all = all.as_array().ok_or_else(|| bad("it is no list".to_owned()))?;
    all.iter()
        .enumerate()
        .map(|(n, entry)| entry_of(entry).map_err(|why| bad(format!("[{n}]: {why}"))))
        .collect()
}

fn entry_of(entry: &Value) -> Result<Edit, String> {
    let map = entry.as_object().ok_or("it is no object")?;
    let known = ["path", "value", "merge", "replace"];
    if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("{key} is not known"));
    }
    let path = map.get("path").and_then(Value::as_str).ok_or("it has no path")?;
    let path: Path = path.parse().map_err(|err: ::config::PathError| err.to_string())?;
    let value = map.get("value").ok_or("it has no value")?.clone();
    let is = |key| map.get(key) == Some(&Value::Bool(true));
    Ok(Edit::Set { path, value, how: how(is("merge"), is("replace")) })
}

pub(super) fn how(merge: bool, replace: bool) -> How {
    match (merge, replace) {
        (true, _) => How::Merge,
        (false, true) => How::Replace,
        (false, false) => How::Set,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_json5_is_typed_and_all_else_is_a_text() {
        for (text, expected) in [
            ("123", json!(123)),
            (" true ", json!(true)),
            ("null", json!(null)),
            ("'\"123\"'", json!("\"123\"")),
            ("\"123\"", json!("123")),
            ("{a: [1,], }", json!({"a": [1]})),
            ("lan", json!("lan")),
            ("http://x", json!("http://x")),
            ("12 34", json!("12 34")),
            ("", json!("")),
            ("${KEY}", json!("${KEY}")),
        ] {
            assert_eq!(value(text, false), Ok(expected), "{text}");
        }
        assert!(value("lan", true).unwrap_err().contains("Could not parse \"lan\" as JSON"));
        assert!(value("-Infinity", false).is_err());
    }

    #[test]
    fn a_batch_is_read_and_says_which_entry_is_wrong() {
        let edits =
            batch("[{path: 'a.b', value: 1}, {path: 'c', value: {}, merge: true}]").unwrap();
        assert_eq!(edits.len(), 2);
        assert!(matches!(&edits[1], Edit::Set { how: How::Merge, .. }));
        for (text, why) in [
            ("{}", "no list"),
            ("[{path: 'a'}]", "[0]: it has no value"),
            ("[{path: 'a..b', value: 1}]", "[0]: Invalid path (empty segment): a..b"),
            ("[{path: 'a', value: 1, ref: 1}]", "[0]: ref is not known"),
        ] {
            let err = batch(text).unwrap_err();
            assert!(err.contains(why), "{err}");
        }
    }
}

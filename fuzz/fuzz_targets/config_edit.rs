//! Any bytes as a configuration: no panic; what is read is still read after an
//! edit, with the new value in its place and all else as it was.

#![no_main]

use config::{Path, text};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|input: (u8, &str, &str)| {
    let (kind, at, written) = input;
    let Ok(before) = text::parse(written) else { return };
    let path = at.parse().unwrap_or_else(|_| somewhere(&before, kind));
    let value = match kind % 4 {
        0 => json!(7),
        1 => json!(at),
        2 => json!({"x": [at, {"y": null}]}),
        _ => json!([]),
    };
    if let Ok(after) = text::set(written, &path, &value) {
        let after_value = text::parse(&after).expect("an edited text is read");
        assert_eq!(path.get(&after_value), Some(&value));
        // Put back, everything is as it was.
        if let Some(old) = path.get(&before) {
            let back = text::set(&after, &path, old).expect("what was there fits");
            assert_eq!(text::parse(&back).expect("an edited text is read"), before);
        }
    }
    match text::unset(written, &path) {
        Ok(Some(after)) => {
            assert_ne!(text::parse(&after).expect("an edited text is read"), before);
        }
        Ok(None) => assert!(path.is_root() || path.get(&before).is_none()),
        Err(_) => {}
    }
});

/// Follows the first or the last entry of each object and list.
fn somewhere(value: &Value, mut turns: u8) -> Path {
    let (mut path, mut value) = (Path::root(), value);
    loop {
        let is_first = turns & 1 == 0;
        turns >>= 1;
        value = match value {
            Value::Object(map) => {
                let mut entries = map.iter();
                let entry = if is_first { entries.next() } else { entries.next_back() };
                let Some((key, below)) = entry else { return path };
                path = path.key(key);
                below
            }
            Value::Array(items) if !items.is_empty() => {
                let index = if is_first { 0 } else { items.len() - 1 };
                path = path.index(index);
                &items[index]
            }
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return path;
            }
        };
        if turns == 0 {
            return path;
        }
    }
}

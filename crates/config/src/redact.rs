//! What is never shown.

use serde_json::Value;

use crate::file::Loaded;
use crate::path::{Path, Segment};
use crate::schema::Schema;

/// Stands for a secret where it would be shown.
pub const REDACTED: &str = "__HONGYAN_REDACTED__";

/// Ends of names whose values are secrets, whatever a schema says.
const SECRETS: [&str; 7] =
    ["token", "password", "passphrase", "secret", "apikey", "privatekey", "authorization"];

/// Returns what holds at a path, with secrets replaced.
///
/// Secret is what the schema calls `writeOnly`, what has the name of a secret,
/// and what was referred to. `${NAME}` without a value is no secret.
#[must_use]
pub fn redacted(loaded: &Loaded, schema: &Schema, path: &Path) -> Option<Value> {
    let mut value = path.get(&loaded.effective)?.clone();
    hide(loaded, schema, path, &mut value);
    Some(value)
}

fn hide(loaded: &Loaded, schema: &Schema, at: &Path, value: &mut Value) {
    match value {
        Value::Array(items) => {
            for (n, item) in items.iter_mut().enumerate() {
                hide(loaded, schema, &at.index(n), item);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                hide(loaded, schema, &at.key(key), value);
            }
        }
        Value::String(text) => {
            let is_filled = loaded.filled.contains(at);
            let is_secret = is_named_so(at) || schema.is_secret(at);
            // As it was written, and so no secret yet.
            let is_open = !is_filled && text.starts_with("${") && text.ends_with('}');
            let is_reference = path_is_object(loaded, at);
            if !text.is_empty() && !is_open && (is_secret || is_reference) {
                REDACTED.clone_into(text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Says whether a reference was written where now a text stands.
fn path_is_object(loaded: &Loaded, at: &Path) -> bool {
    at.get(&loaded.authored).is_some_and(Value::is_object)
}

fn is_named_so(path: &Path) -> bool {
    // An element of a list is called as the list is.
    let names = path.segments().iter().rev();
    let name = names.into_iter().find_map(|step| match step {
        Segment::Key(key) => Some(key),
        Segment::Index(_) => None,
    });
    name.is_some_and(|name| {
        let name: String =
            name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        SECRETS.iter().any(|end| name.ends_with(end))
    })
}

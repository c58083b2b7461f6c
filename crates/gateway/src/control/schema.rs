//! Shapes of what travels, as JSON Schema (2020-12), written by hand: a test
//! holds what is really answered against them.

use serde_json::{Map, Value, json};

use super::ProblemKind;
use super::routes::{request_schema, session_schema};

/// How long an id, a name or a key may be that a caller gives.
const MOST_NAME: usize = 512;

/// A closed object. A `?` behind a name says that it may be missing.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, schema) in fields {
        let (name, is_optional) = match name.strip_suffix('?') {
            Some(name) => (name, true),
            None => (name, false),
        };
        properties.insert(name.to_owned(), schema);
        if !is_optional {
            required.push(name.to_owned());
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A list of values of one shape.
pub(super) fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// Any text.
pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

/// An id, a name or a key that a caller gives.
pub(super) fn name() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": MOST_NAME })
}

/// One of these words.
pub(super) fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// Yes or no.
pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// A whole number in these bounds.
pub(super) fn number(least: i64, most: i64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// A count.
pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// A moment in milliseconds since 1970, or a number that may be below zero.
pub(super) fn integer() -> Value {
    json!({ "type": "integer" })
}

/// A value of this shape, or null.
pub(super) fn maybe(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// A shape that stands in the document under a name.
pub(super) fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The shapes that stand in the document under a name.
pub(super) fn components() -> Value {
    json!({
        "Problem": object([
            ("kind", one_of(&ProblemKind::ALL)),
            ("code", text()),
            ("message", text()),
            ("hint", text()),
        ]),
        "Conversation": object([("channel", text()), ("account", text()), ("peer", text())]),
        "Account": account(),
        "Probe": object([
            ("account", text()),
            ("ok", flag()),
            ("detail", text()),
            ("took_ms", count()),
        ]),
        "SendReport": delivery([("id", integer()), ("conversation", named("Conversation"))]),
        "OutboxEntry": delivery([
            ("id", integer()),
            ("conversation", named("Conversation")),
            ("peer_name", maybe(&text())),
            ("class", text()),
            ("excerpt", text()),
            ("attempts", count()),
            ("created_at_ms", integer()),
            ("expires_at_ms", integer()),
        ]),
        "Peer": object([
            ("conversation", named("Conversation")),
            ("name", maybe(&text())),
            ("last_inbound_at_ms", maybe(&integer())),
            ("window_left_ms", maybe(&integer())),
            ("sends_left", maybe(&count())),
            ("unconfirmed", count()),
            ("suppressed", flag()),
            ("waiting", count()),
            ("parked", count()),
        ]),
        "Session": session_schema(),
        "PairingRequest": request_schema(),
        "LogLine": object([
            ("number", count()),
            ("at_ms", integer()),
            ("level", one_of(&["error", "warn", "info", "debug", "trace"])),
            ("target", text()),
            ("message", text()),
            ("fields", json!({ "type": "object", "additionalProperties": text() })),
        ]),
    })
}

fn account() -> Value {
    object([
        ("channel", text()),
        ("account", text()),
        ("name", maybe(&text())),
        ("state", one_of(&["stopped", "starting", "polling", "degraded", "needs_login"])),
        ("reason?", text()),
        ("since_ms?", integer()),
        ("last_poll_at_ms", maybe(&integer())),
        ("last_inbound_at_ms", maybe(&integer())),
        ("last_outbound_at_ms", maybe(&integer())),
        ("inbox", count()),
        ("outbox", count()),
        ("parked", count()),
        ("failed", count()),
        ("suppressed", count()),
        ("probe?", named("Probe")),
    ])
}

/// Something that was said, with what has become of it.
fn delivery<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let states = ["queued", "sent", "unconfirmed", "parked", "failed"];
    let mut schema = object(fields);
    schema["properties"]["state"] = one_of(&states);
    for word in ["code", "until", "reason"] {
        schema["properties"][word] = text();
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.push("state".into());
    }
    schema
}

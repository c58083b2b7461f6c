//! The manual says what the schema says.

use config::Schema;
use serde_json::Value;

/// The table of the manual is this one.
#[test]
fn the_manual_lists_every_key_as_it_is() {
    let manual = include_str!("../../../../docs/config.md");
    let schema = Schema::standard();
    let mut table = "| key | default | meaning |\n|---|---|---|\n".to_owned();
    rows(schema.document(), schema.document(), "", &mut table);
    assert!(manual.ends_with(&table), "docs/config.md must end with:\n{table}");
}

fn rows(root: &Value, node: &Value, at: &str, table: &mut String) {
    let meant = node["$ref"].as_str().and_then(|it| root.pointer(it.trim_start_matches('#')));
    let body = meant.unwrap_or(node);
    let description = node.get("description").or(body.get("description")).and_then(Value::as_str);
    let description = description.unwrap_or_default();
    if description.starts_with("OpenClaw's own") {
        return;
    }
    if !at.is_empty() {
        let default = node.get("default").map_or("none".to_owned(), |it| format!("`{it}`"));
        let words = body["enum"].as_array().map(|words| {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
            format!(" One of `{}`.", words.join("`, `"))
        });
        let words = words.unwrap_or_default();
        table.push_str(&format!("| `{at}` | {default} | {description}{words} |\n"));
    }
    for (key, below) in body["properties"].as_object().into_iter().flatten() {
        let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        rows(root, below, &at, table);
    }
    for (keyword, suffix) in [("additionalProperties", ".<name>"), ("items", "[]")] {
        if body[keyword].get("properties").is_some() || body[keyword].get("$ref").is_some() {
            rows(root, &body[keyword], &format!("{at}{suffix}"), table);
        }
    }
}

//! The schema of the channel's section, as a host checks it.

use serde_json::{Value, json};

use super::fields;

/// Returns the JSON Schema of the channel's section: our fields, and the keys
/// that belong to the host or to the official plugin's own bookkeeping, which
/// may stand in an account's part, too.
#[must_use]
pub fn schema() -> Value {
    let mut section = fields::schema();
    for part in ["/properties", "/properties/accounts/additionalProperties/properties"] {
        let Some(known) = section.pointer_mut(part) else { continue };
        for key in fields::NOT_OURS {
            known[*key] = not_ours(key);
        }
    }
    section
}

/// Says what the host makes of a key. Its type is the host's matter where it is
/// not about admission.
fn not_ours(key: &str) -> Value {
    let peers = json!({"type": "array", "items": {"type": ["string", "number"]}});
    let (mut schema, description) = match key {
        "allowFrom" => (peers, "Peers who are admitted without pairing; * stands for all."),
        "defaultAccount" => {
            (json!({"type": "string"}), "The account that is meant where none is named.")
        }
        "dmPolicy" => (
            json!({"enum": ["pairing", "allowlist", "open", "disabled"]}),
            "What becomes of strangers: a pairing code, silence, an answer, or nobody is heard.",
        ),
        "textChunkLimit" => (
            json!({"type": "integer", "minimum": 1}),
            "OpenClaw's length of a part; sending.limits.partChars counts here.",
        ),
        "groupAllowFrom" | "groupPolicy" => {
            (json!({}), "About groups, which this channel does not have.")
        }
        _ => (json!({}), "Another program's; not used here."),
    };
    schema["description"] = description.into();
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names of all settings, with dots.
    fn names(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
        let schema = schema.get("anyOf").map_or(schema, |all| &all[0]);
        match schema.get("properties").and_then(Value::as_object) {
            Some(map) => {
                for (key, schema) in map {
                    let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                    names(schema, &at, found);
                }
            }
            None => drop(found.insert(at.to_owned())),
        }
    }

    #[test]
    fn it_has_each_field_of_the_table_and_the_keys_of_others() {
        let groups: BTreeSet<_> = fields::FIELDS.iter().map(|it| it.path).collect();
        let is_leaf = |path: &&str| !fields::is_group(path) && !path.is_empty();
        let ours = groups.iter().copied().filter(is_leaf);
        let expected = |ours: &mut dyn Iterator<Item = &'static str>| {
            ours.chain(fields::NOT_OURS.iter().copied()).map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let (schema, mut told) = (schema(), BTreeSet::new());
        names(&schema, "", &mut told);
        assert!(told.remove("accounts"));
        assert_eq!(told, expected(&mut ours.clone()));

        let mut per_account = BTreeSet::new();
        names(&schema["properties"]["accounts"]["additionalProperties"], "", &mut per_account);
        let mut ours = ours.filter(|path| !fields::CHANNEL_ONLY.contains(path));
        assert_eq!(per_account, expected(&mut ours));
    }
}

//! What the configuration says about plugins.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// The section `plugins` of the configuration, with OpenClaw's keys.
///
/// Keys that are OpenClaw's alone are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PluginSettings {
    /// Whether plugins run at all; yes if it is not said.
    pub enabled: Option<bool>,
    /// If it names anyone, only those run.
    pub allow: Vec<String>,
    /// These never run.
    pub deny: Vec<String>,
    /// Where else plugins lie.
    pub load: LoadSettings,
    /// What is said about each, by id.
    pub entries: BTreeMap<String, EntrySettings>,
}

/// `plugins.load`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LoadSettings {
    /// Folders that are a plugin, or that hold some.
    pub paths: Vec<PathBuf>,
}

/// `plugins.entries.<id>`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EntrySettings {
    /// Whether it runs, if that is said.
    pub enabled: Option<bool>,
    /// What is handed to the plugin as it stands.
    pub config: Option<Value>,
}

impl PluginSettings {
    /// Reads the section; one that is not there says nothing.
    ///
    /// # Errors
    ///
    /// A value is of the wrong type.
    pub fn parse(section: &Value) -> Result<Self, serde_json::Error> {
        if section.is_null() { Ok(Self::default()) } else { Self::deserialize(section) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn openclaws_keys_are_read_and_the_others_of_its_own_are_passed_over() {
        let section = json!({
            "enabled": true, "allow": ["a"], "deny": ["b"], "load": { "paths": ["/x"] },
            "slots": { "memory": "none" }, "bundledDiscovery": "allowlist",
            "entries": { "a": { "enabled": false, "hooks": {}, "config": { "k": 1 } } },
        });
        let entry = EntrySettings { enabled: Some(false), config: Some(json!({ "k": 1 })) };
        let expected = PluginSettings {
            enabled: Some(true),
            allow: vec!["a".to_owned()],
            deny: vec!["b".to_owned()],
            load: LoadSettings { paths: vec![PathBuf::from("/x")] },
            entries: BTreeMap::from([("a".to_owned(), entry)]),
        };
        assert_eq!(PluginSettings::parse(&section).unwrap(), expected);
        assert_eq!(PluginSettings::parse(&Value::Null).unwrap(), PluginSettings::default());
        assert!(PluginSettings::parse(&json!({ "allow": "a" })).is_err());
    }
}

//! Whether a plugin runs, and why.

use serde::Serialize;

use crate::origin::Origin;
use crate::settings::PluginSettings;

/// Whether the settings let a plugin run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "status", content = "reason")]
pub enum Standing {
    /// It runs.
    Enabled(EnabledBy),
    /// It does not.
    Disabled(DisabledBy),
}

/// What lets a plugin run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnabledBy {
    /// `plugins.entries.<id>.enabled` is true.
    Entry,
    /// `plugins.allow` names it.
    Allowlist,
    /// It is part of this program.
    Bundled,
}

/// What keeps a plugin from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisabledBy {
    /// `plugins.enabled` is false.
    AllPlugins,
    /// `plugins.deny` names it.
    Denylist,
    /// `plugins.entries.<id>.enabled` is false.
    Entry,
    /// `plugins.allow` names others.
    Allowlist,
    /// Nobody has asked for it: what is not part of this program runs only
    /// when the settings name it.
    NotChosen,
}

/// Decides whether a plugin runs, as OpenClaw does for plugins that bring
/// channels. The first of `names` is its id, the others are its aliases.
#[must_use]
pub fn decide(settings: &PluginSettings, names: &[&str], origin: Origin) -> Standing {
    let names_it = |list: &[String]| list.iter().any(|name| names.contains(&name.as_str()));
    let entry = names.iter().find_map(|name| settings.entries.get(*name)?.enabled);
    if settings.enabled == Some(false) {
        return Standing::Disabled(DisabledBy::AllPlugins);
    }
    if names_it(&settings.deny) {
        return Standing::Disabled(DisabledBy::Denylist);
    }
    if entry == Some(false) {
        return Standing::Disabled(DisabledBy::Entry);
    }
    if !settings.allow.is_empty() && !names_it(&settings.allow) {
        return Standing::Disabled(DisabledBy::Allowlist);
    }
    if entry == Some(true) {
        return Standing::Enabled(EnabledBy::Entry);
    }
    if names_it(&settings.allow) {
        return Standing::Enabled(EnabledBy::Allowlist);
    }
    match origin {
        Origin::Bundled => Standing::Enabled(EnabledBy::Bundled),
        Origin::LoadPath | Origin::Installed | Origin::Untracked => {
            Standing::Disabled(DisabledBy::NotChosen)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_strongest_word_of_the_settings_decides() {
        let (on, off) = (Standing::Enabled, Standing::Disabled);
        let on_entry = json!({ "x": { "enabled": true } });
        let off_entry = json!({ "x": { "enabled": false } });
        let cases = [
            (json!({}), Origin::Bundled, on(EnabledBy::Bundled)),
            (json!({}), Origin::Installed, off(DisabledBy::NotChosen)),
            (json!({}), Origin::LoadPath, off(DisabledBy::NotChosen)),
            (json!({}), Origin::Untracked, off(DisabledBy::NotChosen)),
            (json!({ "entries": on_entry }), Origin::Untracked, on(EnabledBy::Entry)),
            (json!({ "entries": off_entry }), Origin::Bundled, off(DisabledBy::Entry)),
            (json!({ "allow": ["y"] }), Origin::Bundled, off(DisabledBy::Allowlist)),
            (
                json!({ "allow": ["y"], "entries": on_entry }),
                Origin::Installed,
                off(DisabledBy::Allowlist),
            ),
            (json!({ "allow": ["x"] }), Origin::Installed, on(EnabledBy::Allowlist)),
            (json!({ "allow": ["alias"] }), Origin::Installed, on(EnabledBy::Allowlist)),
            (
                json!({ "allow": ["x"], "entries": off_entry }),
                Origin::Installed,
                off(DisabledBy::Entry),
            ),
            (
                json!({ "deny": ["x"], "allow": ["x"], "entries": on_entry }),
                Origin::Installed,
                off(DisabledBy::Denylist),
            ),
            (json!({ "deny": ["alias"] }), Origin::Bundled, off(DisabledBy::Denylist)),
            (
                json!({ "enabled": false, "allow": ["x"], "entries": on_entry }),
                Origin::Bundled,
                off(DisabledBy::AllPlugins),
            ),
        ];
        for (section, origin, expected) in cases {
            let settings = PluginSettings::parse(&section).unwrap();
            assert_eq!(
                decide(&settings, &["x", "alias"], origin),
                expected,
                "{section} {origin:?}"
            );
        }
    }
}

//! How the configuration is changed.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};

use crate::settings::PluginSettings;

/// The configuration, as far as installing and removing plugins changes it.
pub trait ConfigEdit {
    /// Says whether something stands at a path.
    fn has(&self, path: &[&str]) -> bool;

    /// Makes all changes or none.
    ///
    /// # Errors
    ///
    /// The configuration cannot be changed; then it is as before.
    fn apply(&mut self, edits: &[Edit]) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// One change of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Puts a value at a path, in whose place nothing or something else stands.
    Set {
        /// The keys from the root.
        path: Vec<String>,
        /// What stands there then.
        value: Value,
    },
    /// Adds a text to a list, which may not be there yet, unless it has it.
    Append {
        /// The keys from the root.
        path: Vec<String>,
        /// What the list has then.
        value: String,
    },
    /// Takes a text out of a list; no change if it is not there.
    Without {
        /// The keys from the root.
        path: Vec<String>,
        /// What the list no longer has.
        value: String,
    },
    /// Removes a key; no change if it is not there.
    Remove {
        /// The keys from the root.
        path: Vec<String>,
    },
}

/// Switches a plugin on or off, and adds it to an allowlist that would keep it
/// out. The first name is its id.
pub(crate) fn switch(settings: &PluginSettings, names: &[&str], on: bool) -> Vec<Edit> {
    let enabled = path(&["plugins", "entries", entry_key(settings, names), "enabled"]);
    let mut edits = vec![Edit::Set { path: enabled, value: json!(on) }];
    if on && is_kept_out(settings, names) {
        let value = names.first().copied().unwrap_or_default().to_owned();
        edits.push(Edit::Append { path: path(&["plugins", "allow"]), value });
    }
    edits
}

/// Returns what the settings are after [`switch`].
pub(crate) fn switched(settings: &PluginSettings, names: &[&str], on: bool) -> PluginSettings {
    let mut after = settings.clone();
    let key = entry_key(settings, names).to_owned();
    after.entries.entry(key).or_default().enabled = Some(on);
    if on && is_kept_out(settings, names) {
        after.allow.extend(names.first().map(|&id| id.to_owned()));
    }
    after
}

/// Returns the name under which the settings know a plugin: an alias that is
/// there already would speak beside a second entry.
fn entry_key<'a>(settings: &PluginSettings, names: &[&'a str]) -> &'a str {
    let known = names.iter().find(|name| settings.entries.contains_key(**name));
    known.or(names.first()).copied().unwrap_or_default()
}

fn is_kept_out(settings: &PluginSettings, names: &[&str]) -> bool {
    let allow = &settings.allow;
    !allow.is_empty() && !allow.iter().any(|name| names.contains(&name.as_str()))
}

/// A folder in `plugins.load.paths`.
pub(crate) fn load_path(folder: &Path) -> Edit {
    let path = path(&["plugins", "load", "paths"]);
    Edit::Append { path, value: folder.display().to_string() }
}

/// The same, gone.
pub(crate) fn without_load_path(folder: &Path) -> Edit {
    let path = path(&["plugins", "load", "paths"]);
    Edit::Without { path, value: folder.display().to_string() }
}

pub(crate) fn path(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|&key| key.to_owned()).collect()
}

//! The configuration file, as far as plugins change it.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use ::config::{Edit as FileEdit, File, How, Path};
use ::plugins::{ConfigEdit, Edit, PluginSettings};
use serde_json::{Value, json};

use crate::error::{CliError, Kind};
use crate::texts::t;

/// The configuration file and what it says.
pub(super) struct Settings {
    file: File,
    authored: Value,
    pub(super) plugins: PluginSettings,
    is_followed: bool,
}

impl Settings {
    pub(super) fn read(path: PathBuf) -> Result<Self, CliError> {
        let file = crate::config::file(path);
        let wrong =
            |message: String| CliError::new(Kind::Config, message).hinted(t!("hint.config"));
        let loaded = file.read().map_err(|err| wrong(err.to_string()))?;
        let plugins = PluginSettings::parse(&loaded.effective["plugins"])
            .map_err(|err| wrong(format!("{}: plugins: {err}", file.path().display())))?;
        let mode = loaded.effective.pointer("/gateway/reload/mode");
        let is_followed = mode.is_none_or(|mode| mode != "off");
        Ok(Self { file, authored: loaded.authored, plugins, is_followed })
    }

    /// Says whether the file itself wants to be followed; a gateway may not have
    /// seen yet that it does not.
    pub(super) fn is_followed(&self) -> bool {
        self.is_followed
    }

    /// Returns where the file is.
    pub(super) fn path(&self) -> &std::path::Path {
        self.file.path()
    }
}

impl ConfigEdit for Settings {
    fn has(&self, path: &[&str]) -> bool {
        whole(path).get(&self.authored).is_some()
    }

    fn apply(&mut self, edits: &[Edit]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let edits = translated(edits, &self.authored);
        let draft = self.file.edit(&edits, &|_| false, |_| Ok(()))?;
        self.authored = draft.after.authored;
        Ok(())
    }
}

/// Says the edits in the words of the file, which knows lists only as a whole.
fn translated(edits: &[Edit], authored: &Value) -> Vec<FileEdit> {
    let mut said = Vec::new();
    let mut lists: BTreeMap<Path, Vec<Value>> = BTreeMap::new();
    let list_at = |path: &Path| path.get(authored).and_then(Value::as_array).cloned();
    for edit in edits {
        match edit {
            Edit::Set { path, value } => {
                let (path, value) = (whole(path), value.clone());
                said.push(FileEdit::Set { path, value, how: How::Set });
            }
            Edit::Remove { path } => {
                let path = whole(path);
                if path.get(authored).is_some() {
                    said.push(FileEdit::Unset { path });
                }
            }
            Edit::Append { path, value } => {
                let path = whole(path);
                let before = || list_at(&path).unwrap_or_default();
                let list = lists.entry(path.clone()).or_insert_with(before);
                list.retain(|kept| *kept != json!(value));
                list.push(json!(value));
            }
            Edit::Without { path, value } => {
                let path = whole(path);
                let Some(before) = list_at(&path) else { continue };
                lists.entry(path).or_insert(before).retain(|kept| *kept != json!(value));
            }
        }
    }
    let lists = lists.into_iter().filter(|(path, list)| list_at(path).as_ref() != Some(list));
    said.extend(lists.map(|(path, list)| FileEdit::Set {
        path,
        value: Value::Array(list),
        how: How::Set,
    }));
    said
}

fn whole(keys: &[impl AsRef<str>]) -> Path {
    keys.iter().fold(Path::root(), |path, key| path.key(key.as_ref()))
}

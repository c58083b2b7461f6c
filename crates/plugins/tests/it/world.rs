//! A state folder, a configuration and packages.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use plugins::install::Installed;
use plugins::records::Source;
use plugins::uninstall::Removal;
use plugins::{Bundled, ConfigEdit, Edit, House, Inventory, PluginError, PluginSettings, Version};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const OURS: Bundled = Bundled {
    id: "builtin",
    name: "Built in",
    version: "1.0.0",
    aliases: &["inner"],
    also_known_as: &["@vendor/openclaw-builtin"],
    channels: &["builtin"],
};

pub(crate) struct World {
    dir: TempDir,
    pub(crate) house: House,
    pub(crate) config: Config,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        fs::create_dir(&state).unwrap();
        let house = House::new(&state, Version::new(0, 1, 0), vec![OURS]);
        Self { dir, house, config: Config::default() }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn settings(&self) -> PluginSettings {
        PluginSettings::parse(&self.config.value["plugins"]).unwrap()
    }

    pub(crate) fn inventory(&self) -> Inventory {
        self.house.inventory(&self.settings())
    }

    /// Writes a package into a folder beside the state.
    pub(crate) fn package(&self, folder: &str, id: &str, version: &str) -> PathBuf {
        let root = self.path(folder);
        write_package(&root, &manifest(id, version));
        root
    }

    pub(crate) fn install(
        &mut self,
        path: &Path,
        source: Source,
    ) -> Result<Installed, PluginError> {
        self.replace(path, source, false)
    }

    pub(crate) fn replace(
        &mut self,
        path: &Path,
        source: Source,
        replace: bool,
    ) -> Result<Installed, PluginError> {
        let settings = self.settings();
        self.house.prepare(path, source, replace)?.install(&settings, &mut self.config)
    }

    pub(crate) fn removal(&self, name: &str) -> Result<Removal, PluginError> {
        self.house.removal(&self.inventory(), name, &self.config)
    }

    pub(crate) fn uninstall(&mut self, name: &str) {
        let removal = self.removal(name).unwrap();
        self.house.uninstall(&removal, &mut self.config).unwrap();
    }

    /// Returns what lies in the folder of plugins, hidden or not.
    pub(crate) fn extensions(&self) -> Vec<String> {
        let entries = fs::read_dir(self.house.extensions()).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(crate) fn manifest(id: &str, version: &str) -> Value {
    json!({
        "id": id, "name": "A channel", "version": version, "channels": [id],
        "configSchema": { "type": "object" },
        "hongyan": { "command": ["./run"], "contract": 1 },
    })
}

pub(crate) fn write_package(root: &Path, manifest: &Value) {
    fs::create_dir_all(root).unwrap();
    fs::write(root.join("openclaw.plugin.json"), manifest.to_string()).unwrap();
    fs::write(root.join("run"), "#!/bin/sh\n").unwrap();
}

/// A configuration in memory.
#[derive(Default)]
pub(crate) struct Config {
    pub(crate) value: Value,
    pub(crate) refuses: bool,
}

impl ConfigEdit for Config {
    fn has(&self, path: &[&str]) -> bool {
        path.iter().try_fold(&self.value, |value, key| value.get(key)).is_some()
    }

    fn apply(&mut self, edits: &[Edit]) -> Result<(), Box<dyn Error + Send + Sync>> {
        if self.refuses {
            return Err("read only".into());
        }
        for edit in edits {
            self.apply_one(edit);
        }
        Ok(())
    }
}

impl Config {
    fn at(&mut self, path: &[String]) -> &mut Value {
        path.iter().fold(&mut self.value, |value, key| &mut value[key])
    }

    fn list(&mut self, path: &[String]) -> Vec<Value> {
        self.at(path).as_array().cloned().unwrap_or_default()
    }

    fn apply_one(&mut self, edit: &Edit) {
        match edit {
            Edit::Set { path, value } => *self.at(path) = value.clone(),
            Edit::Append { path, value } => {
                let mut list = self.list(path);
                if !list.contains(&json!(value)) {
                    list.push(json!(value));
                }
                *self.at(path) = Value::Array(list);
            }
            Edit::Without { path, value } => {
                let mut list = self.list(path);
                list.retain(|kept| *kept != json!(value));
                *self.at(path) = Value::Array(list);
            }
            Edit::Remove { path } => {
                let (last, above) = path.split_last().unwrap();
                if let Some(map) = self.at(above).as_object_mut() {
                    map.remove(last);
                }
            }
        }
    }
}

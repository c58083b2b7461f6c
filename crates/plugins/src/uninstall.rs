//! Uninstalling: first told, then done.

use std::path::PathBuf;

use crate::edit::{self, ConfigEdit, Edit, path};
use crate::error::PluginError;
use crate::house::House;
use crate::install::installed;
use crate::inventory::Inventory;
use crate::records::{Records, Source};
use crate::transaction::Lock;

/// What uninstalling a plugin takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether `plugins.entries.<id>` goes.
    pub settings: bool,
    /// The channels whose section of the configuration goes.
    pub channels: Vec<String>,
    /// The folder that goes.
    pub folder: Option<PathBuf>,
    /// The folder that stays, because it is only linked.
    pub linked: Option<PathBuf>,
}

impl House {
    /// Says what uninstalling a plugin would take away, also of one whose
    /// folder is gone.
    ///
    /// # Errors
    ///
    /// It is part of this program, or nobody has installed it.
    pub fn removal(
        &self,
        inventory: &Inventory,
        name: &str,
        config: &dyn ConfigEdit,
    ) -> Result<Removal, PluginError> {
        let records = Records::read(&self.state)?;
        let (id, record) = match (inventory.find(name), records.get(name)) {
            (Some(found), _) => (found.id.as_str(), installed(found)?),
            (None, Some(record)) => (name, record),
            (None, None) => return Err(PluginError::NotFound(name.to_owned())),
        };
        let found = inventory.find(id);
        let is_linked = record.source == Source::Link;
        let channels = found.map_or(&record.accepted.channels, |found| &found.channels);
        let channels = channels.iter().filter(|channel| config.has(&["channels", channel]));
        let root = found.and_then(|found| found.root.clone());
        Ok(Removal {
            id: id.to_owned(),
            name: found.map_or(id, |found| &found.name).to_owned(),
            settings: config.has(&["plugins", "entries", id]),
            channels: channels.cloned().collect(),
            folder: root.filter(|_| !is_linked),
            linked: is_linked.then(|| record.install_path.clone()),
        })
    }

    /// Uninstalls a plugin. What it has stored elsewhere stays.
    ///
    /// Cut off, it can be done again.
    ///
    /// # Errors
    ///
    /// The configuration or the disk refuses.
    pub fn uninstall(
        &self,
        removal: &Removal,
        config: &mut dyn ConfigEdit,
    ) -> Result<(), PluginError> {
        let lock = Lock::take(&self.state)?;
        config.apply(&edits(removal)).map_err(PluginError::Config)?;
        if removal.folder.is_some() {
            lock.remove(&removal.id)?;
        }
        let mut records = lock.records().clone();
        records.remove(&removal.id);
        lock.write(&records)
    }
}

fn edits(removal: &Removal) -> Vec<Edit> {
    let id = &removal.id;
    let mut edits = vec![
        Edit::Remove { path: path(&["plugins", "entries", id]) },
        Edit::Without { path: path(&["plugins", "allow"]), value: id.clone() },
    ];
    edits.extend(removal.linked.iter().map(|folder| edit::without_load_path(folder)));
    let channels = removal.channels.iter();
    edits.extend(channels.map(|channel| Edit::Remove { path: path(&["channels", channel]) }));
    edits
}

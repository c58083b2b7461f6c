//! One installation at a time, wholly or not at all.
//!
//! Everything happens in a folder `.install-<token>` beside the plugins:
//!
//! 1. the package is unpacked into `new`, checked and moved to `ready`;
//! 2. `id` says which plugin it is;
//! 3. what was installed before moves to `old`, and `ready` to its place;
//! 4. the record with the token is written: from now on it is installed;
//! 5. the folder is removed.
//!
//! Whoever comes after a crash finds the folder, and either goes back (no
//! record) or on (record). The settings are changed before the record is
//! written; a setting of a plugin that is not there does nothing.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::PluginError;
use crate::package::is_name;
use crate::records::Records;
use crate::stage::private_folder;

const PREFIX: &str = ".install-";
const LOCK: &str = "plugins.lock";

/// Holds the right to change what is installed. Given back when dropped, and
/// by the operating system when the process ends.
pub(crate) struct Lock {
    _file: File,
    extensions: PathBuf,
    state: PathBuf,
    records: Records,
}

/// An installation that is under way. Undone when dropped before its record
/// is written.
pub(crate) struct Transaction {
    lock: Lock,
    folder: PathBuf,
    token: String,
}

impl Lock {
    /// Takes the lock and clears up after those who were cut off.
    pub(crate) fn take(state: &Path) -> Result<Self, PluginError> {
        let extensions = state.join("extensions");
        for folder in [state, &extensions] {
            if !folder.is_dir() {
                fs::create_dir_all(folder.parent().unwrap_or(folder)).map_err(disk(folder))?;
                private_folder(folder).or_else(there_already).map_err(disk(folder))?;
            }
        }
        let path = state.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(disk(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PluginError::Busy),
            Err(TryLockError::Error(err)) => return Err(disk(&path)(err)),
        }
        let records = Records::read(state)?;
        let lock = Self { _file: file, extensions, state: state.to_owned(), records };
        lock.clear_up()?;
        Ok(lock)
    }

    /// Returns the place of a plugin.
    pub(crate) fn place(&self, id: &str) -> PathBuf {
        self.extensions.join(id)
    }

    /// Returns what is installed, as nobody else can change it now.
    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    /// Writes what is installed from now on.
    pub(crate) fn write(&self, records: &Records) -> Result<(), PluginError> {
        Ok(records.write(&self.state)?)
    }

    /// Takes a plugin's folder away; false if there is none.
    pub(crate) fn remove(&self, id: &str) -> Result<bool, PluginError> {
        let place = self.place(id);
        let folder = self.extensions.join(format!("{PREFIX}{}", token()));
        private_folder(&folder).map_err(disk(&folder))?;
        // First out of sight in one step, then bit by bit.
        let moved = fs::rename(&place, folder.join("gone"));
        remove_all(&folder).map_err(disk(&folder))?;
        match moved {
            Ok(()) => {}
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(err) => return Err(disk(&place)(err)),
        }
        Ok(true)
    }

    fn clear_up(&self) -> Result<(), PluginError> {
        for folder in leftovers(&self.extensions) {
            tracing::warn!(folder = %folder.display(), "an installation was cut off; clearing up");
            settle(&folder, &self.extensions, &self.records).map_err(disk(&folder))?;
        }
        Ok(())
    }
}

impl Transaction {
    pub(crate) fn begin(lock: Lock) -> Result<Self, PluginError> {
        let token = token();
        let folder = lock.extensions.join(format!("{PREFIX}{token}"));
        private_folder(&folder).map_err(disk(&folder))?;
        Ok(Self { lock, folder, token })
    }

    /// Returns the folder to unpack into, which is not there yet.
    pub(crate) fn stage(&self) -> PathBuf {
        self.folder.join("new")
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Puts the package, which lies at or below [`Transaction::stage`], in the
    /// place of its plugin, and takes away what lies there.
    pub(crate) fn put(&self, id: &str, package: &Path) -> Result<(), PluginError> {
        let (ready, place) = (self.folder.join("ready"), self.lock.place(id));
        let put = || -> io::Result<()> {
            fs::rename(package, &ready)?;
            fs::write(self.folder.join("id"), id)?;
            if fs::symlink_metadata(&place).is_ok() {
                fs::rename(&place, self.folder.join("old"))?;
            }
            fs::rename(&ready, &place)
        };
        put().map_err(disk(&place))
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // Without the records nobody knows: whoever comes next settles it.
        let Ok(records) = Records::read(&self.lock.state) else { return };
        if let Err(err) = settle(&self.folder, &self.lock.extensions, &records) {
            tracing::warn!(folder = %self.folder.display(), error = %err, "cannot be cleared up");
        }
    }
}

/// Returns what was left by installations that were cut off, and by one that
/// is under way.
pub(crate) fn leftovers(extensions: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(extensions).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    ours.map(|entry| entry.path()).collect()
}

/// Ends an installation: back if it has no record, and then removes its folder.
fn settle(folder: &Path, extensions: &Path, records: &Records) -> io::Result<()> {
    let id = fs::read_to_string(folder.join("id")).ok().filter(|id| is_name(id));
    if let Some(id) = id {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let token = name.strip_prefix(PREFIX).unwrap_or_default();
        let is_installed = records.get(&id).is_some_and(|record| record.token == token);
        if !is_installed {
            go_back(folder, &extensions.join(id))?;
        }
    }
    remove_all(folder)
}

fn go_back(folder: &Path, place: &Path) -> io::Result<()> {
    // The new one is in its place when it is no longer `ready`, and has not been
    // taken away by one who went back before and was cut off, too.
    let undone = folder.join("undone");
    let is_in_place = !folder.join("ready").exists() && !undone.exists();
    if is_in_place && fs::symlink_metadata(place).is_ok() {
        fs::rename(place, undone)?;
    }
    match fs::rename(folder.join("old"), place) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

/// Removes a folder, or the link that stands for one.
fn remove_all(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

fn token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn there_already(err: io::Error) -> io::Result<()> {
    if err.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(err) }
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> PluginError {
    move |source| PluginError::Disk { path: path.to_owned(), source }
}

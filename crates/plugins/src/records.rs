//! What has been installed, from where, and what was agreed to.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use contract::manifest::Manifest;
use serde::{Deserialize, Serialize};

const FILE: &str = "plugins.json";
const FORMAT: u32 = 1;

/// All installations, by plugin: the file `plugins.json` of the state folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    format: u32,
    plugins: BTreeMap<String, Record>,
}

/// How one plugin was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// What it was installed from.
    pub source: Source,
    /// Where that lay; an update looks there again.
    pub source_path: PathBuf,
    /// Where the plugin lies.
    pub install_path: PathBuf,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// When, as RFC 3339 in UTC.
    pub installed_at: String,
    /// What was agreed to.
    pub accepted: Surface,
    /// Names the installation, so that one that was cut off is recognised.
    pub token: String,
}

/// What a plugin was installed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A copy of a folder.
    Path,
    /// An archive.
    Archive,
    /// A folder that is used where it lies.
    Link,
}

/// What a plugin asks for: which channels it brings and what it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surface {
    /// The channels.
    pub channels: Vec<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
}

impl Surface {
    /// Returns what a manifest asks for.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        let channels = manifest.channels.iter().map(ToString::to_string).collect();
        let command = manifest.run.as_ref().map(|run| run.command.clone());
        Self { channels, command: command.unwrap_or_default() }
    }

    /// Whether nothing here goes beyond what was agreed to before.
    #[must_use]
    pub fn is_within(&self, agreed: &Self) -> bool {
        self.command == agreed.command
            && self.channels.iter().all(|channel| agreed.channels.contains(channel))
    }
}

/// The records cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// They cannot be read or written.
    #[error("{}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// They are damaged.
    #[error("{} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A later version of this program has written them.
    #[error("{} was written by a later version of this program", path.display())]
    Later {
        /// The file.
        path: PathBuf,
    },
}

impl Default for Records {
    fn default() -> Self {
        Self { format: FORMAT, plugins: BTreeMap::new() }
    }
}

impl Records {
    /// Returns where the records of a state folder are.
    pub(crate) fn path(state: &Path) -> PathBuf {
        state.join(FILE)
    }

    /// Reads the records of a state folder; none if there are none yet.
    pub(crate) fn read(state: &Path) -> Result<Self, RecordsError> {
        let path = Self::path(state);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(RecordsError::Disk { path, source }),
        };
        // First the number alone: a later format may have other records.
        let written: Format = parse(&text, &path)?;
        if written.format > FORMAT {
            return Err(RecordsError::Later { path });
        }
        parse(&text, &path)
    }

    /// Writes the records: all of them or, if that fails, none.
    pub(crate) fn write(&self, state: &Path) -> Result<(), RecordsError> {
        let path = Self::path(state);
        self.replace(&path).map_err(|source| RecordsError::Disk { path, source })
    }

    fn replace(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        wholefile::replace(path, &text)
    }

    /// Returns how a plugin was installed.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Record> {
        self.plugins.get(id)
    }

    /// Returns all of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.plugins.iter().map(|(id, record)| (id.as_str(), record))
    }

    pub(crate) fn insert(&mut self, id: &str, record: Record) {
        self.plugins.insert(id.to_owned(), record);
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Record> {
        self.plugins.remove(id)
    }
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn parse<T: for<'a> Deserialize<'a>>(text: &[u8], path: &Path) -> Result<T, RecordsError> {
    let parsed = serde_json::from_slice(text);
    parsed.map_err(|source| RecordsError::Damaged { path: path.to_owned(), source })
}

//! A folder that is a plugin: what its papers say, and whether it runs here.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::manifest::Manifest;
use crate::version::{self, Version};

/// The manifest of a plugin, at the root of its folder.
pub const MANIFEST: &str = "openclaw.plugin.json";
/// The version of OpenClaw whose plugins and words this program keeps to.
pub const OPENCLAW: Version = Version::new(2026, 9, 6);
/// The version of the contract that this program speaks with plugins.
pub const CONTRACT: u32 = 1;

/// Longer papers are not read.
const LONGEST_PAPER: u64 = 1 << 20;
/// A manifest that asks for more is a mistake.
const MOST_CHANNELS: usize = 32;
const LONGEST_ID: usize = 64;

/// A plugin as it lies in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// The folder.
    pub root: PathBuf,
    /// What `openclaw.plugin.json` says.
    pub manifest: Manifest,
    /// The name of the npm package, by which people may know it.
    pub name: Option<String>,
    /// The version: the manifest's, or else that of `package.json`.
    pub version: Option<String>,
    needs: Needs,
}

/// The lowest versions a plugin asks for, as it writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Needs {
    openclaw: Option<String>,
    ours: Option<String>,
}

/// Why a folder is no plugin, or none that runs here.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The folder has no manifest.
    #[error("plugin manifest not found: {}", path.display())]
    NoManifest {
        /// Where it would be.
        path: PathBuf,
    },
    /// A paper cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The paper.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A paper is not what it has to be.
    #[error("{} is not valid: {source}", path.display())]
    Garbled {
        /// The paper.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A paper is longer than any honest one.
    #[error("{} is longer than {LONGEST_PAPER} bytes", path.display())]
    TooLong {
        /// The paper.
        path: PathBuf,
    },
    /// An id or a channel that could not be the name of a folder.
    #[error("{name:?} is no name of a plugin or a channel")]
    BadName {
        /// The name.
        name: String,
    },
    /// It is written for OpenClaw's own process and says nothing of a command.
    #[error(
        "plugin {id:?} is JavaScript that runs inside OpenClaw; here a plugin is a program of its own"
    )]
    OnlyOpenClaw {
        /// Its id.
        id: String,
    },
    /// It speaks another version of the contract.
    #[error("plugin {id:?} speaks version {wants} of the contract; this program speaks {CONTRACT}")]
    OtherContract {
        /// Its id.
        id: String,
        /// What it speaks.
        wants: u32,
    },
    /// It asks for a later OpenClaw than the one this program keeps to.
    #[error("plugin {id:?} requires OpenClaw {needs}, but this host is {OPENCLAW}")]
    NeedsOpenClaw {
        /// Its id.
        id: String,
        /// What it asks for.
        needs: String,
    },
    /// It asks for a later version of this program.
    #[error("plugin {id:?} requires Hongyan {needs}, but this is {host}")]
    NeedsHongyan {
        /// Its id.
        id: String,
        /// What it asks for.
        needs: String,
        /// What this is.
        host: Version,
    },
    /// What it asks for cannot be read.
    #[error("plugin {id:?} asks for the host version {needs:?}; it must be written as \">=x.y.z\"")]
    BadFloor {
        /// Its id.
        id: String,
        /// What it asks for.
        needs: String,
    },
    /// Its command is not a program of its own folder.
    #[error("plugin {id:?} would run {program:?}, which is no file in its folder")]
    BadCommand {
        /// Its id.
        id: String,
        /// What it would run.
        program: String,
    },
}

impl Package {
    /// Reads the papers of a folder.
    ///
    /// # Errors
    ///
    /// They are missing, unreadable, or name what cannot be named.
    pub fn read(root: &Path) -> Result<Self, PackageError> {
        let path = root.join(MANIFEST);
        let manifest: Manifest = paper(&path)?.ok_or(PackageError::NoManifest { path })?;
        let names = std::iter::once(&manifest.id).chain(&manifest.channels);
        if let Some(name) = names.take(MOST_CHANNELS + 2).find(|name| !is_name(name)) {
            return Err(PackageError::BadName { name: shortened(name) });
        }
        let npm: Npm = paper(&root.join("package.json"))?.unwrap_or_default();
        let version = manifest.version.clone().or(npm.version);
        let ours = manifest.hongyan.as_ref().and_then(|it| it.min_host_version.clone());
        let needs = Needs { openclaw: npm.openclaw.install.min_host_version, ours };
        Ok(Self { root: root.to_owned(), manifest, name: npm.name, version, needs })
    }

    /// Checks that it runs on this host, whose version is given.
    ///
    /// # Errors
    ///
    /// It asks for another host, or for no program of its own.
    pub fn check(&self, host: Version) -> Result<(), PackageError> {
        let id = || self.manifest.id.clone();
        if let Some(needs) = self.needs.openclaw.clone()
            && self.floor(&needs)? > OPENCLAW
        {
            return Err(PackageError::NeedsOpenClaw { id: id(), needs });
        }
        if let Some(needs) = self.needs.ours.clone()
            && self.floor(&needs)? > host
        {
            return Err(PackageError::NeedsHongyan { id: id(), needs, host });
        }
        let Some(hongyan) = &self.manifest.hongyan else {
            return Err(PackageError::OnlyOpenClaw { id: id() });
        };
        if hongyan.contract != CONTRACT {
            return Err(PackageError::OtherContract { id: id(), wants: hongyan.contract });
        }
        let program = hongyan.command.first().map(String::as_str).unwrap_or_default();
        if !self.has_program(program) {
            return Err(PackageError::BadCommand { id: id(), program: shortened(program) });
        }
        Ok(())
    }

    /// Returns the id and the name of the package, if it has another.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        std::iter::once(self.manifest.id.as_str()).chain(self.name.as_deref()).collect()
    }

    fn floor(&self, needs: &str) -> Result<Version, PackageError> {
        let id = || self.manifest.id.clone();
        version::floor(needs)
            .ok_or_else(|| PackageError::BadFloor { id: id(), needs: shortened(needs) })
    }

    /// Whether a program can be run: a bare word is looked for on the machine,
    /// anything else is a file of the folder, also behind its symbolic links.
    fn has_program(&self, program: &str) -> bool {
        let path = Path::new(program);
        let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if program.is_empty() || !path.components().all(is_plain) {
            return false;
        }
        if !program.contains(['/', '\\']) {
            return true;
        }
        let (Ok(root), Ok(file)) = (self.root.canonicalize(), self.root.join(path).canonicalize())
        else {
            return false;
        };
        file.starts_with(root) && file.is_file()
    }
}

/// What `package.json` says to us.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Npm {
    name: Option<String>,
    version: Option<String>,
    openclaw: NpmOpenClaw,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NpmOpenClaw {
    install: NpmInstall,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NpmInstall {
    min_host_version: Option<String>,
}

/// Whether a text can name a plugin, a channel and thereby a folder.
pub(crate) fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.len() <= LONGEST_ID
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && name.bytes().all(is_allowed)
}

/// What a stranger wrote, short enough to be shown.
fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_ID).collect()
}

/// Reads a paper; `None` if there is none.
fn paper<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, PackageError> {
    let unreadable = |source| PackageError::Unreadable { path: path.to_owned(), source };
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        // Opening a pipe would wait for somebody to write into it.
        Ok(_) => return Err(unreadable(io::Error::other("it is no file"))),
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(unreadable(err)),
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut text = Vec::new();
    file.take(LONGEST_PAPER + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LONGEST_PAPER {
        return Err(PackageError::TooLong { path: path.to_owned() });
    }
    let read = serde_json::from_slice(&text);
    read.map(Some).map_err(|source| PackageError::Garbled { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_the_name_of_a_folder() {
        for name in ["a", "my-channel", "A.b_c9", &"a".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", ".hidden", "-x", "a/b", "a\\b", "a b", "é", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
    }
}

//! A folder that is a plugin: what its papers say, and whether it runs here.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use contract::manifest::{FILE_NAME, Manifest, ManifestError};
use contract::stdio::VERSIONS;
use serde::Deserialize;

use crate::version::{self, Version};

/// The version of OpenClaw whose plugins and words this program keeps to.
pub const OPENCLAW: Version = Version::new(2026, 9, 6);

/// Longer papers are not read.
const LONGEST_PAPER: u64 = 1 << 20;
/// What a stranger wrote is not shown beyond this.
const SHOWN: usize = 64;
const LONGEST_ID: usize = 128;

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
    /// The manifest is not what it has to be.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// `package.json` is not what it has to be.
    #[error("{} is not valid: {source}", path.display())]
    Npm {
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
    /// It is written for OpenClaw's own process and says nothing of a command.
    #[error(
        "plugin {id:?} is JavaScript that runs inside OpenClaw; here a plugin is a program of its own"
    )]
    OnlyOpenClaw {
        /// Its id.
        id: String,
    },
    /// It speaks another version of the contract.
    #[error("plugin {id:?} speaks version {wants} of the contract, which this program does not")]
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
        let path = root.join(FILE_NAME);
        let text = paper(&path)?.ok_or(PackageError::NoManifest { path })?;
        let manifest = Manifest::parse(&text)?;
        // It is JSON: that has just been seen.
        let ours: Ours = serde_json::from_str(&text).unwrap_or_default();
        let path = root.join("package.json");
        let npm: Npm = match paper(&path)? {
            Some(text) => {
                serde_json::from_str(&text).map_err(|source| PackageError::Npm { path, source })?
            }
            None => Npm::default(),
        };
        let version = manifest.version.clone().or(npm.version);
        let needs = Needs {
            openclaw: npm.openclaw.install.min_host_version,
            ours: ours.hongyan.min_host_version,
        };
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
        let Some(run) = &self.manifest.run else {
            return Err(PackageError::OnlyOpenClaw { id: id() });
        };
        if !VERSIONS.contains(&run.contract) {
            return Err(PackageError::OtherContract { id: id(), wants: run.contract });
        }
        let program = run.command.first().map(String::as_str).unwrap_or_default();
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

/// What the manifest says to us besides how to run it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ours {
    hongyan: Floor,
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
    install: Floor,
}

/// The lowest version of a host.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Floor {
    min_host_version: Option<String>,
}

/// Whether a text can name a plugin and thereby a folder, as in a manifest.
pub(crate) fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.len() <= LONGEST_ID
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && name.bytes().all(is_allowed)
}

/// What a stranger wrote, short enough to be shown.
fn shortened(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// Reads a paper; `None` if there is none.
fn paper(path: &Path) -> Result<Option<String>, PackageError> {
    let unreadable = |source| PackageError::Unreadable { path: path.to_owned(), source };
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        // Opening a pipe would wait for somebody to write into it.
        Ok(_) => return Err(unreadable(io::Error::other("it is no file"))),
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(unreadable(err)),
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    file.take(LONGEST_PAPER + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LONGEST_PAPER {
        return Err(PackageError::TooLong { path: path.to_owned() });
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_the_name_of_a_folder() {
        for name in ["a", "my-channel", "A.b_c9", &"a".repeat(128)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", ".hidden", "-x", "a/b", "a\\b", "a b", "é", &"a".repeat(129)] {
            assert!(!is_name(name), "{name}");
        }
    }
}

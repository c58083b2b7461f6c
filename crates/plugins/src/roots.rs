//! Folders that a stranger could have changed.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use contract::manifest::FILE_NAME;

/// Why a plugin that is there is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// Everybody on the machine may change it.
    #[error("{} may be written by everybody on this machine", path.display())]
    WorldWritable {
        /// What may be written.
        path: PathBuf,
    },
    /// It belongs to neither the owner of the state folder nor root.
    #[error("{} belongs to another user", path.display())]
    OtherOwner {
        /// What belongs to somebody else.
        path: PathBuf,
    },
    /// A link leads out of where the plugin may lie.
    #[error("{} leads outside {}", path.display(), root.display())]
    Escapes {
        /// The link.
        path: PathBuf,
        /// What it leaves.
        root: PathBuf,
    },
    /// The same file has a second name, by which somebody else may change it.
    #[error("{} has a second name elsewhere (a hard link)", path.display())]
    HardLink {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be looked at.
    #[error("{} cannot be looked at: {why}", path.display())]
    Unreadable {
        /// What cannot be looked at.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Its papers are wrong, or it is for another host.
    #[error("{0}")]
    Unfit(String),
    /// Another plugin has a channel of the same name and goes before it.
    #[error("the channel {channel:?} is already brought by {by:?}")]
    ChannelTaken {
        /// The channel.
        channel: String,
        /// Who brings it.
        by: String,
    },
}

/// Whom plugins may belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner(Option<u32>);

impl Owner {
    /// Returns the owner of the state folder.
    pub(crate) fn of(state: &Path) -> Self {
        Self(fs::metadata(state).ok().and_then(|it| ids(&it)).map(|(owner, _)| owner))
    }

    /// Checks a folder of plugins, or one that is a plugin.
    pub(crate) fn check(self, folder: &Path) -> Result<(), Blocked> {
        let metadata = fs::metadata(folder).map_err(|err| unreadable(folder, &err))?;
        self.check_metadata(folder, &metadata)
    }

    /// Checks a plugin in a folder: nobody else may have written it, and its
    /// manifest is a file of its own.
    pub(crate) fn check_plugin(self, root: &Path, within: Option<&Path>) -> Result<(), Blocked> {
        if let Some(within) = within {
            inside(root, within)?;
        }
        self.check(root)?;
        let manifest = root.join(FILE_NAME);
        let Ok(metadata) = fs::metadata(&manifest) else { return Ok(()) };
        inside(&manifest, root)?;
        self.check_metadata(&manifest, &metadata)?;
        match links(&metadata) {
            0 | 1 => Ok(()),
            _ => Err(Blocked::HardLink { path: manifest }),
        }
    }

    fn check_metadata(self, path: &Path, metadata: &Metadata) -> Result<(), Blocked> {
        let Some((owner, mode)) = ids(metadata) else { return Ok(()) };
        if mode & 0o002 != 0 {
            return Err(Blocked::WorldWritable { path: path.to_owned() });
        }
        if owner != 0 && self.0.is_some_and(|ours| ours != owner) {
            return Err(Blocked::OtherOwner { path: path.to_owned() });
        }
        Ok(())
    }
}

fn inside(path: &Path, root: &Path) -> Result<(), Blocked> {
    let whole = |path: &Path| path.canonicalize().map_err(|err| unreadable(path, &err));
    if whole(path)?.starts_with(whole(root)?) {
        return Ok(());
    }
    Err(Blocked::Escapes { path: path.to_owned(), root: root.to_owned() })
}

fn unreadable(path: &Path, err: &io::Error) -> Blocked {
    Blocked::Unreadable { path: path.to_owned(), why: err.to_string() }
}

/// Returns the owner and the mode, where the system has such.
#[cfg(unix)]
fn ids(metadata: &Metadata) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.uid(), metadata.mode()))
}

#[cfg(not(unix))]
fn ids(_: &Metadata) -> Option<(u32, u32)> {
    None
}

#[cfg(unix)]
fn links(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn links(_: &Metadata) -> u64 {
    1
}

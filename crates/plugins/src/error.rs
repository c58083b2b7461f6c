//! Why something cannot be done with a plugin.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::package::PackageError;
use crate::records::RecordsError;
use crate::roots::Blocked;
use crate::stage::UnpackError;

/// Why something cannot be done with a plugin.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// There is no plugin of that name.
    #[error("plugin not found: {0}")]
    NotFound(String),
    /// There is nothing to install at that path.
    #[error("plugin path not found: {}", .0.display())]
    NoPath(PathBuf),
    /// It would have to be fetched, and nothing is fetched from the internet.
    #[error("{0:?} is not on this machine, and plugins are not fetched from the internet")]
    Remote(String),
    /// A link was asked for to what is no folder.
    #[error("only a folder can be linked, and {} is none", .0.display())]
    NotLinkable(PathBuf),
    /// There is one already, and it is not to be replaced.
    #[error("plugin already exists: {}", .0.display())]
    Exists(PathBuf),
    /// Its id is that of a plugin of this program.
    #[error("plugin {0:?} is part of this program and cannot be replaced")]
    Reserved(String),
    /// It is part of this program.
    #[error("plugin {0:?} is part of this program and cannot be uninstalled")]
    Bundled(String),
    /// It was not installed by this program.
    #[error("plugin {id:?} was put into {} by hand", root.display())]
    Untracked {
        /// Its id.
        id: String,
        /// Where it lies.
        root: PathBuf,
    },
    /// `plugins.deny` names it, and switching it on would not help.
    #[error("plugin {0:?} is denied by plugins.deny")]
    Denied(String),
    /// What lies there is not the plugin that was to be updated.
    #[error("{} is the plugin {found:?}, not {wanted:?}", path.display())]
    OtherPlugin {
        /// Where it lies.
        path: PathBuf,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// Somebody else is installing.
    #[error("another program is changing the plugins")]
    Busy,
    /// The package is none, or none for this host.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// It would not be run where it lies.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// It cannot be unpacked.
    #[error("{} cannot be installed: {source}", path.display())]
    Unpack {
        /// The archive or the folder.
        path: PathBuf,
        /// Why.
        source: UnpackError,
    },
    /// The records of installations cannot be used.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The configuration cannot be changed.
    #[error("the configuration cannot be changed: {0}")]
    Config(#[source] Box<dyn Error + Send + Sync>),
    /// The disk refuses.
    #[error("{}: {source}", path.display())]
    Disk {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

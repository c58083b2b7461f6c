//! Where a plugin comes from.

use serde::Serialize;

/// Where a plugin comes from. Of two with the same id, the one whose origin
/// stands first here runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A folder that `plugins.load.paths` names.
    LoadPath,
    /// The folder of installed plugins, with a record of the installation.
    Installed,
    /// This program.
    Bundled,
    /// The folder of installed plugins, where somebody has put it by hand.
    Untracked,
}

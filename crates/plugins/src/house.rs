//! Where plugins lie, and what they may become part of.

use std::path::{Path, PathBuf};

use crate::bundled::Bundled;
use crate::records::Records;
use crate::stage::Limits;
use crate::version::Version;

/// Where plugins lie, and what they may become part of.
#[derive(Clone, Debug)]
pub struct House {
    pub(crate) state: PathBuf,
    pub(crate) home: Option<PathBuf>,
    pub(crate) bundled: Vec<Bundled>,
    pub(crate) version: Version,
    pub(crate) limits: Limits,
}

impl House {
    /// Describes a host: its state folder, its own version, and the plugins
    /// that are part of it.
    #[must_use]
    pub fn new(state: &Path, version: Version, bundled: Vec<Bundled>) -> Self {
        // What is recorded must mean the same wherever the next one is started.
        let state = std::path::absolute(state).unwrap_or_else(|_| state.to_owned());
        Self { state, home: None, bundled, version, limits: Limits::default() }
    }

    /// Sets the folder that `~` stands for.
    #[must_use]
    pub fn with_home(self, home: Option<PathBuf>) -> Self {
        Self { home, ..self }
    }

    /// Sets how much a package may hold.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Returns the plugins that are part of this host.
    #[must_use]
    pub fn bundled(&self) -> &[Bundled] {
        &self.bundled
    }

    /// Returns the folder of installed plugins.
    #[must_use]
    pub fn extensions(&self) -> PathBuf {
        self.state.join("extensions")
    }

    /// Returns the file that is written whenever something has been installed,
    /// updated or removed.
    #[must_use]
    pub fn records(&self) -> PathBuf {
        Records::path(&self.state)
    }
}

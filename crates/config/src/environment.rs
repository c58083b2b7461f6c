//! What a file takes from the process that reads it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path as FilePath, PathBuf};

/// The variables of a process, and what they say of the file.
///
/// Handed in, so that nothing here reads the process. Never prints a value.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    include_roots: Vec<PathBuf>,
    is_read_only: bool,
}

/// Names by which a file may include from elsewhere, too; a list as `PATH` is.
const INCLUDE_ROOTS: [&str; 2] = ["HONGYAN_INCLUDE_ROOTS", "OPENCLAW_INCLUDE_ROOTS"];
/// Names that make the file unchangeable when they are `1`.
const READ_ONLY: [&str; 2] = ["HONGYAN_CONFIG_READONLY", "OPENCLAW_CONFIG_READONLY"];

impl Environment {
    /// Takes variables.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        let roots = INCLUDE_ROOTS.iter().filter_map(|name| variables.get(*name));
        let include_roots = roots.flat_map(std::env::split_paths);
        let include_roots = include_roots.filter(|root| root.is_absolute()).collect();
        let is_read_only =
            READ_ONLY.iter().any(|name| variables.get(*name).is_some_and(|value| value == "1"));
        Self { variables, include_roots, is_read_only }
    }

    /// Returns a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Says whether the file must not be changed.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Returns the folders beside the file's own that it may include from.
    pub(crate) fn include_roots(&self) -> &[PathBuf] {
        &self.include_roots
    }

    /// Returns a path with `~` in front replaced by the home folder, beginning
    /// at a folder when it is not whole.
    pub(crate) fn whole(&self, path: &str, folder: &FilePath) -> PathBuf {
        match (path.strip_prefix("~/"), self.get("HOME")) {
            (Some(below), Some(home)) => FilePath::new(home).join(below),
            (Some(_), None) | (None, _) => folder.join(path),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("variables", &self.variables.len()).finish()
    }
}

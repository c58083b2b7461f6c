//! A folder with a configuration in it.

use std::path::PathBuf;

use config::{Environment, File, Path};

/// Removed when dropped.
pub(crate) struct Folder {
    dir: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Folder {
    /// A folder whose `config.json5` has this text.
    pub(crate) fn with(text: &str) -> Self {
        let folder = Self::empty();
        folder.write("config.json5", text);
        folder
    }

    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of all files, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path()).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    pub(crate) fn file(&self) -> File {
        let environment = Environment::new(self.variables.clone());
        File::open(self.path("config.json5")).with_environment(environment)
    }
}

pub(crate) fn path(text: &str) -> Path {
    text.parse().unwrap()
}

//! The file, and what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::environment::Environment;
use crate::include::{Includer, Source};
use crate::node::Place;
use crate::path::Path;
use crate::secret::SecretRef;
use crate::substitute::substitute;
use crate::text::SyntaxError;

/// A configuration file that may be there.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
    environment: Environment,
}

/// What the file says, with everything that it includes.
///
/// Its `Debug` shows no values: some are secrets.
#[derive(Clone)]
pub struct Loaded {
    /// As it was written: includes merged, `${NAME}` and references as they are.
    pub authored: Value,
    /// As it holds: with the values of variables and the secrets referred to.
    pub effective: Value,
    /// What is not as it should be, and does not keep the file from being used.
    pub warnings: Vec<Warning>,
    /// Where values of variables or secrets were put in: never to be shown.
    pub filled: BTreeSet<Path>,
    /// Whether the file is there. One that is not says nothing.
    pub is_there: bool,
    pub(crate) places: BTreeMap<Path, Place>,
    pub(crate) sources: Vec<Source>,
}

/// Something in the file that cannot be what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub path: Path,
    /// Where it was written.
    pub place: Option<Place>,
    /// What.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It, or what it includes, cannot be read, or is too large.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no JSON5.
    #[error("{}:{}:{}: {}", path.display(), why.line, why.column, why.what)]
    Garbled {
        /// Which file.
        path: PathBuf,
        /// What, and where.
        why: SyntaxError,
    },
    /// Something else than an object stands at its top.
    #[error("{}: it must be an object in braces", path.display())]
    NoObject {
        /// Which file.
        path: PathBuf,
    },
    /// An include names what cannot be included.
    #[error("{place}: $include: {what}")]
    Include {
        /// Where it stands.
        place: Place,
        /// What is wrong.
        what: String,
    },
}

impl File {
    /// Names a file. Nothing is read yet.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let path = std::path::absolute(&path).unwrap_or(path);
        Self { path, environment: Environment::default() }
    }

    /// Hands in the variables of the process; without, none is set.
    #[must_use]
    pub fn with_environment(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    /// Returns where the file is.
    #[must_use]
    pub fn path(&self) -> &FilePath {
        &self.path
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Reads the file and what it includes. One that is not there says nothing.
    ///
    /// Blocks; to be called where that is allowed.
    ///
    /// # Errors
    ///
    /// When it or an include cannot be read or is no JSON5 object. Values that
    /// are wrong are no error here: [`Schema::check`](crate::Schema::check).
    pub fn read(&self) -> Result<Loaded, ConfigError> {
        self.read_with(&BTreeMap::new())
    }

    /// Reads with texts in place of what is on disk.
    pub(crate) fn read_with(
        &self,
        drafts: &BTreeMap<PathBuf, String>,
    ) -> Result<Loaded, ConfigError> {
        let mut includer = Includer::new(&self.path, self.environment.include_roots(), drafts);
        let node = match includer.read(&self.path) {
            Ok(node) => node,
            Err(ConfigError::Unreadable { path, source })
                if path == self.path && source.kind() == io::ErrorKind::NotFound =>
            {
                return Ok(Loaded::absent(&self.path));
            }
            Err(err) => return Err(err),
        };
        let authored = node.value();
        if !authored.is_object() {
            return Err(ConfigError::NoObject { path: self.path.clone() });
        }
        let mut places = BTreeMap::new();
        node.places(&Path::root(), &mut places);
        let mut loaded = Loaded {
            effective: authored.clone(),
            authored,
            warnings: Vec::new(),
            filled: BTreeSet::new(),
            is_there: true,
            places,
            sources: includer.sources,
        };
        Resolver::new(&self.environment, self.folder(), &mut loaded).resolve();
        Ok(loaded)
    }

    fn folder(&self) -> &FilePath {
        self.path.parent().unwrap_or(FilePath::new(""))
    }
}

impl Loaded {
    fn absent(path: &FilePath) -> Self {
        let source = Source { path: path.to_owned(), text: String::new(), stamp: None };
        Self {
            authored: Value::Object(Map::new()),
            effective: Value::Object(Map::new()),
            warnings: Vec::new(),
            filled: BTreeSet::new(),
            is_there: false,
            places: BTreeMap::new(),
            sources: vec![source],
        }
    }

    /// Returns what holds at a path.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Value> {
        path.get(&self.effective)
    }

    /// Returns where a value was written; that of what it stands in, when the
    /// value itself was not written.
    #[must_use]
    pub fn place(&self, path: &Path) -> Option<&Place> {
        let mut path = path.clone();
        loop {
            if let Some(place) = self.places.get(&path) {
                return Some(place);
            }
            path = path.parent()?;
        }
    }

    /// Returns why the value at a path is not what it stands for: a variable or
    /// a secret of it is missing. Such a value must not be used as a secret.
    #[must_use]
    pub fn missing(&self, path: &Path) -> Option<&Warning> {
        self.warnings.iter().find(|warning| warning.path == *path)
    }

    /// Returns all files that were read, the main one first.
    pub fn files(&self) -> impl Iterator<Item = &FilePath> {
        self.sources.iter().map(|source| source.path.as_path())
    }

    /// Returns a name for this version of all files: SHA-256 in hex.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for Source { path, text, .. } in &self.sources {
            for bytes in [path.as_os_str().as_encoded_bytes(), text.as_bytes()] {
                hash.update((bytes.len() as u64).to_le_bytes());
                hash.update(bytes);
            }
        }
        hex::encode(hash.finalize())
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.files().collect();
        f.debug_struct("Loaded").field("files", &files).finish_non_exhaustive()
    }
}

/// Puts in what is not written in the file.
struct Resolver<'a> {
    environment: &'a Environment,
    folder: &'a FilePath,
    /// `env.vars`: for names that the process does not have.
    own_variables: Value,
    loaded: &'a mut Loaded,
}

impl<'a> Resolver<'a> {
    fn new(environment: &'a Environment, folder: &'a FilePath, loaded: &'a mut Loaded) -> Self {
        let own_variables = loaded.authored["env"]["vars"].clone();
        Self { environment, folder, own_variables, loaded }
    }

    fn resolve(mut self) {
        let mut value = std::mem::take(&mut self.loaded.effective);
        self.fill_in(&Path::root(), &mut value);
        // References may use variables, so they come second.
        let secrets = value["secrets"].clone();
        self.follow(&Path::root(), &mut value, &secrets);
        self.loaded.effective = value;
    }

    fn warn(&mut self, path: &Path, message: String) {
        let place = self.loaded.place(path).cloned();
        self.loaded.warnings.push(Warning { path: path.clone(), place, message });
    }

    fn fill_in(&mut self, at: &Path, value: &mut Value) {
        match value {
            Value::String(text) => {
                let done = substitute(text, |name| {
                    let own = || self.own_variables[name].as_str().filter(|it| !it.is_empty());
                    self.environment.get(name).or_else(own)
                });
                for name in done.missing {
                    let message = format!("the environment variable {name} is not set");
                    self.warn(at, message);
                }
                if done.is_filled {
                    self.loaded.filled.insert(at.clone());
                }
                *text = done.text;
            }
            Value::Array(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    self.fill_in(&at.index(n), item);
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    self.fill_in(&at.key(key), value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn follow(&mut self, at: &Path, value: &mut Value, secrets: &Value) {
        if let Some(reference) = SecretRef::of(value) {
            match reference.resolve(secrets, self.environment, self.folder) {
                Ok(secret) => {
                    *value = Value::String(secret);
                    self.loaded.filled.insert(at.clone());
                }
                Err(why) => self.warn(at, format!("the secret is missing: {why}")),
            }
            return;
        }
        match value {
            Value::Array(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    self.follow(&at.index(n), item, secrets);
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    self.follow(&at.key(key), value, secrets);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

//! Changes of the file by programs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::change::differences;
use crate::file::{ConfigError, File, Loaded};
use crate::include::{self, Includer};
use crate::node::Place;
use crate::path::Path;
use crate::text::{self, SyntaxError, TextError};
use crate::write::{self, Lock};

/// One change. Several are done in order, all or none.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Sets a value. What is missing on the way is made.
    Set {
        /// Where.
        path: Path,
        /// To what.
        value: Value,
        /// What becomes of what is there.
        how: How,
    },
    /// Removes a value that is there.
    Unset {
        /// Where.
        path: Path,
    },
    /// Merges an object into what is at a path: objects key by key, `null`
    /// removes, anything else is set.
    Patch {
        /// Where; usually the root.
        path: Path,
        /// What is different.
        patch: Value,
    },
    /// Changes nothing, and fails the whole unless this is what was written.
    Expect {
        /// Where.
        path: Path,
        /// What must be there; `None` for nothing.
        value: Option<Value>,
    },
}

/// What becomes of a value where another one is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is replaced, but no entries are lost of maps in which each entry
    /// counts (`plugins.entries`).
    Set,
    /// An object is laid over it, key by key.
    Merge,
    /// It is replaced, whatever is lost.
    Replace,
}

/// What edits would do.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What the file says without them.
    pub before: Loaded,
    /// What it says with them.
    pub after: Loaded,
    /// The files that change, with their new texts.
    texts: BTreeMap<PathBuf, String>,
    /// Whether the person said that things may be lost.
    may_shrink: bool,
}

/// The file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It cannot be read, or could not be with the edits.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An edit does not fit what is there.
    #[error(transparent)]
    Text(#[from] TextError),
    /// There is nothing to remove.
    #[error("Config path not found: {0}. Nothing was changed.")]
    NotFound(Path),
    /// Something else is there than was expected.
    #[error("Config path {path} is not what was expected: {found}")]
    Unexpected {
        /// Where.
        path: Path,
        /// What kind of value is there.
        found: &'static str,
    },
    /// Entries would be lost.
    #[error("{path} would lose {}", lost.join(", "))]
    LosesEntries {
        /// The map.
        path: Path,
        /// Its entries that the new value does not have.
        lost: Vec<String>,
    },
    /// Only an object can be merged.
    #[error("{0}: only an object can be merged")]
    NoObject(Path),
    /// An include says something else, and the edit cannot change that.
    #[error("{0} is also set by an included file; edit that file")]
    Overruled(Path),
    /// The environment forbids changes.
    #[error("the configuration is read-only here (HONGYAN_CONFIG_READONLY)")]
    ReadOnly,
    /// The file would lose more than half of its text.
    #[error("the file would lose more than half of its text; what was refused is in {}", rejected.display())]
    Shrinks {
        /// Where the refused text lies.
        rejected: PathBuf,
    },
    /// Whoever asked for the change did not like what would come of it.
    #[error("Config validation failed: {0}")]
    Refused(String),
    /// It cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Edit {
    fn may_shrink(&self) -> bool {
        matches!(self, Self::Set { how: How::Replace, .. })
    }
}

impl Draft {
    /// Says whether the edits change anything.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !self.texts.is_empty()
    }

    /// Returns the paths whose effective values differ.
    #[must_use]
    pub fn changes(&self) -> Vec<Path> {
        differences(&self.before.effective, &self.after.effective)
    }

    /// Returns the files that would be written.
    pub fn files(&self) -> impl Iterator<Item = &FilePath> {
        self.texts.keys().map(PathBuf::as_path)
    }
}

impl File {
    /// Works out what edits would do, and writes nothing.
    ///
    /// `keeps_entries` says of a map whether its entries must not be lost by
    /// setting it ([`Schema::keeps_entries`](crate::Schema::keeps_entries)).
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or an edit does not fit it.
    pub fn draft(
        &self,
        edits: &[Edit],
        keeps_entries: &dyn Fn(&Path) -> bool,
    ) -> Result<Draft, EditError> {
        let before = self.read()?;
        let mut bench = Bench { file: self, keeps_entries, texts: BTreeMap::new() };
        let mut authored = before.authored.clone();
        for edit in edits {
            bench.apply(edit, &authored)?;
            authored = self.read_with(&bench.texts)?.authored;
        }
        let after = self.read_with(&bench.texts)?;
        let mut texts = bench.texts;
        texts.retain(|path, text| include::content(path).ok().as_ref() != Some(text));
        let may_shrink = edits.iter().any(Edit::may_shrink);
        Ok(Draft { before, after, texts, may_shrink })
    }

    /// Does edits, if `accept` likes what comes of them.
    ///
    /// Each file that changes is replaced at once, with mode 0600, after a copy
    /// was kept as `.bak`; older copies move on up to `.bak.4`. Comments, order,
    /// unknown keys and `${NAME}` stay. What stands in a file that is included
    /// by itself is changed there. Other programs that edit wait until this is
    /// done. Nothing is written when the edits change nothing.
    ///
    /// Blocks; to be called where that is allowed. A crash leaves the old file
    /// or the new one.
    ///
    /// # Errors
    ///
    /// Whatever it is, the file is as it was, with one exception: when several
    /// files change and one of them cannot be written, those before it were.
    pub fn edit(
        &self,
        edits: &[Edit],
        keeps_entries: &dyn Fn(&Path) -> bool,
        accept: impl FnOnce(&Draft) -> Result<(), String>,
    ) -> Result<Draft, EditError> {
        if self.environment().is_read_only() {
            return Err(EditError::ReadOnly);
        }
        let _lock = Lock::take(self.path())?;
        let draft = self.draft(edits, keeps_entries)?;
        if !draft.is_change() {
            return Ok(draft);
        }
        accept(&draft).map_err(EditError::Refused)?;
        // Includes first: until the main file names them, nobody reads them.
        let (main, includes): (Vec<_>, Vec<_>) =
            draft.texts.iter().partition(|(path, _)| *path == self.path());
        for (path, text) in includes.iter().chain(&main) {
            write::replace(path, text, draft.may_shrink)?;
        }
        Ok(draft)
    }
}

/// Where edits are tried out.
struct Bench<'a> {
    file: &'a File,
    keeps_entries: &'a dyn Fn(&Path) -> bool,
    /// The texts so far of files that were changed.
    texts: BTreeMap<PathBuf, String>,
}

impl Bench<'_> {
    fn apply(&mut self, edit: &Edit, authored: &Value) -> Result<(), EditError> {
        match edit {
            Edit::Expect { path, value } => match path.get(authored) {
                found if found == value.as_ref() => Ok(()),
                found => Err(EditError::Unexpected { path: path.clone(), found: name(found) }),
            },
            Edit::Unset { path } if path.get(authored).is_none() || path.is_root() => {
                Err(EditError::NotFound(path.clone()))
            }
            Edit::Unset { path } => self.change(path, None),
            Edit::Set { path, value, how: How::Merge } if value.is_object() => {
                self.lay_over(path, value, path.get(authored), false)
            }
            Edit::Set { path, how: How::Merge, .. } => Err(EditError::NoObject(path.clone())),
            Edit::Set { path, value, how } => {
                if *how == How::Set {
                    self.guard(path, value, authored)?;
                }
                self.change(path, Some(value))
            }
            Edit::Patch { path, patch } if patch.is_object() => {
                self.lay_over(path, patch, path.get(authored), true)
            }
            Edit::Patch { path, .. } => Err(EditError::NoObject(path.clone())),
        }
    }

    /// Refuses a value that would lose entries of a map in which each counts.
    fn guard(&self, path: &Path, value: &Value, authored: &Value) -> Result<(), EditError> {
        let Some(Value::Object(map)) = path.get(authored) else { return Ok(()) };
        if (self.keeps_entries)(path) {
            let lost = map.keys().filter(|key| value.get(key.as_str()).is_none());
            let lost: Vec<_> = lost.cloned().collect();
            if !lost.is_empty() {
                return Err(EditError::LosesEntries { path: path.clone(), lost });
            }
        }
        // Such a map may be deeper within: `plugins` has `entries`.
        for key in map.keys() {
            let new = value.get(key).unwrap_or(&Value::Null);
            self.guard(&path.key(key), new, authored)?;
        }
        Ok(())
    }

    fn lay_over(
        &mut self,
        path: &Path,
        over: &Value,
        current: Option<&Value>,
        null_removes: bool,
    ) -> Result<(), EditError> {
        match (over, current) {
            (Value::Object(entries), Some(Value::Object(known))) => {
                for (key, value) in entries {
                    let current = known.get(key);
                    self.lay_over(&path.key(key), value, current, null_removes)?;
                }
                Ok(())
            }
            (Value::Null, None) if null_removes => Ok(()),
            (Value::Null, Some(_)) if null_removes => self.change(path, None),
            _ if null_removes => self.change(path, Some(&without_nulls(over))),
            _ => self.change(path, Some(over)),
        }
    }

    /// Sets or removes one value, in the file that it is in.
    fn change(&mut self, path: &Path, value: Option<&Value>) -> Result<(), EditError> {
        let (file, below) = self.home(path, value.is_some())?;
        let text = self.text(&file)?;
        let text = match value {
            Some(value) if below.get(&said(&file, &text)?) == Some(value) => text,
            Some(value) => text::set(&text, &below, value)?,
            None => {
                text::unset(&text, &below)?.ok_or_else(|| EditError::Overruled(path.clone()))?
            }
        };
        self.texts.insert(file, text);
        let authored = self.file.read_with(&self.texts)?.authored;
        if is_done(path, value, &authored) {
            Ok(())
        } else {
            Err(EditError::Overruled(path.clone()))
        }
    }

    /// Returns the file in which a value is to be changed, and where in it.
    fn home(&self, path: &Path, is_set: bool) -> Result<(PathBuf, Path), EditError> {
        let mut file = self.file.path().to_owned();
        let mut walked = 0;
        let mut below = Path::root();
        let mut value = said(&file, &self.text(&file)?)?;
        loop {
            let rest = &path.segments()[walked..];
            let is_wanted = !rest.is_empty() || is_set;
            if let Some(included) =
                sole_include(&value, rest.first().map(|it| it.as_key()).as_deref())
                && is_wanted
            {
                file = self.included(&file, included)?;
                value = said(&file, &self.text(&file)?)?;
                below = Path::root();
                continue;
            }
            let Some(step) = rest.first() else { break };
            below = below.child(step.clone());
            walked += 1;
            let next = Path::root().child(step.clone()).get(&value).cloned();
            value = next.unwrap_or(Value::Null);
        }
        Ok((file, below))
    }

    fn included(&self, from: &FilePath, name: &str) -> Result<PathBuf, ConfigError> {
        let none = BTreeMap::new();
        let roots = self.file.environment().include_roots();
        let place = Place { file: Arc::from(from), line: 1, column: 1 };
        Includer::new(self.file.path(), roots, &none).locate(name, &place)
    }

    fn text(&self, file: &FilePath) -> Result<String, ConfigError> {
        if let Some(text) = self.texts.get(file) {
            return Ok(text.clone());
        }
        match include::content(file) {
            // A file that is not there begins empty.
            Err(ConfigError::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound && file == self.file.path() =>
            {
                Ok("{}\n".to_owned())
            }
            read => read,
        }
    }
}

/// Says whether an edit shows in the whole, or an include says otherwise.
fn is_done(path: &Path, value: Option<&Value>, authored: &Value) -> bool {
    let Some(value) = value else {
        // Of a list, the next element moves up.
        let above = path.parent().and_then(|above| above.get(authored));
        return above.is_some_and(Value::is_array) || path.get(authored).is_none();
    };
    // A new include shows as what it includes.
    value.get(include::KEY).is_some() || path.get(authored) == Some(value)
}

fn said(path: &FilePath, text: &str) -> Result<Value, ConfigError> {
    let garbled = |why: SyntaxError| ConfigError::Garbled { path: path.to_owned(), why };
    text::parse(text).map_err(garbled)
}

/// Returns the file that an object includes by itself, unless the key is
/// beside the include.
fn sole_include<'v>(value: &'v Value, key: Option<&str>) -> Option<&'v str> {
    let map = value.as_object()?;
    let is_beside = match key {
        Some(key) => map.contains_key(key),
        None => map.len() > 1,
    };
    map.get(include::KEY)?.as_str().filter(|_| !is_beside)
}

fn without_nulls(value: &Value) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    let kept = map.iter().filter(|(_, value)| !value.is_null());
    Value::Object(
        kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect::<Map<_, _>>(),
    )
}

fn name(value: Option<&Value>) -> &'static str {
    match value {
        None => "nothing is there",
        Some(Value::Null) => "null is there",
        Some(Value::Bool(_)) => "another boolean is there",
        Some(Value::Number(_)) => "another number is there",
        Some(Value::String(_)) => "another text is there",
        Some(Value::Array(_)) => "another list is there",
        Some(Value::Object(_)) => "another object is there",
    }
}

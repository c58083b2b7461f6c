//! `$include`: files in files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::file::ConfigError;
use crate::node::{Node, Place, Tree};
use crate::text;
use crate::watch::Stamp;

pub(crate) const KEY: &str = "$include";
/// The largest file, in bytes.
const LARGEST: u64 = 2 << 20;
/// The longest name of a file that is included, in bytes.
const LONGEST_NAME: usize = 4095;
/// The most files that one configuration is made of.
const MOST_FILES: usize = 256;
/// How deep files may include files.
const DEEPEST: usize = 10;

/// A file as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// From before it was read: what changes meanwhile counts as news.
    pub(crate) stamp: Option<Stamp>,
}

/// Reads a file and what it includes.
pub(crate) struct Includer<'a> {
    /// Folders that files may lie in, without symlinks.
    roots: Vec<PathBuf>,
    /// Texts that stand for what is on disk.
    drafts: &'a BTreeMap<PathBuf, String>,
    pub(crate) sources: Vec<Source>,
    /// The files that are being read, outermost first.
    open: Vec<PathBuf>,
}

impl<'a> Includer<'a> {
    pub(crate) fn new(
        main: &FilePath,
        more_roots: &[PathBuf],
        drafts: &'a BTreeMap<PathBuf, String>,
    ) -> Self {
        let own = main.parent().map(FilePath::to_owned);
        let roots = own.iter().chain(more_roots).filter_map(|root| fs::canonicalize(root).ok());
        Self { roots: roots.collect(), drafts, sources: Vec::new(), open: Vec::new() }
    }

    /// Reads a file with everything that it includes.
    pub(crate) fn read(&mut self, path: &FilePath) -> Result<Node, ConfigError> {
        let stamp = Stamp::of(path);
        let text = match self.drafts.get(path) {
            Some(draft) => draft.clone(),
            None => content(path)?,
        };
        let node = text::nodes(&text, &Arc::from(path))
            .map_err(|why| ConfigError::Garbled { path: path.to_owned(), why })?;
        self.sources.push(Source { path: path.to_owned(), text, stamp });
        self.open.push(path.to_owned());
        let node = self.expand(node);
        self.open.pop();
        node
    }

    /// Replaces includes in a value by what they include.
    fn expand(&mut self, node: Node) -> Result<Node, ConfigError> {
        let Node { place, tree } = node;
        let tree = match tree {
            Tree::Leaf(_) => tree,
            Tree::List(items) => {
                let items = items.into_iter().map(|item| self.expand(item));
                Tree::List(items.collect::<Result<_, _>>()?)
            }
            Tree::Object(mut entries) => {
                let include = entries.remove(KEY);
                let own = entries.into_iter();
                let own = own.map(|(key, node)| Ok((key, self.expand(node)?)));
                let own = Tree::Object(own.collect::<Result<_, ConfigError>>()?);
                let own = Node { place, tree: own };
                return match include {
                    Some(include) => self.included(&include, own),
                    None => Ok(own),
                };
            }
        };
        Ok(Node { place, tree })
    }

    fn included(&mut self, include: &Node, own: Node) -> Result<Node, ConfigError> {
        let wrong = |what: &str| ConfigError::Include {
            place: include.place.clone(),
            what: what.to_owned(),
        };
        let mut whole: Option<Node> = None;
        for name in names(&include.value()).ok_or_else(|| wrong("it names no files"))? {
            let path = self.locate(&name, &include.place)?;
            let node = self.read(&path)?;
            match &mut whole {
                Some(whole) => whole.merge(node),
                None => whole = Some(node),
            }
        }
        let mut whole = whole.ok_or_else(|| wrong("it names no files"))?;
        let has_siblings = matches!(&own.tree, Tree::Object(entries) if !entries.is_empty());
        if has_siblings {
            if !matches!(whole.tree, Tree::Object(_)) {
                return Err(wrong("beside other keys only an object can be included"));
            }
            whole.merge(own);
        }
        Ok(whole)
    }

    /// Returns the file that a name means, if it may be included.
    pub(crate) fn locate(&self, name: &str, from: &Place) -> Result<PathBuf, ConfigError> {
        let wrong = |what: String| ConfigError::Include { place: from.clone(), what };
        if name.len() > LONGEST_NAME || name.contains('\0') {
            return Err(wrong("the name is too long or has a zero in it".to_owned()));
        }
        let folder = from.file.parent().unwrap_or(FilePath::new(""));
        let path = fs::canonicalize(folder.join(name))
            .map_err(|err| wrong(format!("{name} cannot be read: {err}")))?;
        if !self.roots.iter().any(|root| path.starts_with(root)) {
            return Err(wrong(format!("{name} lies outside of the folders that may be included")));
        }
        if let Some(first) = self.open.iter().position(|open| same(open, &path)) {
            let chain = self.open[first..].iter().chain([&path]);
            let chain: Vec<_> = chain.map(|path| path.display().to_string()).collect();
            return Err(wrong(format!("Circular include detected: {}", chain.join(" -> "))));
        }
        if self.open.len() > DEEPEST || self.sources.len() >= MOST_FILES {
            return Err(wrong("too many files".to_owned()));
        }
        Ok(path)
    }
}

/// Compares a file with one whose symlinks are resolved.
fn same(path: &FilePath, canonical: &FilePath) -> bool {
    path == canonical || fs::canonicalize(path).is_ok_and(|path| path == canonical)
}

/// Returns the names of a text or a list of texts.
pub(crate) fn names(include: &Value) -> Option<Vec<String>> {
    match include {
        Value::String(name) => Some(vec![name.clone()]),
        Value::Array(names) => names.iter().map(|it| it.as_str().map(str::to_owned)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// Reads a file that is not too large.
pub(crate) fn content(path: &FilePath) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        let why = format!("it is larger than {LARGEST} bytes");
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidData, why)));
    }
    String::from_utf8(bytes)
        .map_err(|err| unreadable(io::Error::new(io::ErrorKind::InvalidData, err)))
}

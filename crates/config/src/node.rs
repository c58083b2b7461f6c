//! What a text says, each value with its place.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::path::Path;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<FilePath>,
    /// The line, counted from one.
    pub line: usize,
    /// The column in characters, counted from one.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// A value and the values in it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) tree: Tree,
}

#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// Neither an object nor a list.
    Leaf(Value),
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

impl Node {
    pub(crate) fn value(&self) -> Value {
        match &self.tree {
            Tree::Leaf(value) => value.clone(),
            Tree::List(items) => items.iter().map(Self::value).collect(),
            Tree::Object(entries) => {
                let entries = entries.iter().map(|(key, node)| (key.clone(), node.value()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// Notes where each value stands.
    pub(crate) fn places(&self, at: &Path, places: &mut BTreeMap<Path, Place>) {
        places.insert(at.clone(), self.place.clone());
        match &self.tree {
            Tree::Leaf(_) => {}
            Tree::List(items) => {
                for (n, item) in items.iter().enumerate() {
                    item.places(&at.index(n), places);
                }
            }
            Tree::Object(entries) => {
                for (key, node) in entries {
                    node.places(&at.key(key), places);
                }
            }
        }
    }

    /// Lays another value over this one: objects are merged key by key, lists
    /// follow each other, anything else is replaced.
    pub(crate) fn merge(&mut self, over: Self) {
        match (&mut self.tree, over.tree) {
            (Tree::Object(mine), Tree::Object(theirs)) => {
                for (key, node) in theirs {
                    match mine.get_mut(&key) {
                        Some(known) => known.merge(node),
                        None => drop(mine.insert(key, node)),
                    }
                }
            }
            (Tree::List(mine), Tree::List(theirs)) => mine.extend(theirs),
            (tree, theirs) => {
                *tree = theirs;
                self.place = over.place;
            }
        }
    }
}

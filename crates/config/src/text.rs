//! What a text of JSON5 says, and how it is edited. No I/O.
//!
//! An edit touches the value that it is about and nothing else: comments,
//! order, quotation marks and unknown keys stay as they were written.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstObjectProp, CstRootNode};
use jsonc_parser::errors::ParseError;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::{Number, Value};

use crate::node::{Node, Place, Tree};
use crate::path::{Path, Segment};

/// A text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} (line {line}, column {column})")]
pub struct SyntaxError {
    /// What is wrong.
    pub what: String,
    /// The line, counted from one.
    pub line: usize,
    /// The column in characters, counted from one.
    pub column: usize,
}

/// A text cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It cannot be read.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// What should be in an object or a list is below something else.
    #[error("{0} is neither an object nor a list")]
    NoContainer(Path),
    /// A list ends before the element.
    #[error("{path} has only {len} elements")]
    TooFar {
        /// The list.
        path: Path,
        /// How long it is.
        len: usize,
    },
    /// The step is no element of a list.
    #[error("{0} is a list: its elements have numbers")]
    NoIndex(Path),
    /// The text would say something else than it should: a defect of the editor.
    #[error("{0} cannot be edited in place; edit the file by hand")]
    Unfaithful(Path),
}

/// Returns what a text says.
///
/// # Errors
///
/// When it is no JSON5, is deeper than 512, or has a number that is not finite.
pub fn parse(text: &str) -> Result<Value, SyntaxError> {
    nodes(text, &Arc::from(FilePath::new(""))).map(|node| node.value())
}

/// Returns what a text says, with places.
pub(crate) fn nodes(text: &str, file: &Arc<FilePath>) -> Result<Node, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let collect = CollectOptions::default();
    let parsed = parse_to_ast(text, &collect, &options()).map_err(|err| garbled(&err))?;
    let lines = Lines::of(text, file);
    match &parsed.value {
        Some(value) => lines.node(value),
        None => Err(SyntaxError { what: "there is no value".to_owned(), line: 1, column: 1 }),
    }
}

/// JSON5 allows what the parser allows by default, and wants its commas.
fn options() -> ParseOptions {
    ParseOptions { allow_missing_commas: false, ..ParseOptions::default() }
}

fn garbled(err: &ParseError) -> SyntaxError {
    SyntaxError {
        what: err.kind().to_string(),
        line: err.line_display(),
        column: err.column_display(),
    }
}

/// Finds lines and columns.
struct Lines<'t> {
    text: &'t str,
    file: &'t Arc<FilePath>,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str, file: &'t Arc<FilePath>) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, file, starts: std::iter::once(0).chain(breaks).collect() }
    }

    fn place(&self, at: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= at);
        let before = self.text.get(self.starts[line - 1]..at).unwrap_or_default();
        Place { file: Arc::clone(self.file), line, column: before.chars().count() + 1 }
    }

    fn node(&self, value: &ast::Value<'_>) -> Result<Node, SyntaxError> {
        let tree = match value {
            ast::Value::StringLit(it) => Tree::Leaf(Value::from(it.value.as_ref())),
            ast::Value::BooleanLit(it) => Tree::Leaf(Value::from(it.value)),
            ast::Value::NullKeyword(_) => Tree::Leaf(Value::Null),
            ast::Value::NumberLit(it) => Tree::Leaf(number(it.value).ok_or_else(|| {
                let Place { line, column, .. } = self.place(it.range.start);
                SyntaxError { what: format!("{} is no finite number", it.value), line, column }
            })?),
            ast::Value::Array(it) => {
                Tree::List(it.elements.iter().map(|it| self.node(it)).collect::<Result<_, _>>()?)
            }
            ast::Value::Object(it) => Tree::Object(self.entries(it)?),
        };
        Ok(Node { place: self.place(value.range().start), tree })
    }

    /// Of two entries with one key, the later counts.
    fn entries(&self, object: &ast::Object<'_>) -> Result<BTreeMap<String, Node>, SyntaxError> {
        let entries = object.properties.iter().map(|entry| {
            let node = self.node(&entry.value)?;
            // The place of an entry is that of its key.
            let place = self.place(entry.range.start);
            Ok((entry.name.as_str().to_owned(), Node { place, ..node }))
        });
        entries.collect()
    }
}

/// Reads a number as JSON5 writes them; none for one that is not finite.
fn number(text: &str) -> Option<Value> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    if let Some(hex) = hex {
        let whole = i64::from_str_radix(hex, 16).ok()?;
        return Some(Value::from(if is_negative { -whole } else { whole }));
    }
    let sign = if is_negative { "-" } else { "" };
    let decimal = format!("{sign}{digits}");
    if let Ok(whole) = decimal.parse::<i64>() {
        return Some(Value::from(whole));
    }
    if let Ok(whole) = decimal.parse::<u64>() {
        return Some(Value::from(whole));
    }
    // Not by `serde_json`, which may miss the nearest number by a little: what
    // is written back would then be read as another one.
    let is_plain = |byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    let number = decimal.parse::<f64>().ok().filter(|_| digits.bytes().all(is_plain))?;
    Number::from_f64(number).map(Value::Number)
}

/// Returns a text in which a value is set. Objects and lists on the way are
/// made; the index behind the last element appends.
///
/// # Errors
///
/// When the text cannot be read, or something on the way is in the way.
pub fn set(text: &str, path: &Path, value: &Value) -> Result<String, TextError> {
    let expected = with(parse(text)?, path, value)?;
    let root = cst(text)?;
    let input = input(value);
    match path.segments().split_last() {
        None => root.set_value(input),
        Some((last, above)) => set_below(&root, above, last, input, path)?,
    }
    faithful(text, &root, &expected, path)
}

/// Returns a text without a value, or nothing if it was not there.
///
/// # Errors
///
/// When the text cannot be read.
pub fn unset(text: &str, path: &Path) -> Result<Option<String>, TextError> {
    let before = parse(text)?;
    let Some((last, above)) = path.segments().split_last() else { return Ok(None) };
    if path.get(&before).is_none() {
        return Ok(None);
    }
    let root = cst(text)?;
    let container = above.iter().try_fold(root.value(), |node, step| {
        node.map(|node| child(&node, step)).ok_or_else(|| TextError::Unfaithful(path.clone()))
    })?;
    match container {
        Some(CstNode::Container(container)) => {
            if let Some(object) = container.as_object() {
                // All of that name, or an earlier one would appear.
                entries(&object, &last.as_key()).for_each(CstObjectProp::remove);
            } else if let (Some(list), Some(index)) = (container.as_array(), last.as_index())
                && let Some(element) = list.elements().into_iter().nth(index)
            {
                element.remove();
            }
        }
        Some(CstNode::Leaf(_)) | None => {}
    }
    faithful(text, &root, &without(before, path), path).map(Some)
}

fn cst(text: &str) -> Result<CstRootNode, SyntaxError> {
    CstRootNode::parse(text.strip_prefix('\u{feff}').unwrap_or(text), &options())
        .map_err(|err| garbled(&err))
}

/// Returns the edited text if it says what it should.
fn faithful(
    before: &str,
    root: &CstRootNode,
    expected: &Value,
    path: &Path,
) -> Result<String, TextError> {
    let mark = if before.starts_with('\u{feff}') { "\u{feff}" } else { "" };
    let text = format!("{mark}{root}");
    match parse(&text) {
        Ok(said) if said == *expected => Ok(text),
        Ok(_) | Err(_) => Err(TextError::Unfaithful(path.clone())),
    }
}

fn set_below(
    root: &CstRootNode,
    above: &[Segment],
    last: &Segment,
    input: CstInputValue,
    path: &Path,
) -> Result<(), TextError> {
    let unfaithful = || TextError::Unfaithful(path.clone());
    let mut node = root.value().ok_or_else(unfaithful)?;
    for (n, step) in above.iter().enumerate() {
        match child(&node, step).filter(|below| !is_null(below)) {
            Some(below) => node = below,
            None => {
                // What is missing on the way is made in one piece.
                let rest = above[n + 1..].iter().chain([last]).rev();
                let made = rest.fold(input, |inner, step| match step {
                    Segment::Key(key) => CstInputValue::Object(vec![(key.clone(), inner)]),
                    Segment::Index(_) => CstInputValue::Array(vec![inner]),
                });
                return put(&node, step, made).ok_or_else(unfaithful);
            }
        }
    }
    put(&node, last, input).ok_or_else(unfaithful)
}

fn put(node: &CstNode, step: &Segment, input: CstInputValue) -> Option<()> {
    if let Some(object) = node.as_object() {
        let key = step.as_key();
        match entries(&object, &key).last() {
            Some(entry) => entry.set_value(input),
            None => drop(object.append(&key, input)),
        }
        return Some(());
    }
    let (list, index) = (node.as_array()?, step.as_index()?);
    match list.elements().into_iter().nth(index) {
        Some(element) => drop(replace(element, input)?),
        None => drop(list.append(input)),
    }
    Some(())
}

fn replace(node: CstNode, input: CstInputValue) -> Option<CstNode> {
    use jsonc_parser::cst::{CstContainerNode, CstLeafNode};
    match node {
        CstNode::Container(CstContainerNode::Object(it)) => it.replace_with(input),
        CstNode::Container(CstContainerNode::Array(it)) => it.replace_with(input),
        CstNode::Leaf(CstLeafNode::StringLit(it)) => it.replace_with(input),
        CstNode::Leaf(CstLeafNode::NumberLit(it)) => it.replace_with(input),
        CstNode::Leaf(CstLeafNode::BooleanLit(it)) => it.replace_with(input),
        CstNode::Leaf(CstLeafNode::NullKeyword(it)) => it.replace_with(input),
        CstNode::Leaf(CstLeafNode::WordLit(it)) => it.replace_with(input),
        CstNode::Container(CstContainerNode::Root(_) | CstContainerNode::ObjectProp(_))
        | CstNode::Leaf(
            CstLeafNode::Token(_)
            | CstLeafNode::Whitespace(_)
            | CstLeafNode::Newline(_)
            | CstLeafNode::Comment(_),
        ) => None,
    }
}

fn child(node: &CstNode, step: &Segment) -> Option<CstNode> {
    if let Some(object) = node.as_object() {
        return entries(&object, &step.as_key()).last()?.value();
    }
    node.as_array()?.elements().into_iter().nth(step.as_index()?)
}

/// Returns the entries of a name: usually one, the last of which counts.
fn entries(object: &CstObject, key: &str) -> impl Iterator<Item = CstObjectProp> {
    let is_it = move |entry: &CstObjectProp| entry.decoded_name().is_some_and(|name| name == key);
    object.properties().into_iter().filter(is_it).collect::<Vec<_>>().into_iter()
}

fn is_null(node: &CstNode) -> bool {
    node.as_null_keyword().is_some()
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(it) => CstInputValue::Bool(*it),
        Value::Number(it) => CstInputValue::Number(it.to_string()),
        Value::String(it) => CstInputValue::String(it.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(map) => {
            CstInputValue::Object(map.iter().map(|(key, it)| (key.clone(), input(it))).collect())
        }
    }
}

/// Returns a value with another one set in it.
pub(crate) fn with(mut root: Value, path: &Path, value: &Value) -> Result<Value, TextError> {
    let mut node = &mut root;
    let mut at = Path::root();
    for step in path.segments() {
        if node.is_null() {
            *node = match step {
                Segment::Key(_) => Value::Object(serde_json::Map::new()),
                Segment::Index(_) => Value::Array(Vec::new()),
            };
        }
        node = match node {
            Value::Object(map) => map.entry(step.as_key().into_owned()).or_insert(Value::Null),
            Value::Array(items) => {
                let index = step.as_index().ok_or_else(|| TextError::NoIndex(at.clone()))?;
                let len = items.len();
                if index == len {
                    items.push(Value::Null);
                }
                items.get_mut(index).ok_or_else(|| TextError::TooFar { path: at.clone(), len })?
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(TextError::NoContainer(at));
            }
        };
        at = at.child(step.clone());
    }
    *node = value.clone();
    Ok(root)
}

/// Returns a value without another one in it.
pub(crate) fn without(mut root: Value, path: &Path) -> Value {
    let Some((last, above)) = path.segments().split_last() else { return root };
    let container = above.iter().try_fold(&mut root, |node, step| match node {
        Value::Object(map) => map.get_mut(&*step.as_key()),
        Value::Array(items) => items.get_mut(step.as_index()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    });
    match (container, last.as_index()) {
        (Some(Value::Object(map)), _) => drop(map.remove(&*last.as_key())),
        (Some(Value::Array(items)), Some(index)) if index < items.len() => {
            drop(items.remove(index));
        }
        _ => {}
    }
    root
}

//! Names of values in the file.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// The longest text that is read as a path, in bytes.
const LONGEST: usize = 4096;
/// The most segments of a path: fewer than a file may be deep.
const MOST_SEGMENTS: usize = 128;
/// What a program in JavaScript must never have as a key. Files are shared
/// with such programs.
const FORBIDDEN: [&str; 3] = ["__proto__", "prototype", "constructor"];

/// Where a value stands, from the root on: `a.b[0]["c.d"]`.
///
/// Shown as it is parsed. The order is that of the segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Vec<Segment>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A key of an object. Digits also name an element of a list.
    Key(String),
    /// An element of a list. It also names a key of digits.
    Index(usize),
}

/// A text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There is nothing in it.
    #[error("Path is empty.")]
    Empty,
    /// Two dots in a row, or one at an end.
    #[error("Invalid path (empty segment): {0}")]
    EmptySegment(String),
    /// A bracket that is not closed, or not closed where it should be.
    #[error("Invalid path (missing \"]\"): {0}")]
    Unclosed(String),
    /// Brackets with something else in them than a number or a quoted key.
    #[error("Invalid path (bad brackets): {0}")]
    Brackets(String),
    /// A key that JavaScript reserves.
    #[error("Invalid path segment: {0}")]
    Forbidden(String),
    /// Longer than any path may be.
    #[error("Invalid path (too long)")]
    TooLong,
}

impl Path {
    /// Returns the path of the whole file.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Returns the steps.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Says whether this is the whole file.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the path of a key below this one.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.child(Segment::Key(key.into()))
    }

    /// Returns the path of an element below this one.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.child(Segment::Index(index))
    }

    /// Returns the path one step below this one.
    #[must_use]
    pub fn child(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// Returns the path one step above; none above the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// Returns this path followed by another.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }

    /// Says whether a path is this one or above it.
    #[must_use]
    pub fn starts_with(&self, above: &Self) -> bool {
        self.0.starts_with(&above.0)
    }

    /// Returns what the path names in a value.
    #[must_use]
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, segment| match value {
            Value::Object(map) => map.get(&*segment.as_key()),
            Value::Array(items) => items.get(segment.as_index()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }
}

impl Segment {
    /// Returns the step as a key of an object.
    #[must_use]
    pub fn as_key(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Key(key) => key.as_str().into(),
            Self::Index(index) => index.to_string().into(),
        }
    }

    /// Returns the step as an element of a list, if it can be one.
    #[must_use]
    pub fn as_index(&self) -> Option<usize> {
        match self {
            Self::Key(key) => {
                let is_number = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
                is_number.then(|| key.parse().ok()).flatten()
            }
            Self::Index(index) => Some(*index),
        }
    }
}

impl FromIterator<Segment> for Path {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl FromStr for Path {
    type Err = PathError;

    /// Parses dots, `[n]`, `.n` and `["key"]`.
    fn from_str(text: &str) -> Result<Self, PathError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > LONGEST {
            return Err(PathError::TooLong);
        }
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let (segment, after) = if let Some(inside) = rest.strip_prefix('[') {
                bracketed(inside, text)?
            } else {
                bare(rest, text)?
            };
            segments.push(allowed(segment)?);
            rest = match after {
                "" => break,
                _ if after.starts_with('[') => after,
                _ => after
                    .strip_prefix('.')
                    // After a dot comes a name, not a bracket.
                    .filter(|name| !name.starts_with('['))
                    .ok_or_else(|| PathError::Brackets(text.to_owned()))?,
            };
        }
        if segments.len() > MOST_SEGMENTS {
            return Err(PathError::TooLong);
        }
        Ok(Self(segments))
    }
}

fn bare<'t>(rest: &'t str, text: &str) -> Result<(Segment, &'t str), PathError> {
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (key, after) = rest.split_at(end);
    if key.trim().is_empty() {
        return Err(PathError::EmptySegment(text.to_owned()));
    }
    Ok((Segment::Key(key.to_owned()), after))
}

fn bracketed<'t>(inside: &'t str, text: &str) -> Result<(Segment, &'t str), PathError> {
    let unclosed = || PathError::Unclosed(text.to_owned());
    let brackets = || PathError::Brackets(text.to_owned());
    if inside.starts_with('"') {
        let end = quoted_end(inside).ok_or_else(unclosed)?;
        let key = serde_json::from_str(&inside[..end]).map_err(|_| brackets())?;
        let after = inside[end..].strip_prefix(']').ok_or_else(unclosed)?;
        return Ok((Segment::Key(key), after));
    }
    let (index, after) = inside.split_once(']').ok_or_else(unclosed)?;
    let is_number = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    let index = if is_number { index.parse().ok() } else { None };
    Ok((Segment::Index(index.ok_or_else(brackets)?), after))
}

/// Returns where a text in quotes ends, the closing one included.
fn quoted_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn allowed(segment: Segment) -> Result<Segment, PathError> {
    if let Segment::Key(key) = &segment
        && FORBIDDEN.contains(&key.as_str())
    {
        return Err(PathError::Forbidden(key.clone()));
    }
    Ok(segment)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str("<root>");
        }
        for (n, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_bare(key) && n == 0 => f.write_str(key)?,
                Segment::Key(key) if is_bare(key) => write!(f, ".{key}")?,
                Segment::Key(key) => write!(f, "[{}]", Value::from(key.as_str()))?,
            }
        }
        Ok(())
    }
}

/// Says whether a key needs no quotes.
fn is_bare(key: &str) -> bool {
    let needs_quotes =
        |c: char| matches!(c, '.' | '[' | ']' | '"') || c.is_whitespace() || c.is_control();
    !key.is_empty() && !key.contains(needs_quotes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<Path, String> {
        text.parse().map_err(|err: PathError| err.to_string())
    }

    #[test]
    fn all_spellings_name_what_they_should() {
        let value = json!({"a": [{"b-c": 1}], "x.y": {"0": 2}});
        for (text, found) in [
            ("a[0].b-c", Some(json!(1))),
            ("a.0.b-c", Some(json!(1))),
            (" a[0][\"b-c\"] ", Some(json!(1))),
            ("[\"x.y\"].0", Some(json!(2))),
            ("[\"x.y\"][0]", Some(json!(2))),
            ("a[1]", None),
            ("a.b", None),
        ] {
            assert_eq!(parse(text).unwrap().get(&value), found.as_ref(), "{text}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_its_reason() {
        for (text, why) in [
            ("", "Path is empty."),
            ("a..b", "Invalid path (empty segment): a..b"),
            (".a", "Invalid path (empty segment): .a"),
            ("a.", "Invalid path (empty segment): a."),
            ("a[0", "Invalid path (missing \"]\"): a[0"),
            ("a[\"b", "Invalid path (missing \"]\"): a[\"b"),
            ("a[]", "Invalid path (bad brackets): a[]"),
            ("a[-1]", "Invalid path (bad brackets): a[-1]"),
            ("a[0]b", "Invalid path (bad brackets): a[0]b"),
            ("a.[0]", "Invalid path (bad brackets): a.[0]"),
            ("a.__proto__.b", "Invalid path segment: __proto__"),
            ("a[\"constructor\"]", "Invalid path segment: constructor"),
        ] {
            assert_eq!(parse(text), Err(why.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_parsed_as_the_same(path in path()) {
            prop_assert_eq!(parse(&path.to_string()), Ok(path));
        }

        #[test]
        fn any_text_is_a_path_or_refused(text in ".{0,40}") {
            if let Ok(path) = parse(&text) {
                prop_assert_eq!(parse(&path.to_string()), Ok(path));
            }
        }
    }

    fn path() -> impl Strategy<Value = Path> {
        let key = prop_oneof!["[a-z][a-zA-Z0-9-]{0,8}", ".{0,6}"];
        let segment =
            prop_oneof![key.prop_map(Segment::Key), (0usize..1000).prop_map(Segment::Index)];
        proptest::collection::vec(segment, 1..6).prop_map(Path)
    }
}

//! Which keys there are, and what they mean: JSON Schema.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::path::{Path, Segment};

/// How many steps from one schema to another are followed in one place.
pub(crate) const MOST_STEPS: usize = 32;
/// Anything may stand here.
static ANYTHING: Value = Value::Bool(true);

/// The schema of the whole file: a root, and what others say of their sections.
///
/// Of JSON Schema (2020-12) this much is checked: `type`, `enum`, `const`,
/// `properties`, `patternProperties`, `additionalProperties`, `required`,
/// `items`, `prefixItems`, `anyOf`, `oneOf` (as `anyOf`), `allOf`, `not`,
/// `if`/`then`/`else`, `$ref` within a section, and the limits of numbers,
/// texts, lists and objects. Everything else is accepted and not checked, as
/// are patterns that are beyond regular expressions. Two things differ from the
/// letter: unknown keys are warned of wherever keys are listed and
/// `additionalProperties` does not allow them, and `null` counts as left out.
///
/// Two annotations are read: `writeOnly` marks secrets, and `x-keep-entries`
/// maps whose entries are not lost by replacing the map.
#[derive(Clone, Debug)]
pub struct Schema {
    root: Value,
    /// The paths of sections, each of which is usable or broken by itself.
    sections: BTreeSet<Path>,
}

/// A schema, and the document that references in it are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'s> {
    pub(crate) schema: &'s Value,
    base: &'s Value,
}

impl Default for Schema {
    fn default() -> Self {
        Self::standard()
    }
}

impl Schema {
    /// Takes the schema of a whole file.
    #[must_use]
    pub fn new(root: Value) -> Self {
        Self { root, sections: BTreeSet::new() }
    }

    /// Returns the schema of the keys that every host has, without any channel
    /// or plugin.
    #[must_use]
    pub fn standard() -> Self {
        // A test reads the file, too, so this cannot fail in a build that passed.
        Self::new(serde_json::from_str(include_str!("schema.json")).unwrap_or(json!({})))
    }

    /// Adds what somebody says of a section of theirs: `channels.<id>`,
    /// `plugins.entries.<id>.config`. A mistake in it breaks it and nothing else.
    #[must_use]
    pub fn with_section(mut self, path: &Path, mut schema: Value) -> Self {
        // A document of its own, so that its references stay within.
        if let Some(map) = schema.as_object_mut() {
            map.entry("$id").or_insert_with(|| format!("urn:config:{path}").into());
        }
        let place = path.segments().iter().fold(&mut self.root, |node, step| {
            if !node.is_object() {
                *node = json!({"type": "object"});
            }
            // What holds for all entries holds for this one, until more is known.
            let all = node.get("additionalProperties").filter(|it| it.is_object()).cloned();
            let entries = &mut node["properties"];
            if !entries.is_object() {
                *entries = Value::Object(Map::new());
            }
            let entry = &mut entries[&*step.as_key()];
            if entry.is_null() {
                *entry = all.unwrap_or_else(|| json!({"type": "object"}));
            }
            entry
        });
        *place = schema;
        self.sections.insert(path.clone());
        self
    }

    /// Returns the whole as one JSON Schema.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.root
    }

    /// Says whether a value may stand at a path.
    #[must_use]
    pub fn knows(&self, path: &Path) -> bool {
        !self.at(path).is_empty()
    }

    /// Says whether the schema calls the value at a path a secret.
    #[must_use]
    pub fn is_secret(&self, path: &Path) -> bool {
        self.says(path, "writeOnly")
    }

    /// Says whether the entries of the map at a path are to be kept when the
    /// map is replaced.
    #[must_use]
    pub fn keeps_entries(&self, path: &Path) -> bool {
        self.says(path, "x-keep-entries")
    }

    /// Returns the section that a path belongs to: the one that was added, or
    /// else what stands at the top; of channels, each.
    #[must_use]
    pub fn section(&self, path: &Path) -> Path {
        let mut above = Some(path.clone());
        while let Some(candidate) = above {
            if self.sections.contains(&candidate) {
                return candidate;
            }
            above = candidate.parent();
        }
        let is_channel = path.segments().first().is_some_and(|it| it.as_key() == "channels");
        path.segments().iter().take(if is_channel { 2 } else { 1 }).cloned().collect()
    }

    pub(crate) fn start(&self) -> At<'_> {
        At { schema: &self.root, base: &self.root }
    }

    fn says(&self, path: &Path, annotation: &str) -> bool {
        self.at(path).iter().any(|at| at.schema.get(annotation) == Some(&Value::Bool(true)))
    }

    /// Returns everything that is said of the value at a path.
    fn at(&self, path: &Path) -> Vec<At<'_>> {
        path.segments().iter().fold(self.start().in_place(), |here, step| {
            let below = here.iter().flat_map(|at| at.below(step));
            below.flat_map(|at| at.in_place()).collect()
        })
    }
}

impl<'s> At<'s> {
    /// Returns a schema within this one.
    pub(crate) fn within(self, schema: &'s Value) -> Self {
        let base = if schema.get("$id").is_some() { schema } else { self.base };
        Self { schema, base }
    }

    pub(crate) fn get(self, keyword: &str) -> Option<&'s Value> {
        self.schema.get(keyword)
    }

    /// Returns the schemas of a keyword that has a list of them.
    pub(crate) fn all(self, keyword: &str) -> impl Iterator<Item = Self> {
        let list = self.get(keyword).and_then(Value::as_array);
        list.into_iter().flatten().map(move |schema| self.within(schema))
    }

    /// Returns the schemas by name of a keyword that has a map of them.
    pub(crate) fn map(self, keyword: &str) -> impl Iterator<Item = (&'s String, Self)> {
        let map = self.get(keyword).and_then(Value::as_object);
        map.into_iter().flatten().map(move |(name, schema)| (name, self.within(schema)))
    }

    /// Returns the schema that `$ref` means; anything, when it means none here.
    pub(crate) fn reference(self) -> Option<Self> {
        let text = self.get("$ref")?.as_str()?;
        let found = text.strip_prefix('#').and_then(|pointer| self.base.pointer(pointer));
        Some(self.within(found.unwrap_or(&ANYTHING)))
    }

    /// Returns this schema and all that speak of the same value.
    pub(crate) fn in_place(self) -> Vec<Self> {
        let mut found = vec![self];
        let mut next = 0;
        while let Some(at) = found.get(next).copied() {
            next += 1;
            if found.len() > MOST_STEPS {
                break;
            }
            found.extend(at.reference());
            for keyword in ["allOf", "anyOf", "oneOf"] {
                found.extend(at.all(keyword));
            }
            for keyword in ["then", "else"] {
                found.extend(at.get(keyword).map(|schema| at.within(schema)));
            }
        }
        found
    }

    /// Returns what this schema, without those in its place, says of a value
    /// one step below.
    fn below(self, step: &Segment) -> Vec<Self> {
        let own = |schema| self.within(schema);
        if step.as_index().is_some() && (self.get("items").or(self.get("prefixItems"))).is_some() {
            let index = step.as_index().unwrap_or_default();
            let first = self.get("prefixItems").and_then(|list| list.get(index));
            return first.or(self.get("items")).map(own).into_iter().collect();
        }
        let key = step.as_key();
        if let Some(schema) = self.get("properties").and_then(|map| map.get(&*key)) {
            return vec![own(schema)];
        }
        let by_pattern = self.map("patternProperties").filter(|(it, _)| is_match(it, &key));
        let by_pattern: Vec<_> = by_pattern.map(|(_, at)| at).collect();
        if !by_pattern.is_empty() {
            return by_pattern;
        }
        match self.get("additionalProperties") {
            Some(Value::Bool(false)) => Vec::new(),
            Some(schema) => vec![own(schema)],
            None if self.is_open() => vec![own(&ANYTHING)],
            None => Vec::new(),
        }
    }

    /// Says whether nothing is said of what is in the value.
    fn is_open(self) -> bool {
        const SAY_SOMETHING: [&str; 9] = [
            "properties",
            "patternProperties",
            "$ref",
            "allOf",
            "anyOf",
            "oneOf",
            "then",
            "enum",
            "const",
        ];
        let is_container = match self.get("type") {
            None => true,
            Some(Value::Array(types)) => types.iter().any(|it| it == "object" || it == "array"),
            Some(one) => one == "object" || one == "array",
        };
        is_container
            && self.schema != &Value::Bool(false)
            && SAY_SOMETHING.iter().all(|keyword| self.get(keyword).is_none())
    }
}

/// Says whether a text matches a pattern; nothing matches one that is beyond us.
pub(crate) fn is_match(pattern: &str, text: &str) -> bool {
    regular(pattern).is_some_and(|it| it.is_match(text))
}

/// Reads a pattern, if it is a regular expression.
pub(crate) fn regular(pattern: &str) -> Option<regex_lite::Regex> {
    // The dialect of JSON Schema escapes slashes, which ours does not know.
    let pattern: Cow<'_, str> =
        if pattern.contains("\\/") { pattern.replace("\\/", "/").into() } else { pattern.into() };
    regex_lite::RegexBuilder::new(&pattern).size_limit(1 << 20).build().ok()
}

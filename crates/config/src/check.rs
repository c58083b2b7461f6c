//! Whether what stands in the file can stand there. No I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::file::Loaded;
use crate::node::Place;
use crate::path::Path;
use crate::schema::{At, MOST_STEPS, Schema, is_match, regular};

mod words;

use self::words::{expected, kind, nearest};

/// How many schemas are looked at in one check, so that none takes forever.
const MOST_WORK: usize = 200_000;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is odd, and changes nothing.
    pub warnings: Vec<Issue>,
    /// Sections that cannot be used, with why. The rest can.
    pub broken: BTreeMap<Path, Vec<Issue>>,
}

/// Something in the file that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Where. Of an unknown key, what it stands in.
    pub path: Path,
    /// Where it was written.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What was perhaps meant.
    pub suggestion: Option<String>,
    /// Whether the section can be used all the same.
    pub severity: Severity,
}

/// What an issue means for its section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing.
    Warning,
    /// It cannot be used.
    Error,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean \"{suggestion}\"?"),
            None => Ok(()),
        }
    }
}

impl Checked {
    /// Returns all issues, errors first.
    pub fn issues(&self) -> impl Iterator<Item = &Issue> {
        self.broken.values().flatten().chain(&self.warnings)
    }

    /// Says whether everything can be used.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.broken.is_empty()
    }

    /// Returns the issues of the broken section that a path is in, or that are
    /// in what the path names.
    #[must_use]
    pub fn in_the_way_of(&self, path: &Path) -> Vec<&Issue> {
        let concerns = |section: &&Path| path.starts_with(section) || section.starts_with(path);
        self.broken.keys().filter(concerns).flat_map(|section| &self.broken[section]).collect()
    }

    /// Returns a value without the sections that are broken.
    #[must_use]
    pub fn usable(&self, value: &Value) -> Value {
        if self.broken.contains_key(&Path::root()) {
            return Value::Object(serde_json::Map::new());
        }
        self.broken.keys().fold(value.clone(), crate::text::without)
    }
}

impl Schema {
    /// Checks what holds.
    #[must_use]
    pub fn check(&self, loaded: &Loaded) -> Checked {
        let mut checked = Checked::default();
        for found in self.findings(&loaded.effective) {
            let Finding { path, key, message, suggestion, severity } = found;
            let written = key.map_or_else(|| path.clone(), |key| path.key(key));
            // That the secret is missing says more than that a text is.
            let missing = loaded.missing(&written).filter(|_| severity == Severity::Error);
            let message = missing.map_or(message, |it| it.message.clone());
            let place = loaded.place(&written).cloned();
            let section = self.section(&path);
            let issue = Issue { path, place, message, suggestion, severity };
            match severity {
                Severity::Warning => checked.warnings.push(issue),
                Severity::Error => checked.broken.entry(section).or_default().push(issue),
            }
        }
        checked
    }

    fn findings(&self, value: &Value) -> Vec<Finding> {
        let mut checker = Checker { found: Vec::new(), work: MOST_WORK };
        checker.whole(self.start(), value, &Path::root());
        checker.found
    }
}

struct Finding {
    path: Path,
    /// The unknown key at the path.
    key: Option<String>,
    message: String,
    suggestion: Option<String>,
    severity: Severity,
}

struct Checker {
    found: Vec<Finding>,
    /// How many more schemas may be looked at.
    work: usize,
}

impl Checker {
    /// Checks a value, its keys included.
    fn whole(&mut self, at: At<'_>, value: &Value, path: &Path) {
        self.unknown_keys(at, value, path);
        self.value(at, value, path, 0);
    }

    fn wrong(&mut self, path: &Path, message: String) {
        let path = path.clone();
        let severity = Severity::Error;
        self.found.push(Finding { path, key: None, message, suggestion: None, severity });
    }

    /// Checks a value by one schema; `depth` counts the schemas that led to it
    /// in this place.
    fn value(&mut self, at: At<'_>, value: &Value, path: &Path, depth: usize) {
        if depth > MOST_STEPS || self.work == 0 {
            return;
        }
        self.work -= 1;
        if at.schema == &Value::Bool(false) {
            return self.wrong(path, "Invalid input: nothing may stand here".to_owned());
        }
        if !words::is_of_type(at, value) || !words::is_one_of(at, value) {
            return self.wrong(path, words::mismatch(at, value));
        }
        match value {
            Value::Number(_) => self.number(at, value.as_f64().unwrap_or_default(), path),
            Value::String(text) => self.text(at, text, path),
            Value::Array(items) => self.list(at, items, path),
            Value::Object(map) => self.object(at, map, path),
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(at, value, path, depth + 1);
    }

    fn combined(&mut self, at: At<'_>, value: &Value, path: &Path, depth: usize) {
        for part in at.reference().into_iter().chain(at.all("allOf")) {
            self.value(part, value, path, depth);
        }
        for keyword in ["anyOf", "oneOf"] {
            self.alternatives(at.all(keyword).collect(), value, path, depth);
        }
        if let Some(excluded) = at.get("not")
            && self.tried(at.within(excluded), value, path, depth).is_empty()
        {
            self.wrong(path, "Invalid input: this value is excluded".to_owned());
        }
        if let Some(condition) = at.get("if") {
            let holds = self.tried(at.within(condition), value, path, depth).is_empty();
            if let Some(schema) = at.get(if holds { "then" } else { "else" }) {
                self.value(at.within(schema), value, path, depth);
            }
        }
    }

    /// One of several schemas has to fit. If none does, the one that comes
    /// closest says why.
    fn alternatives(&mut self, schemas: Vec<At<'_>>, value: &Value, path: &Path, depth: usize) {
        let mut closest: Option<Vec<Finding>> = None;
        for schema in &schemas {
            let found = self.tried(*schema, value, path, depth);
            if found.is_empty() {
                return;
            }
            // A mistake inside the value says more than that all of it is wrong.
            let is_inside = found.iter().all(|it| it.path != *path);
            if is_inside && closest.as_ref().is_none_or(|best| found.len() < best.len()) {
                closest = Some(found);
            }
        }
        match closest {
            Some(found) => self.found.extend(found),
            None if schemas.is_empty() => {}
            None => {
                let all: Vec<_> = schemas.iter().map(|at| expected(*at)).collect();
                let all = all.join(" or ");
                self.wrong(
                    path,
                    format!("Invalid input: expected {all}, received {}", kind(value)),
                );
            }
        }
    }

    /// Returns what is wrong by a schema that may not be the one that counts.
    fn tried(&mut self, at: At<'_>, value: &Value, path: &Path, depth: usize) -> Vec<Finding> {
        let before = std::mem::take(&mut self.found);
        self.value(at, value, path, depth);
        let mut found = std::mem::replace(&mut self.found, before);
        found.retain(|it| it.severity == Severity::Error);
        found
    }

    fn number(&mut self, at: At<'_>, number: f64, path: &Path) {
        let limit = |keyword| at.get(keyword).and_then(Value::as_f64);
        let mut outside = |is_outside: bool, side: &str, sign: &str, limit: f64| {
            if is_outside {
                self.wrong(path, format!("Too {side}: expected number to be {sign}{limit}"));
            }
        };
        if let Some(least) = limit("minimum") {
            outside(number < least, "small", ">=", least);
        }
        if let Some(least) = limit("exclusiveMinimum") {
            outside(number <= least, "small", ">", least);
        }
        if let Some(most) = limit("maximum") {
            outside(number > most, "big", "<=", most);
        }
        if let Some(most) = limit("exclusiveMaximum") {
            outside(number >= most, "big", "<", most);
        }
        if let Some(step) = limit("multipleOf").filter(|step| *step > 0.0) {
            let rest = (number / step).fract().abs();
            if rest > 1e-9 && rest < 1.0 - 1e-9 {
                self.wrong(path, format!("Invalid number: must be a multiple of {step}"));
            }
        }
    }

    fn text(&mut self, at: At<'_>, text: &str, path: &Path) {
        self.size(at, ["minLength", "maxLength"], text.chars().count(), "string", path);
        if let Some(pattern) = at.get("pattern").and_then(Value::as_str)
            && regular(pattern).is_some_and(|it| !it.is_match(text))
        {
            self.wrong(path, format!("Invalid string: must match pattern /{pattern}/"));
        }
    }

    fn list(&mut self, at: At<'_>, items: &[Value], path: &Path) {
        self.size(at, ["minItems", "maxItems"], items.len(), "array", path);
        if at.get("uniqueItems") == Some(&Value::Bool(true)) {
            let texts: BTreeSet<_> = items.iter().map(ToString::to_string).collect();
            if texts.len() < items.len() {
                self.wrong(path, "Invalid input: elements must differ".to_owned());
            }
        }
        let first: Vec<_> = at.all("prefixItems").collect();
        let rest = at.get("items").map(|schema| at.within(schema));
        for (n, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(n).copied().or(rest) {
                self.whole(schema, item, &path.index(n));
            }
        }
    }

    fn object(&mut self, at: At<'_>, map: &serde_json::Map<String, Value>, path: &Path) {
        self.size(at, ["minProperties", "maxProperties"], map.len(), "object", path);
        let required = at.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in required.filter_map(Value::as_str) {
            if map.get(key).is_none_or(Value::is_null) {
                let schema = at.get("properties").and_then(|all| all.get(key));
                let what = schema.map_or("a value".to_owned(), |it| expected(at.within(it)));
                let message = format!("Invalid input: expected {what}, received undefined");
                self.wrong(&path.key(key), message);
            }
        }
        let patterns: Vec<_> = at.map("patternProperties").collect();
        for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            let below = path.key(key);
            let mut schemas: Vec<_> =
                patterns.iter().filter(|it| is_match(it.0, key)).map(|it| it.1).collect();
            schemas
                .extend(at.get("properties").and_then(|all| all.get(key)).map(|it| at.within(it)));
            if schemas.is_empty() {
                let others = at.get("additionalProperties").filter(|it| it.is_object());
                schemas.extend(others.map(|it| at.within(it)));
            }
            for schema in schemas {
                self.whole(schema, value, &below);
            }
        }
    }

    fn size(&mut self, at: At<'_>, limits: [&str; 2], size: usize, what: &str, path: &Path) {
        let [least, most] = limits.map(|keyword| at.get(keyword).and_then(Value::as_u64));
        let size = size as u64;
        let unit = match what {
            "string" => "characters",
            "array" => "items",
            _ => "keys",
        };
        if let Some(least) = least.filter(|least| size < *least) {
            self.wrong(path, format!("Too small: expected {what} to have >={least} {unit}"));
        }
        if let Some(most) = most.filter(|most| size > *most) {
            self.wrong(path, format!("Too big: expected {what} to have <={most} {unit}"));
        }
    }

    /// Warns of keys that nothing speaks of, where keys are listed.
    fn unknown_keys(&mut self, at: At<'_>, value: &Value, path: &Path) {
        let Value::Object(map) = value else { return };
        let schemas = at.in_place();
        let allows = |at: &At<'_>| {
            at.get("additionalProperties").is_some_and(|it| *it != Value::Bool(false))
        };
        if schemas.iter().any(allows) {
            return;
        }
        let names: BTreeSet<&str> =
            schemas.iter().flat_map(|at| at.map("properties")).map(|it| it.0.as_str()).collect();
        let patterns: Vec<_> = schemas.iter().flat_map(|at| at.map("patternProperties")).collect();
        let is_closed = schemas.iter().any(|at| at.get("additionalProperties").is_some());
        if names.is_empty() && patterns.is_empty() && !is_closed {
            return;
        }
        for key in map.keys().filter(|key| !names.contains(key.as_str())) {
            if patterns.iter().any(|(pattern, _)| is_match(pattern, key)) {
                continue;
            }
            self.found.push(Finding {
                path: path.clone(),
                key: Some(key.clone()),
                message: format!("Unrecognized key: \"{key}\""),
                suggestion: nearest(key, names.iter().copied()),
                severity: Severity::Warning,
            });
        }
    }
}

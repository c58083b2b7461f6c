//! What another version of the file changes. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::path::Path;

/// What to do about a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing: whoever needs the value reads it anew.
    Nothing,
    /// Something that the host can do while it runs; it knows the name.
    Hot(String),
    /// The host has to be started anew.
    Restart,
}

/// What a change at a path or below it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The path; a key `*` stands for any.
    pub prefix: Path,
    /// What to do.
    pub outcome: Outcome,
}

/// What changes mean, as the host says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

/// What is to be done about a new version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// All paths that differ.
    pub changed: Vec<Path>,
    /// What the host does while it runs, with the paths that ask for it.
    pub hot: BTreeMap<String, Vec<Path>>,
    /// Paths that ask for a new start.
    pub restart: Vec<Path>,
}

impl Rules {
    /// Takes rules; their order does not matter.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self(rules.into_iter().collect())
    }

    /// Returns what a change at a path means. The longest rule counts, of those
    /// the one with the fewest `*`; where there is none, a new start.
    #[must_use]
    pub fn outcome(&self, path: &Path) -> &Outcome {
        let fitting = self.0.iter().filter(|rule| fits(&rule.prefix, path));
        let best = fitting.max_by_key(|rule| {
            let segments = rule.prefix.segments();
            let n_stars = segments.iter().filter(|it| it.as_key() == "*").count();
            (segments.len(), std::cmp::Reverse(n_stars))
        });
        best.map_or(&Outcome::Restart, |rule| &rule.outcome)
    }

    /// Says what to do about a new version.
    #[must_use]
    pub fn plan(&self, before: &Value, after: &Value) -> Plan {
        let mut plan = Plan { changed: differences(before, after), ..Plan::default() };
        for path in &plan.changed {
            match self.outcome(path) {
                Outcome::Nothing => {}
                Outcome::Hot(what) => {
                    plan.hot.entry(what.clone()).or_default().push(path.clone());
                }
                Outcome::Restart => plan.restart.push(path.clone()),
            }
        }
        plan
    }
}

fn fits(prefix: &Path, path: &Path) -> bool {
    let steps = prefix.segments().iter().zip(path.segments());
    prefix.segments().len() <= path.segments().len()
        && steps
            .into_iter()
            .all(|(rule, step)| rule.as_key() == "*" || rule.as_key() == step.as_key())
}

/// Returns the paths at which two values differ, as deep as objects go: of an
/// object that is new, each value in it. Lists differ as a whole.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    compare(Some(before), Some(after), &Path::root(), &mut found);
    found
}

fn compare(before: Option<&Value>, after: Option<&Value>, at: &Path, found: &mut Vec<Path>) {
    if before == after {
        return;
    }
    let empty = serde_json::Map::new();
    let entries = |value: Option<&Value>| match value {
        None => Some(None),
        Some(Value::Object(map)) => Some(Some(map.clone())),
        Some(_) => None,
    };
    let (Some(old), Some(new)) = (entries(before), entries(after)) else {
        return found.push(at.clone());
    };
    let (old, new) = (old.unwrap_or(empty.clone()), new.unwrap_or(empty));
    if old.is_empty() && new.is_empty() {
        // An empty object came or went.
        return found.push(at.clone());
    }
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in keys {
        compare(old.get(key), new.get(key), &at.key(key), found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(before: &Value, after: &Value) -> Vec<String> {
        differences(before, after).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn differences_go_as_deep_as_objects() {
        let before = json!({"a": {"b": 1, "c": [1]}, "gone": {"x": {}}});
        let after = json!({"a": {"b": 1, "c": [1, 2]}, "new": {"y": {"z": 1}}});
        assert_eq!(paths(&before, &after), ["a.c", "gone.x", "new.y.z"]);
        assert_eq!(paths(&before, &before), [""; 0]);
        assert_eq!(paths(&json!({"a": {}}), &json!({"a": 1})), ["a"]);
    }

    #[test]
    fn the_longest_rule_counts_and_without_one_a_new_start_is_needed() {
        let rule = |prefix: &str, outcome| Rule { prefix: prefix.parse().unwrap(), outcome };
        let hot = |what: &str| Outcome::Hot(what.to_owned());
        let rules = Rules::new([
            rule("channels", hot("plugins")),
            rule("channels.*", hot("any")),
            rule("channels.x", hot("channel x")),
            rule("channels.*.name", Outcome::Nothing),
            rule("messages", Outcome::Nothing),
        ]);
        let plan = rules.plan(
            &json!({}),
            &json!({"channels": {"x": {"a": 1, "name": 2}, "y": {"a": 1}}, "messages": 1, "z": 1}),
        );
        let all = |paths: &[Path]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
        let hot: Vec<_> =
            plan.hot.iter().map(|(what, paths)| (what.as_str(), all(paths))).collect();
        assert_eq!(
            hot,
            [
                ("any", vec!["channels.y.a".to_owned()]),
                ("channel x", vec!["channels.x.a".to_owned()])
            ]
        );
        assert_eq!(all(&plan.restart), ["z"]);
        assert_eq!(plan.changed.len(), 5);
    }
}

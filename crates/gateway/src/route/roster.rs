//! Which agents there are.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::AgentId;

/// The agents of a configuration, in either form: `agents.entries.<id>`, or
/// `agents.list[]` with an `id` in each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    entries: Vec<RosterEntry>,
}

/// One agent of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// What it is called in the configuration.
    pub id: AgentId,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it answers where nothing else decides.
    pub is_default: bool,
}

impl Roster {
    /// Returns the agents, in the order of their names or of the list.
    #[must_use]
    pub fn entries(&self) -> &[RosterEntry] {
        &self.entries
    }

    /// Says whether an agent is in it.
    #[must_use]
    pub fn has(&self, id: &AgentId) -> bool {
        self.entries.iter().any(|entry| entry.id == *id)
    }

    /// Returns who answers where no binding decides: the default one, else the
    /// only one, and `main` where there is none. `None` when there is a choice.
    #[must_use]
    pub fn fallback(&self) -> Option<AgentId> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.is_default) {
            return Some(entry.id.clone());
        }
        match self.entries.as_slice() {
            [] => Some(AgentId::main()),
            [only] => Some(only.id.clone()),
            [_, _, ..] => None,
        }
    }

    /// Names all of them, for a person.
    pub(super) fn in_words(&self) -> String {
        let mut names: Vec<_> = self.entries.iter().map(|entry| entry.id.as_str()).collect();
        if !names.contains(&"main") {
            names.insert(0, "main");
        }
        names.join(", ")
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    entries: BTreeMap<String, RawEntry>,
    list: Vec<RawEntry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawEntry {
    id: Option<String>,
    name: Option<String>,
    default: bool,
}

impl<'de> Deserialize<'de> for Roster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Raw { entries, list } = Raw::deserialize(deserializer)?;
        let mut roster = Self::default();
        let named = entries.into_iter().map(|(id, entry)| (Some(id), entry));
        let listed = list.into_iter().map(|mut entry| (entry.id.take(), entry));
        for (id, RawEntry { name, default, .. }) in named.chain(listed) {
            let id = id.filter(|id| !id.trim().is_empty());
            let id = id.ok_or_else(|| D::Error::custom("agents: an agent has no id"))?;
            let id = AgentId::new(&id);
            if roster.has(&id) {
                return Err(D::Error::custom(format!("agents: two agents are called {id}")));
            }
            roster.entries.push(RosterEntry { id, name, is_default: default });
        }
        Ok(roster)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fallback(agents: serde_json::Value) -> Option<String> {
        let roster: Roster = serde_json::from_value(agents).unwrap();
        roster.fallback().map(|id| id.to_string())
    }

    #[test]
    fn both_forms_say_who_there_is_and_who_answers_by_default() {
        assert_eq!(fallback(json!({})).as_deref(), Some("main"));
        assert_eq!(fallback(json!({"defaults": {"model": "m"}})).as_deref(), Some("main"));
        assert_eq!(fallback(json!({"entries": {"work": {}}})).as_deref(), Some("work"));
        assert_eq!(fallback(json!({"entries": {"a": {}, "b": {}}})), None);
        let chosen = json!({"list": [{"id": "a"}, {"id": "B", "default": true}]});
        assert_eq!(fallback(chosen).as_deref(), Some("b"));
    }

    #[test]
    fn an_agent_without_a_name_or_with_anothers_is_refused() {
        let refused = |agents| serde_json::from_value::<Roster>(agents).unwrap_err().to_string();
        let twice = json!({"entries": {"a": {}}, "list": [{"id": "A"}]});
        assert_eq!(refused(twice), "agents: two agents are called a");
        assert_eq!(refused(json!({"list": [{"name": "x"}]})), "agents: an agent has no id");
    }
}

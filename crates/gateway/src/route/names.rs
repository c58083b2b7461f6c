//! Names as a person may write them, and as they are compared.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The agent that there always is.
const MAIN: &str = "main";
/// The account that is meant where none is named.
const DEFAULT_ACCOUNT: &str = "default";
/// What OpenClaw does not take for the name of an account.
const NO_ACCOUNTS: [&str; 3] = ["__proto__", "constructor", "prototype"];
/// How long a name is at most, in characters.
const MOST_CHARS: usize = 64;

/// Names an agent: at most 64 of `a` to `z`, `0` to `9`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AgentId(String);

impl AgentId {
    /// Takes a name as a person may write it: in any case, and with a dash for
    /// whatever cannot be in one. Nothing at all means `main`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(plain(name).unwrap_or_else(|| MAIN.to_owned()))
    }

    /// Returns the agent that there is where no other is named.
    #[must_use]
    pub fn main() -> Self {
        Self(MAIN.to_owned())
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_main(&self) -> bool {
        self.0 == MAIN
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AgentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::new(&name))
    }
}

/// Returns an account's name in the form in which accounts are compared.
pub(crate) fn account_name(name: &str) -> String {
    let name = plain(name).filter(|name| !NO_ACCOUNTS.contains(&name.as_str()));
    name.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned())
}

/// Puts a name into lower case and one dash for each run of what is not in
/// `[a-z0-9_-]`; dashes that this puts at an end go.
fn plain(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts_well && name.len() <= MOST_CHARS && name.chars().all(is_plain) {
        return Some(name);
    }
    let mut plain = String::with_capacity(name.len());
    for part in name.split(|c| !is_plain(c)).filter(|part| !part.is_empty()) {
        if !plain.is_empty() {
            plain.push('-');
        }
        plain.push_str(part);
    }
    let plain: String = plain.trim_matches('-').chars().take(MOST_CHARS).collect();
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_compared_in_openclaws_form() {
        let cases = [
            ("b0f5860fdecb@im.bot", "b0f5860fdecb-im-bot"),
            ("ABC@im.bot", "abc-im-bot"),
            ("", "default"),
            ("  ", "default"),
            ("__proto__", "default"),
            ("@@", "default"),
            ("a-b_c", "a-b_c"),
        ];
        for (name, expected) in cases {
            assert_eq!(account_name(name), expected, "{name:?}");
        }
    }

    #[test]
    fn an_agents_name_is_made_of_what_can_be_in_one() {
        let long = "a".repeat(80);
        let cases =
            [("", "main"), (" Work ", "work"), ("my agent!", "my-agent"), (&long, &long[..64])];
        for (name, expected) in cases {
            assert_eq!(AgentId::new(name).as_str(), expected, "{name:?}");
        }
    }
}

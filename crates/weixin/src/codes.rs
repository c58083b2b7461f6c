//! What every notice, outcome and trouble is called, and what it means.
//!
//! Each has a code that stays the same in all versions, such as `W203`: people
//! in a chat see a short sentence, operators look up the code and find meaning,
//! cause and what to do, in two languages.
//!
//! | codes | subject |
//! |---|---|
//! | W1xx | accounts and connections |
//! | W2xx | outcomes of a send |
//! | W30x, W31x | why a message is kept, what it waits for |
//! | W4xx | alarms |
//! | W5xx | notices to people in a chat |

use std::fmt::Display;
use std::sync::LazyLock;

pub use prose::Language;
use serde::{Deserialize, Serialize};

mod assigned;
mod notice;

pub(crate) use self::assigned::{EXPIRED, NEEDS_LOGIN};
pub use self::notice::Notice;

/// All entries. Read when the first one is needed.
static CATALOGUE: LazyLock<Vec<Explanation>> = LazyLock::new(|| {
    // A test reads the file, too, so this cannot fail in a build that passed.
    serde_json::from_str(include_str!("codes/codes.json")).unwrap_or_default()
});

/// What a code means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The code.
    pub code: String,
    /// What it is also found by: codes of the backend, HTTP statuses, words.
    pub also: Vec<String>,
    /// A short sentence for somebody in a chat. `{name}` stands for a value.
    pub chat: Words,
    /// What has happened.
    pub meaning: Words,
    /// Why it happens.
    pub cause: Words,
    /// What to do about it.
    pub action: Words,
    /// How sure it is, where it rests on a fact about Tencent's servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// Who says that a fact about Tencent's servers is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confidence {
    /// The official plugin's source or README.
    #[serde(rename = "S")]
    Source,
    /// A Tencent maintainer.
    #[serde(rename = "M")]
    Maintainer,
    /// Several independent live tests.
    #[serde(rename = "B")]
    Tests,
    /// One live test.
    #[serde(rename = "C")]
    Test,
}

impl Words {
    /// Returns the text in a language.
    #[must_use]
    pub fn pick(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }

    /// Returns the text in a language, with its values filled in.
    #[must_use]
    pub fn fill(&self, language: Language, values: &[(&str, &dyn Display)]) -> String {
        let mut text = self.pick(language).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value.to_string());
        }
        text
    }
}

impl Confidence {
    /// Says it in words.
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Self::Source => ("官方源码或说明", "the official source or README"),
            Self::Maintainer => ("腾讯维护者的说法", "a Tencent maintainer"),
            Self::Tests => ("多次独立实测", "several live tests"),
            Self::Test => ("一次实测", "one live test"),
        };
        match language {
            Language::Zh => zh,
            Language::En => en,
        }
    }
}

/// Returns every entry, by code.
#[must_use]
pub fn all() -> &'static [Explanation] {
    &CATALOGUE
}

/// Returns what a code means, in English; the code itself if it is not known.
pub(crate) fn meaning(code: &str) -> String {
    explain(code).map_or_else(|| code.to_owned(), |entry| entry.meaning.en.clone())
}

/// Looks up what somebody typed: a code of ours, a code of the backend such as
/// `-14`, an HTTP status such as `524`, or a word of a status such as `needs-login`.
#[must_use]
pub fn explain(asked: &str) -> Option<&'static Explanation> {
    let asked = normal(asked);
    let family = || match asked.parse::<u16>() {
        Ok(500..=599) => find("524"),
        Ok(400..=499) => find("400"),
        Ok(_) | Err(_) => None,
    };
    find(&asked).or_else(family)
}

fn find(asked: &str) -> Option<&'static Explanation> {
    CATALOGUE.iter().find(|entry| {
        entry.code.eq_ignore_ascii_case(asked) || entry.also.iter().any(|word| word == asked)
    })
}

/// Words are written with underscores, numbers with a sign.
fn normal(asked: &str) -> String {
    let asked = asked.trim().to_ascii_lowercase();
    let asked = asked.trim_start_matches("http").trim_start_matches("ret=").trim();
    let is_word = asked.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_word { asked.replace(['-', ' '], "_") } else { asked.to_owned() }
}

#[cfg(test)]
mod tests;

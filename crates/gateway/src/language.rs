//! Which language a peer writes.

use contract::Inbound;

use crate::SessionKey;
use crate::store::Store;

/// A language the gateway itself can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Chinese,
    English,
}

impl Language {
    /// Guesses from a message, and where it says nothing about that, such as a
    /// picture or a command, from what was said before.
    pub(crate) async fn of(inbound: &Inbound, session: &SessionKey, store: &Store) -> Self {
        if let Some(language) = Self::of_message(inbound) {
            return language;
        }
        let before = store.last_question(session).await.ok().flatten();
        before.and_then(|text| Self::of_text(&text)).unwrap_or(Self::English)
    }

    /// Returns the one that is in this language.
    pub(crate) fn pick<T>(self, chinese: T, english: T) -> T {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    fn of_message(inbound: &Inbound) -> Option<Self> {
        let transcripts = inbound.attachments.iter().filter_map(|a| a.transcript.as_deref());
        let quoted = inbound.quote.iter().map(|quote| quote.text.as_str());
        let words = std::iter::once(inbound.text.as_str()).chain(transcripts).chain(quoted);
        let found: Vec<Self> = words.filter_map(Self::of_text).collect();
        if found.contains(&Self::Chinese) {
            return Some(Self::Chinese);
        }
        // A command is English for everyone.
        found.first().copied().filter(|_| !inbound.text.trim_start().starts_with('/'))
    }

    fn of_text(text: &str) -> Option<Self> {
        if text.chars().any(is_han) {
            return Some(Self::Chinese);
        }
        text.chars().any(char::is_alphabetic).then_some(Self::English)
    }
}

/// Han characters and the punctuation written with them.
fn is_han(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_chinese_when_any_of_it_is_and_nothing_without_letters() {
        assert_eq!(Language::of_text("什么是 API?"), Some(Language::Chinese));
        assert_eq!(Language::of_text("what is 1 + 1"), Some(Language::English));
        for neither in ["", "👍", "12:30", "???"] {
            assert_eq!(Language::of_text(neither), None, "{neither}");
        }
    }
}

//! What the program says, in two languages.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

/// All texts: key, then language. Read when the first one is needed.
static TEXTS: LazyLock<HashMap<String, Text>> = LazyLock::new(|| {
    // A test reads the file, too, so this cannot fail in a build that passed.
    serde_json::from_str(include_str!("texts.json")).unwrap_or_default()
});

static LANGUAGE: OnceLock<Language> = OnceLock::new();

/// The languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

/// One text in all languages. `{name}` stands for a value.
#[derive(Deserialize)]
struct Text {
    en: String,
    zh: String,
}

/// Chooses the language for the whole run; only the first call counts.
pub(crate) fn speak(language: Language) {
    LANGUAGE.get_or_init(|| language);
}

/// Returns the chosen language, for texts that come from elsewhere.
pub(crate) fn spoken() -> weixin::codes::Language {
    match LANGUAGE.get() {
        Some(Language::Chinese) => weixin::codes::Language::Zh,
        Some(Language::English) | None => weixin::codes::Language::En,
    }
}

/// Returns a text in the chosen language, with its values filled in.
pub(crate) fn say(key: &'static str, values: &[(&str, &dyn Display)]) -> Cow<'static, str> {
    let Some(text) = TEXTS.get(key) else { return Cow::Borrowed(key) };
    let template = match LANGUAGE.get() {
        Some(Language::Chinese) => &text.zh,
        Some(Language::English) | None => &text.en,
    };
    if values.is_empty() {
        return Cow::Borrowed(template);
    }
    let mut said = template.clone();
    for (name, value) in values {
        said = said.replace(&format!("{{{name}}}"), &value.to_string());
    }
    Cow::Owned(said)
}

/// Says a text: `t!("demo.phone", url = page)`.
macro_rules! t {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::texts::say($key, &[$((stringify!($name), &$value as &dyn std::fmt::Display)),*])
    };
}
pub(crate) use t;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn texts() -> HashMap<String, Text> {
        serde_json::from_str(include_str!("texts.json")).unwrap()
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn both_languages_say_everything_with_the_same_values() {
        for (key, text) in texts() {
            assert!(!text.en.is_empty() && !text.zh.is_empty(), "{key}");
            assert_eq!(placeholders(&text.en), placeholders(&text.zh), "{key}");
        }
    }

    #[test]
    fn every_text_is_said_somewhere_and_every_key_exists() {
        let mut said = BTreeSet::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut said);
        let known: BTreeSet<String> = texts().into_keys().collect();
        assert_eq!(said, known);
    }

    /// Collects the keys of all calls in the sources.
    fn collect(dir: &Path, keys: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, keys);
            } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("texts.rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                keys.extend(["t!(", "text("].into_iter().flat_map(|call| said_by(&source, call)));
            }
        }
    }

    fn said_by(source: &str, call: &str) -> Vec<String> {
        let is_whole_word = |at: usize| !source[..at].ends_with(char::is_alphanumeric);
        let calls = source.match_indices(call).filter(|(at, _)| is_whole_word(*at));
        let arguments = calls.map(|(at, _)| source[at + call.len()..].trim_start());
        let quoted = arguments.filter_map(|rest| rest.strip_prefix('"')?.split_once('"'));
        quoted.map(|(key, _)| key.to_owned()).collect()
    }
}

//! Which language the program speaks.

use std::ffi::OsString;

use crate::texts::{Language, speak};

/// Chooses by `--lang`, then by the system. Done before the arguments are
/// parsed, because their help is translated, too.
pub(crate) fn choose(args: impl Iterator<Item = OsString>) {
    let system = sys_locale::get_locale().unwrap_or_default();
    let wanted = asked_for(args).unwrap_or(system);
    let is_chinese = wanted.starts_with("zh");
    speak(if is_chinese { Language::Chinese } else { Language::English });
}

/// Returns what the last `--lang` says.
fn asked_for(mut args: impl Iterator<Item = OsString>) -> Option<String> {
    let mut asked = None;
    while let Some(arg) = args.next() {
        let arg = arg.to_string_lossy();
        if arg == "--lang" {
            asked = args.next().map(|value| value.to_string_lossy().into_owned());
        } else if let Some(value) = arg.strip_prefix("--lang=") {
            asked = Some(value.to_owned());
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_the_option_are_heard() {
        let asked = |line: &str| asked_for(line.split(' ').map(OsString::from));
        assert_eq!(asked("hongyan --lang zh demo"), Some("zh".to_owned()));
        assert_eq!(asked("hongyan demo --lang=en"), Some("en".to_owned()));
        assert_eq!(asked("hongyan --lang en demo --lang zh"), Some("zh".to_owned()));
        assert_eq!(asked("hongyan demo"), None);
    }
}

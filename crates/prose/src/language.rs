//! Which language a text is in, as far as our own notices need to know.

use crate::script::is_han;

/// The language that a person reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English, and any other that is not Chinese.
    #[default]
    En,
}

impl Language {
    /// Guesses the language of a text: Chinese if at least every tenth letter
    /// is a Han character. A Chinese name in an English sentence does not make
    /// it Chinese, and neither does code make a Chinese answer English. A text
    /// without letters is English.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let letters = text.chars().filter(|c| c.is_alphabetic());
        let (mut han, mut all) = (0_usize, 0_usize);
        for letter in letters {
            all += 1;
            han += usize::from(is_han(letter));
        }
        if han > 0 && han.saturating_mul(10) >= all { Self::Zh } else { Self::En }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_han_is_chinese() {
        let chinese = ["你好", "请运行 cargo test --workspace", "用 `rg` 找", "漢字"];
        let english = ["", "123 🙂", "hello", "Ask 王伟 about the release, he wrote it"];
        assert_eq!(chinese.map(Language::of), [Language::Zh; 4]);
        assert_eq!(english.map(Language::of), [Language::En; 4]);
    }
}

//! What a message asks of the guide.

use contract::Inbound;

/// One of the things the guide can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    Picture,
    File,
    Long,
    Slow,
    Tools,
    /// Ask for leave, and wait for the answer.
    Ask,
    Markdown,
    /// Explain what was quoted.
    Quote,
    Echo,
}

impl Wish {
    pub(super) fn of(inbound: &Inbound) -> Self {
        let asked = Self::of_text(&inbound.text);
        if asked == Self::Echo && inbound.quote.is_some() {
            return Self::Quote;
        }
        // A picture with the word "picture" under it is not a request for one.
        if inbound.attachments.is_empty() { asked } else { Self::Echo }
    }

    fn of_text(text: &str) -> Self {
        let ends = |c: char| c.is_whitespace() || "/!！.。?？~～,，".contains(c);
        match text.trim_matches(ends).to_lowercase().as_str() {
            "help" | "hello" | "hi" | "hey" | "start" | "帮助" | "你好" | "您好" | "嗨"
            | "在吗" => Self::Help,
            "picture" | "image" | "图片" | "图" => Self::Picture,
            "file" | "文件" => Self::File,
            "long" | "长文" => Self::Long,
            "slow" | "慢" => Self::Slow,
            "tools" | "tool" | "工具" => Self::Tools,
            "ask" | "询问" => Self::Ask,
            "markdown" | "格式" => Self::Markdown,
            "quote" | "引用" => Self::Quote,
            _ => Self::Echo,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_a_word_in_either_language() {
        let cases = [
            ("Hello!", Wish::Help),
            ("你好", Wish::Help),
            ("/help", Wish::Help),
            ("帮助。", Wish::Help),
            (" picture\n", Wish::Picture),
            ("图片", Wish::Picture),
            ("文件", Wish::File),
            ("长文", Wish::Long),
            ("SLOW", Wish::Slow),
            ("工具", Wish::Tools),
            ("询问", Wish::Ask),
            ("markdown", Wish::Markdown),
            ("quote", Wish::Quote),
            ("a slow picture", Wish::Echo),
            ("", Wish::Echo),
        ];
        for (text, wish) in cases {
            assert_eq!(Wish::of_text(text), wish, "{text}");
        }
    }
}

//! `bot_agent`: who the bot says it is.

use std::fmt;

/// A sanitised `bot_agent`: `Name/Version` tokens with optional comments.
///
/// The rules are the official plugin's (official source): they keep the text
/// fit for a header and for the backend's statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotAgent(String);

impl BotAgent {
    /// The longest text, in bytes. Tokens at the end are dropped to fit.
    pub const MAX_BYTES: usize = 256;

    /// Keeps what is valid in a configured text; never fails.
    ///
    /// A token is `Name/Version`; the words right behind one may be its
    /// comment, in parentheses. Invalid tokens, comments without a token and
    /// everything from an unclosed parenthesis on are dropped. When nothing is
    /// left, the default agent stands.
    #[must_use]
    pub fn sanitize(text: &str) -> Self {
        let mut agent = String::new();
        for token in tokens(text) {
            let gap = usize::from(!agent.is_empty());
            if agent.len() + gap + token.len() > Self::MAX_BYTES {
                break;
            }
            if gap == 1 {
                agent.push(' ');
            }
            agent.push_str(&token);
        }
        if agent.is_empty() { Self::default() } else { Self(agent) }
    }

    /// Returns the text as it travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for BotAgent {
    fn default() -> Self {
        Self("OpenClaw".to_owned())
    }
}

impl fmt::Display for BotAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the valid tokens of a text, each with its comment.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    // Whether the next word may open a comment on the last token.
    let mut takes_comment = false;
    let mut words = text.split(is_space).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if !word.starts_with('(') {
            takes_comment = is_product(word);
            if takes_comment {
                tokens.push(word.to_owned());
            }
            continue;
        }
        let Some(comment) = close(word, &mut words) else {
            break;
        };
        if let Some(token) = tokens.last_mut()
            && takes_comment
            && is_comment(&comment)
        {
            token.push(' ');
            token.push_str(&comment);
        }
        takes_comment = false;
    }
    tokens
}

/// Joins words up to the one that closes the parenthesis.
fn close<'a>(first: &'a str, rest: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    let mut comment = first.to_owned();
    while !comment.ends_with(')') {
        comment.push(' ');
        comment.push_str(rest.next()?);
    }
    Some(comment)
}

fn is_product(word: &str) -> bool {
    let Some((name, version)) = word.split_once('/') else {
        return false;
    };
    let common = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=32).contains(&name.len())
        && (1..=32).contains(&version.len())
        && name.bytes().all(common)
        && version.bytes().all(|byte| common(byte) || byte == b'+')
}

fn is_comment(words: &str) -> bool {
    let Some(inner) = words.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return false;
    };
    let printable = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'(' | b')');
    (1..=64).contains(&inner.len()) && inner.bytes().all(printable)
}

/// White space as JavaScript's `\s` has it.
fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

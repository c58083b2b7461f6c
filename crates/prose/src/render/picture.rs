//! `![alt](url "title")`, found without looking further than needed.

/// The longest alternative text, in bytes.
const ALT: usize = 4 * 1024;

/// The longest target, in bytes: a `data:` address holds a whole picture.
pub(crate) const TARGET: usize = 8 * 1024 * 1024;

/// A picture that an agent's text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What the picture shows, in words; may be empty.
    pub alt: String,
    /// Where it is: an address, a `data:` address or a path. Not empty, and
    /// otherwise as the agent wrote it, white space in the middle included.
    pub url: String,
    /// Its title; mostly empty.
    pub title: String,
}

impl Picture {
    /// Says the picture in words: `alt (url title)`.
    pub(crate) fn in_words(&self) -> String {
        in_words(&self.alt, &self.url, &self.title)
    }
}

/// Says a link in words.
pub(crate) fn in_words(text: &str, url: &str, title: &str) -> String {
    let gap = if title.is_empty() { "" } else { " " };
    match text {
        "" => format!("{url}{gap}{title}"),
        _ => format!("{text} ({url}{gap}{title})"),
    }
}

/// What a look at the start of a text found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look<T> {
    /// It is there, so many bytes long.
    Found(T, usize),
    /// It is not there, whatever follows.
    Absent,
    /// More text is needed to tell.
    Unclear,
}

/// Looks for a picture at the start of `rest`, which starts with `![`.
pub(crate) fn picture(rest: &str, end: bool) -> Look<Picture> {
    let Some(alt_len) = closed_by(&rest[2..], ('[', ']'), ALT) else {
        return if end { Look::Absent } else { Look::Unclear };
    };
    let Some(alt_len) = alt_len else { return Look::Absent };
    let alt = &rest[2..2 + alt_len];
    let after = 2 + alt_len + 1;
    match target(&rest[after..], end) {
        Look::Found((url, title), len) => {
            let picture =
                Picture { alt: alt.to_owned(), url: url.to_owned(), title: title.to_owned() };
            Look::Found(picture, after + len)
        }
        Look::Absent => Look::Absent,
        Look::Unclear => Look::Unclear,
    }
}

/// Looks for `(url "title")` at the start of `rest`.
pub(crate) fn target(rest: &str, end: bool) -> Look<(&str, &str)> {
    let unclear = if end { Look::Absent } else { Look::Unclear };
    match rest.as_bytes().first() {
        Some(b'(') => {}
        Some(_) => return Look::Absent,
        None => return unclear,
    }
    let Some(len) = closed_by(&rest[1..], ('(', ')'), TARGET) else { return unclear };
    let Some(len) = len else { return Look::Absent };
    let (url, title) = url_and_title(rest[1..=len].trim());
    if url.is_empty() { Look::Absent } else { Look::Found((url, title), len + 2) }
}

/// Returns how many bytes come before the mark that closes what is open; the
/// inner `None` when it is not closed on this line, within `most` bytes, or
/// before the next picture or link; the outer when there is too little text.
fn closed_by(text: &str, (open, close): (char, char), most: usize) -> Option<Option<usize>> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        // No target holds the start of another: so no text is looked through twice.
        let next = matches!((before, c), ('!', '[')) || open == '(' && before == ']' && c == '(';
        if at >= most || c == '\n' || next {
            return Some(None);
        }
        let escaped = before == '\\';
        if c == open && !escaped {
            depth += 1;
        } else if c == close && !escaped {
            let Some(less) = depth.checked_sub(1) else { return Some(Some(at)) };
            depth = less;
        }
        before = if escaped { ' ' } else { c };
    }
    None
}

/// Takes `<url> "title"` apart. A path may have white space in it.
fn url_and_title(target: &str) -> (&str, &str) {
    let (url, title) = quoted_end(target).unwrap_or((target, ""));
    let url = url.strip_prefix('<').and_then(|url| url.strip_suffix('>')).unwrap_or(url);
    (url, title)
}

fn quoted_end(target: &str) -> Option<(&str, &str)> {
    let quote = target.chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
    let (before, title) = target[..target.len() - 1].rsplit_once(quote)?;
    let url = before.trim_end();
    (url.len() < before.len()).then_some((url, title))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, usize)> {
        match picture(text, true) {
            Look::Found(picture, len) => {
                Some((format!("{}|{}|{}", picture.alt, picture.url, picture.title), len))
            }
            Look::Absent | Look::Unclear => None,
        }
    }

    #[test]
    fn a_picture_is_taken_apart() {
        let check = |text: &str, want: &str| {
            assert_eq!(found(text), Some((want.to_owned(), text.len())), "{text}");
        };
        check("![图](http://e.x/a.png)", "图|http://e.x/a.png|");
        check("![](a(1).png)", "|a(1).png|");
        check("![a [b] c](<d e> \"f g\")", "a [b] c|d e|f g");
        check("![x](/tmp/my file.png 'y')", "x|/tmp/my file.png|y");
    }

    #[test]
    fn what_is_not_a_picture_stays() {
        for text in ["![a]", "![a] (b)", "![a](b", "![a\n](b)", "![a]()", "![a ![b](c)](d)"] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn more_text_may_be_needed() {
        for text in ["![", "![a", "![a]", "![a](", "![a](b"] {
            assert_eq!(picture(text, false), Look::Unclear, "{text}");
        }
        assert_eq!(picture("![a] ", false), Look::Absent);
    }
}

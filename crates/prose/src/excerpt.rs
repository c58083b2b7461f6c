//! A short lead of a long text.

use crate::fence::{Fence, Opener};
use crate::script::ends_sentence;
use crate::split::{Limits, split};

/// Returns how a text begins, in at most `max_chars` characters: whole
/// sentences if they fit, else words and `…`.
///
/// Code and tables are left out; the lead ends where they begin. A text without
/// prose has an empty lead.
#[must_use]
pub fn lead(text: &str, max_chars: usize) -> String {
    let prose = first_prose(text).trim();
    let Some(room) = max_chars.checked_sub(1) else { return String::new() };
    if prose.chars().nth(max_chars).is_none() {
        return prose.to_owned();
    }
    // The rest of a long text is not looked at.
    let near = prose.char_indices().nth(room.saturating_mul(2)).map_or(prose.len(), |(at, _)| at);
    let limits = Limits { chars: room, bytes: usize::MAX, ..Limits::default() };
    let Some(first) = split(&prose[..near], &limits).into_iter().next() else {
        return String::new();
    };
    let lead = &prose[first.source];
    let whole = lead.trim_end_matches(|c: char| !c.is_alphanumeric() && !ends_sentence(c));
    let gap = if whole.ends_with(ends_sentence) { "" } else { "…" };
    format!("{lead}{gap}")
}

/// Returns the first lines that are no code and no rows of a table.
fn first_prose(text: &str) -> &str {
    let mut code: Option<Fence> = None;
    let mut start = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let opener = Opener::of(line);
        let is_prose = code.is_none() && opener.is_none() && !line.trim_start().starts_with('|');
        match start {
            Some(start) if !is_prose => return &text[start..at],
            None if is_prose && !line.trim().is_empty() => start = Some(at),
            Some(_) | None => {}
        }
        code = match code {
            Some(fence) => (!fence.closes(line)).then_some(fence),
            None => opener.map(|opener| opener.fence),
        };
        at += line.len();
    }
    &text[start.unwrap_or(at)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_made_of_whole_sentences() {
        let text =
            "# 结论\n\n可以。先备份，再升级。然后重启所有的服务，等一分钟。\n\n```sh\nls\n```\n";
        assert_eq!(lead(text, 100), text.split("\n\n```").next().unwrap());
        assert_eq!(lead(text, 20), "# 结论\n\n可以。先备份，再升级。");
        assert_eq!(lead("One two three four five six", 15), "One two three…");
        assert_eq!(lead("Yes. **It works.** But slowly, and so on", 20), "Yes. **It works.**");
    }

    #[test]
    fn a_lead_has_no_code_and_no_tables() {
        assert_eq!(lead("```\nx\n```\n\n| a |\n|---|\n好。\n| b |", 50), "好。");
        assert_eq!(lead("```\nx", 50), "");
        assert_eq!(lead("好", 0), "");
        assert_eq!(lead(" \n", 9), "");
    }

    #[test]
    fn a_lead_is_not_longer_than_asked() {
        let text = "啊".repeat(100) + " word. 👨\u{200D}👩\u{200D}👧";
        for most in 0..120 {
            assert!(lead(&text, most).chars().count() <= most);
        }
    }
}

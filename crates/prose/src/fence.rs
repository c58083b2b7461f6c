//! Code fences and what stands before them on their line.

/// The longest run of marks in front of a line's own text that is looked at.
const LEAD: usize = 128;

/// A code fence that is open: which mark, and how many of it at least close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    mark: u8,
    run: usize,
}

/// The line that opens a fence, taken apart: `> ` + three marks + `rust`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opener<'a> {
    pub(crate) fence: Fence,
    /// Indentation, quote marks and list marks.
    pub(crate) lead: &'a str,
    /// The marks themselves.
    pub(crate) run: &'a str,
    /// What is said about the code, such as its language.
    pub(crate) info: &'a str,
}

impl<'a> Opener<'a> {
    /// Takes a line apart if it opens a fence.
    pub(crate) fn of(line: &'a str) -> Option<Self> {
        let (lead, rest) = line.split_at(lead_len(line));
        let fence = Fence::at(rest)?;
        let (run, info) = rest.split_at(fence.run);
        let info = info.trim();
        let closed_at_once = fence.mark == b'`' && info.contains('`');
        (!closed_at_once).then_some(Self { fence, lead, run, info })
    }
}

impl Fence {
    /// Returns the fence that a text starts with, if it starts with one.
    pub(crate) fn at(text: &str) -> Option<Self> {
        let mark = *text.as_bytes().first()?;
        let run = text.bytes().take_while(|&byte| byte == mark).count();
        (matches!(mark, b'`' | b'~') && run >= 3).then_some(Self { mark, run })
    }

    /// Whether a line closes the fence.
    pub(crate) fn closes(self, line: &str) -> bool {
        let rest = line.trim_start_matches([' ', '\t', '>']);
        Self::at(rest).is_some_and(|found| {
            found.mark == self.mark && found.run >= self.run && rest[found.run..].trim().is_empty()
        })
    }
}

/// Returns the length of the indentation, quote marks and list marks that a
/// line starts with.
pub(crate) fn lead_len(line: &str) -> usize {
    let mut at = 0;
    while at < LEAD {
        let rest = &line.as_bytes()[at..];
        let step = match rest.first() {
            Some(b' ' | b'\t' | b'>') => 1,
            Some(b'-' | b'*' | b'+') => list_mark(rest, 1),
            Some(b'0'..=b'9') => ordered_mark(rest),
            Some(_) | None => 0,
        };
        if step == 0 {
            break;
        }
        at += step;
    }
    at
}

/// Whether a line is a heading: what comes after its marks then, and how many
/// marks it has.
pub(crate) fn heading(line: &str) -> Option<(usize, &str)> {
    let marks = line.bytes().take(7).take_while(|&byte| byte == b'#').count();
    let text = line[marks..].strip_prefix(' ')?;
    (1..=6).contains(&marks).then_some((marks, text))
}

/// Whether a line is the row of dashes under a table's head.
pub(crate) fn is_delimiter_row(line: &str) -> bool {
    let row = line.trim_start_matches([' ', '\t', '>']).trim_end();
    row.contains('-')
        && row.contains('|')
        && row.bytes().all(|byte| matches!(byte, b'|' | b'-' | b':' | b' ' | b'\t'))
}

/// The length of a list mark, with the blank that makes it one.
fn list_mark(rest: &[u8], len: usize) -> usize {
    if matches!(rest.get(len), Some(b' ' | b'\t')) { len + 1 } else { 0 }
}

fn ordered_mark(rest: &[u8]) -> usize {
    let digits = rest.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    match rest.get(digits) {
        Some(b'.' | b')') if digits < 10 => list_mark(rest, digits + 1),
        Some(_) | None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_opens_in_quotes_and_lists_too() {
        let opened = |line| Opener::of(line).map(|it| (it.lead, it.run, it.info));
        assert_eq!(opened("```rust\n"), Some(("", "```", "rust")));
        assert_eq!(opened("> ~~~~\n"), Some(("> ", "~~~~", "")));
        assert_eq!(opened("1. ```sh -x"), Some(("1. ", "```", "sh -x")));
        assert_eq!(opened("```in line``` code"), None);
        assert_eq!(opened("a ```"), None);
        assert_eq!(opened("``"), None);
    }

    #[test]
    fn a_fence_is_closed_by_as_many_marks_of_its_kind() {
        let fence = Fence::at("````").unwrap();
        let closes = ["````\n", "  `````  ", "> ````", "```", "~~~~", "````x"];
        assert_eq!(closes.map(|line| fence.closes(line)), [true, true, true, false, false, false]);
    }

    #[test]
    fn what_stands_before_a_line() {
        let leads = ["- a", "-a", "12) b", "12)b", "> > * c", "\td", "**e**", "1234567890. f"];
        assert_eq!(leads.map(lead_len), [2, 0, 4, 0, 6, 1, 0, 0]);
    }
}

//! The marks within a line, taken off in one pass.
//!
//! The line is copied; what turns out to be a mark is noted on the way and
//! left out of the copy at the end.

use std::ops::Range;

use crate::render::markdown::{code_span_len, is_in_address};
use crate::render::picture::{self, Look, Picture};
use crate::render::{Pictures, Rendered};

/// What is not simply copied.
const SPECIAL: [char; 10] = ['\\', '`', '!', '[', ']', '<', ':', '*', '_', '~'];

/// Appends a line without its marks, and its pictures.
pub(super) fn inline(line: &str, pictures: Pictures, out: &mut Rendered) {
    let mut pass = Pass::default();
    let mut at = 0;
    while at < line.len() {
        at += pass.step(&line[at..], pictures);
    }
    out.pictures.append(&mut pass.lifted);
    pass.write(&mut out.text);
}

#[derive(Default)]
struct Pass {
    copy: String,
    /// What of the copy is a mark.
    marks: Vec<Range<usize>>,
    /// Where brackets are open.
    brackets: Vec<usize>,
    /// Emphasis that is open, one stack for each mark.
    stars: Vec<Run>,
    lines: Vec<Run>,
    waves: Vec<Run>,
    lifted: Vec<Picture>,
}

/// So many equal marks in a row.
struct Run {
    at: usize,
    len: usize,
}

impl Pass {
    /// Copies something of `rest`, and says how much of it is done.
    fn step(&mut self, rest: &str, pictures: Pictures) -> usize {
        let plain = rest.find(SPECIAL).unwrap_or(rest.len());
        if plain > 0 {
            return self.copy(&rest[..plain]);
        }
        match rest.as_bytes()[0] {
            b'\\' => self.escape(rest),
            b'`' => self.code(rest),
            b'!' => self.picture(rest, pictures),
            b'[' => {
                self.brackets.push(self.copy.len());
                self.copy("[")
            }
            b']' => self.link_end(rest),
            b'<' => self.angled(rest),
            b':' => self.address(rest),
            _ => self.emphasis(rest),
        }
    }

    fn copy(&mut self, text: &str) -> usize {
        self.copy.push_str(text);
        text.len()
    }

    fn escape(&mut self, rest: &str) -> usize {
        match rest[1..].chars().next() {
            Some(c) if c.is_ascii_punctuation() => 1 + self.copy(&rest[1..2]),
            Some(_) | None => self.copy("\\"),
        }
    }

    fn code(&mut self, rest: &str) -> usize {
        let run = rest.bytes().take_while(|&byte| byte == b'`').count();
        let Some(len) = code_span_len(rest, run) else { return self.copy(&rest[..run]) };
        self.copy(&rest[run..len - run]);
        len
    }

    fn picture(&mut self, rest: &str, pictures: Pictures) -> usize {
        if !rest.starts_with("![") {
            return self.copy("!");
        }
        let Look::Found(picture, len) = picture::picture(rest, true) else {
            return self.copy("!");
        };
        match pictures {
            Pictures::Inline => {
                self.copy(&picture.in_words());
            }
            Pictures::Lift => {
                // A link around a picture still needs something to show.
                if self.copy.ends_with('[') {
                    self.copy(&picture.alt);
                }
                self.lifted.push(picture);
            }
        }
        len
    }

    /// Shows a link as `text (url)`.
    fn link_end(&mut self, rest: &str) -> usize {
        let Some(open) = self.brackets.pop() else { return self.copy("]") };
        let Look::Found((url, title), len) = picture::target(&rest[1..], true) else {
            return self.copy("]");
        };
        self.marks.push(open..open + 1);
        let nothing_to_show = open + 1 == self.copy.len();
        let target = picture::in_words("", url, title);
        match nothing_to_show {
            true => self.copy(&target),
            false => self.copy(&format!(" ({target})")),
        };
        1 + len
    }

    /// Shows `<address>` without its brackets.
    fn angled(&mut self, rest: &str) -> usize {
        let inner = rest[1..].find(['<', '>', ' ', '\t', '\n']).map(|len| &rest[1..=len]);
        match inner {
            Some(inner) if rest[1 + inner.len()..].starts_with('>') && is_address(inner) => {
                self.copy(inner) + 2
            }
            Some(_) | None => self.copy("<"),
        }
    }

    fn address(&mut self, rest: &str) -> usize {
        let len = rest.bytes().position(|byte| !is_in_address(byte)).unwrap_or(rest.len());
        let closes = !self.lines.is_empty();
        let address = rest[..len].trim_end_matches(|c| closes && c == '_');
        self.copy(if address.starts_with("://") { address } else { ":" })
    }

    /// Pairs what closes emphasis with what opened it. Within a word of Latin
    /// letters or digits the marks are part of a name or a sum.
    fn emphasis(&mut self, rest: &str) -> usize {
        let mark = rest.as_bytes()[0];
        let mut len = rest.bytes().take_while(|&byte| byte == mark).count();
        let before = self.copy.chars().next_back().unwrap_or(' ');
        let after = rest[len..].chars().next().unwrap_or(' ');
        let mut at = self.copy.len();
        let taken = self.copy(&rest[..len]);
        let open = match mark {
            b'*' => &mut self.stars,
            b'_' => &mut self.lines,
            _ if len == 2 => &mut self.waves,
            _ => return taken,
        };
        let closes = !before.is_whitespace() && !after.is_ascii_alphanumeric();
        while closes
            && len > 0
            && let Some(opener) = open.last_mut()
        {
            let both = len.min(opener.len);
            opener.len -= both;
            let left = opener.at + opener.len;
            self.marks.extend([left..left + both, at..at + both]);
            (at, len) = (at + both, len - both);
            if opener.len == 0 {
                open.pop();
            }
        }
        if len > 0 && !after.is_whitespace() && !before.is_ascii_alphanumeric() {
            open.push(Run { at, len });
        }
        taken
    }

    fn write(mut self, text: &mut String) {
        self.marks.sort_unstable_by_key(|mark| mark.start);
        let mut at = 0;
        for mark in self.marks {
            text.push_str(&self.copy[at..mark.start]);
            at = mark.end;
        }
        text.push_str(&self.copy[at..]);
    }
}

fn is_address(text: &str) -> bool {
    text.contains("://") || text.contains('@') && !text.contains('/')
}

//! Takes off the marks that WeChat does not show, and leaves the others.
//!
//! One pass, one [`Place`] and at most one open [`Span`]. A step looks at what
//! comes next, consumes some of it, or asks for more text. What a step does is
//! the same when more text is there: so a stream may be cut anywhere.

use super::line::line_of;
use super::picture::{self, Look};
use super::{Pictures, Rendered};
use crate::fence::{Fence, Opener, heading, lead_len};
use crate::script::is_cjk;

/// The most that is held back for a span, or looked through for its end, in bytes.
const HELD: usize = 4 * 1024;

/// What is not simply copied within a line.
const SPECIAL: [char; 7] = ['\n', '*', '_', '!', '`', ':', '\\'];

/// The filter of one text.
#[derive(Debug)]
pub(super) struct Filter {
    /// Whether to do as the official plugin does, without regard for code and names.
    official: bool,
    pictures: Pictures,
    /// What was pushed and is not consumed yet.
    pending: String,
    /// Whether `pending` starts with a picture whose target goes on.
    in_target: bool,
    place: Place,
    span: Option<Span>,
    /// The character consumed last.
    before: char,
    /// How many newlines end what was shown; two at the start.
    newlines: u8,
    out: Rendered,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    LineStart,
    Text,
    /// Behind a picture that was lifted, with nothing else on its line so far,
    /// and whether at the start of the next line.
    Lifted(bool),
    /// In a code block, and whether at the start of a line.
    Code(Fence, bool),
}

/// Emphasis that has been opened and may be closed.
#[derive(Debug)]
struct Span {
    mark: char,
    /// How many marks opened it: one or three.
    run: usize,
    held: String,
}

impl Filter {
    pub(super) fn new(official: bool, pictures: Pictures) -> Self {
        Self {
            official,
            pictures,
            pending: String::new(),
            in_target: false,
            place: Place::LineStart,
            span: None,
            before: '\n',
            newlines: 2,
            out: Rendered::default(),
        }
    }

    pub(super) fn push(&mut self, markdown: &str) -> Rendered {
        let grown = self.pending.len() + markdown.len();
        // The bytes of a picture are not looked through again with each piece.
        if self.in_target && grown < picture::TARGET && !markdown.contains([')', '\n']) {
            self.pending.push_str(markdown);
        } else {
            self.consume(markdown, false);
        }
        std::mem::take(&mut self.out)
    }

    pub(super) fn finish(mut self) -> Rendered {
        self.consume("", true);
        self.leave_span();
        self.out
    }

    fn consume(&mut self, more: &str, end: bool) {
        let mut text = std::mem::take(&mut self.pending);
        text.push_str(more);
        let mut at = 0;
        self.in_target = false;
        while at < text.len() {
            let Some(len) = self.step(&text[at..], end) else { break };
            at += len;
        }
        self.pending = text.split_off(at);
    }

    /// Consumes something of `rest` and says how much; `None` asks for more text.
    fn step(&mut self, rest: &str, end: bool) -> Option<usize> {
        match self.place {
            Place::LineStart => return self.line_start(rest, end),
            Place::Lifted(fresh) => return Some(self.after_lifted(fresh, rest)),
            Place::Code(fence, fresh) => return self.code_line(fence, fresh, rest, end),
            Place::Text => {}
        }
        let plain = rest.find(SPECIAL).unwrap_or(rest.len());
        if plain > 0 {
            return Some(self.put(&rest[..plain]));
        }
        match rest.as_bytes()[0] {
            b'\n' => Some(self.newline()),
            b'!' => self.picture(rest, end),
            b'*' => self.mark('*', rest, end),
            b'_' => self.mark('_', rest, end),
            _ if self.official => Some(self.put(&rest[..1])),
            b'`' => self.code_span(rest, end),
            b':' => self.address(rest, end),
            _ => self.escape(rest, end),
        }
    }

    /// Looks for a heading and a code block.
    fn line_start(&mut self, rest: &str, end: bool) -> Option<usize> {
        let lead = if self.official { 0 } else { lead_len(rest) };
        let line = &rest[lead..];
        let open = line.trim_start_matches(is_line_mark).is_empty();
        if open && !end && line.len() <= HELD {
            return None;
        }
        // A heading that WeChat does not show: it becomes a line like others.
        if let Some((marks @ 5.., _)) = heading(line) {
            self.place = Place::Text;
            self.put(&rest[..lead]);
            self.before = ' ';
            return Some(lead + marks + 1);
        }
        if Fence::at(line).is_some() {
            let line = line_of(rest, HELD, end)?;
            if let Some(fence) = self.fence(line) {
                self.place = Place::Code(fence, line.ends_with('\n'));
                return Some(self.put(line));
            }
        }
        self.place = Place::Text;
        Some(self.put(&rest[..lead]))
    }

    fn fence(&self, line: &str) -> Option<Fence> {
        let opener = Opener::of(line)?;
        let known = !self.official || opener.lead.is_empty() && opener.run.starts_with('`');
        known.then_some(opener.fence)
    }

    fn code_line(&mut self, fence: Fence, fresh: bool, rest: &str, end: bool) -> Option<usize> {
        let line = line_of(rest, HELD, end)?;
        let whole = line.ends_with('\n');
        self.place = match fresh && fence.closes(line) {
            true if whole => Place::LineStart,
            true => Place::Text,
            false => Place::Code(fence, whole),
        };
        Some(self.put(line))
    }

    /// Leaves no empty line where a picture stood, and not two where it stood
    /// between two.
    fn after_lifted(&mut self, fresh: bool, rest: &str) -> usize {
        if rest.starts_with('\n') {
            self.before = '\n';
            self.place = if self.newlines < 2 { Place::LineStart } else { Place::Lifted(true) };
            return 1;
        }
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if fresh || blank == 0 {
            self.place = if fresh { Place::LineStart } else { Place::Text };
            return 0;
        }
        blank
    }

    fn newline(&mut self) -> usize {
        if self.span.as_ref().is_some_and(|span| self.is_strict(span.run)) {
            self.leave_span();
        }
        self.place = if self.span.is_none() { Place::LineStart } else { Place::Text };
        self.put("\n")
    }

    /// Whether emphasis of so many marks starts with a word and ends on its line.
    fn is_strict(&self, run: usize) -> bool {
        run == 1 || !self.official
    }

    fn mark(&mut self, mark: char, rest: &str, end: bool) -> Option<usize> {
        let run = rest.bytes().take(3).take_while(|&byte| byte == mark as u8).count();
        let next = rest[run..].chars().next();
        if next.is_none() && !end {
            return None;
        }
        let within_word = self.before.is_ascii_alphanumeric()
            && next.is_some_and(|next| next.is_ascii_alphanumeric());
        if run == 1 && within_word && !self.official {
            return Some(self.put(&rest[..1]));
        }
        match &self.span {
            Some(span) if span.mark != mark => return Some(self.put(&rest[..run])),
            Some(span) if span.run == run => return Some(self.close_span()),
            // Two at a time: bold within italics.
            Some(span) if span.run == 1 => return Some(self.put(&rest[..2])),
            Some(_) => return Some(self.put(&rest[..run])),
            None => {}
        }
        let blank_follows = next.is_none_or(char::is_whitespace);
        let strict = self.is_strict(run) || self.before == '\n';
        if run == 2 || blank_follows && strict {
            return Some(self.put(&rest[..run]));
        }
        self.span = Some(Span { mark, run, held: String::new() });
        self.before = mark;
        Some(run)
    }

    /// Ends emphasis where it is closed: the marks stay if WeChat shows them.
    fn close_span(&mut self) -> usize {
        let Some(span) = self.span.take() else { return 0 };
        let shown = !span.held.chars().any(is_cjk);
        self.out_span(&span, shown, shown);
        self.before = span.mark;
        span.run
    }

    /// Gives up emphasis that is never closed.
    fn leave_span(&mut self) {
        if let Some(span) = self.span.take() {
            self.out_span(&span, true, false);
        }
    }

    fn out_span(&mut self, span: &Span, open: bool, close: bool) {
        let marks = |shown| std::iter::repeat_n(span.mark, if shown { span.run } else { 0 });
        self.out.text.extend(marks(open));
        self.out.text.push_str(&span.held);
        self.out.text.extend(marks(close));
        self.newlines = 0;
    }

    /// Keeps code within a line as it is.
    fn code_span(&mut self, rest: &str, end: bool) -> Option<usize> {
        let line = line_of(rest, HELD, end)?;
        let run = line.bytes().take_while(|&byte| byte == b'`').count();
        let len = code_span_len(line, run).unwrap_or(run);
        Some(self.put(&rest[..len]))
    }

    /// Keeps an address as it is, but for a `_` at its end that closes emphasis.
    fn address(&mut self, rest: &str, end: bool) -> Option<usize> {
        let near = &rest.as_bytes()[..rest.len().min(HELD)];
        let len = near.iter().position(|&byte| !is_in_address(byte)).unwrap_or(near.len());
        if len == rest.len() && len < HELD && !end && "://".starts_with(&rest[..len.min(3)]) {
            return None;
        }
        let closes = self.span.as_ref().is_some_and(|span| span.mark == '_');
        let address = rest[..len].trim_end_matches(|c| closes && c == '_');
        let known = address.starts_with("://");
        Some(self.put(if known { address } else { ":" }))
    }

    fn escape(&mut self, rest: &str, end: bool) -> Option<usize> {
        match rest[1..].chars().next() {
            Some(c) if c.is_ascii_punctuation() => Some(self.put(&rest[..2])),
            Some(_) => Some(self.put("\\")),
            None => end.then(|| self.put("\\")),
        }
    }

    fn picture(&mut self, rest: &str, end: bool) -> Option<usize> {
        match rest.as_bytes().get(1) {
            Some(b'[') => {}
            None if !end => return None,
            Some(_) | None => return Some(self.put("!")),
        }
        match picture::picture(rest, end) {
            Look::Found(picture, len) => {
                self.show(picture);
                Some(len)
            }
            Look::Absent => Some(self.put("!")),
            Look::Unclear => {
                self.in_target = rest.contains("](");
                None
            }
        }
    }

    fn show(&mut self, picture: picture::Picture) {
        match self.pictures {
            Pictures::Inline => {
                self.put(&picture.in_words());
            }
            Pictures::Lift => {
                // A link around a picture still needs something to show.
                if self.before == '[' {
                    self.put(&picture.alt);
                } else if self.newlines > 0 && self.span.is_none() && !self.official {
                    self.place = Place::Lifted(false);
                }
                self.out.pictures.push(picture);
            }
        }
    }

    /// Passes text on, to the span that is open or to the outside.
    fn put(&mut self, text: &str) -> usize {
        let Some(last) = text.chars().next_back() else { return 0 };
        self.before = last;
        if let Some(span) = &mut self.span {
            span.held.push_str(text);
            if span.held.len() > HELD {
                self.leave_span();
            }
            return text.len();
        }
        self.out.text.push_str(text);
        match text.trim_end_matches('\n') {
            "" => self.newlines = self.newlines.saturating_add(1),
            _ => self.newlines = u8::from(last == '\n'),
        }
        text.len()
    }
}

/// What may stand before it is clear what a line is.
fn is_line_mark(c: char) -> bool {
    matches!(c, '#' | '`' | '~' | ' ' | '\t' | '>' | '-' | '+' | '*') || c.is_ascii_digit()
}

/// Returns the length of the code span that a line starts with, given the
/// number of marks that open it.
pub(super) fn code_span_len(line: &str, run: usize) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut at = run;
    while let Some(next) = bytes[at..].iter().position(|&byte| byte == b'`') {
        at += next;
        let found = bytes[at..].iter().take_while(|&&byte| byte == b'`').count();
        at += found;
        if found == run {
            return Some(at);
        }
    }
    None
}

/// Whether a byte is part of an address. Marks that usually stand around one are not.
pub(super) fn is_in_address(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"<>\"'`()[]{}|*\\^!".contains(&byte)
}

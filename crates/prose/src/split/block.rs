//! What a line belongs to, as far as a cut would break it.

use super::size::Size;
use crate::fence::{Fence, Opener, heading, is_delimiter_row};

/// A place in a text where a part can start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'a> {
    pub(super) at: usize,
    /// Where its line starts.
    pub(super) line: usize,
    /// What the line belongs to.
    pub(super) block: Block<'a>,
    /// What the next line belongs to, unless it says otherwise.
    pub(super) next: Block<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Block<'a> {
    Prose,
    /// Within a code block, its last line included.
    Code(Code<'a>),
    /// A row of a table; its head, down to the row of dashes.
    Table(&'a str),
}

/// A code block, and how to open and close it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code<'a> {
    fence: Fence,
    /// Indentation and quote marks before its marks.
    lead: &'a str,
    run: &'a str,
    /// The marks and what is said about the code.
    opening: &'a str,
}

/// What is put before or behind a part, in pieces.
pub(super) type Repair<'a> = [&'a str; 3];

/// No repair.
pub(super) const NOTHING: Repair<'static> = ["", "", ""];

impl<'a> Code<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let opener = Opener::of(line)?;
        let opening = line[opener.lead.len()..].trim_end();
        // A list mark would start another item.
        let in_list = opener.lead.contains(|c| !matches!(c, ' ' | '\t' | '>'));
        let lead = if in_list { "" } else { opener.lead };
        Some(Self { fence: opener.fence, lead, run: opener.run, opening })
    }

    /// Whether the block can be closed and opened again within one part.
    fn fits(&self, limit: Size) -> bool {
        let [a, b, c] = self.reopening();
        let [d, e, f] = self.closing();
        limit.beside_all(&[a, b, c, d, e, f]).is_some()
    }

    fn reopening(&self) -> Repair<'a> {
        [self.lead, self.opening, "\n"]
    }

    fn closing(&self) -> Repair<'a> {
        ["\n", self.lead, self.run]
    }
}

impl<'a> Spot<'a> {
    /// Returns the first line that has something to show.
    pub(super) fn first(text: &'a str) -> Self {
        let blank = text.len() - text.trim_start().len();
        let at = text[..blank].rfind('\n').map_or(0, |newline| newline + 1);
        let before = Self { at: 0, line: 0, block: Block::Prose, next: Block::Prose };
        before.enter(text, 0, at, true)
    }

    /// Goes on to the line at `at`, from the line that ends at `end`.
    pub(super) fn enter(&self, text: &'a str, end: usize, at: usize, gap: bool) -> Self {
        let eol = text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1);
        let line = &text[at..eol];
        let (block, next) = match self.next {
            Block::Code(code) if code.fence.closes(line) => (self.next, Block::Prose),
            Block::Code(_) => (self.next, self.next),
            Block::Prose | Block::Table(_) => match (Code::of(line), self.next) {
                (Some(code), _) => (Block::Prose, Block::Code(code)),
                (None, Block::Table(_)) if !gap && line.contains('|') => (self.next, self.next),
                _ if !gap && is_delimiter_row(line) && text[self.line..end].contains('|') => {
                    (Block::Prose, Block::Table(&text[self.line..eol]))
                }
                _ => (Block::Prose, Block::Prose),
            },
        };
        Self { at, line: at, block, next }
    }

    /// Moves on within the line.
    pub(super) fn on(&self, at: usize) -> Self {
        Self { at, ..*self }
    }

    /// What a part that starts here needs before it.
    pub(super) fn repair_before(&self, text: &'a str, limit: Size) -> Repair<'a> {
        let affordable = |head| limit.beside_all(&[head]).is_some();
        let within_line = self.at > self.line;
        match self.block {
            Block::Code(code) if code.fits(limit) => code.reopening(),
            Block::Table(head) if !within_line && affordable(head) => [head, "", ""],
            Block::Prose if within_line => {
                let line = &text[self.line..self.at];
                let marks = line.trim_start_matches([' ', '\t', '>']);
                let marks = &line[..line.len() - marks.len()];
                let quoted = marks.contains('>') && marks.len() < line.len() && affordable(marks);
                if quoted { [marks, "", ""] } else { NOTHING }
            }
            Block::Code(_) | Block::Table(_) | Block::Prose => NOTHING,
        }
    }

    /// What a part needs behind it that ends on this line: within it, or with
    /// the whole of it.
    pub(super) fn repair_after(&self, whole_line: bool, limit: Size) -> Repair<'a> {
        match if whole_line { self.next } else { self.block } {
            Block::Code(code) if code.fits(limit) => code.closing(),
            Block::Code(_) | Block::Table(_) | Block::Prose => NOTHING,
        }
    }

    /// Whether the line opens a code block.
    pub(super) fn opens_code(&self) -> bool {
        matches!((self.block, self.next), (Block::Prose, Block::Code(_)))
    }

    /// Whether the line closes a code block.
    pub(super) fn closes_code(&self) -> bool {
        matches!((self.block, self.next), (Block::Code(_), Block::Prose))
    }

    /// Whether the line is the row of dashes below a table's head.
    pub(super) fn is_delimiter(&self) -> bool {
        matches!((self.block, self.next), (Block::Prose, Block::Table(_)))
    }

    pub(super) fn is_prose(&self) -> bool {
        matches!(self.block, Block::Prose)
    }

    pub(super) fn is_code(&self) -> bool {
        matches!(self.block, Block::Code(_))
    }

    /// Whether the line, which ends at `end`, is a heading.
    pub(super) fn is_heading(&self, text: &str, end: usize) -> bool {
        !self.is_code() && heading(&text[self.line..end]).is_some()
    }
}

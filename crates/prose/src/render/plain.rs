//! Takes all marks off: what is left can be read anywhere.
//!
//! Line by line; only the head of a table is held until the line below it has
//! told what it is.

mod inline;

use self::inline::inline;
use super::line::line_of;
use super::picture;
use super::{Pictures, Rendered};
use crate::fence::{Fence, Opener, heading, is_delimiter_row, lead_len};

/// The longest line that is read as a whole, in bytes: it may hold a picture.
const LINE: usize = picture::TARGET;

/// What stands for a rule.
const RULE: &str = "———";

/// The plain text of one markdown text.
#[derive(Debug)]
pub(super) struct Plain {
    pictures: Pictures,
    /// The beginning of a line.
    pending: String,
    block: Block,
    out: Rendered,
}

#[derive(Debug, Default)]
enum Block {
    #[default]
    Prose,
    /// Below a line that is the head of a table if a row of dashes follows.
    MaybeTable(String),
    Table,
    Code(Fence),
}

impl Plain {
    pub(super) fn new(pictures: Pictures) -> Self {
        let (pending, block) = (String::new(), Block::default());
        Self { pictures, pending, block, out: Rendered::default() }
    }

    pub(super) fn push(&mut self, markdown: &str) -> Rendered {
        let line_ends = markdown.contains('\n') || self.pending.len() + markdown.len() > LINE;
        self.pending.push_str(markdown);
        if line_ends {
            self.consume(false);
        }
        std::mem::take(&mut self.out)
    }

    pub(super) fn finish(mut self) -> Rendered {
        self.consume(true);
        self.settle();
        self.out
    }

    fn consume(&mut self, end: bool) {
        let text = std::mem::take(&mut self.pending);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let Some(line) = line_of(rest, LINE, end) else { break };
            self.line(line);
            rest = &rest[line.len()..];
        }
        self.pending = rest.to_owned();
    }

    fn line(&mut self, line: &str) {
        if let Block::Code(fence) = self.block {
            match fence.closes(line) {
                true => self.block = Block::Prose,
                false => self.out.text.push_str(line),
            }
            return;
        }
        if let Block::MaybeTable(_) = self.block {
            if is_delimiter_row(line) {
                self.table_head();
                return;
            }
            self.settle();
        }
        if let Some(opener) = Opener::of(line) {
            self.code(&opener);
        } else if !line.contains('|') {
            self.block = Block::Prose;
            self.prose(line);
        } else if let Block::Table = self.block {
            self.row(line);
        } else {
            self.block = Block::MaybeTable(line.to_owned());
        }
    }

    /// Says what the code is, and lets it follow as it is.
    fn code(&mut self, opener: &Opener<'_>) {
        self.block = Block::Code(opener.fence);
        if !opener.info.is_empty() || opener.lead.contains(|c: char| c.is_ascii_digit()) {
            self.lead(opener.lead);
            self.out.text.push_str(opener.info);
            self.out.text.push_str(":\n");
        }
    }

    fn table_head(&mut self) {
        if let Block::MaybeTable(head) = std::mem::replace(&mut self.block, Block::Table) {
            self.row(&head);
        }
    }

    /// Shows a line that turned out not to be the head of a table.
    fn settle(&mut self) {
        if let Block::MaybeTable(line) = std::mem::take(&mut self.block) {
            self.prose(&line);
        }
    }

    /// Shows a row as `first: second · third`.
    fn row(&mut self, line: &str) {
        let cells = cells(line.trim_matches([' ', '\t', '>', '\n', '\r']));
        for (n, cell) in cells.into_iter().enumerate() {
            self.out.text.push_str(match n {
                0 => "",
                1 => ": ",
                _ => " · ",
            });
            inline(cell.trim(), self.pictures, &mut self.out);
        }
        if line.ends_with('\n') {
            self.out.text.push('\n');
        }
    }

    fn prose(&mut self, line: &str) {
        match rule(line) {
            Some('=') => return,
            Some(_) => {
                self.out.text.push_str(RULE);
                self.out.text.push_str(&line[line.trim_end().len()..]);
                return;
            }
            None => {}
        }
        let (start, n_pictures) = (self.out.text.len(), self.out.pictures.len());
        let (lead, text) = line.split_at(lead_len(line));
        self.lead(lead);
        match heading(text) {
            Some((_, text)) => {
                let end = text.trim_end();
                let title = end.trim_end_matches('#');
                let closed = title.is_empty() || title.ends_with(' ');
                let title = if closed { title.trim_end() } else { end };
                inline(title, self.pictures, &mut self.out);
                self.out.text.push_str(&text[end.len()..]);
            }
            None => inline(text, self.pictures, &mut self.out),
        }
        // Where only a picture stood there is no empty line.
        let lifted = self.out.pictures.len() > n_pictures;
        if lifted && self.out.text[start..].trim().is_empty() {
            self.out.text.truncate(start);
        }
    }

    /// Shows quote marks as a bar, and list marks as a dot or their number.
    fn lead(&mut self, lead: &str) {
        self.out.text.extend(lead.chars().map(|c| match c {
            '>' => '│',
            '-' | '*' | '+' => '•',
            _ => c,
        }));
    }
}

/// Returns the mark of a line that is nothing but a rule or an underline.
fn rule(line: &str) -> Option<char> {
    let marks = line.trim();
    let mark = marks.chars().next().filter(|c| matches!(c, '-' | '*' | '_' | '='))?;
    let alone = marks.chars().all(|c| c == mark || c == ' ');
    (alone && marks.chars().filter(|&c| c == mark).count() >= 3).then_some(mark)
}

/// Cuts a row at its bars. The ones at its ends are not cuts.
fn cells(row: &str) -> Vec<&str> {
    let row = row.strip_prefix('|').unwrap_or(row);
    let mut cells = Vec::new();
    let (mut from, mut before) = (0, ' ');
    for (at, c) in row.char_indices() {
        if c == '|' && before != '\\' {
            cells.push(&row[from..at]);
            from = at + 1;
        }
        before = c;
    }
    if !row[from..].trim().is_empty() {
        cells.push(&row[from..]);
    }
    cells
}

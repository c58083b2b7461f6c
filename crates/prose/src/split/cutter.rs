//! Walks through a text, cut by cut, without copying any of it.

use std::ops::Range;

use super::block::{NOTHING, Repair, Spot};
use super::scan::{Scan, skippable};
use super::size::Size;

/// The cuts of a text.
pub(super) struct Cutter<'a> {
    text: &'a str,
    limit: Size,
    /// Where the next part starts; `None` at the end.
    spot: Option<Spot<'a>>,
}

/// One part, in pieces.
pub(super) struct Cut<'a> {
    pub(super) before: Repair<'a>,
    pub(super) body: Range<usize>,
    pub(super) after: Repair<'a>,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(text: &'a str, limit: Size) -> Self {
        let text = text.trim_end();
        let spot = (!text.is_empty()).then(|| Spot::first(text));
        Self { text, limit, spot }
    }

    fn cut(&mut self) -> Option<Cut<'a>> {
        let spot = self.indented(self.spot?);
        let repair = spot.repair_before(self.text, self.limit);
        let (before, room) = match self.limit.beside_all(&repair) {
            Some(room) => (repair, room),
            None => (NOTHING, self.limit),
        };
        let end = Scan::new(self.text, self.limit, spot, room).run();
        self.spot = end.resume;
        Some(Cut { before, body: spot.at..end.at, after: end.after })
    }

    /// Leaves out an indentation that would take half of a part.
    fn indented(&self, spot: Spot<'a>) -> Spot<'a> {
        let rest = &self.text[spot.at..];
        let indentation = skippable(rest);
        match self.limit.beside_all(&[&rest[..indentation]]) {
            Some(_) => spot,
            None => spot.on(spot.at + indentation),
        }
    }
}

impl<'a> Iterator for Cutter<'a> {
    type Item = Cut<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let cut = self.cut()?;
            // White space that is part of a grapheme too large for any part.
            if !self.text[cut.body.clone()].trim_start().is_empty() {
                return Some(cut);
            }
        }
    }
}

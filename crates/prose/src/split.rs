//! From a text to parts that WeChat accepts.
//!
//! Each part is cut at the best place that fills it well: between paragraphs,
//! else lines, else sentences, else words, else graphemes. What a cut would
//! break is repaired: a code block is closed and opened again, a table gets its
//! head again, a quoted line its quote marks.

mod block;
mod cutter;
mod scan;
mod size;

use std::ops::Range;

use self::cutter::Cutter;
use self::size::Size;

/// What a part may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most characters (Unicode scalar values). Zero counts as one.
    pub chars: usize,
    /// The most bytes of UTF-8. Less than four count as four, so that any
    /// character fits.
    pub bytes: usize,
    /// Whether parts say which they are. Its room is within the limits.
    pub numbering: Numbering,
}

impl Default for Limits {
    /// 1,800 characters, 16,000 bytes, no numbers: clients show about 2,000
    /// characters, and the backend refuses more than 16,384 bytes.
    fn default() -> Self {
        Self { chars: 1_800, bytes: 16_000, numbering: Numbering::None }
    }
}

/// Whether parts say which they are, as in `(1/3)`. A text that fits in one
/// part is never numbered, nor is one whose limits leave too little beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbering {
    /// They do not.
    #[default]
    None,
    /// In a paragraph before the text.
    Start,
    /// In a paragraph after the text.
    End,
}

/// One part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What to send: a piece of the text with its repairs and its number.
    pub text: String,
    /// Which bytes of the whole text it shows, unchanged and in one piece.
    pub source: Range<usize>,
}

/// Splits a text into parts within the limits.
///
/// The sources of the parts follow each other, and only white space lies
/// before, between and behind them. No part is empty; a text of white space
/// has no parts. A code block that the text leaves open is closed.
///
/// A grapheme is cut, between its characters, only if it alone is over what
/// numbers and repairs leave. A number or a repair that would take more than
/// half of what there is, is left out. The same text and limits give the
/// same parts; the work grows with the length of the text.
#[must_use]
pub fn split(text: &str, limits: &Limits) -> Vec<Part> {
    let plan = Plan::new(text, limits);
    let cuts = Cutter::new(text, plan.size);
    cuts.enumerate()
        .map(|(n, cut)| {
            let number = plan.total.map(|total| format!("({}/{total})", n + 1));
            let mut part = String::new();
            if let (Some(number), Numbering::Start) = (&number, limits.numbering) {
                part.extend([number, GAP]);
            }
            part.extend(cut.before);
            part.push_str(&text[cut.body.clone()]);
            part.extend(cut.after);
            if let (Some(number), Numbering::End) = (&number, limits.numbering) {
                part.extend([GAP, number]);
            }
            Part { text: part, source: cut.body }
        })
        .collect()
}

/// Counts the parts that [`split`] makes of a text, without making them.
#[must_use]
pub fn count_parts(text: &str, limits: &Limits) -> usize {
    let plan = Plan::new(text, limits);
    plan.total.unwrap_or_else(|| Cutter::new(text, plan.size).count())
}

/// What stands between a number and the text: a paragraph's end, so that the
/// number becomes no row of a table and no line of a list.
const GAP: &str = "\n\n";

/// How a text is split.
struct Plan {
    /// What a part may hold beside its number.
    size: Size,
    /// How many parts there are, if they are numbered.
    total: Option<usize>,
}

impl Plan {
    fn new(text: &str, limits: &Limits) -> Self {
        let size = Size { chars: limits.chars.max(1), bytes: limits.bytes.max(4) };
        let plain = Self { size, total: None };
        if limits.numbering == Numbering::None || Cutter::new(text, size).nth(1).is_none() {
            return plain;
        }
        // Numbers take room, so that there are more parts, whose numbers take
        // more room.
        for digits in 1_u32.. {
            let number = Size::of_ascii("(/)".len() + 2 * digits as usize + GAP.len());
            let Some(size) = size.beside(number) else { break };
            let total = Cutter::new(text, size).count();
            if total < 10_usize.saturating_pow(digits) {
                return Self { size, total: Some(total) };
            }
        }
        plain
    }
}

//! Finds the best place to end a part.

use unicode_segmentation::UnicodeSegmentation;

use super::block::{NOTHING, Repair, Spot};
use super::size::Size;
use crate::script::{clings, ends_sentence, ends_wide_sentence, is_cjk, is_closer, is_opener};

/// How good a place is to cut at, the best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Anywhere else, as between a table's head and its first row.
    Grapheme,
    /// Between words, but within bold, code or a row, or right below a heading.
    Torn,
    Word,
    Sentence,
    Line,
    Paragraph,
}

/// Where a part ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    pub(super) at: usize,
    pub(super) after: Repair<'a>,
    /// Where the next part starts; `None` at the end of the text.
    pub(super) resume: Option<Spot<'a>>,
    /// What of the text the part holds.
    used: Size,
}

/// A look through as much of a text as a part can hold.
pub(super) struct Scan<'a> {
    text: &'a str,
    limit: Size,
    first: Spot<'a>,
    /// What the repair before the part leaves of the limit.
    room: Size,
    /// The line that the scan is in.
    here: Spot<'a>,
    /// What a part needs behind it that ends within this line, and with it.
    after: [(Repair<'a>, Size); 2],
    /// What of the text was looked at.
    used: Size,
    /// The last place of each rank that fits.
    ends: [Option<End<'a>>; 6],
    /// The character before the one that is looked at.
    before: char,
    sentence: Sentence,
    in_code: bool,
    in_bold: bool,
}

/// Whether the text so far ends a sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sentence {
    Open,
    /// If white space follows.
    MaybeEnded,
    Ended,
}

impl<'a> Scan<'a> {
    /// Starts at a spot, with what its repair leaves of the limit.
    pub(super) fn new(text: &'a str, limit: Size, first: Spot<'a>, room: Size) -> Self {
        let mut scan = Self {
            text,
            limit,
            first,
            room,
            here: first,
            after: [(NOTHING, Size::default()); 2],
            used: Size::default(),
            ends: [None; 6],
            before: ' ',
            sentence: Sentence::Open,
            in_code: false,
            in_bold: false,
        };
        scan.enter(first);
        scan
    }

    pub(super) fn run(mut self) -> End<'a> {
        let window = self.window();
        // White space between lines is looked through at once.
        let start = self.first.at;
        let mut seen = start;
        let mut rest = window;
        while !rest.is_empty() && self.used.fits(self.room) {
            let at = start + window.len() - rest.len();
            let (grapheme, behind) = rest.split_at(grapheme_len(rest));
            if at >= seen {
                seen = self.look(at, grapheme);
            }
            self.used = self.used + Size::of(grapheme);
            rest = behind;
        }
        if start + window.len() == self.text.len()
            && let Some(end) = self.end(self.text.len(), true, None)
        {
            return end;
        }
        self.choose()
    }

    /// As much of the text as can fit, and the character behind it, which
    /// tells whether a grapheme ends there.
    fn window(&self) -> &'a str {
        let rest = &self.text[self.first.at..];
        let rest = &rest[..rest.ceil_char_boundary(self.room.bytes.saturating_add(4))];
        let behind = rest.char_indices().nth(self.room.chars.saturating_add(1));
        behind.map_or(rest, |(at, _)| &rest[..at])
    }

    /// Looks at the place before a grapheme. Returns where to look next.
    fn look(&mut self, at: usize, grapheme: &str) -> usize {
        let Some(c) = grapheme.chars().next() else { return at };
        let after_space = self.before.is_whitespace();
        let mut seen = at;
        if c.is_whitespace() && grapheme.chars().all(char::is_whitespace) {
            if !after_space {
                seen = self.look_at_space(at);
            }
            self.before = ' ';
            return seen;
        }
        if at > self.first.at && !after_space {
            self.note(self.rank_before(c), at, false, self.here.on(at));
        }
        self.remember(c);
        seen
    }

    /// Looks at white space behind a word: the place to cut is before it, and
    /// the next part starts behind it.
    fn look_at_space(&mut self, at: usize) -> usize {
        let rest = &self.text[at..];
        let space = &rest[..rest.len() - rest.trim_start().len()];
        let Some(newline) = space.rfind('\n') else {
            let rank = if self.sentence == Sentence::Open { Rank::Word } else { Rank::Sentence };
            let behind = at + skippable(rest);
            self.note(self.within_line(rank), at, false, self.here.on(behind));
            return at;
        };
        let behind = at + newline + 1;
        let gap = space[..newline].contains('\n');
        let line = self.here.enter(self.text, at, behind, gap);
        self.note(self.rank_between(at, &line, gap), at, true, line);
        self.enter(line);
        behind
    }

    fn enter(&mut self, line: Spot<'a>) {
        self.here = line;
        self.after = [false, true].map(|whole_line| {
            let after = line.repair_after(whole_line, self.limit);
            (after, Size::of_all(&after))
        });
        self.sentence = Sentence::Open;
        (self.in_code, self.in_bold) = (false, false);
    }

    /// Ranks the place between the line that ends at `at` and the next one.
    fn rank_between(&self, at: usize, line: &Spot<'a>, gap: bool) -> Rank {
        let here = &self.here;
        if line.is_code() {
            // Not before the last line of a block nor behind its first one.
            let empty = line.closes_code() || here.opens_code();
            return if empty { Rank::Grapheme } else { Rank::Line };
        }
        if line.is_delimiter() || here.is_delimiter() && !gap {
            return Rank::Grapheme;
        }
        if here.is_heading(self.text, at) {
            return Rank::Torn;
        }
        let edge = gap || line.opens_code() || here.closes_code();
        if edge { Rank::Paragraph } else { Rank::Line }
    }

    /// Ranks the place before a character that no white space precedes.
    fn rank_before(&self, c: char) -> Rank {
        if clings(c) || is_opener(self.before) || self.here.is_code() {
            return Rank::Grapheme;
        }
        if self.sentence == Sentence::Ended {
            return self.within_line(Rank::Sentence);
        }
        let between_words = is_cjk(self.before) || is_cjk(c);
        if between_words { self.within_line(Rank::Word) } else { Rank::Grapheme }
    }

    fn within_line(&self, rank: Rank) -> Rank {
        let whole = self.here.is_prose() && !self.in_code && !self.in_bold;
        if whole { rank } else { Rank::Torn }
    }

    fn remember(&mut self, c: char) {
        self.in_code ^= c == '`' && self.before != '`';
        self.in_bold ^= c == '*' && self.before == '*';
        if ends_wide_sentence(c) {
            self.sentence = Sentence::Ended;
        } else if !ends_sentence(c) && !is_closer(c) && c != '*' {
            self.sentence = Sentence::Open;
        } else if ends_sentence(c) && self.sentence == Sentence::Open {
            self.sentence = Sentence::MaybeEnded;
        }
        self.before = c;
    }

    fn note(&mut self, rank: Rank, at: usize, whole_line: bool, resume: Spot<'a>) {
        if let Some(end) = self.end(at, whole_line, Some(resume)) {
            self.ends[rank as usize] = Some(end);
        }
    }

    /// Ends the part here, if it fits.
    fn end(&self, at: usize, whole_line: bool, resume: Option<Spot<'a>>) -> Option<End<'a>> {
        let (after, size) = self.after[usize::from(whole_line)];
        (self.used + size).fits(self.room).then_some(End { at, after, resume, used: self.used })
    }

    /// Chooses the best place that fills half of the part; else, so that a long
    /// word stays whole, one that fills some of it.
    fn choose(&self) -> End<'a> {
        let last = |least: Rank, share| {
            let good = self.ends[least as usize..].iter().rev().flatten();
            good.into_iter().find(|end| end.used.fills(self.room, share)).copied()
        };
        last(Rank::Word, 2)
            .or_else(|| last(Rank::Torn, 8))
            .or_else(|| self.ends.iter().flatten().max_by_key(|end| end.at).copied())
            .unwrap_or_else(|| self.within_grapheme())
    }

    /// Cuts a grapheme that does not fit into any part.
    fn within_grapheme(&self) -> End<'a> {
        let after = self.first.repair_after(false, self.limit);
        let size = Size::of_all(&after);
        let mut used = Size::default();
        let mut at = self.first.at;
        for c in self.text[at..].chars() {
            let more = used + Size { chars: 1, bytes: c.len_utf8() };
            if !(more + size).fits(self.room) {
                break;
            }
            (used, at) = (more, at + c.len_utf8());
        }
        let resume = (at < self.text.len()).then(|| self.first.on(at));
        End { at, after, resume, used }
    }
}

/// Returns how much of the white space that a text starts with can be left
/// out: all, but for a last character that makes a grapheme with what follows.
pub(super) fn skippable(text: &str) -> usize {
    let len = text.len() - text.trim_start().len();
    let last = text[..len].chars().next_back().map_or(0, char::len_utf8);
    let next = text[len..].chars().next().map_or(0, char::len_utf8);
    let pair = text[len - last..len + next].graphemes(true).next();
    if pair.is_none_or(|grapheme| grapheme.len() == last) { len } else { len - last }
}

/// Returns the length of the grapheme that a text starts with.
fn grapheme_len(text: &str) -> usize {
    let mut chars = text.chars();
    let first = chars.next().map_or(0, char::len_utf8);
    if text.starts_with(stands_alone) && chars.next().is_none_or(stands_alone) {
        return first;
    }
    text.graphemes(true).next().map_or(0, str::len)
}

/// Whether a character makes no grapheme with another one like it; most do not,
/// and need no look into the tables.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\n' | ' '..='~' | '\u{2010}'..='\u{2027}' | '\u{3001}'..='\u{3029}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF01}'..='\u{FF5E}')
}

//! From an agent's markdown to text that WeChat shows.
//!
//! WeChat shows bold, code, tables, rules, Latin italics and headings of four
//! ranks. It shows the marks themselves, or nothing, where markdown means
//! italics of Chinese, headings of rank five and six, and pictures. So those
//! marks are taken off and the pictures are handed over, for the caller to send.

mod line;
mod markdown;
mod picture;
mod plain;

pub use picture::Picture;

use markdown::Filter;
use plain::Plain;

/// How markdown becomes text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// What becomes of the marks.
    pub markup: Markup,
    /// What becomes of `![alt](url)`.
    pub pictures: Pictures,
}

/// What becomes of the marks of markdown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Markup {
    /// What WeChat shows stays as it is, and what it does not show comes off;
    /// mark for mark as the official plugin does it, except that pictures are
    /// not deleted. It knows no code within a line, no names and no addresses:
    /// in `见 a_b 和 c_d` both names lose their `_`.
    Markdown,
    /// The same with care. Code, in a line, a list or a quote too, and addresses
    /// are never touched, nor are `*` and `_` between two Latin letters or digits
    /// (`snake_case`, `2*3`). Emphasis starts at a word and ends on its line.
    /// Headings in lists and quotes are seen.
    #[default]
    Careful,
    /// No marks at all: headings and table rows are lines, links are
    /// `text (url)`, code is as it was.
    Plain,
}

/// What becomes of `![alt](url)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pictures {
    /// It leaves the text and is returned, so that the caller sends the picture.
    #[default]
    Lift,
    /// It becomes `alt (url)` in its place.
    Inline,
}

/// Text for a message, and the pictures that were lifted out of it, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// The pictures; none with [`Pictures::Inline`].
    pub pictures: Vec<Picture>,
}

/// Turns markdown into text that WeChat shows.
///
/// No word of the input disappears: it is in the text or in a picture, in
/// order. Letters and digits are neither changed nor added.
#[must_use]
pub fn render(markdown: &str, style: Style) -> Rendered {
    let mut renderer = Renderer::new(style);
    let mut all = renderer.push(markdown);
    all.append(renderer.finish());
    all
}

/// Renders markdown as it streams in.
///
/// What comes out, put together, is what [`render`] makes of the whole,
/// wherever the stream was cut. What cannot be decided yet is held back:
/// a code line, a code span or an emphasis that is still open (4 KiB
/// at most), a picture (8 MiB at most, its address may hold the bytes); in
/// plain text the line (8 MiB at most) and a line above it that may be the
/// head of a table. What grows beyond that is taken as it stands.
#[derive(Debug)]
pub struct Renderer(Way);

#[derive(Debug)]
enum Way {
    Markdown(Filter),
    Plain(Plain),
}

impl Renderer {
    /// Starts a text.
    #[must_use]
    pub fn new(style: Style) -> Self {
        let way = match style.markup {
            Markup::Careful => Way::Markdown(Filter::new(false, style.pictures)),
            Markup::Markdown => Way::Markdown(Filter::new(true, style.pictures)),
            Markup::Plain => Way::Plain(Plain::new(style.pictures)),
        };
        Self(way)
    }

    /// Takes the next piece of markdown and returns what is decided by it.
    pub fn push(&mut self, markdown: &str) -> Rendered {
        match &mut self.0 {
            Way::Markdown(filter) => filter.push(markdown),
            Way::Plain(plain) => plain.push(markdown),
        }
    }

    /// Ends the text and returns what was held back.
    #[must_use]
    pub fn finish(self) -> Rendered {
        match self.0 {
            Way::Markdown(filter) => filter.finish(),
            Way::Plain(plain) => plain.finish(),
        }
    }
}

impl Rendered {
    /// Puts what comes next behind this.
    pub fn append(&mut self, next: Self) {
        self.text.push_str(&next.text);
        self.pictures.extend(next.pictures);
    }
}

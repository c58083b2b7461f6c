//! Lays a saying out into the messages that go over the wire.

use prose::{Language, Limits as PartLimits, Markup, Numbering, Pictures, Rendered, Style};

use crate::codes::Notice;
use crate::governor::Layout;
use crate::saying::is_remote;
use crate::sending::{MarkdownStyle, SendSettings};
use crate::store::Payload;

/// More messages than this are a file.
const MOST_PARTS: usize = 900;
/// What a hint under a part may take of what the phone shows.
const HINT_CHARS: usize = 80;
/// A shorter text is not what a backend calls too long.
const SHORT_CHARS: usize = 200;
/// How long the words before a file are.
const LEAD_CHARS: usize = 200;

/// A text ready to be laid out.
#[derive(Clone, Debug)]
pub(crate) struct Composed {
    rendered: Rendered,
    pub(crate) language: Language,
    number_parts: bool,
    /// The longest part that leaves room for a hint.
    most_chars: usize,
}

/// What leaves for a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Draft {
    /// A message as it is.
    Message(Payload),
    /// A file to write first.
    File { name: String, text: String },
    /// A picture of this machine, and what is said instead if it may not leave.
    Local { reference: String, name: Option<String>, instead: String },
}

impl Composed {
    /// Renders an agent's markdown.
    pub(crate) fn new(markdown: &str, settings: &SendSettings) -> Self {
        let markup = match settings.markdown {
            MarkdownStyle::Wechat => Markup::Careful,
            MarkdownStyle::Official => Markup::Markdown,
            MarkdownStyle::Plain => Markup::Plain,
        };
        Self {
            rendered: prose::render(markdown, Style { markup, pictures: Pictures::Lift }),
            language: Language::of(markdown),
            number_parts: settings.number_parts,
            most_chars: settings.limits.larger_part_chars.saturating_sub(HINT_CHARS).max(1),
        }
    }

    /// Says that the text is late.
    pub(crate) fn since(&mut self, created_at_ms: i64) {
        let at = jiff::Timestamp::from_millisecond(created_at_ms).unwrap_or_default();
        let at = at.to_zoned(jiff::tz::TimeZone::system());
        let at = at.strftime("%m-%d %H:%M");
        let late = Notice::Late { since: at.to_string() }.say(self.language);
        self.rendered.text.insert_str(0, &format!("{late}\n"));
    }

    pub(crate) fn n_chars(&self) -> usize {
        self.rendered.text.chars().count()
    }

    /// Returns how many pictures leave beside the text.
    pub(crate) fn n_pictures(&self) -> usize {
        self.rendered.pictures.len()
    }

    /// Returns how many messages the text makes.
    pub(crate) fn n_parts(&self, limit_chars: usize) -> usize {
        prose::count_parts(&self.rendered.text, &self.limits(limit_chars))
    }

    /// Lays it out: at least one draft, unless there is nothing to say.
    pub(crate) fn lay_out(&self, layout: &Layout, usual_chars: usize) -> Vec<Draft> {
        let mut drafts = match *layout {
            Layout::Parts { limit_chars } | Layout::Larger { limit_chars } => {
                self.parts(limit_chars)
            }
            Layout::Park { .. } => self.parts(usual_chars),
            Layout::File => self.file(),
        };
        drafts.extend(self.rendered.pictures.iter().map(picture));
        drafts
    }

    /// Returns the text as one message, however long it is.
    pub(crate) fn whole(&self) -> Option<String> {
        let limits = PartLimits { chars: usize::MAX, bytes: usize::MAX, ..PartLimits::default() };
        prose::split(&self.rendered.text, &limits).pop().map(|part| part.text)
    }

    fn parts(&self, limit_chars: usize) -> Vec<Draft> {
        if self.rendered.text.trim().is_empty() {
            return Vec::new();
        }
        let parts = prose::split(&self.rendered.text, &self.limits(limit_chars));
        if parts.len() > MOST_PARTS {
            return self.file();
        }
        parts.into_iter().map(|part| Draft::Message(Payload::Text(part.text))).collect()
    }

    fn file(&self) -> Vec<Draft> {
        let lead = prose::lead(&self.rendered.text, LEAD_CHARS);
        let name = match self.language {
            Language::Zh => "回答.md",
            Language::En => "answer.md",
        };
        let more = Notice::AsFile.say(self.language);
        let lead = Draft::Message(Payload::Text(format!("{lead}\n\n{more}")));
        let file = Draft::File { name: name.to_owned(), text: self.rendered.text.clone() };
        vec![lead, file]
    }

    fn limits(&self, limit_chars: usize) -> PartLimits {
        let numbering = if self.number_parts { Numbering::End } else { Numbering::None };
        let chars = limit_chars.min(self.most_chars);
        PartLimits { chars, numbering, ..PartLimits::default() }
    }
}

/// Splits a text that the backend calls too long. One that is short already is
/// left alone: something else is wrong with it.
pub(crate) fn halves(text: &str) -> Option<Vec<String>> {
    let chars = text.chars().count().div_ceil(2);
    if chars < SHORT_CHARS / 2 {
        return None;
    }
    let limits = PartLimits { chars, ..PartLimits::default() };
    Some(prose::split(text, &limits).into_iter().map(|part| part.text).collect())
}

/// A picture that a text shows; one that cannot be had is told instead.
fn picture(picture: &prose::Picture) -> Draft {
    let name = Some(picture.alt.clone()).filter(|alt| !alt.trim().is_empty());
    let instead = match &name {
        Some(alt) => format!("{alt} ({})", picture.url),
        None => picture.url.clone(),
    };
    let url = picture.url.clone();
    if !is_remote(&url) {
        return Draft::Local { reference: url, name, instead };
    }
    let kind = Some(contract::MediaKind::Image);
    Draft::Message(Payload::Remote { kind, name, url, as_file: false, instead })
}

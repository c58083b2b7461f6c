//! A bot's markdown as safe HTML, showing what WeChat shows. Pure.
//!
//! Shown: bold, code, tables, rules, links, lists, quotes, Latin italics, H1 to
//! H4. Not shown as such, but as the text that was sent: italics around Chinese,
//! Japanese or Korean, H5 and H6, pictures (one live test each). HTML is text.
//! No attribute is written but the address of a web link.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

mod escape;

use self::escape::{escape, linkify};

/// Renders a text.
pub(crate) fn html(text: &str) -> String {
    let mut writer = Writer { source: text, ..Writer::default() };
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        writer.take(event, range);
    }
    writer.out
}

#[derive(Default)]
struct Writer<'a> {
    source: &'a str,
    out: String,
    /// How each open emphasis and link ends.
    closings: Vec<&'static str>,
    /// How many pictures and headings are being shown as they were sent.
    verbatim: u32,
    /// How many links and code blocks are open: no links are made inside.
    plain: u32,
    in_head: bool,
}

impl Writer<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        if self.verbatim > 0 {
            return self.skip(&event);
        }
        match event {
            Event::Start(tag) => self.open(tag, range),
            Event::End(tag) => self.close(tag),
            Event::Text(text) if self.plain == 0 => linkify(&text, &mut self.out),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                escape(&text, &mut self.out);
            }
            Event::Code(code) => {
                self.out.push_str("<code>");
                escape(&code, &mut self.out);
                self.out.push_str("</code>");
            }
            Event::SoftBreak | Event::HardBreak => self.out.push_str("<br>"),
            Event::Rule => self.out.push_str("<hr>"),
            // Not enabled: they come as text.
            Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.out.push_str("<p>"),
            Tag::Heading { level: HeadingLevel::H5 | HeadingLevel::H6, .. } => {
                self.show_source("<p>", range, "</p>");
            }
            Tag::Heading { level, .. } => self.out.push_str(&format!("<{level}>")),
            Tag::Image { .. } => self.show_source("", range, ""),
            Tag::BlockQuote(_) => self.out.push_str("<blockquote>"),
            Tag::CodeBlock(CodeBlockKind::Indented | CodeBlockKind::Fenced(_)) => {
                self.plain += 1;
                self.out.push_str("<pre><code>");
            }
            Tag::List(None) => self.out.push_str("<ul>"),
            Tag::List(Some(1)) => self.out.push_str("<ol>"),
            Tag::List(Some(first)) => self.out.push_str(&format!("<ol start=\"{first}\">")),
            Tag::Item => self.out.push_str("<li>"),
            Tag::Table(_) => self.out.push_str("<table>"),
            Tag::TableHead => {
                self.in_head = true;
                self.out.push_str("<thead><tr>");
            }
            Tag::TableRow => self.out.push_str("<tr>"),
            Tag::TableCell => self.out.push_str(if self.in_head { "<th>" } else { "<td>" }),
            Tag::Emphasis => self.open_emphasis(range),
            Tag::Strong => self.out.push_str("<strong>"),
            Tag::Link { dest_url, .. } => self.open_link(&dest_url),
            // Not enabled.
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        let end = match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => "</p>",
            TagEnd::Heading(level) => return self.out.push_str(&format!("</{level}>")),
            TagEnd::BlockQuote(_) => "</blockquote>",
            TagEnd::CodeBlock => {
                self.plain -= 1;
                "</code></pre>"
            }
            TagEnd::List(false) => "</ul>",
            TagEnd::List(true) => "</ol>",
            TagEnd::Item => "</li>",
            TagEnd::Table => "</tbody></table>",
            TagEnd::TableHead => {
                self.in_head = false;
                "</tr></thead><tbody>"
            }
            TagEnd::TableRow => "</tr>",
            TagEnd::TableCell => {
                if self.in_head {
                    "</th>"
                } else {
                    "</td>"
                }
            }
            TagEnd::Emphasis => self.closings.pop().unwrap_or_default(),
            TagEnd::Link => {
                self.plain -= 1;
                self.closings.pop().unwrap_or_default()
            }
            TagEnd::Strong => "</strong>",
            TagEnd::Image
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => "",
        };
        self.out.push_str(end);
    }

    /// Italics around CJK stay the marks that they were sent as.
    fn open_emphasis(&mut self, range: Range<usize>) {
        let text = &self.source[range];
        let (begin, end) = match (text.chars().any(is_cjk), text.starts_with('_')) {
            (false, _) => ("<em>", "</em>"),
            (true, true) => ("_", "_"),
            (true, false) => ("*", "*"),
        };
        self.out.push_str(begin);
        self.closings.push(end);
    }

    fn open_link(&mut self, address: &str) {
        self.plain += 1;
        if !is_web(address) {
            return self.closings.push("");
        }
        self.out.push_str("<a href=\"");
        escape(address, &mut self.out);
        self.out.push_str("\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">");
        self.closings.push("</a>");
    }

    /// Shows a part as it was sent, and nothing of what is inside it.
    fn show_source(&mut self, begin: &str, range: Range<usize>, end: &str) {
        self.out.push_str(begin);
        escape(self.source[range].trim_end(), &mut self.out);
        self.out.push_str(end);
        self.verbatim = 1;
    }

    fn skip(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(_) => self.verbatim += 1,
            Event::End(_) => self.verbatim -= 1,
            Event::Text(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
}

/// Says whether an address leads to the web and nowhere else.
fn is_web(address: &str) -> bool {
    let scheme = address.split("://").next().unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web && address.len() > scheme.len() + "://".len()
}

fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{2E80}'..='\u{30FF}' | '\u{3130}'..='\u{318F}' | '\u{31A0}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests;

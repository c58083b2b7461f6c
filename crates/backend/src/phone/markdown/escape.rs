//! Text in HTML: escaped, with web addresses as links.

/// Appends a text so that it stays text, between tags and inside attributes.
pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in HTML, and of no use in a chat.
            '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f' => {}
            _ => out.push(c),
        }
    }
}

/// Appends a text with its web addresses as links.
pub(super) fn linkify(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(begin) = next_address(rest) {
        escape(&rest[..begin], out);
        let address = &rest[begin..begin + length(&rest[begin..])];
        out.push_str("<a href=\"");
        escape(address, out);
        out.push_str("\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">");
        escape(address, out);
        out.push_str("</a>");
        rest = &rest[begin + address.len()..];
    }
    escape(rest, out);
}

/// Finds where the next address begins: one with something behind its scheme.
fn next_address(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = from + text[from..].find("http")?;
        let behind = &text[found..];
        let scheme = ["https://", "http://"].into_iter().find(|it| behind.starts_with(it));
        if scheme.is_some_and(|scheme| length(behind) > scheme.len()) {
            return Some(found);
        }
        from = found + "http".len();
    }
}

/// Returns how far an address reaches. A full stop or a bracket after it
/// belongs to the sentence.
fn length(text: &str) -> usize {
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(c, '<' | '>' | '"' | '\'' | '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FFEF}' | '“' | '”')
    };
    let address = &text[..text.find(ends).unwrap_or(text.len())];
    address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']']).len()
}

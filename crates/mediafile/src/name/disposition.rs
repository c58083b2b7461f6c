//! The name in a `Content-Disposition` header (RFC 6266).

use percent_encoding::percent_decode_str;

use super::decoded;

/// Returns the display name that a header value gives: `filename*` before
/// `filename`, folders left away.
///
/// Lenient as browsers are: raw UTF-8 and `%xx` in a plain `filename` count.
#[must_use]
pub fn name_in(header: &[u8]) -> Option<String> {
    let header = String::from_utf8_lossy(header);
    let mut plain = None;
    let mut rest = header.split_once(';')?.1;
    while let Some((key, value, after)) = parameter(rest) {
        rest = after;
        let name = match key.to_ascii_lowercase().as_str() {
            "filename*" => extended(&value),
            "filename" => {
                plain = plain.or_else(|| base(&decoded(&value)));
                None
            }
            _ => None,
        };
        if name.is_some() {
            return name;
        }
    }
    plain
}

/// Reads `key=value` or `key="va\"lue"`; returns them and what is behind.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (key, rest) = text.split_once('=')?;
    let key = key.trim_matches(|c: char| c == ';' || c.is_whitespace());
    let rest = rest.trim_start();
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, after) = rest.split_once(';').unwrap_or((rest, ""));
        return Some((key, value.trim().to_owned(), after));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((key, value, &quoted[at + 1..])),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            plain => value.push(plain),
        }
    }
    Some((key, value, ""))
}

/// Reads `UTF-8'zh'%E6…`. Other charsets are left to the plain name.
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, text) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    base(&percent_decode_str(text).decode_utf8().ok()?)
}

fn base(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next()?.trim();
    (!last.is_empty()).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_however_it_is_written() {
        let cases: [(&[u8], Option<&str>); 14] = [
            (b"attachment; filename=a.pdf", Some("a.pdf")),
            (b"attachment; filename=\"a b;c.pdf\"; size=3", Some("a b;c.pdf")),
            (b"attachment; filename=\"a\\\"b.pdf\"", Some("a\"b.pdf")),
            (b"inline;FileName = a.pdf ; x=y", Some("a.pdf")),
            (
                b"attachment; filename=\"x.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf",
                Some("报告.pdf"),
            ),
            (b"attachment; filename*=utf-8'zh'%E6%8A%A5.pdf; filename=x", Some("报.pdf")),
            (b"attachment; filename*=gbk''%b1%a8.pdf; filename=x.pdf", Some("x.pdf")),
            (b"attachment; filename*=UTF-8''%ff; filename=x.pdf", Some("x.pdf")),
            ("attachment; filename=\"报告.pdf\"".as_bytes(), Some("报告.pdf")),
            (b"attachment; filename=%E6%8A%A5.pdf", Some("报.pdf")),
            (b"attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            (b"attachment; filename=\"open", Some("open")),
            (b"attachment; filename=\"\"", None),
            (b"attachment", None),
        ];
        for (header, name) in cases {
            assert_eq!(name_in(header).as_deref(), name, "{:?}", String::from_utf8_lossy(header));
        }
    }
}

//! What a file is called: to people as it was given, on disk without harm.
//!
//! A display name keeps every character. [`safe_name`] makes a file name of it
//! that every operating system can store and none takes for something else.

use percent_encoding::percent_decode_str;

use crate::kind::extension_of;

pub mod disposition;

/// The longest name on disk in bytes. File systems take 255; the rest is for
/// what stores put in front.
pub const LONGEST: usize = 200;

/// The longest extension that is kept when a name is cut.
const LONGEST_EXTENSION: usize = 12;

/// Makes a name for the disk out of a display name and a media type.
///
/// The result is one path component of 1 to [`LONGEST`] bytes on every system:
/// without separators, control and direction characters, or what Windows
/// forbids or reserves; it starts with no dot and ends with no dot or space.
/// The extension is kept when the name is cut, and comes from the type when the
/// name has none or only `.bin`. Made of its own result it is the same.
///
/// Different display names may become one: it is no key.
#[must_use]
pub fn safe_name(display: &str, mime: &str) -> String {
    let clean: String = display.chars().filter(|c| !is_invisible(*c)).map(harmless).collect();
    let clean = trimmed(&clean);
    let (stem, own) = split(clean);
    let (stem, extension) = match (own, extension_of(mime).filter(|new| is_extension(new))) {
        (Some(own), Some(new)) if own.eq_ignore_ascii_case("bin") => (stem, Some(new)),
        (Some(own), _) => (stem, Some(own)),
        (None, new) => (clean, new),
    };
    let mut name = String::with_capacity(LONGEST);
    if is_reserved(stem) {
        name.push('_');
    }
    let room = LONGEST - name.len() - extension.map_or(0, |extension| extension.len() + 1);
    name.push_str(trimmed(&stem[..stem.floor_char_boundary(room)]));
    if name.is_empty() {
        name.push_str("file");
    }
    if let Some(extension) = extension {
        name.push('.');
        name.push_str(extension);
    }
    name
}

/// Decodes `%xx` if that gives UTF-8; leaves the text alone otherwise.
pub(crate) fn decoded(text: &str) -> String {
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => decoded.into_owned(),
        Err(_) => text.to_owned(),
    }
}

fn trimmed(name: &str) -> &str {
    let is_space = |c: char| c.is_whitespace();
    name.trim_start_matches(|c| c == '.' || is_space(c))
        .trim_end_matches(|c| c == '.' || is_space(c))
}

/// What cannot be seen but changes what is: controls, and marks that turn the
/// direction, with which `gnp.exe` reads `exe.png`.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || c == '\u{feff}'
}

fn harmless(c: char) -> char {
    if matches!(c, '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c }
}

/// Splits a name before its extension.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() && is_extension(end) => (stem, Some(end)),
        Some(_) | None => (name, None),
    }
}

/// A few ASCII letters and digits, not all digits: `v1.2` has no extension.
fn is_extension(end: &str) -> bool {
    end.len() <= LONGEST_EXTENSION
        && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && end.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Names of devices on Windows, with any extension.
fn is_reserved(stem: &str) -> bool {
    let first = stem.split('.').next().unwrap_or_default().trim_end();
    let upper = first.to_uppercase();
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&upper.as_str()) {
        return true;
    }
    let port = upper.strip_prefix("COM").or_else(|| upper.strip_prefix("LPT"));
    let mut digits = port.unwrap_or_default().chars();
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³');
    digits.next().is_some_and(is_digit) && digits.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_safe_and_stay_readable() {
        let long = "雁".repeat(100);
        let cut = format!("{}.pdf", "雁".repeat(65));
        let cases = [
            ("报告.pdf", "application/pdf", "报告.pdf"),
            ("年度 报告 #1 🎉.pdf", "application/pdf", "年度 报告 #1 🎉.pdf"),
            ("100%20.txt", "text/plain", "100%20.txt"),
            ("../../etc/passwd", "", "_.._etc_passwd"),
            ("..\\..\\boot.ini", "", "_.._boot.ini"),
            ("AC/DC: live?.mp3", "audio/mpeg", "AC_DC_ live_.mp3"),
            (".bashrc", "", "bashrc"),
            ("...", "image/png", "file.png"),
            ("", "", "file"),
            ("a\0b\nc\u{202e}gnp.exe", "", "abcgnp.exe"),
            ("CON", "", "_CON"),
            ("con.png", "image/png", "_con.png"),
            ("Aux .tar.gz", "", "_Aux .tar.gz"),
            ("COM¹.txt", "", "_COM¹.txt"),
            ("COM10.txt", "", "COM10.txt"),
            ("trailing. . ", "", "trailing"),
            ("photo", "image/jpeg", "photo.jpg"),
            ("photo.BIN", "image/jpeg", "photo.jpg"),
            ("photo.bin", "application/octet-stream", "photo.bin"),
            ("photo.JPEG", "image/jpeg", "photo.JPEG"),
            ("report v1.2", "application/pdf", "report v1.2.pdf"),
            ("stem .txt", "text/plain", "stem.txt"),
            (&format!("{long}.pdf"), "", &cut),
            (&long, "application/pdf", &cut),
        ];
        for (display, mime, safe) in cases {
            assert_eq!(safe_name(display, mime), safe, "{display:?}");
        }
    }
}

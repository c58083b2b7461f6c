//! What a file is, by its content first and its name last.

use infer::MatcherType;

/// How many leading bytes tell what a file is.
pub const HEAD: usize = 8 << 10;

const UNKNOWN: &str = "application/octet-stream";

/// The type of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The media type, without parameters.
    pub mime: String,
    /// How it can be shown.
    pub class: Class,
}

/// How a file can be shown to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A picture made of pixels.
    Image,
    /// Moving pictures.
    Video,
    /// Something to listen to.
    Audio,
    /// Everything else, and whatever only its name calls a picture.
    Other,
}

impl Kind {
    /// Tells what a file is from its first [`HEAD`] bytes, or all if it is
    /// shorter, and from its name.
    ///
    /// The content decides. The name only says which text, archive or unknown
    /// thing it is, and can never make a picture, a video or a sound of it: what
    /// claims to be one must be one.
    #[must_use]
    pub fn of(head: &[u8], name: &str) -> Self {
        if head.starts_with(b"#!SILK_V3") || head.starts_with(b"\x02#!SILK_V3") {
            return Self::new("audio/silk", Class::Audio);
        }
        let guessed = mime_guess::from_path(name).first_raw();
        if is_text(head) {
            return Self::new(text_type(head, guessed), Class::Other);
        }
        let Some(found) = infer::get(head) else {
            return match unknown_box(head) {
                Some(mime) => Self::new(mime, Class::Video),
                None => Self::new(
                    guessed.filter(|mime| !mime.starts_with("text/")).unwrap_or(UNKNOWN),
                    Class::Other,
                ),
            };
        };
        let mime = usual(found.mime_type());
        let class = match found.matcher_type() {
            MatcherType::Image if is_picture(mime) => Class::Image,
            MatcherType::Video => Class::Video,
            MatcherType::Audio => Class::Audio,
            MatcherType::Image
            | MatcherType::App
            | MatcherType::Archive
            | MatcherType::Book
            | MatcherType::Doc
            | MatcherType::Font
            | MatcherType::Text
            | MatcherType::Custom => Class::Other,
        };
        let is_wrapping = matches!(mime, "application/zip" | "application/x-ole-storage" | UNKNOWN);
        let inside = guessed.filter(|guess| is_wrapping && guess.starts_with("application/"));
        Self::new(inside.unwrap_or(mime), class)
    }

    /// Returns the usual extension of this type, without the dot.
    #[must_use]
    pub fn extension(&self) -> Option<&'static str> {
        extension_of(&self.mime)
    }

    pub(crate) fn new(mime: &str, class: Class) -> Self {
        Self { mime: mime.to_owned(), class }
    }
}

/// Returns the usual extension of a media type, without the dot; `None` for
/// unknown types and those that say nothing.
#[must_use]
pub fn extension_of(mime: &str) -> Option<&'static str> {
    let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if mime == UNKNOWN {
        return None;
    }
    let mime = usual(&mime);
    let known = EXTENSIONS.iter().find(|(known, _)| *known == mime).map(|(_, ext)| *ext);
    known.or_else(|| mime_guess::get_mime_extensions_str(mime)?.first().copied())
}

/// What the list of all extensions of a type does not begin with, or lacks.
const EXTENSIONS: [(&str, &str); 36] = [
    ("application/gzip", "gz"),
    ("application/msword", "doc"),
    ("application/postscript", "ps"),
    ("application/rtf", "rtf"),
    ("application/vnd.android.package-archive", "apk"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.ms-powerpoint", "ppt"),
    ("application/vnd.rar", "rar"),
    ("application/xml", "xml"),
    ("application/zstd", "zst"),
    ("audio/aac", "aac"),
    ("audio/aiff", "aiff"),
    ("audio/amr", "amr"),
    ("audio/flac", "flac"),
    ("audio/midi", "mid"),
    ("audio/mp4", "m4a"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("audio/opus", "opus"),
    ("audio/silk", "silk"),
    ("audio/wav", "wav"),
    ("audio/webm", "weba"),
    ("image/bmp", "bmp"),
    ("image/heif", "heic"),
    ("image/jpeg", "jpg"),
    ("image/jxl", "jxl"),
    ("image/tiff", "tif"),
    ("text/html", "html"),
    ("text/javascript", "js"),
    ("text/markdown", "md"),
    ("text/plain", "txt"),
    ("text/xml", "xml"),
    ("video/mp4", "mp4"),
    ("video/mpeg", "mpg"),
    ("video/quicktime", "mov"),
    ("video/x-matroska", "mkv"),
];

/// One name for a type that goes by several.
fn usual(mime: &str) -> &str {
    match mime {
        "audio/m4a" | "audio/x-m4a" => "audio/mp4",
        "audio/mp3" | "audio/x-mpeg" => "audio/mpeg",
        "audio/x-flac" => "audio/flac",
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav",
        "audio/x-aiff" => "audio/aiff",
        "audio/x-aac" => "audio/aac",
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        other => other,
    }
}

fn is_picture(mime: &str) -> bool {
    let name = mime.strip_prefix("image/").unwrap_or_default();
    ["jpeg", "png", "gif", "webp", "bmp", "heif", "avif", "tiff"].contains(&name)
}

/// A file of boxes with a brand that is not in the table: film by default. What
/// has no moving picture in it is found out by [`crate::facts`].
fn unknown_box(head: &[u8]) -> Option<&'static str> {
    (head.get(4..8)? == b"ftyp").then_some("video/mp4")
}

/// Whether bytes are UTF-8, or marked as UTF-16, without what only binaries have.
fn is_text(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return true;
    }
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character is cut where the head ends, or the file is broken.
        Err(err) if err.error_len().is_none() && head.len() >= HEAD => {
            std::str::from_utf8(&head[..err.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let is_binary = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    !text.is_empty() && !text.contains(is_binary)
}

/// Which text it is. A magic number that is all letters ("BM", "ID3") is a word
/// here: no picture or sound is believed.
fn text_type<'a>(head: &[u8], guessed: Option<&'a str>) -> &'a str {
    let found = infer::get(head).map(|found| found.mime_type());
    if let Some(mime @ ("application/pdf" | "application/rtf")) = found {
        return mime;
    }
    let is_text = |mime: &&str| {
        let applications = ["json", "xml", "javascript", "yaml", "toml", "x-sh", "sql", "x-tex"];
        let application = mime.strip_prefix("application/");
        mime.starts_with("text/")
            || mime.ends_with("+xml")
            || application.is_some_and(|name| applications.contains(&name))
    };
    guessed.filter(is_text).or(found.filter(is_text)).unwrap_or("text/plain")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &[u8], name: &str, mime: &str, class: Class) {
        assert_eq!(Kind::of(head, name), Kind::new(mime, class), "{name}");
    }

    #[test]
    fn the_content_decides() {
        check(b"\xff\xd8\xff\xe0\0\x10JFIF\0", "a.png", "image/jpeg", Class::Image);
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "photo.txt", "image/png", Class::Image);
        check(b"ID3\x04\0\0\0\0\0\0", "x", "audio/mpeg", Class::Audio);
        check(b"\0\0\0\x18ftypM4A \0\0\0\0", "x", "audio/mp4", Class::Audio);
        check(b"\0\0\0\x18ftypmp42\0\0\0\0", "x", "video/mp4", Class::Video);
        check(b"\0\0\0\x18ftyp3gp4\0\0\0\0", "x", "video/mp4", Class::Video);
        check(b"#!SILK_V3\x0c\0", "x", "audio/silk", Class::Audio);
        check(b"\x02#!SILK_V3\x0c\0", "voice.amr", "audio/silk", Class::Audio);
        check(b"%PDF-1.4\n%\xe2\xe3", "x.docx", "application/pdf", Class::Other);
        check(b"%PDF-1.4\n", "x.txt", "application/pdf", Class::Other);
    }

    #[test]
    fn text_is_text_whatever_its_first_letters_spell() {
        check("BMW 的价格".as_bytes(), "price", "text/plain", Class::Other);
        check(b"ID3 is a tag", "notes.md", "text/markdown", Class::Other);
        check(b"export const a = 1;\n", "main.ts", "text/plain", Class::Other);
        check(b"a,b\n1,2\n", "t.csv", "text/csv", Class::Other);
        check(b"{\"a\":1}", "t.json", "application/json", Class::Other);
        check(b"<svg xmlns=\"\"/>", "t.svg", "image/svg+xml", Class::Other);
        check(b"<!DOCTYPE html><p>", "t", "text/html", Class::Other);
        check(b"\xff\xfeh\0i\0", "t", "text/plain", Class::Other);
        let long = "雁".repeat(HEAD);
        check(&long.as_bytes()[..HEAD], "t", "text/plain", Class::Other);
    }

    #[test]
    fn a_name_cannot_make_a_picture_of_something_else() {
        check(b"not a picture", "x.png", "text/plain", Class::Other);
        check(b"\x01\x02\x03\x04", "x.png", "image/png", Class::Other);
        check(b"\x01\x02\x03\x04", "x.txt", UNKNOWN, Class::Other);
        check(b"\x01\x02\x03\x04", "x", UNKNOWN, Class::Other);
        check(b"", "x", UNKNOWN, Class::Other);
        check(b"", "x.pdf", "application/pdf", Class::Other);
    }

    #[test]
    fn a_name_tells_what_is_in_an_archive() {
        let zip = b"PK\x03\x04\x14\0\0\0\0\0";
        check(zip, "x.zip", "application/zip", Class::Other);
        check(zip, "x.apk", "application/vnd.android.package-archive", Class::Other);
        check(zip, "x.png", "application/zip", Class::Other);
        check(zip, "x", "application/zip", Class::Other);
    }

    #[test]
    fn the_usual_extension_is_the_one_people_know() {
        for (mime, extension) in [
            ("image/jpeg", Some("jpg")),
            ("IMAGE/JPG; x=1", Some("jpg")),
            ("text/plain; charset=utf-8", Some("txt")),
            ("audio/x-m4a", Some("m4a")),
            ("application/pdf", Some("pdf")),
            (UNKNOWN, None),
            ("", None),
            ("nonsense", None),
        ] {
            assert_eq!(extension_of(mime), extension, "{mime}");
        }
    }
}

//! What a file is, told from its bytes.

use std::io::Read as _;
use std::path::Path;

/// The most bytes that are looked at.
const HEAD: usize = 512;

/// Tells what a file is from its bytes.
pub(crate) fn mime_of(path: &Path) -> Option<String> {
    let mut head = Vec::with_capacity(HEAD);
    let file = std::fs::File::open(path).ok()?;
    file.take(HEAD as u64).read_to_end(&mut head).ok()?;
    sniff(&head).map(str::to_owned)
}

fn sniff(head: &[u8]) -> Option<&'static str> {
    let behind = |at: usize, what: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(what));
    if let Some((_, _, mime)) = SIGNATURES.iter().find(|(at, what, _)| behind(*at, what)) {
        return Some(mime);
    }
    if silk::is_silk(head) {
        return Some("audio/silk");
    }
    let is_text = !head.is_empty()
        && !head.contains(&0)
        && match std::str::from_utf8(head) {
            Ok(_) => true,
            // Cut in the middle of a character.
            Err(err) => err.error_len().is_none(),
        };
    is_text.then_some("text/plain")
}

/// Where a signature lies, what it is and what it tells.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (8, b"WAVE", "audio/wav"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
];

/// Returns the usual extension of what a file is.
pub(super) fn extension_of(mime: &str) -> Option<&'static str> {
    Some(match mime {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/bmp" => "bmp",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "video/quicktime" => "mov",
        "video/mp4" => "mp4",
        "audio/mp4" => "m4a",
        "audio/wav" => "wav",
        "audio/amr" => "amr",
        "audio/mpeg" => "mp3",
        "audio/ogg" => "ogg",
        "audio/silk" => "silk",
        "text/plain" => "txt",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_bytes() {
        let cases: [(&[u8], Option<&str>); 9] = [
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x18ftypmp42", Some("video/mp4")),
            (b"#!AMR\n", Some("audio/amr")),
            (b"\x02#!SILK_V3", Some("audio/silk")),
            (b"#!SILK_V3", Some("audio/silk")),
            ("鸿雁".as_bytes(), Some("text/plain")),
            (b"\0\x01\x02", None),
            (b"", None),
        ];
        for (head, mime) in cases {
            assert_eq!(sniff(head), mime, "{head:?}");
        }
        assert_eq!(sniff(&"鸿".as_bytes()[..2]), Some("text/plain"), "cut in a character");
        for (_, _, mime) in SIGNATURES {
            assert!(extension_of(mime).is_some(), "{mime}");
        }
    }
}

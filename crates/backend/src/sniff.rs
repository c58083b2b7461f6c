//! What bytes are, by their beginning. Pure.

use ilink::wire::VoiceEncoding;

/// How many bytes a look needs at most.
pub(crate) const ENOUGH: usize = 64;

/// Returns the media type of pictures, sounds and videos that a browser may
/// show in place. Everything else is only ever a download.
pub(crate) fn shown_as(head: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, mark: &[u8]| head.get(offset..).is_some_and(|it| it.starts_with(mark));
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if at(0, b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        Some("image/gif")
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some("image/webp")
    } else if at(0, b"RIFF") && at(8, b"WAVE") {
        Some("audio/wav")
    } else if at(0, b"ID3") || at(0, b"\xff\xfb") || at(0, b"\xff\xf3") {
        Some("audio/mpeg")
    } else if at(0, b"OggS") {
        Some("audio/ogg")
    } else if at(4, b"ftyp") {
        Some(if at(8, b"M4A") { "audio/mp4" } else { "video/mp4" })
    } else if at(0, b"\x1a\x45\xdf\xa3") {
        Some("video/webm")
    } else {
        None
    }
}

/// How a voice message is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Voice {
    /// What the wire calls it.
    pub(crate) encoding: VoiceEncoding,
    /// Samples per second, where the bytes tell or the format has only one.
    pub(crate) sample_rate: Option<u32>,
}

/// Returns what the phone calls an encoding.
pub(crate) fn format_of(encoding: VoiceEncoding) -> &'static str {
    match encoding {
        // Raw samples never travel: what phones send under this code is a WAV.
        VoiceEncoding::Pcm => "wav",
        VoiceEncoding::Adpcm => "adpcm",
        VoiceEncoding::Feature => "feature",
        // SILK comes under the code of Speex too.
        VoiceEncoding::Speex | VoiceEncoding::Silk => "silk",
        VoiceEncoding::Amr => "amr",
        VoiceEncoding::Mp3 => "mp3",
        VoiceEncoding::OggSpeex => "ogg",
        VoiceEncoding::Unknown(_) => "unknown",
    }
}

/// Looks at the beginning of a voice message.
pub(crate) fn voice(head: &[u8]) -> Voice {
    let voice = |encoding, sample_rate| Voice { encoding, sample_rate };
    let silk = head.strip_prefix(b"\x02").unwrap_or(head);
    if silk.starts_with(b"#!SILK") {
        return voice(VoiceEncoding::Silk, Some(24_000));
    }
    if head.starts_with(b"#!AMR") {
        return voice(VoiceEncoding::Amr, Some(8_000));
    }
    match shown_as(head) {
        Some("audio/wav") => voice(VoiceEncoding::Pcm, wav_rate(head)),
        Some("audio/mpeg") => voice(VoiceEncoding::Mp3, None),
        Some("audio/ogg") => voice(VoiceEncoding::OggSpeex, None),
        _ => voice(VoiceEncoding::Unknown(0), None),
    }
}

/// Reads the sample rate of a WAV whose format chunk comes first, as it does.
fn wav_rate(head: &[u8]) -> Option<u32> {
    let rate = head.get(24..28)?.try_into().ok()?;
    Some(u32::from_le_bytes(rate)).filter(|rate| (1_000..=384_000).contains(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_first_bytes_and_markup_is_not_shown() {
        let cases: [(&[u8], Option<&str>); 7] = [
            (b"\x89PNG\r\n\x1a\n....", Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x20ftypisom", Some("video/mp4")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
            (b"<!doctype html>", None),
            (b"", None),
        ];
        for (head, media_type) in cases {
            assert_eq!(shown_as(head), media_type, "{head:?}");
        }
    }

    #[test]
    fn silk_is_known_with_and_without_tencents_first_byte() {
        for head in [&b"\x02#!SILK_V3"[..], b"#!SILK_V3"] {
            assert_eq!(voice(head).encoding, VoiceEncoding::Silk);
        }
        assert_eq!(format_of(voice(b"???").encoding), "unknown");
    }
}

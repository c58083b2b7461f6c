//! What a file tells about itself: type, size, duration.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use crate::kind::{Class, HEAD, Kind};

mod audio;
mod budget;
pub(crate) mod exif;
mod matroska;
pub(crate) mod mp4;

use self::budget::Budget;

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub len: u64,
    /// Width and height in pixels as it is shown, turned pictures turned.
    pub size: Option<Size>,
    /// How long it plays. Of MP3 and AAC without an index it is an estimate.
    pub duration: Option<Duration>,
}

/// A size in pixels; neither side is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// Reads the facts of a file from its headers, whatever its length: some
/// megabytes at most are read. Afterwards the file is at its start again.
///
/// The size is known of JPEG, PNG, GIF, WebP, BMP, TIFF, HEIF and AVIF pictures
/// and of MP4, MOV, Matroska and WebM videos; the duration of those and of MP3,
/// M4A, AAC, WAV, Ogg, Opus, FLAC and AMR. What a broken file does not tell is
/// `None`. Blocks; belongs on a blocking thread.
///
/// # Errors
///
/// When the file cannot be read at all.
pub fn inspect<F: Read + Seek>(file: &mut F, name: &str) -> io::Result<Facts> {
    let len = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut head = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let mut facts = Facts { kind: Kind::of(&head, name), len, size: None, duration: None };
    file.rewind()?;
    match facts.kind.class {
        Class::Image => facts.size = picture_size(file, &facts.kind.mime),
        Class::Video | Class::Audio => add_track_facts(file, &mut facts),
        Class::Other => {}
    }
    file.rewind()?;
    Ok(facts)
}

impl Size {
    pub(crate) fn new(width: u32, height: u32) -> Option<Self> {
        (width > 0 && height > 0).then_some(Self { width, height })
    }

    pub(crate) fn turned(self) -> Self {
        Self { width: self.height, height: self.width }
    }
}

/// What a file with tracks tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tracks {
    pub(crate) duration: Option<Duration>,
    pub(crate) size: Option<Size>,
    pub(crate) has_picture: bool,
    pub(crate) has_sound: bool,
    /// Where the bytes of a cover picture lie.
    pub(crate) cover: Option<std::ops::Range<u64>>,
}

fn picture_size(file: &mut (impl Read + Seek), mime: &str) -> Option<Size> {
    let found = imagesize::reader_size(Budget::reader(&mut *file)).ok()?;
    let size = Size::new(found.width.try_into().ok()?, found.height.try_into().ok()?)?;
    let is_turned = mime == "image/jpeg" && exif::of_jpeg(file).swaps_sides();
    Some(if is_turned { size.turned() } else { size })
}

fn add_track_facts(file: &mut (impl Read + Seek), facts: &mut Facts) {
    let mut reader = Budget::reader(file);
    let tracks = match facts.kind.mime.as_str() {
        "video/mp4" | "video/quicktime" | "video/x-m4v" | "audio/mp4" => {
            mp4::read(&mut reader, facts.len)
        }
        "video/webm" | "video/x-matroska" => matroska::read(&mut reader, facts.len),
        mime => {
            facts.duration = audio::duration(&mut reader, mime, facts.len).unwrap_or_default();
            return;
        }
    };
    facts.duration = tracks.duration;
    facts.size = tracks.size;
    // Voice memos come in the containers of films.
    if tracks.has_sound && !tracks.has_picture {
        let mime = match facts.kind.mime.as_str() {
            "video/mp4" | "video/x-m4v" => "audio/mp4",
            "video/webm" => "audio/webm",
            "video/x-matroska" => "audio/x-matroska",
            _ => return,
        };
        facts.kind = Kind::new(mime, Class::Audio);
    }
}

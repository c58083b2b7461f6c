//! The boxes of an MP4 or QuickTime file (ISO 14496-12) that tell size,
//! duration and cover.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::Duration;

use super::budget::Budget;
use super::{Size, Tracks};

/// Levels that are looked into: the file, moov, udta, meta, ilst, covr.
const DEEPEST: usize = 6;

/// The part of a leaf that is read: all that matters in the longest, `tkhd`.
const LEAF: u64 = 96;

/// Reads what a file tells. What is broken or cut is left out.
pub(crate) fn read<R: Read + Seek>(reader: &mut R, len: u64) -> Tracks {
    let mut walk = Walk { reader, found: Tracks::default(), track: Track::default() };
    // A file that is cut in the middle has still told its beginning.
    let _cut_or_whole = walk.boxes(0..len, 0);
    walk.found
}

/// Finds where the bytes of a cover picture lie.
pub(crate) fn cover<F: Read + Seek>(file: &mut F, len: u64) -> Option<Range<u64>> {
    read(&mut Budget::reader(file), len).cover
}

struct Walk<'a, R> {
    reader: &'a mut R,
    found: Tracks,
    track: Track,
}

/// The track that is being looked into.
#[derive(Default)]
struct Track {
    size: Option<Size>,
    has_picture: bool,
    has_sound: bool,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn boxes(&mut self, range: Range<u64>, depth: usize) -> io::Result<()> {
        let mut at = range.start;
        while at + 8 <= range.end && depth < DEEPEST {
            let (kind, body) = self.header(at, range.end)?;
            at = body.end;
            self.look_into(kind, body, depth)?;
            if depth == 0 && &kind == b"moov" {
                break;
            }
        }
        Ok(())
    }

    /// Reads the header at `at`; returns the type and where the body lies.
    fn header(&mut self, at: u64, end: u64) -> io::Result<([u8; 4], Range<u64>)> {
        self.reader.seek(SeekFrom::Start(at))?;
        let mut header = [0; 8];
        self.reader.read_exact(&mut header)?;
        let [s0, s1, s2, s3, kind @ ..] = header;
        let (length, start) = match u32::from_be_bytes([s0, s1, s2, s3]) {
            // To the end of the file.
            0 => (end - at, at + 8),
            1 => {
                let mut large = [0; 8];
                self.reader.read_exact(&mut large)?;
                (u64::from_be_bytes(large), at + 16)
            }
            length => (u64::from(length), at + 8),
        };
        let body_end = at.saturating_add(length).min(end);
        if body_end < start {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok((kind, start..body_end))
    }

    fn look_into(&mut self, kind: [u8; 4], body: Range<u64>, depth: usize) -> io::Result<()> {
        match &kind {
            b"moov" | b"mdia" | b"udta" | b"ilst" | b"covr" | b"mvex" => {
                self.boxes(body, depth + 1)
            }
            b"meta" => self.boxes(body.start + 4..body.end, depth + 1),
            b"trak" => {
                self.track = Track::default();
                self.boxes(body, depth + 1)?;
                self.note_track();
                Ok(())
            }
            b"mvhd" | b"mehd" | b"tkhd" | b"hdlr" => {
                let mut leaf = Vec::new();
                let length = LEAF.min(body.end - body.start);
                self.reader.by_ref().take(length).read_to_end(&mut leaf)?;
                self.note_leaf(&kind, &leaf);
                Ok(())
            }
            // Type and locale lie before the picture.
            b"data" => {
                self.found.cover.get_or_insert(body.start + 8..body.end.max(body.start + 8));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn note_track(&mut self) {
        let Track { size, has_picture, has_sound } = std::mem::take(&mut self.track);
        self.found.has_picture |= has_picture;
        self.found.has_sound |= has_sound;
        if has_picture && self.found.size.is_none() {
            self.found.size = size;
        }
    }

    fn note_leaf(&mut self, kind: &[u8; 4], leaf: &[u8]) {
        match kind {
            b"mvhd" => self.found.duration = movie_duration(leaf),
            b"tkhd" => self.track.size = track_size(leaf),
            b"hdlr" => {
                self.track.has_picture |= leaf.get(8..12) == Some(b"vide");
                self.track.has_sound |= leaf.get(8..12) == Some(b"soun");
            }
            _ => {}
        }
    }
}

/// Version 1 of a box has 64-bit times, version 0 has 32-bit ones.
fn is_long(leaf: &[u8]) -> bool {
    leaf.first() == Some(&1)
}

fn movie_duration(mvhd: &[u8]) -> Option<Duration> {
    let (scale, units) = if is_long(mvhd) {
        (u32_at(mvhd, 20)?, (u64::from(u32_at(mvhd, 24)?) << 32) | u64::from(u32_at(mvhd, 28)?))
    } else {
        (u32_at(mvhd, 12)?, u64::from(u32_at(mvhd, 16)?))
    };
    let is_unknown = units == 0 || units == u64::from(u32::MAX) || units == u64::MAX;
    (scale > 0 && !is_unknown).then(|| super::audio::lasting(units, u64::from(scale))).flatten()
}

/// Width and height, which a matrix of a quarter turn swaps.
fn track_size(tkhd: &[u8]) -> Option<Size> {
    let matrix = if is_long(tkhd) { 52 } else { 40 };
    let size = Size::new(u32_at(tkhd, matrix + 36)? >> 16, u32_at(tkhd, matrix + 40)? >> 16)?;
    let is_turned = u32_at(tkhd, matrix)? == 0 && u32_at(tkhd, matrix + 4)? != 0;
    Some(if is_turned { size.turned() } else { size })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

//! The elements of a Matroska or WebM file (RFC 9559) that tell size and
//! duration.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::Duration;

use super::{Size, Tracks};

/// Levels that are looked into: the file, Segment, Tracks, TrackEntry, Video.
const DEEPEST: usize = 5;

const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_A966;
const TIMESTAMP_SCALE: u64 = 0x2A_D7B1;
const DURATION: u64 = 0x4489;
const TRACKS: u64 = 0x1654_AE6B;
const TRACK_ENTRY: u64 = 0xAE;
const TRACK_TYPE: u64 = 0x83;
const VIDEO: u64 = 0xE0;
const PIXEL_WIDTH: u64 = 0xB0;
const PIXEL_HEIGHT: u64 = 0xBA;
const CLUSTER: u64 = 0x1F43_B675;

/// Reads what a file tells before its first cluster. What is broken or cut is
/// left out.
pub(super) fn read<R: Read + Seek>(reader: &mut R, len: u64) -> Tracks {
    let mut walk =
        Walk { reader, scale: 1_000_000, units: None, width: 0, found: Tracks::default() };
    // A file that is cut in the middle has still told its beginning.
    let _cut_or_whole = walk.elements(0..len, 0);
    let nanos = walk.units.map(|units| units * walk.scale as f64 / 1e9);
    let duration = nanos.and_then(|secs| Duration::try_from_secs_f64(secs).ok());
    Tracks { duration: duration.filter(|duration| !duration.is_zero()), ..walk.found }
}

struct Walk<'a, R> {
    reader: &'a mut R,
    /// Nanoseconds of one unit of time.
    scale: u64,
    units: Option<f64>,
    width: u32,
    found: Tracks,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn elements(&mut self, range: Range<u64>, depth: usize) -> io::Result<()> {
        let mut at = range.start;
        while at < range.end && depth < DEEPEST {
            self.reader.seek(SeekFrom::Start(at))?;
            let (id, id_length) = self.number(4, false)?;
            let (length, length_length) = self.number(8, true)?;
            let start = at + id_length + length_length;
            let is_open = length == (1 << (7 * length_length)) - 1;
            at = if is_open { range.end } else { start.saturating_add(length).min(range.end) };
            match id {
                CLUSTER => break,
                SEGMENT | INFO | TRACKS | TRACK_ENTRY | VIDEO => {
                    self.elements(start..at, depth + 1)?;
                }
                TIMESTAMP_SCALE => self.scale = self.unsigned(length)?,
                DURATION => self.units = self.float(length)?,
                TRACK_TYPE => match self.unsigned(length)? {
                    1 => self.found.has_picture = true,
                    2 => self.found.has_sound = true,
                    _ => {}
                },
                PIXEL_WIDTH => self.width = self.unsigned(length)?.try_into().unwrap_or_default(),
                PIXEL_HEIGHT => {
                    let height = self.unsigned(length)?.try_into().unwrap_or_default();
                    self.found.size = self.found.size.or(Size::new(self.width, height));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads a number of variable length; returns it and how long it is. An id
    /// keeps the mark of its length.
    fn number(&mut self, longest: u32, without_mark: bool) -> io::Result<(u64, u64)> {
        let mut first = [0];
        self.reader.read_exact(&mut first)?;
        let n_more = first[0].leading_zeros();
        if n_more >= longest {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mark = if without_mark { 0x80 >> n_more } else { 0 };
        let more = self.unsigned(u64::from(n_more))?;
        let value = (u64::from(first[0] ^ mark) << (8 * n_more)) | more;
        Ok((value, u64::from(n_more) + 1))
    }

    fn unsigned(&mut self, length: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        let Some(start) =
            usize::try_from(length).ok().and_then(|length| 8_usize.checked_sub(length))
        else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        self.reader.read_exact(&mut bytes[start..])?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn float(&mut self, length: u64) -> io::Result<Option<f64>> {
        let bits = self.unsigned(length)?;
        Ok(match length {
            4 => u32::try_from(bits).ok().map(|bits| f64::from(f32::from_bits(bits))),
            8 => Some(f64::from_bits(bits)),
            _ => None,
        })
    }
}

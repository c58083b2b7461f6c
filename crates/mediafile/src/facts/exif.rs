//! How a camera was held.

use std::io::{Read, Seek};

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

/// How much of a JPEG may lie before its picture: colour profile, thumbnails.
const LONGEST_HEADER: u64 = 1 << 20;

const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;

/// How a picture has to be turned to be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orientation {
    /// Left and right change places before the turn.
    pub(crate) is_mirrored: bool,
    /// Quarter turns clockwise, 0 to 3.
    pub(crate) quarters: u8,
}

impl Orientation {
    pub(crate) fn swaps_sides(self) -> bool {
        self.quarters % 2 == 1
    }

    /// Reads the orientation from an Exif block; that of a block which does not
    /// tell is upright.
    pub(crate) fn of_exif(block: &[u8]) -> Self {
        let (is_mirrored, quarters) = match tag(block) {
            Some(2) => (true, 0),
            Some(3) => (false, 2),
            Some(4) => (true, 2),
            Some(5) => (true, 3),
            Some(6) => (false, 1),
            Some(7) => (true, 1),
            Some(8) => (false, 3),
            _ => (false, 0),
        };
        Self { is_mirrored, quarters }
    }
}

/// Reads the orientation of a JPEG from its first megabyte.
pub(super) fn of_jpeg(file: &mut (impl Read + Seek)) -> Orientation {
    let mut head = Vec::new();
    let read = file.rewind().and_then(|()| file.take(LONGEST_HEADER).read_to_end(&mut head));
    let mut jpeg = JpegDecoder::new(ZCursor::new(head));
    if read.is_err() || jpeg.decode_headers().is_err() {
        return Orientation::default();
    }
    jpeg.exif().map_or_else(Orientation::default, |block| Orientation::of_exif(block))
}

/// Finds the orientation in the first directory of a TIFF structure.
fn tag(block: &[u8]) -> Option<u16> {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let is_big = match tiff.get(..2)? {
        b"MM" => true,
        b"II" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let u32_at = |at: usize| {
        let bytes = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let directory = usize::try_from(u32_at(4)?).ok()?;
    let n_entries = usize::from(u16_at(directory)?);
    let entries = (0..n_entries).map(|n| directory + 2 + n * 12);
    let entry = entries.into_iter().find(|at| u16_at(*at) == Some(ORIENTATION))?;
    (u16_at(entry + 2)? == SHORT).then(|| u16_at(entry + 8)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_ways_to_hold_a_camera() {
        let held = |value: u8| {
            let little = [
                b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(),
                &[value, 0, 0, 0],
            ]
            .concat();
            let big =
                [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[value, 0, 0]]
                    .concat();
            let found = Orientation::of_exif(&little);
            assert_eq!(Orientation::of_exif(&big), found);
            (found.is_mirrored, found.quarters)
        };
        let all: Vec<_> = (0..10).map(held).collect();
        let upright = (false, 0);
        assert_eq!(
            all,
            [
                upright,
                upright,
                (true, 0),
                (false, 2),
                (true, 2),
                (true, 3),
                (false, 1),
                (true, 1),
                (false, 3),
                upright,
            ]
        );
    }

    #[test]
    fn a_broken_block_is_upright() {
        for block in [&b""[..], b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff\x01\x12"]
        {
            assert_eq!(Orientation::of_exif(block), Orientation::default());
        }
    }
}

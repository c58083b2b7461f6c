//! Sounds in frames without a table of contents: MP3 and AAC.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use super::lasting;

/// How far behind the tags the first frame is looked for, and how much of the
/// frames is measured.
const WINDOW: u64 = 64 << 10;

/// Reads the number of frames that the first one tells, or estimates it by the
/// first one's bit rate.
pub(super) fn mp3<R: Read + Seek>(reader: &mut R, len: u64) -> io::Result<Option<Duration>> {
    let (start, window) = behind_tag(reader)?;
    let found = (0..window.len()).find_map(|at| {
        let frame = Mp3Frame::read(&window[at..])?;
        // Four bytes look like a frame by chance; two in a row do not.
        let next = window.get(at + frame.length..)?;
        (next.is_empty() || Mp3Frame::read(next).is_some()).then_some((at, frame))
    });
    let Some((at, frame)) = found else {
        return Ok(None);
    };
    if let Some(n_frames) = told_frames(&window[at..], &frame) {
        return Ok(lasting(n_frames * frame.n_samples, frame.sample_rate));
    }
    let n_bytes = len.saturating_sub(start + at as u64);
    Ok(lasting(n_bytes * 8, frame.bit_rate))
}

struct Mp3Frame {
    length: usize,
    n_samples: u64,
    /// Samples a second.
    sample_rate: u64,
    /// Bits a second.
    bit_rate: u64,
    /// Where what the encoder tells would lie.
    side_length: usize,
}

impl Mp3Frame {
    fn read(bytes: &[u8]) -> Option<Self> {
        const KBITS_1: [u64; 15] =
            [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const KBITS_2: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        const RATES: [u64; 3] = [44_100, 48_000, 32_000];
        let [sync, b, c, d] = *bytes.first_chunk()?;
        // Eleven bits of sync, and layer III.
        if sync != 0xFF || b & 0xE6 != 0xE2 {
            return None;
        }
        let (is_first, divisor) = match b >> 3 & 3 {
            0 => (false, 4),
            2 => (false, 2),
            3 => (true, 1),
            _ => return None,
        };
        let kbits = if is_first { KBITS_1 } else { KBITS_2 };
        let bit_rate = *kbits.get(usize::from(c >> 4)).filter(|kbits| **kbits > 0)? * 1000;
        let sample_rate = RATES.get(usize::from(c >> 2 & 3))? / divisor;
        let n_samples = if is_first { 1152 } else { 576 };
        let padding = u64::from(c >> 1 & 1);
        let length = usize::try_from(n_samples / 8 * bit_rate / sample_rate + padding).ok()?;
        let is_mono = d >> 6 == 3;
        let side_length = match (is_first, is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        Some(Self { length, n_samples, sample_rate, bit_rate, side_length })
    }
}

/// The number of frames in the header that encoders write for variable rates.
fn told_frames(frame: &[u8], head: &Mp3Frame) -> Option<u64> {
    let u32_at = |at: usize| frame.get(at..at + 4)?.try_into().map(u32::from_be_bytes).ok();
    let xing = 4 + head.side_length;
    let n_frames = if matches!(frame.get(xing..xing + 4)?, b"Xing" | b"Info") {
        (u32_at(xing + 4)? & 1 == 1).then(|| u32_at(xing + 8)).flatten()?
    } else if frame.get(36..40)? == b"VBRI" {
        u32_at(50)?
    } else {
        return None;
    };
    (n_frames > 0).then_some(u64::from(n_frames))
}

/// Estimates by the mean length of the first frames.
pub(super) fn aac<R: Read + Seek>(reader: &mut R, len: u64) -> io::Result<Option<Duration>> {
    const RATES: [u64; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8_000, 7_350,
    ];
    let (start, window) = behind_tag(reader)?;
    let Some(rate) = window.get(2).and_then(|c| RATES.get(usize::from(c >> 2 & 0x0F))) else {
        return Ok(None);
    };
    let (mut at, mut n_frames) = (0, 0);
    while let Some([0xFF, b, _, d, e, f, _]) = window[at..].first_chunk()
        && b & 0xF6 == 0xF0
    {
        let length = usize::from(d & 3) << 11 | usize::from(*e) << 3 | usize::from(f >> 5);
        if length < 7 || at + length > window.len() {
            break;
        }
        at += length;
        n_frames += 1;
    }
    let n_bytes = len.saturating_sub(start);
    // Length × frames × samples stays far below 2^64: files are shorter.
    let n_samples = n_bytes.saturating_mul(n_frames * 1024) / (at as u64).max(1);
    Ok(lasting(n_samples, *rate))
}

/// Reads on behind an ID3v2 tag, if there is one; returns where, too.
fn behind_tag<R: Read + Seek>(reader: &mut R) -> io::Result<(u64, Vec<u8>)> {
    let mut tag = [0; 10];
    reader.read_exact(&mut tag)?;
    let start = match tag {
        [b'I', b'D', b'3', _, _, flags, a, b, c, d] => {
            // Seven bits a byte, so that no sync is in it.
            let length = [a, b, c, d].iter().fold(0, |sum, x| sum << 7 | u64::from(x & 0x7F));
            let footer = if flags & 0x10 == 0 { 0 } else { 10 };
            10 + length + footer
        }
        _ => 0,
    };
    reader.seek(SeekFrom::Start(start))?;
    let mut window = Vec::new();
    reader.by_ref().take(WINDOW).read_to_end(&mut window)?;
    Ok((start, window))
}

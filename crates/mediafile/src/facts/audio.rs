//! How long sounds play.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

mod mpeg;

/// The longest page of Ogg, and with it how far from the end the last begins.
const OGG_PAGE: u64 = 65_307;

/// Reads how long a sound plays; `None` of an unknown type and when the file
/// does not tell.
pub(super) fn duration<R: Read + Seek>(
    reader: &mut R,
    mime: &str,
    len: u64,
) -> io::Result<Option<Duration>> {
    match mime {
        "audio/wav" => wav(reader, len),
        "audio/flac" => flac(reader),
        "audio/ogg" | "audio/opus" => ogg(reader, len),
        "audio/mpeg" => mpeg::mp3(reader, len),
        "audio/aac" => mpeg::aac(reader, len),
        "audio/amr" => amr(reader),
        _ => Ok(None),
    }
}

/// Returns how long so many units last, of which a second has so many; `None`
/// if either is none at all.
pub(super) fn lasting(units: u64, per_second: u64) -> Option<Duration> {
    let nanos = u128::from(units) * 1_000_000_000 / u128::from(per_second.max(1));
    let nanos = (per_second > 0).then(|| u64::try_from(nanos).ok()).flatten()?;
    (nanos > 0).then(|| Duration::from_nanos(nanos))
}

/// Bytes of sound by bytes a second. A recording that was cut off says zero or
/// too much, then the rest of the file counts.
fn wav<R: Read + Seek>(reader: &mut R, len: u64) -> io::Result<Option<Duration>> {
    let mut at = 12;
    let mut bytes_a_second = 0;
    loop {
        reader.seek(SeekFrom::Start(at))?;
        let [id @ .., l0, l1, l2, l3] = array::<8, R>(reader)?;
        let length = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        let start = at + 8;
        match &id {
            b"fmt " => {
                let format = array::<12, R>(reader)?;
                bytes_a_second = u64::from(le_u32(&format, 8));
            }
            b"data" => {
                let rest = len.saturating_sub(start);
                let n_bytes = if length == 0 { rest } else { length.min(rest) };
                return Ok(lasting(n_bytes, bytes_a_second));
            }
            _ => {}
        }
        // Chunks begin at even places.
        at = start + length + length % 2;
    }
}

fn flac<R: Read>(reader: &mut R) -> io::Result<Option<Duration>> {
    // "fLaC", the header of the first block, sizes of blocks and frames.
    array::<18, R>(reader)?;
    // 20 bits of rate, 3 of channels, 5 of depth, 36 of length.
    let packed = u64::from_be_bytes(array(reader)?);
    Ok(lasting(packed & 0xF_FFFF_FFFF, packed >> 44))
}

/// The time of the last page, in samples of the rate in the first.
fn ogg<R: Read + Seek>(reader: &mut R, len: u64) -> io::Result<Option<Duration>> {
    let mut first = Vec::new();
    reader.by_ref().take(128).read_to_end(&mut first)?;
    let Some((rate, skipped)) = ogg_rate(&first) else {
        return Ok(None);
    };
    reader.seek(SeekFrom::Start(len.saturating_sub(OGG_PAGE)))?;
    let mut end = Vec::new();
    reader.by_ref().take(OGG_PAGE).read_to_end(&mut end)?;
    let pages = end.windows(14).rev().filter(|page| page.starts_with(b"OggS\0"));
    // Pages in which no packet ends say -1.
    let mut times = pages.map(|page| le_u64(page, 6)).filter(|time| i64::try_from(*time).is_ok());
    Ok(times.next().and_then(|time| lasting(time.saturating_sub(skipped), rate)))
}

/// Finds samples a second, and how many at the start are not played.
fn ogg_rate(page: &[u8]) -> Option<(u64, u64)> {
    let packet = page.get(27 + usize::from(*page.get(26)?)..)?;
    let rate_at = |at: usize| Some(u64::from(le_u32(packet.get(..at + 4)?, at)));
    if packet.starts_with(b"OpusHead") {
        let skipped = packet.get(10..12)?.try_into().map(u16::from_le_bytes).ok()?;
        return Some((48_000, u64::from(skipped)));
    }
    if packet.starts_with(b"\x01vorbis") {
        return Some((rate_at(12)?, 0));
    }
    packet.starts_with(b"Speex   ").then(|| rate_at(36)).flatten().map(|rate| (rate, 0))
}

/// Counts the frames, 20 ms each: their length changes where nobody speaks.
fn amr<R: Read>(reader: &mut R) -> io::Result<Option<Duration>> {
    const NARROW: [usize; 16] = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];
    const WIDE: [usize; 16] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];
    let mut sound = Vec::new();
    reader.read_to_end(&mut sound)?;
    let (lengths, mut rest) =
        match (sound.strip_prefix(b"#!AMR-WB\n"), sound.strip_prefix(b"#!AMR\n")) {
            (Some(frames), _) => (WIDE, frames),
            (None, Some(frames)) => (NARROW, frames),
            (None, None) => return Ok(None),
        };
    let mut n_frames = 0;
    while let Some((head, frame)) = rest.split_first() {
        let length = lengths[usize::from(head >> 3 & 0x0F)];
        rest = frame.get(length..).unwrap_or_default();
        n_frames += 1;
    }
    Ok(lasting(n_frames, 50))
}

fn array<const N: usize, R: Read>(reader: &mut R) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn le_u32(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn le_u64(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

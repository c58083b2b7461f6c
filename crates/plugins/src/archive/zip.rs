//! Zip, as far as packages use it: stored or deflated, not encrypted, below 4 GB.
//!
//! Source of the numbers: PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.4. Only the
//! directory at the end counts; what the headers before each file say beside
//! it is passed over.

use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use flate2::CrcReader;
use flate2::read::DeflateDecoder;

use super::{Meter, damaged, member, refused};
use crate::stage::{Stage, UnpackError, unpacked};

const END: [u8; 4] = *b"PK\x05\x06";
const END_LEN: u64 = 22;
const LONGEST_COMMENT: u64 = 0xffff;
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// "Made by": the mode in the attributes is that of Unix.
const UNIX: u8 = 3;
const LONGEST_TARGET: u64 = 1_024;

/// One file as the directory has it.
struct Listed {
    name: Vec<u8>,
    mode: u32,
    is_encrypted: bool,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    at: u64,
}

pub(super) fn unpack<R: Read + Seek>(
    archive: &mut R,
    len: u64,
    meter: &Meter,
    stage: &mut Stage,
) -> Result<(), UnpackError> {
    let (mut at, count) = directory(archive, len)?;
    for _ in 0..count {
        archive.seek(SeekFrom::Start(at)).map_err(unpacked)?;
        let (listed, header_len) = listed(archive)?;
        at += header_len;
        unpack_one(archive, &listed, meter, stage)?;
    }
    Ok(())
}

/// Finds the directory: where it begins and how many it lists.
fn directory<R: Read + Seek>(archive: &mut R, len: u64) -> Result<(u64, u16), UnpackError> {
    let tail_len = len.min(END_LEN + LONGEST_COMMENT);
    archive.seek(SeekFrom::Start(len - tail_len)).map_err(unpacked)?;
    let mut tail = Vec::new();
    archive.take(tail_len).read_to_end(&mut tail).map_err(unpacked)?;
    let found = tail.windows(END.len()).rposition(|window| window == END);
    let end = found.and_then(|at| tail.get(at..at + 22));
    let end = end.ok_or_else(|| damaged("the directory at its end is missing"))?;
    let (count, at) = (u16_at(end, 10), u32_at(end, 16));
    if count == u16::MAX || at == u32::MAX {
        return Err(damaged("archives of more than 4 GB are not read"));
    }
    Ok((u64::from(at), count))
}

/// Reads one line of the directory and how long it is.
fn listed<R: Read>(archive: &mut R) -> Result<(Listed, u64), UnpackError> {
    let mut head = [0; 46];
    archive.read_exact(&mut head).map_err(unpacked)?;
    if head[..4] != CENTRAL {
        return Err(damaged("the directory at its end is wrong"));
    }
    let mut name = vec![0; usize::from(u16_at(&head, 28))];
    archive.read_exact(&mut name).map_err(unpacked)?;
    let is_unix = head[5] == UNIX;
    let listed = Listed {
        mode: if is_unix { u32_at(&head, 38) >> 16 } else { 0 },
        is_encrypted: u16_at(&head, 8) & 1 != 0,
        method: u16_at(&head, 10),
        crc: u32_at(&head, 16),
        packed: u64::from(u32_at(&head, 20)),
        size: u64::from(u32_at(&head, 24)),
        at: u64::from(u32_at(&head, 42)),
        name,
    };
    let rest = [28, 30, 32].iter().map(|&at| u64::from(u16_at(&head, at))).sum::<u64>();
    Ok((listed, head.len() as u64 + rest))
}

fn unpack_one<R: Read + Seek>(
    archive: &mut R,
    listed: &Listed,
    meter: &Meter,
    stage: &mut Stage,
) -> Result<(), UnpackError> {
    let Some(place) = member(&listed.name)? else { return Ok(()) };
    if listed.is_encrypted {
        return Err(refused(&listed.name, "encrypted file"));
    }
    archive.seek(SeekFrom::Start(listed.at)).map_err(unpacked)?;
    let mut head = [0; 30];
    archive.read_exact(&mut head).map_err(unpacked)?;
    if head[..4] != LOCAL {
        return Err(damaged("a file is not where the directory says"));
    }
    let skipped = i64::from(u16_at(&head, 26)) + i64::from(u16_at(&head, 28));
    archive.seek(SeekFrom::Current(skipped)).map_err(unpacked)?;
    let packed = archive.take(listed.packed);
    let content: Box<dyn Read + '_> = match listed.method {
        0 => Box::new(packed),
        8 => Box::new(DeflateDecoder::new(packed)),
        _ => return Err(refused(&listed.name, "file packed in an unknown way")),
    };
    let mut content = CrcReader::new(meter.count(content));
    let n = match listed.mode & 0o170_000 {
        _ if listed.name.ends_with(b"/") => return stage.folder(&place),
        0o040_000 => return stage.folder(&place),
        0o120_000 => {
            let mut target = String::new();
            let read = content.by_ref().take(LONGEST_TARGET).read_to_string(&mut target);
            let n = read.map_err(unpacked)? as u64;
            stage.link(place, PathBuf::from(target))?;
            n
        }
        0 | 0o100_000 => stage.file(&place, listed.mode & 0o111 != 0, &mut content)?,
        _ => return Err(refused(&listed.name, "device or pipe")),
    };
    if n != listed.size || content.crc().sum() != listed.crc {
        return Err(damaged("a file is not what the directory says"));
    }
    Ok(())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

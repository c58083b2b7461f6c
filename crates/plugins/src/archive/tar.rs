//! Tar, as GNU, BSD and npm write it.

use std::io::{self, Read};
use std::path::PathBuf;

use tar::{Archive, Entry, EntryType, PaxExtensions};

use super::{damaged, member, refused};
use crate::stage::{Stage, UnpackError, unpacked};

/// Longer names are no names.
const LONGEST_HEADER: u64 = 64 << 10;

/// What the headers before a member say about it.
#[derive(Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

pub(super) fn unpack(mut bytes: impl Read, stage: &mut Stage) -> Result<(), UnpackError> {
    let mut archive = Archive::new(&mut bytes);
    let mut ahead = Ahead::default();
    let mut is_empty = true;
    // Raw: the reader would follow headers of any length by itself.
    for entry in archive.entries().map_err(unpacked)?.raw(true) {
        let mut entry = entry.map_err(|err| first(is_empty, err))?;
        is_empty = false;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() {
            ahead.name = Some(long_name(&mut entry)?);
        } else if kind.is_gnu_longlink() {
            ahead.target = Some(long_name(&mut entry)?);
        } else if kind.is_pax_local_extensions() {
            extend(&mut ahead, &mut entry)?;
        } else if !kind.is_pax_global_extensions() {
            unpack_one(std::mem::take(&mut ahead), &mut entry, stage)?;
        }
    }
    // The rest, too, which has the checksum.
    io::copy(&mut bytes, &mut io::sink()).map_err(unpacked)?;
    if is_empty { Err(UnpackError::NoArchive) } else { Ok(()) }
}

/// What fails at its first header was never an archive.
fn first(is_empty: bool, err: io::Error) -> UnpackError {
    let reason = unpacked(err);
    if is_empty && matches!(reason, UnpackError::Damaged(_)) {
        return UnpackError::NoArchive;
    }
    reason
}

fn unpack_one<R: Read>(
    ahead: Ahead,
    entry: &mut Entry<'_, R>,
    stage: &mut Stage,
) -> Result<(), UnpackError> {
    let name = ahead.name.unwrap_or_else(|| entry.header().path_bytes().into_owned());
    let Some(place) = member(&name)? else { return Ok(()) };
    let kind = entry.header().entry_type();
    // The oldest archives know no folders, only files with such names.
    if kind.is_dir() || (kind.is_file() && name.ends_with(b"/")) {
        return stage.folder(&place);
    }
    if kind.is_file() || kind.is_contiguous() {
        let size = entry.header().entry_size().map_err(unpacked)?;
        let is_executable = entry.header().mode().unwrap_or(0) & 0o111 != 0;
        let n = stage.file(&place, is_executable, entry)?;
        return if n == size { Ok(()) } else { Err(damaged("it ends in the middle of a file")) };
    }
    if kind.is_symlink() {
        let target = ahead.target.or_else(|| entry.link_name_bytes().map(Into::into));
        let target = String::from_utf8(target.unwrap_or_default());
        let target = target.map_err(|_| damaged("the target of a link is no text"))?;
        return stage.link(place, PathBuf::from(target));
    }
    Err(refused(&name, unwanted(kind)))
}

/// Names what no plugin needs.
fn unwanted(kind: EntryType) -> &'static str {
    if kind.is_hard_link() {
        "hard link"
    } else if kind.is_character_special() || kind.is_block_special() {
        "device"
    } else if kind.is_fifo() {
        "pipe"
    } else {
        "thing of an unknown kind"
    }
}

fn extend<R: Read>(ahead: &mut Ahead, entry: &mut Entry<'_, R>) -> Result<(), UnpackError> {
    let header = content(entry)?;
    for extension in PaxExtensions::new(&header) {
        let extension = extension.map_err(unpacked)?;
        let value = extension.value_bytes();
        match extension.key_bytes() {
            b"path" => ahead.name = Some(value.to_vec()),
            b"linkpath" => ahead.target = Some(value.to_vec()),
            // Only files of more than 8 GB need it; in others two readers would
            // disagree on where the next member begins.
            b"size" => return Err(damaged("a second size of a file")),
            _ => {}
        }
    }
    Ok(())
}

/// Reads a name that did not fit into its header, without the zero at its end.
fn long_name<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, UnpackError> {
    let mut name = content(entry)?;
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    name.truncate(end);
    Ok(name)
}

fn content<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, UnpackError> {
    let mut content = Vec::new();
    entry.take(LONGEST_HEADER + 1).read_to_end(&mut content).map_err(unpacked)?;
    if content.len() as u64 > LONGEST_HEADER {
        return Err(damaged("a header is too long"));
    }
    Ok(content)
}

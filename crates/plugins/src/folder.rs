//! Copies the folder of a plugin, under the same rules as an archive.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::member::Member;
use crate::stage::{Limits, Stage, UnpackError, disk};

/// What is of no use to a plugin that runs.
const LEFT_BEHIND: [&str; 1] = [".git"];

/// Copies a folder into one that does not exist yet.
pub(crate) fn copy(from: &Path, into: &Path, limits: &Limits) -> Result<(), UnpackError> {
    let mut stage = Stage::new(into.to_owned(), *limits)?;
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let here = from.join(&folder);
        for entry in fs::read_dir(&here).map_err(|source| disk(&here, source))? {
            let entry = entry.map_err(|source| disk(&here, source))?;
            let name = entry.file_name();
            if LEFT_BEHIND.iter().any(|left| *left == name) {
                continue;
            }
            let place = folder.join(&name);
            if copy_one(&entry.path(), &place, &mut stage)? {
                folders.push(place);
            }
        }
    }
    stage.finish()
}

/// Copies one thing; true if it is a folder, whose content comes later.
fn copy_one(from: &Path, place: &Path, stage: &mut Stage) -> Result<bool, UnpackError> {
    let name = || place.display().to_string();
    let bad = |why| UnpackError::Member { name: name(), why };
    // Names of this machine, so the separator is this machine's, too.
    let parts: Vec<_> = place.iter().map(|part| part.to_string_lossy()).collect();
    let Some(member) = Member::parse(parts.join("/").as_bytes()).map_err(bad)? else {
        return Ok(false);
    };
    let found = fs::symlink_metadata(from).map_err(|source| disk(from, source))?;
    if found.is_dir() {
        stage.folder(&member)?;
        return Ok(true);
    }
    if found.is_symlink() {
        let target = fs::read_link(from).map_err(|source| disk(from, source))?;
        stage.link(member, target)?;
    } else if found.is_file() {
        let mut file = File::open(from).map_err(|source| disk(from, source))?;
        stage.file(&member, is_executable(&found), &mut file)?;
    } else {
        return Err(UnpackError::Kind { name: name(), kind: "device, pipe or socket" });
    }
    Ok(false)
}

#[cfg(unix)]
fn is_executable(file: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(file) & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

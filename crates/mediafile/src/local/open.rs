//! Opening a file where it was found, and not where a link leads since.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens `path`, which lies below `folder`; both are free of links.
///
/// Each step from the folder down is taken without following a link: one that
/// has appeared since is an error.
#[cfg(unix)]
pub(super) fn below(folder: &Path, path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open, openat};

    let steps = path.strip_prefix(folder).map_err(io::Error::other)?;
    // A pipe that has taken the place of the file must not keep us waiting.
    let as_file = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let as_folder = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut steps = steps.iter().peekable();
    if steps.peek().is_none() {
        return Ok(open(folder, as_file, Mode::empty())?.into());
    }
    let mut at = open(folder, as_folder, Mode::empty())?;
    while let Some(step) = steps.next() {
        let how = if steps.peek().is_some() { as_folder } else { as_file };
        at = openat(&at, step, how, Mode::empty())?;
    }
    Ok(at.into())
}

/// Opens `path`, and resolves it once more when it is open.
#[cfg(not(unix))]
pub(super) fn below(folder: &Path, path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if std::fs::canonicalize(path)? != path || !path.starts_with(folder) {
        return Err(io::Error::other("the file was moved while it was opened"));
    }
    Ok(file)
}

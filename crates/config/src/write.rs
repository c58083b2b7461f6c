//! How a file is replaced.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path as FilePath, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::edit::EditError;

/// The newest copy first.
const BACKUPS: [&str; 5] = [".bak", ".bak.1", ".bak.2", ".bak.3", ".bak.4"];
/// From which length on a file must not lose more than half.
const MUCH: usize = 512;

/// Keeps other programs from editing as long as it is there.
///
/// The operating system ends it with the process.
pub(crate) struct Lock(
    #[expect(dead_code, reason = "the lock lives as long as its file")] fs::File,
);

impl Lock {
    /// Waits until nobody else edits.
    pub(crate) fn take(path: &FilePath) -> Result<Self, EditError> {
        let lock = beside(path, ".lock");
        let failed = |source| EditError::Write { path: lock.clone(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut options = fs::File::options();
        options.create(true).truncate(false).write(true);
        let file = private(&mut options).open(&lock).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self(file))
    }
}

/// Replaces a file at once, after a copy was kept.
pub(crate) fn replace(path: &FilePath, text: &str, may_shrink: bool) -> Result<(), EditError> {
    let failed = |source| EditError::Write { path: path.to_owned(), source };
    // What a symlink points to is replaced, not the symlink.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::read(&target) {
        Ok(old) => {
            if !may_shrink && old.len() >= MUCH && text.len() * 2 < old.len() {
                return Err(rejected(path, text));
            }
            keep(&target, &old).map_err(failed)?;
        }
        Err(err) if err.kind() == io::ErrorKind::NotFound => {}
        Err(err) => return Err(failed(err)),
    }
    put(&target, text.as_bytes()).map_err(failed)
}

fn rejected(path: &FilePath, text: &str) -> EditError {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let rejected = beside(path, &format!(".rejected.{now}"));
    match put(&rejected, text.as_bytes()) {
        Ok(()) => EditError::Shrinks { rejected },
        Err(source) => EditError::Write { path: rejected, source },
    }
}

/// Moves older copies on and makes the newest.
fn keep(path: &FilePath, old: &[u8]) -> io::Result<()> {
    for (newer, older) in BACKUPS.iter().zip(&BACKUPS[1..]).rev() {
        match fs::rename(beside(path, newer), beside(path, older)) {
            Ok(()) => {}
            Err(err) if err.kind() == io::ErrorKind::NotFound => {}
            Err(err) => return Err(err),
        }
    }
    put(&beside(path, BACKUPS[0]), old)
}

/// Writes a file that only its owner can read; it is there as a whole or not.
fn put(path: &FilePath, bytes: &[u8]) -> io::Result<()> {
    let mut draft = wholefile::Draft::begin(path)?;
    draft.file().write_all(bytes)?;
    draft.file().sync_all()?;
    draft.keep()?;
    let folder =
        path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(FilePath::new("."));
    // Folders that cannot be synced are no reason to fail.
    drop(wholefile::sync(folder));
    Ok(())
}

#[cfg(unix)]
fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    options
}

fn beside(path: &FilePath, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

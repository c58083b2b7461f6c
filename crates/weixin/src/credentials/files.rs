//! Small files that must survive a crash: replaced as a whole, with a copy.
//!
//! ```text
//! write   .name.new ─sync─▶ name ─sync folder─▶ .name.bak.new ─sync─▶ name.bak
//! read    name, or name.bak when it is missing or broken
//! ```
//!
//! A crash at any point leaves the old content or the new one under `name`,
//! and something whole under `name.bak`. Files are 0600 from the first byte.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::CredentialsError;

/// How often, and how long each time, another process is waited for.
const LOCK_TRIES: (u32, Duration) = (100, Duration::from_millis(50));

/// What was read, and whether the copy had to stand in.
pub(super) struct Held<T> {
    pub(super) value: T,
    pub(super) from_copy: bool,
}

/// Reads a file, or its copy when the file is missing or broken.
pub(super) fn read<T>(
    path: &Path,
    parse: impl Fn(&[u8]) -> Result<T, CredentialsError>,
) -> Result<Option<Held<T>>, CredentialsError> {
    let first = read_one(path, &parse);
    match first {
        Ok(Some(value)) => return Ok(Some(Held { value, from_copy: false })),
        // The key is missing, not the content.
        Err(err @ (CredentialsError::Sealed { .. } | CredentialsError::WrongKey { .. })) => {
            return Err(err);
        }
        Ok(None) | Err(_) => {}
    }
    if let Ok(Some(value)) = read_one(&copy_of(path), &parse) {
        tracing::warn!(file = %path.display(), "missing or damaged; its copy is used");
        return Ok(Some(Held { value, from_copy: true }));
    }
    first.map(|_| None)
}

fn read_one<T>(
    path: &Path,
    parse: impl Fn(&[u8]) -> Result<T, CredentialsError>,
) -> Result<Option<T>, CredentialsError> {
    match std::fs::read(path) {
        Ok(bytes) => parse(&bytes).map(Some),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CredentialsError::Io { path: path.to_owned(), source }),
    }
}

/// Writes a file and its copy, both on disk when it returns.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), CredentialsError> {
    replace(path, content)
        .and_then(|()| replace(&copy_of(path), content))
        .map_err(|source| CredentialsError::Io { path: path.to_owned(), source })
}

/// Removes a file and its copy, so that neither comes back.
pub(super) fn remove(path: &Path) -> Result<(), CredentialsError> {
    // The copy first: a crash in between must not bring the file back.
    for path in [copy_of(path), path.to_owned()] {
        match std::fs::remove_file(&path) {
            Err(err) if err.kind() != ErrorKind::NotFound => {
                return Err(CredentialsError::Io { path, source: err });
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Returns where the copy of a file lies.
pub(super) fn copy_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".bak");
    PathBuf::from(name)
}

/// Puts a file in place as a whole, on disk when it returns.
pub(crate) fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_private_dir(dir)?;
    wholefile::replace(path, content)
}

/// Creates a folder that only its owner can enter.
pub(crate) fn create_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Keeps other processes from changing the credentials in a folder while it
/// lives. Waits a few seconds for one that does.
pub(crate) struct Changing {
    _lock: File,
}

impl Changing {
    #[expect(
        clippy::disallowed_methods,
        reason = "files of credentials are small and read without a runtime; it waits only while \
                  another process writes one, and for seconds at most"
    )]
    pub(super) fn begin(dir: &Path) -> Result<Self, CredentialsError> {
        let path = dir.join("accounts.lock");
        let io = |source| CredentialsError::Io { path: path.clone(), source };
        create_private_dir(dir).map_err(io)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(io)?;
        for _ in 0..LOCK_TRIES.0 {
            match file.try_lock() {
                Ok(()) => {
                    forget_unfinished(dir);
                    return Ok(Self { _lock: file });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_TRIES.1),
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
        }
        Err(CredentialsError::Busy { path })
    }
}

/// Removes what a crash left half written.
fn forget_unfinished(dir: &Path) {
    for dir in [dir, &dir.join("accounts"), &dir.join("accounts").join("replaced")] {
        match wholefile::tidy(dir) {
            Err(err) if err.kind() != ErrorKind::NotFound => {
                tracing::warn!(error = %err, "half-written files were not removed");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

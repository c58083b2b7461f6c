//! Takes the lock, and asks who has it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Owner;

/// How often a lock is tried for: its file may vanish under our hands, and one
/// that asks who has it holds it for a moment.
const TRIES: u32 = 10;
/// How long there is between two tries.
const PAUSE: Duration = Duration::from_millis(2);
/// The most that is read of a lock file.
const MOST_READ: u64 = 4_096;

/// A lock that this process has, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    removes: bool,
    _file: File,
}

/// Why a lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it, or this one already.
    #[error("{}", who(owner.as_ref()))]
    Held {
        /// Who, if the file says it.
        owner: Option<Owner>,
    },
    /// The file cannot be used.
    #[error("the lock {} cannot be used", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock at once or not at all, and writes down who has it:
    /// `program` with its version, and the folder that it works on. The file's
    /// folder must exist. The file stays when the lock is given back.
    ///
    /// # Errors
    ///
    /// When the lock is held, or its file cannot be used.
    pub fn take(path: &Path, program: &str, folder: Option<&Path>) -> Result<Self, LockError> {
        Self::take_file(path, program, folder, false)
    }

    /// As [`take`](Self::take), and removes the file when the lock is given back
    /// in order: for places where such files would gather.
    ///
    /// # Errors
    ///
    /// When the lock is held, or its file cannot be used.
    pub fn take_brief(
        path: &Path,
        program: &str,
        folder: Option<&Path>,
    ) -> Result<Self, LockError> {
        Self::take_file(path, program, folder, true)
    }

    fn take_file(
        path: &Path,
        program: &str,
        folder: Option<&Path>,
        removes: bool,
    ) -> Result<Self, LockError> {
        let unusable = |source| LockError::Unusable { path: path.to_owned(), source };
        let mut owner = None;
        for _ in 0..TRIES {
            let mut file = open(path).map_err(unusable)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    owner = read(&mut file);
                    std::thread::park_timeout(PAUSE);
                    continue;
                }
                Err(TryLockError::Error(err)) => return Err(unusable(err)),
            }
            // Between the two, its last owner may have removed it.
            if is_same(&file, path) {
                sign(&mut file, &Owner::this(program, folder)).map_err(unusable)?;
                return Ok(Self { path: path.to_owned(), removes, _file: file });
            }
        }
        Err(LockError::Held { owner })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is still locked: nobody else can have it.
        if self.removes
            && let Err(err) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(error = %err, "lock file not removed");
        }
    }
}

/// Says whether some process has the lock. Makes no file.
#[must_use]
pub fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Returns who has the lock: `None` when nobody has, however the last one ended.
/// Makes no file.
///
/// # Errors
///
/// [`LockError::Held`] when somebody has it whom the file does not name.
pub fn holder(path: &Path) -> Result<Option<Owner>, LockError> {
    let Ok(mut file) = File::open(path) else { return Ok(None) };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => match read(&mut file) {
            Some(owner) => Ok(Some(owner)),
            None => Err(LockError::Held { owner: None }),
        },
        Ok(()) | Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let found = std::fs::symlink_metadata(path).map(id);
    file.metadata().map(id).is_ok_and(|held| found.is_ok_and(|found| found == held))
}

/// An open file cannot be removed here.
#[cfg(not(unix))]
fn is_same(_file: &File, _path: &Path) -> bool {
    true
}

fn sign(file: &mut File, owner: &Owner) -> io::Result<()> {
    let text = serde_json::to_string(owner)?;
    file.set_len(0)?;
    writeln!(file, "{text}")
}

fn read(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(MOST_READ).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn who(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "an unknown process".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_had_by_one_and_the_other_learns_by_whom() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        assert_eq!(holder(&path).unwrap(), None);
        assert!(!path.exists(), "looking makes a file");

        let held = Lock::take(&path, "p 1", Some(Path::new("/one"))).unwrap();
        let refused = Lock::take(&path, "p 2", None).unwrap_err();
        let owner = holder(&path).unwrap().unwrap();
        assert_eq!(refused.to_string(), owner.to_string());
        assert_eq!((owner.process.pid, &*owner.program), (std::process::id(), "p 1"));
        assert!(is_held(&path));

        drop(held);
        assert!(!is_held(&path) && path.exists());
        assert_eq!(holder(&path).unwrap(), None, "what an earlier owner wrote means nothing");
        Lock::take(&path, "p 2", None).unwrap();
    }

    #[test]
    fn a_brief_lock_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        drop(Lock::take_brief(&path, "p", None).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_says_nothing_has_an_unknown_owner() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        let _held = Lock::take(&path, "p", None).unwrap();
        std::fs::write(&path, "process 1 since then").unwrap();
        let refused = Lock::take(&path, "p", None).unwrap_err().to_string();
        assert_eq!(refused, "an unknown process");
        assert!(holder(&path).is_err());
    }
}

//! One process runs the channel on one folder, and one polls a token.
//!
//! The folder's lock does not see a copy of the folder, and two that poll one
//! token take each other's messages. So each token has a lock of its own, in a
//! place that all programs of one person on a machine share. Both are locks of
//! the operating system, which takes them back when the process ends, however
//! it ends: a stale lock cannot exist, and nobody guesses by port or name.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use contract::ChannelError;
use ilink::BotToken;
use sha2::{Digest as _, Sha256};

use crate::credentials::files::create_private_dir;

const NAME: &str = "channel.lock";
/// How often a lock file that vanishes under our hands is made again.
const TRIES: u32 = 10;

/// The right to run the channel on a folder.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock and writes down who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self, ChannelError> {
        let storage = |err: io::Error| ChannelError::Storage(Box::new(err));
        let mut file = open(&dir.join(NAME)).map_err(storage)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ChannelError::Locked(owner(&mut file))),
            Err(TryLockError::Error(err)) => return Err(storage(err)),
        }
        sign(&mut file, None).map_err(storage)?;
        Ok(Self { _file: file })
    }

    /// Says whether some process runs the channel on this folder.
    pub(crate) fn is_held(dir: &Path) -> bool {
        let Ok(file) = open(&dir.join(NAME)) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

/// The right to poll with a token. Its file is removed when it is given back.
#[derive(Debug)]
pub(crate) struct TokenLock {
    path: PathBuf,
    file: File,
}

/// Why a token's lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("held elsewhere: {0}")]
    Held(String),
    #[error("the lock {} cannot be used", path.display())]
    Unusable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl TokenLock {
    /// Takes a token's lock for the channel on `folder` and writes down who
    /// has it. `locks` is private to the person, or is made so.
    pub(crate) fn take(locks: &Path, token: &BotToken, folder: &Path) -> Result<Self, NotTaken> {
        let path = locks.join(format!("{}.lock", hex(&Sha256::digest(token.expose()))));
        let unusable = |source| NotTaken::Unusable { path: path.clone(), source };
        make_private(locks).map_err(unusable)?;
        for _ in 0..TRIES {
            let mut file = open(&path).map_err(unusable)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(NotTaken::Held(owner(&mut file))),
                Err(TryLockError::Error(err)) => return Err(unusable(err)),
            }
            // Between the two, its last owner may have removed it.
            if is_same(&file, &path) {
                sign(&mut file, Some(folder)).map_err(unusable)?;
                return Ok(Self { path, file });
            }
        }
        Err(unusable(io::ErrorKind::ResourceBusy.into()))
    }

    /// Keeps cleaners of old temporary files away.
    pub(crate) fn refresh(&self) {
        if let Err(err) = self.file.set_modified(SystemTime::now()) {
            tracing::debug!(error = %err, "lock not refreshed");
        }
    }
}

impl Drop for TokenLock {
    fn drop(&mut self) {
        // While it is still locked: nobody else can have it.
        if let Err(err) = std::fs::remove_file(&self.path) {
            tracing::debug!(error = %err, "lock file not removed");
        }
    }
}

/// Returns where all programs of this person on this machine keep such locks.
/// Not from the environment: they must meet however they were started.
#[cfg(unix)]
pub(crate) fn machine_locks() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt as _;

    let id = tempfile::tempfile().and_then(|mine| mine.metadata()).ok()?.uid();
    let session = PathBuf::from(format!("/run/user/{id}"));
    if std::fs::symlink_metadata(&session).is_ok_and(|meta| meta.is_dir() && meta.uid() == id) {
        return Some(session.join("hongyan"));
    }
    Some(PathBuf::from(format!("/tmp/hongyan-{id}")))
}

/// Returns where all programs of this person on this machine keep such locks.
#[cfg(not(unix))]
pub(crate) fn machine_locks() -> Option<PathBuf> {
    Some(std::env::temp_dir().join("hongyan"))
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder that only its owner can enter. One that exists is used only
/// if it is that: others can write where temporary files lie.
fn make_private(dir: &Path) -> io::Result<()> {
    create_private_dir(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let meta = std::fs::symlink_metadata(dir)?;
        let id = tempfile::tempfile()?.metadata()?.uid();
        if !meta.is_dir() || meta.uid() != id || meta.mode() & 0o077 != 0 {
            return Err(io::Error::other("its folder is not private"));
        }
    }
    Ok(())
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

fn sign(file: &mut File, folder: Option<&Path>) -> io::Result<()> {
    let started = jiff::Timestamp::now();
    file.set_len(0)?;
    write!(file, "process {} since {started:.0}", std::process::id())?;
    if let Some(folder) = folder {
        write!(file, " in {}", folder.display())?;
    }
    writeln!(file)
}

fn owner(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(4_096).read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        Ok(_) | Err(_) => "an unknown process".to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Demand 12: a copy of a folder does not poll, and says who does.
    #[test]
    fn a_token_is_polled_by_one_and_the_other_learns_by_whom() {
        let dir = tempfile::tempdir().unwrap();
        let locks = dir.path().join("locks");
        let (token, other) = (BotToken::new("bot:1"), BotToken::new("bot:2"));
        let held = TokenLock::take(&locks, &token, Path::new("/one")).unwrap();
        held.refresh();

        let refused = TokenLock::take(&locks, &token, Path::new("/two")).unwrap_err().to_string();
        let begin = format!("held elsewhere: process {} since ", std::process::id());
        assert!(refused.starts_with(&begin) && refused.ends_with(" in /one"), "{refused}");
        TokenLock::take(&locks, &other, Path::new("/two")).unwrap();

        drop(held);
        TokenLock::take(&locks, &token, Path::new("/two")).unwrap();
        let left: Vec<_> = std::fs::read_dir(&locks).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_place_that_others_can_enter_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let taken = TokenLock::take(dir.path(), &BotToken::new("t"), Path::new("/one"));
        assert!(matches!(taken, Err(NotTaken::Unusable { .. })), "{taken:?}");
    }
}

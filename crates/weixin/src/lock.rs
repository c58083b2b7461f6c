//! One process runs the channel on one folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use contract::ChannelError;

const NAME: &str = "channel.lock";

/// The right to run the channel on a folder. The operating system takes it
/// back when the process ends, however it ends, so a stale lock cannot exist.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock and writes down who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self, ChannelError> {
        let storage = |err: std::io::Error| ChannelError::Storage(Box::new(err));
        let mut file = open(dir).map_err(storage)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ChannelError::Locked(owner(&mut file))),
            Err(TryLockError::Error(err)) => return Err(storage(err)),
        }
        let started = jiff::Timestamp::now();
        file.set_len(0).map_err(storage)?;
        writeln!(file, "process {} since {started:.0}", std::process::id()).map_err(storage)?;
        Ok(Self { _file: file })
    }

    /// Says whether some process runs the channel on this folder.
    pub(crate) fn is_held(dir: &Path) -> bool {
        let Ok(file) = open(dir) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

fn open(dir: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(dir.join(NAME))
}

fn owner(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(200).read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        Ok(_) | Err(_) => "an unknown process".to_owned(),
    }
}

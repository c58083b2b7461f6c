//! A file on its way to its place.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempPath;

const BEGIN: &str = ".";
const END: &str = ".new";
/// How long another process that writes the same file is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long there is between two looks at it.
const PAUSE: Duration = Duration::from_millis(2);
/// Where files cannot be locked, how old one is that nobody writes any more.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A file that is being written beside its place, by this process alone, and
/// that only its owner can read. Dropped, it was never there.
#[derive(Debug)]
pub struct Draft {
    // Goes before the lock is given back.
    unfinished: TempPath,
    file: File,
    place: PathBuf,
}

impl Draft {
    /// Begins to write what shall be at `place`, and removes what a killed
    /// process left of the same. Its folder must exist. Waits for a process that
    /// writes the same file. Blocks.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written in, or another process takes seconds to
    /// write the file.
    pub fn begin(place: &Path) -> io::Result<Self> {
        let path = unfinished(place)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match create(&path) {
                Ok(file) if is_taken(&file) && is_same(&file, &path) => {
                    let unfinished = TempPath::try_from_path(&path)?;
                    return Ok(Self { unfinished, file, place: place.to_owned() });
                }
                // Another took it for abandoned before it was locked.
                Ok(_) => {}
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
                    if !clear(&path)? {
                        std::thread::park_timeout(PAUSE);
                    }
                }
                Err(err) => return Err(err),
            }
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "another process is writing it"))
    }

    /// Returns the file, to be written.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts it in its place, over what is there. What must survive a power cut
    /// is synced before, and its folder after.
    ///
    /// # Errors
    ///
    /// When it cannot be moved; then it was never there.
    pub fn keep(self) -> io::Result<()> {
        Ok(self.unfinished.persist(&self.place)?)
    }

    /// Puts it in its place if nothing is there.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) when something is, or as
    /// [`keep`](Self::keep).
    pub fn keep_new(self) -> io::Result<()> {
        Ok(self.unfinished.persist_noclobber(&self.place)?)
    }
}

/// Replaces a file as a whole, on the disk when it returns; its folder must
/// exist. Blocks.
///
/// # Errors
///
/// When it cannot be written; then what was there still is.
pub fn replace(place: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = Draft::begin(place)?;
    draft.file.write_all(content)?;
    draft.file.sync_all()?;
    draft.keep()?;
    sync(folder(place))
}

/// Makes renames in a folder last through a power cut. Blocks.
///
/// # Errors
///
/// When the folder cannot be synced, as on some network disks.
#[cfg(unix)]
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes renames in a folder last through a power cut, where that needs doing.
///
/// # Errors
///
/// None on this system.
#[cfg(not(unix))]
pub fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes all that killed writes left in a folder. What is being written stays.
///
/// # Errors
///
/// When the folder cannot be read, or something cannot be removed.
pub fn tidy(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if is_unfinished(&entry.file_name().to_string_lossy()) {
            clear(&entry.path())?;
        }
    }
    Ok(())
}

/// Says whether a file of this name is one that is being written, or was when
/// its process was killed.
#[must_use]
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with(BEGIN) && name.ends_with(END)
}

fn unfinished(place: &Path) -> io::Result<PathBuf> {
    let Some(name) = place.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it has no name"));
    };
    let mut unfinished = OsString::from(BEGIN);
    unfinished.push(name);
    unfinished.push(END);
    // Absolute, so that it is found when the working folder changes.
    std::path::absolute(place.with_file_name(unfinished))
}

fn folder(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Locks a file that we have made. Where that is not possible it is ours still.
fn is_taken(file: &File) -> bool {
    match file.try_lock() {
        Ok(()) | Err(TryLockError::Error(_)) => true,
        Err(TryLockError::WouldBlock) => false,
    }
}

/// Removes what nobody writes any more. Says whether nothing is there now.
fn clear(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(err) => return Err(err),
    };
    let is_abandoned = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(_)) => {
            file.metadata()?.modified()?.elapsed().unwrap_or_default() > ABANDONED
        }
    };
    // Since it was opened, its writer may have finished and the next one begun.
    if !is_abandoned || !is_same(&file, path) {
        return Ok(false);
    }
    match std::fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
        Ok(()) | Err(_) => Ok(true),
    }
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let found = std::fs::symlink_metadata(path).map(id);
    file.metadata().map(id).is_ok_and(|held| found.is_ok_and(|found| found == held))
}

/// An open file cannot be replaced here.
#[cfg(not(unix))]
fn is_same(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let name = |entry: io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_write_left_is_gone_after_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a.json");
        std::fs::write(dir.path().join(".a.json.new"), "half of a much longer tex").unwrap();
        std::fs::write(dir.path().join(".b.json.new"), "of another").unwrap();
        replace(&place, b"whole").unwrap();
        assert_eq!(names(dir.path()), [".b.json.new", "a.json"]);
        tidy(dir.path()).unwrap();
        assert_eq!(names(dir.path()), ["a.json"]);
        assert_eq!(std::fs::read(&place).unwrap(), b"whole");
        assert!(is_unfinished(".b.json.new") && !is_unfinished("a.json"));
    }

    #[test]
    fn what_another_is_writing_is_left_alone_and_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a.json");
        let mut first = Draft::begin(&place).unwrap();
        tidy(dir.path()).unwrap();
        let (told, waits) = std::sync::mpsc::channel();
        let second = std::thread::spawn({
            let place = place.clone();
            move || {
                told.send(()).unwrap();
                replace(&place, b"second")
            }
        });
        waits.recv().unwrap();
        first.file().write_all(b"first").unwrap();
        first.keep().unwrap();
        second.join().unwrap().unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"second");
        assert_eq!(names(dir.path()), ["a.json"]);
    }

    #[test]
    fn many_at_once_leave_one_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let place = &dir.path().join("a.json");
        std::thread::scope(|all| {
            for n in 0..8_u8 {
                all.spawn(move || (0..50).for_each(|_| replace(place, &[n; 100]).unwrap()));
            }
        });
        let content = std::fs::read(place).unwrap();
        assert_eq!(content, [content[0]; 100]);
        assert_eq!(names(dir.path()), ["a.json"]);
    }

    #[test]
    fn what_is_dropped_was_never_there() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a");
        std::fs::write(&place, "old").unwrap();
        drop(Draft::begin(&place).unwrap());
        let refused = Draft::begin(&place).unwrap().keep_new().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&place).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a");
        replace(&place, b"secret").unwrap();
        assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

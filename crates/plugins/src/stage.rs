//! A new folder that is filled with what strangers send.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use crate::member::{BadMember, Member};

/// How much a package may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files, folders and links.
    pub members: usize,
    /// Bytes of all files together, unpacked.
    pub bytes: u64,
    /// How many times its packed size an archive may unpack to, once it is
    /// larger than [`Limits::FREE_OF_RATIO`].
    pub ratio: u64,
}

impl Limits {
    /// Up to so many bytes any ratio is harmless.
    pub const FREE_OF_RATIO: u64 = 8 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self { members: 20_000, bytes: 1 << 30, ratio: 100 }
    }
}

/// Why something is not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It is damaged.
    #[error("the archive is damaged: {0}")]
    Damaged(#[source] io::Error),
    /// It is no archive that is known.
    #[error("this is no archive: neither .tgz nor .tar nor .zip")]
    NoArchive,
    /// A name in it is dangerous.
    #[error("{name:?} {why}")]
    Member {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: BadMember,
    },
    /// Two things in it have the same place.
    #[error("{name:?} is there twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// Something in it is no file, folder or symbolic link.
    #[error("{name:?} is a {kind}")]
    Kind {
        /// The name.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// A symbolic link in it leads outside, or nowhere.
    #[error("the link {name:?} leads outside or nowhere")]
    Link {
        /// The name.
        name: String,
    },
    /// It has too many files.
    #[error("there are more than {0} files")]
    TooMany(usize),
    /// It is too large.
    #[error("it unpacks to more than {0} bytes")]
    TooLarge(u64),
    /// It unpacks to far more than it is, as only bombs do.
    #[error("it unpacks to more than {0} times its size")]
    Bomb(u64),
    /// The disk refuses.
    #[error("{}: {source}", path.display())]
    Disk {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A folder that nobody else uses yet. It never holds a link while files are
/// written, so no file can be written through one.
pub(crate) struct Stage {
    root: PathBuf,
    limits: Limits,
    members: usize,
    bytes: u64,
    links: Vec<(Member, PathBuf)>,
}

impl Stage {
    /// Makes the folder, which must not be there yet.
    pub(crate) fn new(root: PathBuf, limits: Limits) -> Result<Self, UnpackError> {
        private_folder(&root).map_err(|source| disk(&root, source))?;
        Ok(Self { root, limits, members: 0, bytes: 0, links: Vec::new() })
    }

    /// Makes a folder in it. The same one may come again.
    pub(crate) fn folder(&mut self, member: &Member) -> Result<(), UnpackError> {
        self.count()?;
        self.make_folder(member.path())
    }

    /// Writes a file in it and returns how long it is.
    pub(crate) fn file(
        &mut self,
        member: &Member,
        is_executable: bool,
        content: &mut dyn Read,
    ) -> Result<u64, UnpackError> {
        self.count()?;
        self.make_folder(member.path().parent().unwrap_or(Path::new("")))?;
        let path = member.below(&self.root);
        let mut file = File::create_new(&path).map_err(|err| taken(member, &path, err))?;
        let left = self.limits.bytes - self.bytes;
        let n = copy(&mut content.take(left + 1), &mut file, &path)?;
        self.bytes += n;
        if self.bytes > self.limits.bytes {
            return Err(UnpackError::TooLarge(self.limits.bytes));
        }
        set_mode(&file, is_executable).map_err(|source| disk(&path, source))?;
        Ok(n)
    }

    /// Notes a symbolic link, which is made at the end.
    pub(crate) fn link(&mut self, member: Member, target: PathBuf) -> Result<(), UnpackError> {
        self.count()?;
        self.links.push((member, target));
        Ok(())
    }

    /// Makes the links and checks where each really leads.
    pub(crate) fn finish(self) -> Result<(), UnpackError> {
        for (member, target) in &self.links {
            self.make_folder(member.path().parent().unwrap_or(Path::new("")))?;
            let path = member.below(&self.root);
            let outside = || UnpackError::Link { name: shown(member) };
            if target.is_absolute() || target.as_os_str().is_empty() {
                return Err(outside());
            }
            symlink(target, &path).map_err(|err| taken(member, &path, err))?;
        }
        let root = self.root.canonicalize().map_err(|source| disk(&self.root, source))?;
        for (member, _) in &self.links {
            let leads = member.below(&self.root).canonicalize();
            if !leads.is_ok_and(|leads| leads.starts_with(&root)) {
                return Err(UnpackError::Link { name: shown(member) });
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), UnpackError> {
        self.members += 1;
        if self.members > self.limits.members {
            return Err(UnpackError::TooMany(self.limits.members));
        }
        Ok(())
    }

    /// Makes a folder and those above it, walking over real folders only.
    fn make_folder(&self, path: &Path) -> Result<(), UnpackError> {
        let mut place = self.root.clone();
        for part in path.components() {
            place.push(part);
            match fs::symlink_metadata(&place) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(UnpackError::Twice { name: path.display().to_string() }),
                Err(_) => fs::create_dir(&place).map_err(|source| disk(&place, source))?,
            }
        }
        Ok(())
    }
}

/// Makes a folder that only its owner may enter.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn copy(from: &mut dyn Read, file: &mut File, path: &Path) -> Result<u64, UnpackError> {
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    loop {
        // What cannot be read is the archive's fault, what cannot be written the disk's.
        let n = match from.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(n) => n,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            Err(err) => return Err(unpacked(err)),
        };
        file.write_all(&buffer[..n]).map_err(|source| disk(path, source))?;
        total += n as u64;
    }
}

/// Finds the reason in an error of a reader that counts.
pub(crate) fn unpacked(err: io::Error) -> UnpackError {
    match err.downcast::<UnpackError>() {
        Ok(reason) => reason,
        Err(err) => UnpackError::Damaged(err),
    }
}

fn taken(member: &Member, path: &Path, err: io::Error) -> UnpackError {
    if err.kind() == io::ErrorKind::AlreadyExists {
        return UnpackError::Twice { name: shown(member) };
    }
    disk(path, err)
}

fn shown(member: &Member) -> String {
    member.path().display().to_string()
}

pub(crate) fn disk(path: &Path, source: io::Error) -> UnpackError {
    UnpackError::Disk { path: path.to_owned(), source }
}

/// Keeps of a mode whether the file is a program, and nothing else.
#[cfg(unix)]
fn set_mode(file: &File, is_executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if is_executable { 0o755 } else { 0o644 };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "no symbolic links on this system"))
}

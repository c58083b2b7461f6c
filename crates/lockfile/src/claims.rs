//! Many locks for one open file.
//!
//! A lock of the operating system costs an open file. Who needs thousands of
//! them holds one, the voucher, and lists in a file beside it what it claims.
//! A claim holds exactly while its voucher is locked: the end of a process,
//! however it comes, ends all its claims at once.
//!
//! ```text
//! claims.lock      held while claims are made, by one at a time
//! 7-176732.voucher a lock, held as long as the process wants its claims
//! 7-176732.claims  who holds it; `+name` for each claim, `-name` for its end
//! ```
//!
//! Killed at any step, a process leaves nothing that holds: a voucher that
//! nobody has locked, or a list without one, maybe with half a line. The next
//! one that opens the folder removes both.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::{Lock, LockError, Owner, is_held, make_private};

const TURN: &str = "claims.lock";
const VOUCHER: &str = "voucher";
const LIST: &str = "claims";
/// How often a turn is tried for. One try lasts 20 ms, a turn for ten thousand
/// claims less.
const TRIES: u32 = 250;
/// How many lines a list may have beyond what it needs before it is written anew.
const SPARE_LINES: usize = 1_000;
/// The most that is read of a list: a hundred times what ten thousand accounts need.
const MOST_READ: u64 = 64 << 20;

/// The right to claim things in a folder, by one lock. Clones share it; it ends
/// with the last of them and of the claims.
#[derive(Clone, Debug)]
pub struct Claims {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    /// The list's file.
    path: PathBuf,
    owner: Owner,
    // Held while the list is changed and written, which blocks on the disk.
    list: Mutex<List>,
    _lock: Lock,
}

/// What is claimed, and how it stands on the disk.
#[derive(Debug, Default)]
struct List {
    names: HashSet<Arc<str>>,
    n_lines: usize,
    /// A line may have been written in part.
    is_torn: bool,
}

/// One thing claimed, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Claim {
    name: Arc<str>,
    claims: Claims,
}

impl Claims {
    /// Locks a voucher in a folder, which is private to the person or is made
    /// so, and removes what killed processes left there. `program` with its
    /// version and `folder` are what others are told of the holder. Blocks.
    ///
    /// # Errors
    ///
    /// When the folder is not private or cannot be used, or when somebody takes
    /// seconds to make claims there.
    pub fn open(dir: &Path, program: &str, folder: Option<&Path>) -> Result<Self, LockError> {
        make_private(dir).map_err(|err| unusable(dir, err))?;
        let _turn = turn(dir, program)?;
        if let Err(err) = tidy(dir) {
            tracing::debug!(error = %err, "old claims not removed");
        }
        // A name that nobody had before: what a file under the name of an earlier
        // process says must not count as ours.
        let now = jiff::Timestamp::now().as_nanosecond();
        let path = dir.join(format!("{}-{now}.{LIST}", std::process::id()));
        let lock = Lock::take_brief(&path.with_extension(VOUCHER), program, folder)?;
        let shared = Shared {
            dir: dir.to_owned(),
            owner: Owner::this(program, folder),
            // Written as a whole first.
            list: Mutex::new(List { is_torn: true, ..List::default() }),
            path,
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Claims each name that nobody has, in the order of the names; one that is
    /// claimed already, by whomever, is refused. A name is one line of text.
    /// Nothing is synced to the disk: a claim means nothing after a power cut.
    /// Blocks.
    ///
    /// # Errors
    ///
    /// When somebody takes seconds to make claims there, or the claims cannot
    /// be written down: then none of them is made.
    pub fn take<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Result<Claim, LockError>>, LockError> {
        let Shared { dir, path, owner, .. } = &*self.shared;
        let _turn = turn(dir, &owner.program)?;
        let others = claimed(dir, Some(path));
        let mut added = Vec::new();
        let taken = names.into_iter().map(|name| {
            let owner = others.get(name).map_or(owner, |other| other);
            if others.contains_key(name) || !self.shared.list.lock().names.insert(name.into()) {
                return Err(LockError::Held { owner: Some(owner.clone()) });
            }
            added.push(name);
            Ok(Claim { name: name.into(), claims: self.clone() })
        });
        let taken = taken.collect();
        self.shared.write(&added).map_err(|err| unusable(path, err))?;
        Ok(taken)
    }

    /// Keeps cleaners of old temporary files away from the folder. Blocks.
    pub fn refresh(&self) {
        let now = SystemTime::now();
        let touch = |path: &Path| File::open(path)?.set_modified(now);
        let files = files(&self.shared.dir);
        let refreshed = files.and_then(|mut all| all.try_for_each(|path| touch(&path)));
        if let Err(err) = refreshed {
            tracing::debug!(error = %err, "claims not refreshed");
        }
    }
}

impl Shared {
    /// Writes down what was added, or all when that is due. Only in this
    /// process's turn: others must not read half a list.
    fn write(&self, added: &[&str]) -> io::Result<()> {
        let mut list = self.list.lock();
        let is_whole = list.is_torn || list.n_lines > 2 * list.names.len() + SPARE_LINES;
        let mut text = String::new();
        if is_whole {
            text = serde_json::to_string(&self.owner)? + "\n";
            list.names.iter().for_each(|name| text.extend(["+", name, "\n"]));
            list.n_lines = list.names.len();
        } else {
            added.iter().for_each(|name| text.extend(["+", name, "\n"]));
            list.n_lines += added.len();
        }
        list.is_torn = true;
        let mut options = OpenOptions::new();
        options.create(true).append(!is_whole).write(true).truncate(is_whole);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path)?.write_all(text.as_bytes())?;
        list.is_torn = false;
        Ok(())
    }

    /// Writes down that a claim has ended.
    fn end(&self, name: &str) -> io::Result<()> {
        let mut list = self.list.lock();
        list.names.remove(name);
        if list.is_torn {
            return Ok(());
        }
        list.n_lines += 1;
        list.is_torn = true;
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        file.write_all(format!("-{name}\n").as_bytes())?;
        list.is_torn = false;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Err(err) = self.claims.shared.end(&self.name) {
            tracing::debug!(error = %err, "the end of a claim is not written down");
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // While its voucher is locked: nobody tidies meanwhile.
        if let Err(err) = removed(&self.path) {
            tracing::debug!(error = %err, "list of claims not removed");
        }
    }
}

/// Returns who has claimed what in a folder. Makes no file. Claims that are
/// being made at this moment may be left out.
#[must_use]
pub fn claimants(dir: &Path) -> HashMap<String, Owner> {
    claimed(dir, None)
}

/// Reads the lists whose vouchers are locked, except one.
fn claimed(dir: &Path, except: Option<&Path>) -> HashMap<String, Owner> {
    let all = files(dir).into_iter().flatten();
    let lists = all.filter(|path| is(path, LIST) && Some(&**path) != except);
    let held = lists.filter(|path| is_held(&path.with_extension(VOUCHER)));
    let mut claimed = HashMap::new();
    for path in held {
        let Ok(text) = text(&path) else { continue };
        claimed.extend(read(&text));
    }
    claimed
}

/// Reads a list, as far as it is whole.
fn read(text: &str) -> HashMap<String, Owner> {
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let Some(Ok(owner)) = lines.next().map(serde_json::from_str::<Owner>) else {
        return HashMap::new();
    };
    let mut names = HashSet::new();
    for line in lines {
        match line.split_at_checked(1) {
            Some(("+", name)) => names.insert(name),
            Some(("-", name)) => names.remove(name),
            Some(_) | None => false,
        };
    }
    names.into_iter().map(|name| (name.to_owned(), owner.clone())).collect()
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_READ).read_to_string(&mut text)?;
    Ok(text)
}

/// Waits until it is this process's turn to make claims.
fn turn(dir: &Path, program: &str) -> Result<Lock, LockError> {
    let path = dir.join(TURN);
    let mut tried = Lock::take(&path, program, None);
    for _ in 1..TRIES {
        match tried {
            Err(LockError::Held { .. }) => tried = Lock::take(&path, program, None),
            done @ (Ok(_) | Err(LockError::Unusable { .. })) => return done,
        }
    }
    tried
}

/// Removes the vouchers that nobody has locked, and lists without one that
/// somebody has. Only in this process's turn, when nobody makes any.
fn tidy(dir: &Path) -> io::Result<()> {
    files(dir)?
        .filter(|path| is(path, VOUCHER) || is(path, LIST))
        .filter(|path| !is_held(&path.with_extension(VOUCHER)))
        .try_for_each(|path| removed(&path))
}

/// Removes a file, unless a process that ends in order has done so meanwhile.
fn removed(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn files(dir: &Path) -> io::Result<impl Iterator<Item = PathBuf>> {
    Ok(std::fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.path())))
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension() == Some(OsStr::new(extension))
}

fn unusable(path: &Path, source: io::Error) -> LockError {
    LockError::Unusable { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;

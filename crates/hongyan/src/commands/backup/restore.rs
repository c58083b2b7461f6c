//! `hongyan backup restore`
//!
//! Everything is unpacked and checked beside the state before anything of it is
//! touched. A kill before that changes nothing; what is cut later is carried out
//! by the next restore (`swap`), and no gateway starts on it before.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

use gateway::Pairing;
use lockfile::{Lock, LockError};
use plugins::Limits;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use weixin::{CHANNEL_ID, Sealed, SealedReader};
use zeroize::Zeroizing;

use super::contents::{Fate, STAGE, fate};
use super::manifest::{Entry, Manifest, NAME, STATE};
use super::swap::{self, entries};
use super::{BackupError, KIND, blocking, io, make_private};
use crate::cli::BackupRestoreArgs;
use crate::commands::accounts::passphrase;
use crate::composition::State;
use crate::control::{PROGRAM, running};
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

/// What a backup may hold. It is one's own, so only the disk bounds it.
const LIMITS: Limits = Limits { members: 4_000_000, bytes: 1 << 42, ratio: 1_100 };

pub(super) async fn run(args: BackupRestoreArgs, state: &State) -> Result<(), CliError> {
    if !swap::is_cut(state.dir()) {
        // Nothing is made for a file that is none.
        is_sealed(&args.file)?;
    }
    // Held to the end: no gateway starts meanwhile.
    let _lock = if args.dry_run { None } else { Some(hold(state)?) };
    let dir = state.dir().to_owned();
    let finished = if args.dry_run { None } else { swap::finish(&dir)? };
    let passphrase = match is_sealed(&args.file)? {
        true => Some(passphrase::of(&args.passphrase, false)?),
        false => None,
    };
    let (file, at) = (args.file.clone(), (!args.dry_run).then(|| dir.clone()));
    let unpacked = blocking(move || unpack(&file, at.as_deref(), passphrase)).await?;
    let accounts = usable(&unpacked).await?;
    let Unpacked { stage, manifest } = unpacked;
    let aside = match finished {
        _ if args.dry_run => None,
        // It was this restore that was cut.
        Some(finished) if finished.manifest == manifest => finished.aside,
        // An earlier one had done it, and nothing has changed it since.
        _ if is_there(&swap::folder(stage.path()), &dir).await? => {
            tell(&args, state, &manifest, &accounts, &Done::Already);
            return Ok(());
        }
        _ => {
            lose_nothing(&args, state)?;
            swap::swap(stage, &manifest, &dir)?.aside
        }
    };
    let done = if args.dry_run { Done::Nothing } else { Done::Restored { aside } };
    tell(&args, state, &manifest, &accounts, &done);
    Ok(())
}

/// Keeps gateways away.
fn hold(state: &State) -> Result<Lock, CliError> {
    make_private(state.dir())?;
    let taken = Lock::take(&state.gateway_lock(), PROGRAM, Some(state.dir()));
    let lock = taken.map_err(|held| match held {
        LockError::Held { .. } => running(&held),
        LockError::Unusable { .. } => {
            CliError::new(Kind::Config, held.to_string()).caused_by(held).hinted(t!("hint.state"))
        }
    })?;
    let channel = state.dir().join(CHANNEL_ID).join("channel.lock");
    match lockfile::holder(&channel) {
        Ok(Some(owner)) => Err(running(&LockError::Held { owner: Some(owner) })),
        Ok(None) | Err(_) => Ok(lock),
    }
}

/// Refuses where something would be lost.
fn lose_nothing(args: &BackupRestoreArgs, state: &State) -> Result<(), CliError> {
    if args.force || swap::state_of(state.dir())?.is_empty() {
        return Ok(());
    }
    let message = t!("error.backup.not_empty", dir = state.dir().display());
    Err(CliError::new(Kind::Usage, message).hinted(t!("hint.backup.force")))
}

/// Says whether what is new is exactly what is there.
async fn is_there(new: &Path, dir: &Path) -> Result<bool, CliError> {
    let (new, dir) = (new.to_owned(), dir.to_owned());
    blocking(move || Ok(kept(&new, "")? == kept(&dir, "")?)).await
}

/// Returns each file that a backup would read, its length and its hash.
fn kept(dir: &Path, name: &str) -> Result<BTreeMap<String, (u64, String)>, BackupError> {
    let mut found = BTreeMap::new();
    let paths = match name {
        // A state of nothing has no folder.
        "" if !dir.exists() => Vec::new(),
        "" => swap::state_of(dir)?,
        _ => entries(dir)?,
    };
    for path in paths {
        let name = below(name, &path);
        if std::fs::symlink_metadata(&path).map_err(io(&path))?.is_dir() {
            found.extend(kept(&path, &name)?);
            continue;
        }
        let (len, hash) = hash(&path).map_err(io(&path))?;
        // What a killed gateway has written last is not in its stores yet.
        let is_pending = len > 0 && ["-wal", "-journal"].iter().any(|end| name.ends_with(end));
        if is_pending || fate(&name) != Fate::Nothing {
            found.insert(name, (len, hash));
        }
    }
    Ok(found)
}

/// Names a file in a folder, with `/` between the parts.
fn below(name: &str, path: &Path) -> String {
    let last = path.file_name().unwrap_or_default().to_string_lossy();
    if name.is_empty() { last.into_owned() } else { format!("{name}/{last}") }
}

/// A backup, unpacked and found to be as it was written.
struct Unpacked {
    stage: TempDir,
    manifest: Manifest,
}

impl Unpacked {
    fn folder(&self) -> PathBuf {
        swap::folder(self.stage.path())
    }
}

fn is_sealed(file: &Path) -> Result<bool, BackupError> {
    let mut begin = Vec::new();
    let read = File::open(file).and_then(|file| file.take(2).read_to_end(&mut begin));
    read.map_err(io(file))?;
    match begin.as_slice() {
        [0x1f, 0x8b] => Ok(false),
        [b'{', _] => Ok(true),
        _ => Err(BackupError::NoBackup),
    }
}

fn unpack(
    file: &Path,
    dir: Option<&Path>,
    passphrase: Option<Zeroizing<String>>,
) -> Result<Unpacked, BackupError> {
    let mut stage = tempfile::Builder::new();
    let stage = match dir {
        // On the same disk, so that it need not be copied.
        Some(dir) => stage.prefix(STAGE).tempdir_in(dir),
        None => stage.tempdir(),
    };
    let stage = stage.map_err(io(dir.unwrap_or(&std::env::temp_dir())))?;
    let archive = File::open(file).map_err(io(file))?;
    let archive = match passphrase {
        Some(passphrase) => opened(&archive, &passphrase, stage.path())?,
        None => archive,
    };
    let files = stage.path().join("files");
    plugins::archive::unpack(archive, &files, &LIMITS)?;
    let manifest = std::fs::read(files.join(NAME)).map_err(|_| BackupError::NoBackup)?;
    let manifest = Manifest::parse(&manifest)?;
    check(&files, &manifest)?;
    Ok(Unpacked { stage, manifest })
}

/// Opens a sealed file into one without a name.
fn opened(file: &File, passphrase: &str, folder: &Path) -> Result<File, BackupError> {
    let reader = SealedReader::new(std::io::BufReader::new(file), KIND, passphrase);
    let mut reader = reader.map_err(|err| {
        if matches!(err, Sealed::Other) { BackupError::NoBackup } else { err.into() }
    })?;
    let mut plain = tempfile::tempfile_in(folder).map_err(io(folder))?;
    std::io::copy(&mut reader, &mut plain).map_err(|err| match err.downcast::<Sealed>() {
        Ok(err) => err.into(),
        Err(err) => io(folder)(err),
    })?;
    plain.rewind().map_err(io(folder))?;
    Ok(plain)
}

/// Checks that exactly what the manifest says is there, and makes it private.
fn check(files: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let damaged = |what: &str, name: &str| BackupError::Damaged(format!("{name} {what}"));
    let mut found = BTreeSet::new();
    let state = files.join(STATE);
    walk(&state, "", &mut found)?;
    for (name, Entry { bytes, sha256, .. }) in &manifest.files {
        if !found.remove(name) || fate(name) == Fate::Nothing {
            return Err(damaged("is missing", name));
        }
        let path = state.join(name);
        let (len, hash) = hash(&path).map_err(io(&path))?;
        if len != *bytes || hash != *sha256 {
            return Err(damaged("is not as it was written", name));
        }
    }
    match found.first() {
        Some(name) => Err(damaged("does not belong to it", name)),
        None => Ok(()),
    }
}

fn walk(dir: &Path, name: &str, found: &mut BTreeSet<String>) -> Result<(), BackupError> {
    // A state of nothing has no folder.
    if !dir.exists() {
        return Ok(());
    }
    private(dir)?;
    for path in entries(dir)? {
        let name = below(name, &path);
        let kind = std::fs::symlink_metadata(&path).map_err(io(&path))?;
        if kind.is_dir() {
            walk(&path, &name, found)?;
        } else if kind.is_file() {
            private(&path)?;
            found.insert(name);
        } else {
            return Err(BackupError::Damaged(format!("{name} is no file")));
        }
    }
    Ok(())
}

fn hash(path: &Path) -> std::io::Result<(u64, String)> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let (mut buffer, mut len) = (vec![0; 64 << 10], 0);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((len, hex::encode(hash.finalize())));
        }
        hash.update(&buffer[..n]);
        len += n as u64;
    }
}

/// Leaves a file or folder to its owner alone.
#[cfg(unix)]
fn private(path: &Path) -> Result<(), BackupError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_err(io(path))?.permissions().mode();
    let mode = std::fs::Permissions::from_mode(mode & 0o700);
    std::fs::set_permissions(path, mode).map_err(io(path))
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<(), BackupError> {
    Ok(())
}

/// Opens the stores as this program would, and returns the accounts in them.
async fn usable(unpacked: &Unpacked) -> Result<Vec<String>, CliError> {
    let unusable = |why: &dyn std::error::Error| {
        let source = why.source().map(|it| format!(": {it}")).unwrap_or_default();
        CliError::from(BackupError::Unusable(format!("{why}{source}")))
    };
    let state = State::at(unpacked.folder());
    if state.gateway().exists() {
        Pairing::open(&state.gateway()).await.map_err(|err| unusable(&err))?.close().await;
    }
    let accounts = state.accounts()?.list().await.map_err(|err| unusable(&err))?;
    Ok(accounts.into_iter().map(|it| it.account.to_string()).collect())
}

/// What was done with a backup that is sound.
enum Done {
    /// It was only looked at.
    Nothing,
    /// It is in its place, and where it is, what was there before.
    Restored { aside: Option<PathBuf> },
    /// It was in its place already.
    Already,
}

fn tell(
    args: &BackupRestoreArgs,
    state: &State,
    manifest: &Manifest,
    accounts: &[String],
    done: &Done,
) {
    let is_empty =
        swap::state_of(state.dir()).is_ok_and(|found| found.is_empty()) || !state.dir().exists();
    if args.json {
        output::json(&json!({
            "file": args.file,
            "dryRun": args.dry_run,
            "program": manifest.program,
            "createdAt": manifest.created_at,
            "withMedia": manifest.with_media,
            "files": manifest.files.len(),
            "accounts": accounts,
            "already": matches!(done, Done::Already),
            "aside": if let Done::Restored { aside } = done { aside.as_deref() } else { None },
            "needsForce": args.dry_run && !is_empty,
        }));
        return;
    }
    let (n, at) = (manifest.files.len(), &manifest.created_at);
    let listed = accounts.join(", ");
    match done {
        Done::Nothing => {
            let program = &manifest.program;
            let sound = t!("backup.sound", n = n, at = at, program = program, accounts = listed);
            output::done(sound);
            if !is_empty {
                output::note(t!("backup.needs_force", dir = state.dir().display()));
            }
        }
        Done::Restored { aside } => {
            output::done(t!("backup.restored", n = n, at = at, accounts = listed));
            if let Some(aside) = aside {
                output::note(t!("backup.aside", dir = aside.display()));
            }
            output::note(t!("backup.once"));
        }
        Done::Already => output::done(t!("backup.already", at = at)),
    }
}

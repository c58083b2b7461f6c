//! `hongyan backup create`

use std::io::{self as std_io, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use weixin::SealedWriter;
use wholefile::Draft;
use zeroize::Zeroizing;

use super::contents::{Fate, contents, fate};
use super::manifest::{Entry, Manifest, NAME, STATE};
use super::{BackupError, KIND, blocking, io};
use crate::cli::BackupCreateArgs;
use crate::commands::accounts::passphrase;
use crate::composition::State;
use crate::control::PROGRAM;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

pub(super) async fn run(
    args: BackupCreateArgs,
    config: Option<PathBuf>,
    state: &State,
) -> Result<(), CliError> {
    if !state.dir().is_dir() {
        let message = t!("error.backup.no_state", dir = state.dir().display());
        return Err(CliError::new(Kind::Usage, message).hinted(t!("hint.state")));
    }
    super::whole(state.dir())?;
    let file = args.file.clone().unwrap_or_else(|| named(args.plain));
    if file.exists() {
        return Err(exists(&file));
    }
    let passphrase = match args.plain {
        true => None,
        false => Some(passphrase::of(&args.passphrase, true)?),
    };
    let (dir, to) = (state.dir().to_owned(), file.clone());
    let making = move || {
        let found = contents(&dir, config.as_deref(), args.with_media)?;
        let manifest = Manifest::new(PROGRAM, args.with_media);
        let packed = write(&to, found.files, manifest, passphrase)?;
        Ok((packed, found.left_out))
    };
    let (manifest, left_out) = blocking(making).await?;
    let Some(manifest) = manifest else { return Err(exists(&file)) };
    let (n, bytes) =
        (manifest.files.len(), manifest.files.values().map(|it| it.bytes).sum::<u64>());
    if args.json {
        output::json(&json!({
            "file": file,
            "sealed": !args.plain,
            "withMedia": manifest.with_media,
            "files": n,
            "bytes": bytes,
            "createdAt": manifest.created_at,
            "leftOut": left_out,
        }));
        return Ok(());
    }
    output::done(t!("backup.created", n = n, bytes = bytes, file = file.display()));
    for name in left_out {
        output::note(t!("backup.left_out", name = name));
    }
    if args.plain {
        output::note(t!("backup.plain"));
    } else {
        output::note(t!("accounts.exported.care"));
    }
    Ok(())
}

fn named(is_plain: bool) -> PathBuf {
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    PathBuf::from(format!("hongyan-{now}.{}", if is_plain { "tar.gz" } else { "backup" }))
}

fn exists(file: &Path) -> CliError {
    CliError::new(Kind::Usage, t!("error.accounts.exists", file = file.display()))
        .hinted(t!("hint.archive.exists"))
}

/// Writes a backup that is there as a whole or not at all; `None` where another
/// file has appeared meanwhile.
fn write(
    to: &Path,
    files: Vec<(String, PathBuf)>,
    manifest: Manifest,
    passphrase: Option<Zeroizing<String>>,
) -> Result<Option<Manifest>, BackupError> {
    let mut draft = Draft::begin(to).map_err(io(to))?;
    let writer = BufWriter::new(draft.file());
    let (mut writer, manifest) = match passphrase {
        Some(passphrase) => {
            let sealing = SealedWriter::new(writer, KIND, &passphrase)?;
            let (sealing, manifest) = pack(sealing, files, manifest)?;
            (sealing.finish().map_err(io(to))?, manifest)
        }
        None => pack(writer, files, manifest)?,
    };
    writer.flush().map_err(io(to))?;
    drop(writer);
    draft.file().sync_all().map_err(io(to))?;
    match draft.keep_new() {
        Ok(()) => Ok(Some(manifest)),
        Err(err) if err.kind() == std_io::ErrorKind::AlreadyExists => Ok(None),
        Err(err) => Err(io(to)(err)),
    }
}

/// Packs files and, behind them, what they were.
fn pack<W: Write>(
    to: W,
    files: Vec<(String, PathBuf)>,
    mut manifest: Manifest,
) -> Result<(W, Manifest), BackupError> {
    let mut archive = tar::Builder::new(GzEncoder::new(to, Compression::default()));
    let copies = tempfile::tempdir().map_err(io(&std::env::temp_dir()))?;
    for (name, path) in files {
        let packed = match fate(&name) {
            Fate::Store => store(&mut archive, &name, &path, &copies)?,
            Fate::File | Fate::Media | Fate::Nothing => {
                append(&mut archive, &name, &path).map_err(io(&path))?
            }
        };
        if let Some(entry) = packed {
            manifest.files.insert(name, entry);
        }
    }
    let text =
        serde_json::to_vec_pretty(&manifest).map_err(|err| io(Path::new(NAME))(err.into()))?;
    let failed = io(Path::new(NAME));
    let mut header = header(text.len() as u64, 0o600);
    archive.append_data(&mut header, NAME, text.as_slice()).map_err(&failed)?;
    let to = archive.into_inner().and_then(GzEncoder::finish).map_err(failed)?;
    Ok((to, manifest))
}

/// Packs a store as it is at one moment, whoever writes it.
fn store<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    path: &Path,
    copies: &TempDir,
) -> Result<Option<Entry>, BackupError> {
    let copy = copies.path().join("store");
    let version = ledger::copy(path, &copy)?;
    let packed = append(archive, name, &copy).map_err(io(path))?;
    std::fs::remove_file(&copy).map_err(io(&copy))?;
    Ok(packed.map(|entry| Entry { store_version: Some(version), ..entry }))
}

/// Packs a file; `None` when it is gone, as media are after a while.
fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    path: &Path,
) -> std_io::Result<Option<Entry>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(err) if err.kind() == std_io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(err),
    };
    let found = file.metadata()?;
    let mut header = header(found.len(), mode(&found));
    let mut reader = Hashing { from: file.take(found.len()), hash: Sha256::new(), bytes: 0 };
    archive.append_data(&mut header, format!("{STATE}/{name}"), &mut reader)?;
    if reader.bytes != found.len() {
        return Err(std_io::Error::other("it became shorter while it was read"));
    }
    let sha256 = hex::encode(reader.hash.finalize());
    Ok(Some(Entry { bytes: reader.bytes, sha256, store_version: None }))
}

fn header(bytes: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(mode);
    header
}

/// Keeps of a mode whether the file is a program.
#[cfg(unix)]
fn mode(found: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    if found.permissions().mode() & 0o111 == 0 { 0o600 } else { 0o700 }
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> u32 {
    0o600
}

/// Notes what passes through it.
struct Hashing<R> {
    from: R,
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std_io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}

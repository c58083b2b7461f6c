//! `hongyan accounts export` and `import`

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use serde::Serialize;
use weixin::Accounts;
use weixin::accounts::ArchiveError;

use super::passphrase;
use crate::cli::{ExportArgs, ImportArgs};
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

/// The largest archive that is read: thousands of accounts fit.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What an export has written.
#[derive(Serialize)]
struct Exported<'a> {
    file: &'a Path,
    accounts: Vec<String>,
}

pub(super) async fn export(accounts: &Accounts, args: &ExportArgs) -> Result<(), CliError> {
    let registry = accounts.registry();
    let chosen = if args.accounts.is_empty() {
        registry.accounts()?
    } else {
        args.accounts.iter().map(|name| registry.find(name)).collect::<Result<Vec<_>, _>>()?
    };
    if chosen.is_empty() {
        return Err(
            CliError::new(Kind::Usage, t!("error.accounts.none")).hinted(t!("hint.accounts.list"))
        );
    }
    if args.file.exists() {
        return Err(exists(&args.file));
    }
    let passphrase = passphrase::of(&args.passphrase, true)?;
    let archive = accounts.export(&chosen, args.all, passphrase).await?;
    write(&args.file, &archive)?;
    let names: Vec<_> = chosen.iter().map(ToString::to_string).collect();
    if args.json {
        output::json(&Exported { file: &args.file, accounts: names });
    } else {
        let file = args.file.display();
        output::done(t!("accounts.exported", n = names.len(), file = file));
        output::note(t!("accounts.exported.care"));
    }
    Ok(())
}

pub(super) async fn import(accounts: &Accounts, args: &ImportArgs) -> Result<(), CliError> {
    let mut archive = Vec::new();
    let read = std::fs::File::open(&args.file)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut archive));
    read.map_err(|err| {
        CliError::new(Kind::Usage, t!("error.accounts.not_read", file = args.file.display()))
            .caused_by(err)
    })?;
    let passphrase = passphrase::of(&args.passphrase, false)?;
    let imported = accounts.import(archive, passphrase, args.overwrite).await?;
    if args.json {
        output::json(&imported);
    } else {
        imported.iter().for_each(super::imported);
    }
    Ok(())
}

/// Says what is wrong with an archive.
pub(super) fn error(err: &ArchiveError) -> CliError {
    let (kind, hint) = match err {
        ArchiveError::NotAnArchive | ArchiveError::Damaged => {
            (Kind::Usage, t!("hint.archive.file"))
        }
        ArchiveError::Newer { .. } => (Kind::Config, t!("hint.archive.newer")),
        ArchiveError::WrongPassphrase | ArchiveError::ShortPassphrase => {
            (Kind::Usage, t!("hint.archive.passphrase"))
        }
    };
    CliError::new(kind, err.to_string()).hinted(hint)
}

/// Writes a file that only its owner can read, and never over another.
fn write(file: &Path, archive: &[u8]) -> Result<(), CliError> {
    let written = wholefile::Draft::begin(file).and_then(|mut draft| {
        draft.file().write_all(archive)?;
        draft.file().sync_all()?;
        draft.keep_new()
    });
    written.map_err(|err| {
        if err.kind() == ErrorKind::AlreadyExists {
            return exists(file);
        }
        CliError::new(Kind::Config, t!("error.not_written", file = file.display())).caused_by(err)
    })
}

fn exists(file: &Path) -> CliError {
    CliError::new(Kind::Usage, t!("error.accounts.exists", file = file.display()))
        .hinted(t!("hint.archive.exists"))
}

//! `hongyan backup`
//!
//! ```text
//! state folder ─contents─▶ tar ─▶ deflate ─▶ sealed file
//!              ◀──swap──── stage ◀─checked── sealed file
//! ```

use std::path::{Path, PathBuf};

use ledger::LedgerError;
use plugins::UnpackError;
use weixin::Sealed;

use crate::cli::BackupCommand;
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::texts::t;

mod contents;
mod create;
mod manifest;
mod restore;
mod swap;

/// What a sealed file of ours says it is.
const KIND: &str = "backup";

/// A backup cannot be made or read.
#[derive(Debug, thiserror::Error)]
enum BackupError {
    #[error("{}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Store(#[from] LedgerError),
    #[error(transparent)]
    Sealed(#[from] Sealed),
    #[error(transparent)]
    Unpacked(#[from] UnpackError),
    #[error("this is no backup")]
    NoBackup,
    #[error("the backup is of version {0}, which this program does not know")]
    Newer(u32),
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    #[error("the backup holds what this program cannot use: {0}")]
    Unusable(String),
}

pub(crate) async fn run(
    command: BackupCommand,
    config: Option<PathBuf>,
    state: &State,
) -> Result<(), CliError> {
    match command {
        BackupCommand::Create(args) => create::run(args, config, state).await,
        BackupCommand::Restore(args) => restore::run(args, state).await,
    }
}

/// Refuses a state folder on which a restore was cut: it is half of two states.
pub(super) fn whole(dir: &Path) -> Result<(), CliError> {
    if swap::is_cut(dir) {
        let message = t!("error.backup.cut", dir = dir.display());
        return Err(CliError::new(Kind::Config, message).hinted(t!("hint.backup.cut")));
    }
    Ok(())
}

/// Makes a folder, for its owner alone, if it is not there.
pub(super) fn make_private(dir: &Path) -> Result<(), CliError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|err| io(dir)(err).into())
}

/// Says where the disk refuses.
fn io(path: &Path) -> impl Fn(std::io::Error) -> BackupError {
    move |source| BackupError::Io { path: path.to_owned(), source }
}

/// Runs what blocks where that is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, CliError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(CliError::bug)?.map_err(CliError::from)
}

impl From<BackupError> for CliError {
    fn from(err: BackupError) -> Self {
        let (kind, hint) = match &err {
            BackupError::Io { .. } | BackupError::Store(_) | BackupError::Sealed(Sealed::Io(_)) => {
                (Kind::Config, t!("hint.backup.io"))
            }
            BackupError::Unpacked(UnpackError::Disk { .. }) => (Kind::Config, t!("hint.backup.io")),
            BackupError::Newer(_)
            | BackupError::Unusable(_)
            | BackupError::Sealed(Sealed::Newer { .. }) => (Kind::Config, t!("hint.archive.newer")),
            BackupError::Sealed(Sealed::WrongPassphrase | Sealed::ShortPassphrase) => {
                (Kind::Usage, t!("hint.archive.passphrase"))
            }
            BackupError::Sealed(Sealed::Other | Sealed::Damaged)
            | BackupError::Unpacked(_)
            | BackupError::NoBackup
            | BackupError::Damaged(_) => (Kind::Usage, t!("hint.backup.file")),
        };
        Self::new(kind, err.to_string()).caused_by(err).hinted(hint)
    }
}

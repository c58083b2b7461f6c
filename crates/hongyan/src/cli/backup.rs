//! The words of `hongyan backup`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{PassphraseArgs, text};

/// `hongyan backup …`
#[derive(Subcommand)]
pub(crate) enum BackupCommand {
    #[command(about = text("help.backup.create"))]
    Create(BackupCreateArgs),
    #[command(about = text("help.backup.restore"))]
    Restore(BackupRestoreArgs),
}

/// `hongyan backup create`
#[derive(Args)]
pub(crate) struct BackupCreateArgs {
    #[arg(value_name = "FILE", help = text("help.backup.file"))]
    pub(crate) file: Option<PathBuf>,
    #[arg(long, help = text("help.backup.with_media"))]
    pub(crate) with_media: bool,
    #[arg(long, conflicts_with_all = ["passphrase_env", "passphrase_file"], help = text("help.backup.plain"))]
    pub(crate) plain: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan backup restore`
#[derive(Args)]
pub(crate) struct BackupRestoreArgs {
    #[arg(value_name = "FILE", help = text("help.backup.restore.file"))]
    pub(crate) file: PathBuf,
    #[arg(long, help = text("help.backup.force"))]
    pub(crate) force: bool,
    #[arg(long, help = text("help.backup.dry_run"))]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

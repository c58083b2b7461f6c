//! The words of `hongyan accounts`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::text;

/// `hongyan accounts …`
#[derive(Subcommand)]
pub(crate) enum AccountsCommand {
    #[command(about = text("help.accounts.list"))]
    List(ListArgs),
    #[command(about = text("help.accounts.show"))]
    Show(OneArgs),
    #[command(about = text("help.accounts.rename"))]
    Rename(RenameArgs),
    #[command(about = text("help.accounts.enable"))]
    Enable(OneArgs),
    #[command(about = text("help.accounts.disable"))]
    Disable(OneArgs),
    #[command(about = text("help.accounts.remove"))]
    Remove(RemoveArgs),
    #[command(about = text("help.accounts.export"))]
    Export(ExportArgs),
    #[command(about = text("help.accounts.import"))]
    Import(ImportArgs),
    #[command(about = text("help.accounts.seal"))]
    Seal(ListArgs),
    #[command(about = text("help.accounts.unseal"))]
    Unseal(ListArgs),
}

/// `hongyan accounts list`
#[derive(Args)]
pub(crate) struct ListArgs {
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan accounts show`, `enable`, `disable`
#[derive(Args)]
pub(crate) struct OneArgs {
    #[arg(value_name = "ACCOUNT", help = text("help.accounts.account"))]
    pub(crate) account: String,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan accounts rename`
#[derive(Args)]
pub(crate) struct RenameArgs {
    #[arg(value_name = "ACCOUNT", help = text("help.accounts.account"))]
    pub(crate) account: String,
    #[arg(value_name = "NAME", required_unless_present = "clear", help = text("help.accounts.name"))]
    pub(crate) name: Option<String>,
    #[arg(long, conflicts_with = "name", help = text("help.accounts.clear"))]
    pub(crate) clear: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan accounts remove`
#[derive(Args)]
pub(crate) struct RemoveArgs {
    #[arg(value_name = "ACCOUNT", help = text("help.accounts.account"))]
    pub(crate) account: String,
    #[arg(long, help = text("help.accounts.yes"))]
    pub(crate) yes: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan accounts export`
#[derive(Args)]
pub(crate) struct ExportArgs {
    #[arg(value_name = "FILE", help = text("help.accounts.export.file"))]
    pub(crate) file: PathBuf,
    #[arg(value_name = "ACCOUNT", help = text("help.accounts.export.accounts"))]
    pub(crate) accounts: Vec<String>,
    #[arg(long, help = text("help.accounts.export.all"))]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan accounts import`
#[derive(Args)]
pub(crate) struct ImportArgs {
    #[arg(value_name = "FILE", help = text("help.accounts.import.file"))]
    pub(crate) file: PathBuf,
    #[arg(long, help = text("help.accounts.import.overwrite"))]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// Where the passphrase comes from, if not from the terminal.
#[derive(Args)]
pub(crate) struct PassphraseArgs {
    #[arg(long, value_name = "NAME", conflicts_with = "passphrase_file", help = text("help.passphrase_env"))]
    pub(crate) passphrase_env: Option<String>,
    #[arg(long, value_name = "FILE", help = text("help.passphrase_file"))]
    pub(crate) passphrase_file: Option<PathBuf>,
}

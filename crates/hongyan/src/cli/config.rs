//! The words of `hongyan config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::text;

/// `hongyan config …`
#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    #[command(about = text("help.config.get"))]
    Get(GetArgs),
    #[command(about = text("help.config.set"))]
    Set(SetArgs),
    #[command(about = text("help.config.unset"))]
    Unset(UnsetArgs),
    #[command(about = text("help.config.file"))]
    File(FileArgs),
    #[command(about = text("help.config.validate"))]
    Validate(ValidateArgs),
    #[command(about = text("help.config.schema"))]
    Schema,
    #[command(about = text("help.config.patch"))]
    Patch(PatchArgs),
}

/// `hongyan config get`
#[derive(Args)]
pub(crate) struct GetArgs {
    #[arg(value_name = "PATH", help = text("help.config.path"))]
    pub(crate) path: String,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan config set`
#[derive(Args)]
pub(crate) struct SetArgs {
    #[arg(value_name = "PATH", help = text("help.config.path"))]
    pub(crate) path: Option<String>,
    #[arg(value_name = "VALUE", allow_negative_numbers = true, help = text("help.config.value"))]
    pub(crate) value: Option<String>,
    #[arg(long, visible_alias = "json", help = text("help.config.strict_json"))]
    pub(crate) strict_json: bool,
    #[arg(long, help = text("help.config.dry_run"))]
    pub(crate) dry_run: bool,
    #[arg(long, help = text("help.config.merge"))]
    pub(crate) merge: bool,
    #[arg(long, conflicts_with = "merge", help = text("help.config.replace"))]
    pub(crate) replace: bool,
    #[arg(long, value_name = "JSON", conflicts_with_all = ["path", "batch_file"], help = text("help.config.batch_json"))]
    pub(crate) batch_json: Option<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "path", help = text("help.config.batch_file"))]
    pub(crate) batch_file: Option<PathBuf>,
    #[arg(long, value_name = "JSON", requires = "path", help = text("help.config.expect_json"))]
    pub(crate) expect_current_json: Option<String>,
    #[arg(long, requires = "path", conflicts_with = "expect_current_json", help = text("help.config.expect_absent"))]
    pub(crate) expect_current_absent: bool,
}

/// `hongyan config unset`
#[derive(Args)]
pub(crate) struct UnsetArgs {
    #[arg(value_name = "PATH", help = text("help.config.path"))]
    pub(crate) path: String,
    #[arg(long, help = text("help.config.dry_run"))]
    pub(crate) dry_run: bool,
}

/// `hongyan config file`
#[derive(Args)]
pub(crate) struct FileArgs {
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan config validate`
#[derive(Args)]
pub(crate) struct ValidateArgs {
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan config patch`
#[derive(Args)]
pub(crate) struct PatchArgs {
    #[arg(long, value_name = "FILE", help = text("help.config.patch.file"))]
    pub(crate) file: Option<PathBuf>,
    #[arg(long, conflicts_with = "file", help = text("help.config.patch.stdin"))]
    pub(crate) stdin: bool,
    #[arg(long, help = text("help.config.dry_run"))]
    pub(crate) dry_run: bool,
}

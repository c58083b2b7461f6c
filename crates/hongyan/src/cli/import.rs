//! The words of `hongyan import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::text;

/// `hongyan import …`
#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    #[command(about = text("help.import.openclaw"))]
    Openclaw(TakeoverArgs),
}

/// `hongyan import openclaw`
#[derive(Args)]
pub(crate) struct TakeoverArgs {
    #[arg(long, value_name = "DIR", help = text("help.import.from"))]
    pub(crate) from: Option<PathBuf>,
    #[arg(long, help = text("help.import.force"))]
    pub(crate) force: bool,
    #[arg(long, help = text("help.import.dry_run"))]
    pub(crate) dry_run: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

//! The words of `hongyan sessions`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::text;

/// `hongyan sessions …`
#[derive(Subcommand)]
pub(crate) enum SessionsCommand {
    #[command(about = text("help.sessions.list"))]
    List {
        #[arg(long, help = text("help.json"))]
        json: bool,
    },
    #[command(about = text("help.sessions.show"))]
    Show(ShowArgs),
    #[command(about = text("help.sessions.reset"))]
    Reset {
        #[arg(value_name = "SESSION", help = text("help.sessions.name"))]
        name: String,
        #[arg(long, help = text("help.json"))]
        json: bool,
    },
    #[command(about = text("help.sessions.export"))]
    Export(SessionExportArgs),
}

/// `hongyan sessions show`
#[derive(Args)]
pub(crate) struct ShowArgs {
    #[arg(value_name = "SESSION", help = text("help.sessions.name"))]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan sessions export`
#[derive(Args)]
pub(crate) struct SessionExportArgs {
    #[arg(value_name = "SESSION", help = text("help.sessions.name"))]
    pub(crate) name: String,
    #[arg(long, default_value = "jsonl", help = text("help.sessions.format"))]
    pub(crate) format: TranscriptFormat,
    #[arg(long, short, value_name = "FILE", help = text("help.sessions.output"))]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// Which windows of a session.
#[derive(Args, Clone, Copy)]
pub(crate) struct WindowArgs {
    #[arg(long, value_name = "N", help = text("help.sessions.window"))]
    pub(crate) window: Option<u32>,
    #[arg(long, conflicts_with = "window", help = text("help.sessions.all"))]
    pub(crate) all: bool,
}

/// How a transcript is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TranscriptFormat {
    Jsonl,
    Markdown,
}

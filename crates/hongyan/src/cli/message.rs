//! The words of `hongyan message`, as OpenClaw has them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{SendArgs, SendClassName, text};

/// `hongyan message …`
#[derive(Subcommand)]
pub(crate) enum MessageCommand {
    #[command(about = text("help.send"))]
    Send(MessageSendArgs),
}

/// `hongyan message send`
#[derive(Args)]
pub(crate) struct MessageSendArgs {
    #[arg(long, value_name = "ID", help = text("help.channels.login.channel"))]
    pub(crate) channel: Option<String>,
    #[arg(long, value_name = "ACCOUNT", help = text("help.account"))]
    pub(crate) account: Option<String>,
    #[arg(long, short, alias = "to", value_name = "PEER", help = text("help.send.to"))]
    pub(crate) target: String,
    #[arg(long, short, value_name = "TEXT", help = text("help.send.text"))]
    pub(crate) message: Option<String>,
    #[arg(long, value_name = "FILE", help = text("help.send.file"))]
    pub(crate) media: Vec<PathBuf>,
    #[arg(long, requires = "media", help = text("help.send.as_file"))]
    pub(crate) force_document: bool,
    #[arg(long, help = text("help.send.dry_run"))]
    pub(crate) dry_run: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

impl MessageSendArgs {
    /// The same in the words of `hongyan send`.
    pub(crate) fn into_send(self) -> SendArgs {
        SendArgs {
            to: self.target,
            account: self.account,
            text: self.message,
            file: self.media,
            as_file: self.force_document,
            class: SendClassName::Reminder,
            ttl: None,
            key: None,
            dry_run: self.dry_run,
            json: self.json,
        }
    }
}

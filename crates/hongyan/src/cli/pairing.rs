//! The words of `hongyan pairing`.

use clap::{Args, Subcommand};

use super::text;

/// `hongyan pairing …`
#[derive(Subcommand)]
pub(crate) enum PairingCommand {
    #[command(about = text("help.pairing.list"))]
    List(PairingListArgs),
    #[command(about = text("help.pairing.approve"))]
    Approve(PairingApproveArgs),
    #[command(about = text("help.pairing.reject"))]
    Reject(PairingCodeArgs),
    #[command(about = text("help.pairing.approvals"))]
    Approvals(PairingListArgs),
    #[command(about = text("help.pairing.revoke"))]
    Revoke(PairingRevokeArgs),
}

/// `hongyan pairing list`, `approvals`
#[derive(Args)]
pub(crate) struct PairingListArgs {
    #[arg(value_name = "CHANNEL", help = text("help.pairing.channel"))]
    pub(crate) channel: Option<String>,
    #[arg(long = "channel", value_name = "CHANNEL", conflicts_with = "channel", help = text("help.pairing.channel"))]
    pub(crate) named_channel: Option<String>,
    #[arg(long, value_name = "ACCOUNT", help = text("help.pairing.account"))]
    pub(crate) account: Option<String>,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan pairing reject`, and what `approve` shares with it
#[derive(Args)]
pub(crate) struct PairingCodeArgs {
    /// The channel and the code, or the code alone.
    #[arg(value_name = "[CHANNEL] CODE", required = true, num_args = 1..=2, help = text("help.pairing.code"))]
    pub(crate) words: Vec<String>,
    #[arg(long, value_name = "CHANNEL", help = text("help.pairing.channel"))]
    pub(crate) channel: Option<String>,
    #[arg(long, value_name = "ACCOUNT", help = text("help.pairing.account"))]
    pub(crate) account: Option<String>,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan pairing approve`
#[derive(Args)]
pub(crate) struct PairingApproveArgs {
    #[command(flatten)]
    pub(crate) code: PairingCodeArgs,
    #[arg(long, help = text("help.pairing.notify"))]
    pub(crate) notify: bool,
}

/// `hongyan pairing revoke`
#[derive(Args)]
pub(crate) struct PairingRevokeArgs {
    #[arg(value_name = "PEER", help = text("help.pairing.peer"))]
    pub(crate) peer: String,
    #[arg(long, value_name = "ACCOUNT", help = text("help.pairing.account"))]
    pub(crate) account: String,
    #[arg(long, value_name = "CHANNEL", help = text("help.pairing.channel"))]
    pub(crate) channel: Option<String>,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

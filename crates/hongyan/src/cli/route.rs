//! The words of `hongyan route`.

use clap::{Args, Subcommand};

use super::text;

/// `hongyan route …`
#[derive(Subcommand)]
pub(crate) enum RouteCommand {
    #[command(about = text("help.route.explain"))]
    Explain(RouteExplainArgs),
}

/// `hongyan route explain`
#[derive(Args)]
pub(crate) struct RouteExplainArgs {
    #[arg(long, default_value = weixin::CHANNEL_ID, value_name = "CHANNEL", help = text("help.pairing.channel"))]
    pub(crate) channel: String,
    #[arg(long, value_name = "ACCOUNT", help = text("help.account"))]
    pub(crate) account: String,
    #[arg(long, value_name = "PEER", help = text("help.pairing.peer"))]
    pub(crate) peer: String,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

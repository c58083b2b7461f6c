//! The words of `hongyan channels`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use url::Url;

use super::text;

/// `hongyan channels …`
#[derive(Subcommand)]
pub(crate) enum ChannelsCommand {
    #[command(about = text("help.channels.list"))]
    List(ChannelListArgs),
    #[command(about = text("help.channels.login"))]
    Login(LoginArgs),
    #[command(about = text("help.channels.add"))]
    Add(LoginArgs),
    #[command(about = text("help.channels.logout"))]
    Logout(ChannelArgs),
    #[command(about = text("help.channels.remove"))]
    Remove(ChannelRemoveArgs),
    #[command(about = text("help.channels.status"))]
    Status(StatusArgs),
    #[command(about = text("help.channels.logs"))]
    Logs(ChannelLogsArgs),
}

/// `hongyan channels list`
#[derive(Args)]
pub(crate) struct ChannelListArgs {
    #[arg(long, help = text("help.channels.list.all"))]
    pub(crate) all: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan channels login`, `add`
#[derive(Args)]
pub(crate) struct LoginArgs {
    #[arg(long, default_value = weixin::CHANNEL_ID, value_name = "ID", help = text("help.channels.login.channel"))]
    pub(crate) channel: String,
    #[arg(long, value_name = "URL", help = text("help.channels.login.base_url"))]
    pub(crate) base_url: Option<Url>,
    #[arg(long, alias = "account", value_name = "NAME", help = text("help.channels.login.name"))]
    pub(crate) name: Option<String>,
    #[arg(long, value_name = "DIGITS", env = "HONGYAN_VERIFY_CODE", hide_env_values = true, help = text("help.channels.login.verify_code"))]
    pub(crate) verify_code: Option<String>,
    #[arg(long, value_name = "FILE", help = text("help.channels.login.qr_png"))]
    pub(crate) qr_png: Option<PathBuf>,
    #[arg(long, help = text("help.channels.login.fresh"))]
    pub(crate) fresh: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan channels logout`
#[derive(Args)]
pub(crate) struct ChannelArgs {
    #[arg(long, default_value = weixin::CHANNEL_ID, value_name = "ID", help = text("help.channels.login.channel"))]
    pub(crate) channel: String,
    #[arg(long, value_name = "ACCOUNT", help = text("help.channels.account"))]
    pub(crate) account: Option<String>,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan channels remove`
#[derive(Args)]
pub(crate) struct ChannelRemoveArgs {
    #[command(flatten)]
    pub(crate) of: ChannelArgs,
    #[arg(long, help = text("help.channels.remove.delete"))]
    pub(crate) delete: bool,
    #[arg(long, help = text("help.accounts.yes"))]
    pub(crate) yes: bool,
}

/// `hongyan channels status`
#[derive(Args)]
pub(crate) struct StatusArgs {
    #[arg(long, value_name = "ID", help = text("help.channels.login.channel"))]
    pub(crate) channel: Option<String>,
    #[arg(long, help = text("help.channels.status.probe"))]
    pub(crate) probe: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan channels logs`
#[derive(Args)]
pub(crate) struct ChannelLogsArgs {
    #[arg(long, default_value = "all", value_name = "ID", help = text("help.channels.logs.channel"))]
    pub(crate) channel: String,
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=2_000), help = text("help.logs.limit"))]
    pub(crate) lines: u16,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

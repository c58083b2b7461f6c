//! The words of the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use crate::texts::say;

mod accounts;
mod agents;
mod backup;
mod import;
mod pairing;
mod route;
mod channels;
mod gateway;
mod message;
mod config;
mod plugins;
mod sessions;
mod openclaw;

pub(crate) use self::accounts::{
    AccountsCommand, ExportArgs, ImportArgs, ListArgs, OneArgs, PassphraseArgs, RemoveArgs,
    RenameArgs,
};
pub(crate) use self::agents::{AgentsCommand, BindArgs, UnbindArgs};
pub(crate) use self::backup::{BackupCommand, BackupCreateArgs, BackupRestoreArgs};
pub(crate) use self::channels::{
    ChannelArgs, ChannelListArgs, ChannelLogsArgs, ChannelRemoveArgs, ChannelsCommand, LoginArgs,
    StatusArgs,
};
pub(crate) use self::gateway::{
    DoctorArgs, GatewayCommand, GatewayStatusArgs, LogsArgs, RestartArgs, RunArgs, StopArgs,
};
pub(crate) use self::import::{ImportCommand, TakeoverArgs};
pub(crate) use self::message::MessageCommand;
pub(crate) use self::pairing::{
    PairingApproveArgs, PairingCodeArgs, PairingCommand, PairingListArgs, PairingRevokeArgs,
};
pub(crate) use self::route::{RouteCommand, RouteExplainArgs};

pub(crate) use self::config::{
    ConfigCommand, FileArgs, GetArgs, PatchArgs, SetArgs, UnsetArgs, ValidateArgs,
};
pub(crate) use self::plugins::{
    PluginArgs, PluginDoctorArgs, PluginInspectArgs, PluginInstallArgs, PluginListArgs,
    PluginUninstallArgs, PluginUpdateArgs, PluginsCommand,
};

/// With the revision that a package was built from, where its builder names it.
fn version() -> String {
    let revision = option_env!("HONGYAN_REVISION").unwrap_or("none");
    format!("{} ({revision})", env!("CARGO_PKG_VERSION"))
}
pub(crate) use self::openclaw::{InstallArgs, OpenClawCommand, SidecarArgs, SwitchBackArgs};
pub(crate) use self::sessions::{
    SessionExportArgs, SessionsCommand, ShowArgs, TranscriptFormat, WindowArgs,
};

/// Parses the arguments; prints help or a usage error and exits if they ask
/// for it.
pub(crate) fn parse() -> Cli {
    Cli::parse()
}

/// The program.
#[derive(Parser)]
#[command(name = "hongyan", version = version(), about = text("about"), long_about = None)]
pub(crate) struct Cli {
    #[arg(long, global = true, value_parser = ["zh", "en"], help = text("help.lang"))]
    pub(crate) lang: Option<String>,
    #[arg(long, global = true, env = "HONGYAN_STATE", value_name = "DIR", help = text("help.state"))]
    pub(crate) state: Option<PathBuf>,
    #[arg(long, global = true, env = "HONGYAN_CONFIG", value_name = "FILE", help = text("help.config"))]
    pub(crate) config: Option<PathBuf>,
    #[arg(long, global = true, env = "HONGYAN_LOG", default_value = "warn", value_name = "FILTER", help = text("help.log"))]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    #[command(about = text("help.demo"))]
    Demo(DemoArgs),
    #[command(about = text("help.backend"))]
    Backend(BackendArgs),
    #[command(about = text("help.gateway"), subcommand)]
    Gateway(GatewayCommand),
    #[command(about = text("help.channels"), subcommand)]
    Channels(ChannelsCommand),
    #[command(about = text("help.message"), subcommand)]
    Message(MessageCommand),
    #[command(about = text("help.send"))]
    Send(SendArgs),
    #[command(about = text("help.outbox"), subcommand)]
    Outbox(OutboxCommand),
    #[command(about = text("help.peers"), subcommand)]
    Peers(PeersCommand),
    #[command(about = text("help.sessions"), subcommand)]
    Sessions(SessionsCommand),
    #[command(about = text("help.metrics"))]
    Metrics,
    #[command(about = text("help.logs"))]
    Logs(LogsArgs),
    #[command(about = text("help.doctor"))]
    Doctor(DoctorArgs),
    #[command(about = text("help.explain"))]
    Explain(ExplainArgs),
    #[command(about = text("help.accounts"), subcommand)]
    Accounts(AccountsCommand),
    #[command(about = text("help.pairing"), subcommand)]
    Pairing(PairingCommand),
    #[command(about = text("help.agents"), subcommand)]
    Agents(AgentsCommand),
    #[command(about = text("help.route"), subcommand)]
    Route(RouteCommand),
    #[command(about = text("help.config_words"), subcommand)]
    Config(ConfigCommand),
    #[command(about = text("help.plugins"), subcommand)]
    Plugins(PluginsCommand),
    #[command(about = text("help.sidecar"))]
    Sidecar(SidecarArgs),
    #[command(name = "openclaw", about = text("help.openclaw"), subcommand)]
    OpenClaw(OpenClawCommand),
    #[command(about = text("help.import"), subcommand)]
    Import(ImportCommand),
    #[command(about = text("help.backup"), subcommand)]
    Backup(BackupCommand),
    #[command(about = text("help.completions"))]
    Completions { shell: clap_complete::Shell },
    #[command(about = text("help.man"))]
    Man {
        #[arg(long, value_name = "DIR", help = text("help.man.dir"))]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// Says whether what the program logs is kept in memory, to be looked at.
    pub(crate) fn keeps_logs(&self) -> bool {
        matches!(self, Self::Gateway(GatewayCommand::Run(_)))
    }

    /// Whether it runs until it is told to end, and serves many meanwhile.
    pub(crate) fn stays(&self) -> bool {
        self.keeps_logs() || matches!(self, Self::Backend(_) | Self::Sidecar(_))
    }
}

/// `hongyan demo`
#[derive(Args)]
pub(crate) struct DemoArgs {
    #[arg(long, help = text("help.demo.no_open"))]
    pub(crate) no_open: bool,
    #[arg(long, help = text("help.demo.login"))]
    pub(crate) login: bool,
    #[arg(long, value_name = "TEXT", conflicts_with = "login", help = text("help.demo.say"))]
    pub(crate) say: Option<String>,
    #[arg(long, default_value = "open", help = text("help.policy"))]
    pub(crate) policy: PolicyName,
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
}

/// `hongyan backend`
#[derive(Args)]
pub(crate) struct BackendArgs {
    #[arg(long, default_value = "127.0.0.1:8787", value_name = "ADDRESS", help = text("help.backend.listen"))]
    pub(crate) listen: SocketAddr,
    #[arg(long, value_name = "URL", help = text("help.backend.public_url"))]
    pub(crate) public_url: Option<Url>,
    #[arg(long, value_name = "NAME", help = text("help.backend.admin_token_env"))]
    pub(crate) admin_token_env: Option<String>,
    #[arg(long, default_value = "open", help = text("help.policy"))]
    pub(crate) policy: PolicyName,
}

/// Who answers.
#[derive(Args, Clone)]
pub(crate) struct AgentArgs {
    #[arg(long, help = text("help.agent"))]
    pub(crate) agent: Option<AgentName>,
    #[arg(long, value_name = "URL", help = text("help.agent.base_url"))]
    pub(crate) base_url: Option<Url>,
    #[arg(long, value_name = "NAME", help = text("help.agent.model"))]
    pub(crate) model: Option<String>,
    #[arg(long, value_name = "NAME", help = text("help.agent.api_key_env"))]
    pub(crate) api_key_env: Option<String>,
    #[arg(long, value_name = "TEXT", help = text("help.agent.system"))]
    pub(crate) system: Option<String>,
}

/// The agents that are built in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AgentName {
    Guide,
    Openai,
}

/// The backend's policies.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyName {
    Open,
    Tencent,
}

/// `hongyan send`
#[derive(Args)]
pub(crate) struct SendArgs {
    #[arg(long, alias = "target", value_name = "PEER", help = text("help.send.to"))]
    pub(crate) to: String,
    #[arg(long, value_name = "ACCOUNT", help = text("help.account"))]
    pub(crate) account: Option<String>,
    #[arg(value_name = "TEXT", help = text("help.send.text"))]
    pub(crate) text: Option<String>,
    #[arg(long, value_name = "FILE", help = text("help.send.file"))]
    pub(crate) file: Vec<PathBuf>,
    #[arg(long, requires = "file", help = text("help.send.as_file"))]
    pub(crate) as_file: bool,
    #[arg(long, default_value = "reminder", value_name = "CLASS", help = text("help.send.class"))]
    pub(crate) class: SendClassName,
    #[arg(long, value_name = "TIME", value_parser = length, help = text("help.send.ttl"))]
    pub(crate) ttl: Option<Duration>,
    #[arg(long, value_name = "KEY", help = text("help.send.key"))]
    pub(crate) key: Option<String>,
    #[arg(long, help = text("help.send.dry_run"))]
    pub(crate) dry_run: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// What an outgoing message is for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SendClassName {
    Notice,
    Reminder,
    Report,
}

/// `hongyan outbox …`
#[derive(Subcommand)]
pub(crate) enum OutboxCommand {
    #[command(about = text("help.outbox.list"))]
    List {
        #[arg(long, default_value = weixin::CHANNEL_ID, value_name = "ID", help = text("help.channels.login.channel"))]
        channel: String,
        #[arg(long, help = text("help.json"))]
        json: bool,
    },
    #[command(about = text("help.outbox.drop"))]
    Drop(OutboxActArgs),
    #[command(about = text("help.outbox.retry"))]
    Retry(OutboxActArgs),
}

/// `hongyan outbox drop|retry`
#[derive(Args)]
pub(crate) struct OutboxActArgs {
    #[arg(value_name = "ID", help = text("help.outbox.ids"))]
    pub(crate) ids: Vec<i64>,
    #[arg(long, conflicts_with = "ids", help = text("help.outbox.all"))]
    pub(crate) all: bool,
    #[arg(long, default_value = weixin::CHANNEL_ID, value_name = "ID", help = text("help.channels.login.channel"))]
    pub(crate) channel: String,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan peers …`
#[derive(Subcommand)]
pub(crate) enum PeersCommand {
    #[command(about = text("help.peers.list"))]
    List {
        #[arg(long, default_value = weixin::CHANNEL_ID, value_name = "ID", help = text("help.channels.login.channel"))]
        channel: String,
        #[arg(long, help = text("help.json"))]
        json: bool,
    },
    #[command(about = text("help.peers.name"))]
    Name {
        #[arg(value_name = "PEER", help = text("help.send.to"))]
        to: String,
        #[arg(value_name = "NAME", help = text("help.peers.name.name"))]
        name: Option<String>,
        #[arg(long, value_name = "ACCOUNT", help = text("help.account"))]
        account: Option<String>,
        #[arg(long, default_value = weixin::CHANNEL_ID, value_name = "ID", help = text("help.channels.login.channel"))]
        channel: String,
        #[arg(long, help = text("help.json"))]
        json: bool,
    },
}

/// `hongyan explain`
#[derive(Args)]
pub(crate) struct ExplainArgs {
    #[arg(value_name = "CODE", allow_hyphen_values = true, help = text("help.explain.code"))]
    pub(crate) code: Option<String>,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// Reads a length of time such as `90s`, `2h` or `1d 12h`.
fn length(text: &str) -> Result<Duration, String> {
    let span: jiff::Span = text.parse().map_err(|err: jiff::Error| err.to_string())?;
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    let length = span.to_duration(day).map_err(|err| err.to_string())?;
    Duration::try_from(length).map_err(|err| err.to_string())
}

/// Reads how long something may take: as above, or in milliseconds, as OpenClaw
/// has it.
fn timeout(text: &str) -> Result<Duration, String> {
    text.parse().map_or_else(|_| length(text), |ms| Ok(Duration::from_millis(ms)))
}

fn text(key: &'static str) -> String {
    say(key, &[]).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_words_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}

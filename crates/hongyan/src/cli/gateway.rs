//! The words of `hongyan gateway`, `hongyan logs` and `hongyan doctor`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::{AgentArgs, text, timeout};

/// `hongyan gateway …`
#[derive(Subcommand)]
pub(crate) enum GatewayCommand {
    #[command(about = text("help.gateway.run"))]
    Run(RunArgs),
    #[command(about = text("help.gateway.status"))]
    Status(GatewayStatusArgs),
    #[command(about = text("help.gateway.restart"))]
    Restart(RestartArgs),
    #[command(about = text("help.gateway.stop"))]
    Stop(StopArgs),
}

/// `hongyan gateway run`
#[derive(Args)]
pub(crate) struct RunArgs {
    #[arg(long, value_name = "PEER", help = text("help.gateway.allow_from"))]
    pub(crate) allow_from: Vec<String>,
    #[arg(long, env = "HONGYAN_GATEWAY_PORT", value_name = "PORT", help = text("help.gateway.port"))]
    pub(crate) port: Option<u16>,
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
}

/// `hongyan gateway status`
#[derive(Args)]
pub(crate) struct GatewayStatusArgs {
    #[arg(long, help = text("help.gateway.require_rpc"))]
    pub(crate) require_rpc: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan gateway restart`
#[derive(Args)]
pub(crate) struct RestartArgs {
    #[arg(long, alias = "wait", value_name = "TIME", value_parser = timeout, help = text("help.gateway.timeout"))]
    pub(crate) timeout: Option<Duration>,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan gateway stop`
#[derive(Args)]
pub(crate) struct StopArgs {
    #[arg(long, value_name = "TIME", value_parser = timeout, help = text("help.gateway.timeout"))]
    pub(crate) timeout: Option<Duration>,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan logs`
#[derive(Args)]
pub(crate) struct LogsArgs {
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=2_000), help = text("help.logs.limit"))]
    pub(crate) limit: u16,
    #[arg(long, short, help = text("help.logs.follow"))]
    pub(crate) follow: bool,
    #[arg(long, default_value_t = 1_000, value_name = "MS", value_parser = clap::value_parser!(u64).range(50..=60_000), help = text("help.logs.interval"))]
    pub(crate) interval: u64,
    #[arg(long, default_value = "trace", value_name = "LEVEL", help = text("help.logs.level"))]
    pub(crate) level: LevelName,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// How grave a line of the log is at least.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelName {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LevelName {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// `hongyan doctor`
#[derive(Args)]
pub(crate) struct DoctorArgs {
    #[arg(long, help = text("help.doctor.probe"))]
    pub(crate) probe: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

//! The words of `hongyan agents`.

use clap::{Args, Subcommand};

use super::text;

/// `hongyan agents …`
#[derive(Subcommand)]
pub(crate) enum AgentsCommand {
    #[command(about = text("help.agents.list"))]
    List {
        #[arg(long, help = text("help.json"))]
        json: bool,
    },
    #[command(about = text("help.agents.bindings"))]
    Bindings {
        #[arg(long, value_name = "AGENT", help = text("help.agents.only"))]
        agent: Option<String>,
        #[arg(long, help = text("help.json"))]
        json: bool,
    },
    #[command(about = text("help.agents.bind"))]
    Bind(BindArgs),
    #[command(about = text("help.agents.unbind"))]
    Unbind(UnbindArgs),
}

/// `hongyan agents bind`
#[derive(Args)]
pub(crate) struct BindArgs {
    #[arg(long, value_name = "AGENT", help = text("help.agents.agent"))]
    pub(crate) agent: Option<String>,
    #[arg(long, value_name = "CHANNEL[:ACCOUNT]", required = true, help = text("help.agents.where"))]
    pub(crate) bind: Vec<String>,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan agents unbind`
#[derive(Args)]
pub(crate) struct UnbindArgs {
    #[arg(long, value_name = "AGENT", help = text("help.agents.agent"))]
    pub(crate) agent: Option<String>,
    #[arg(long, value_name = "CHANNEL[:ACCOUNT]", required_unless_present = "all", help = text("help.agents.where"))]
    pub(crate) bind: Vec<String>,
    #[arg(long, conflicts_with = "bind", help = text("help.agents.all"))]
    pub(crate) all: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

//! The words of `hongyan plugins`.

use clap::{Args, Subcommand};

use super::text;

/// `hongyan plugins …`
#[derive(Subcommand)]
pub(crate) enum PluginsCommand {
    #[command(about = text("help.plugins.list"), visible_alias = "ls")]
    List(PluginListArgs),
    #[command(about = text("help.plugins.install"), visible_alias = "add")]
    Install(PluginInstallArgs),
    #[command(about = text("help.plugins.update"))]
    Update(PluginUpdateArgs),
    #[command(about = text("help.plugins.enable"))]
    Enable(PluginArgs),
    #[command(about = text("help.plugins.disable"))]
    Disable(PluginArgs),
    #[command(about = text("help.plugins.uninstall"), visible_alias = "remove")]
    Uninstall(PluginUninstallArgs),
    #[command(about = text("help.plugins.inspect"), visible_alias = "info")]
    Inspect(PluginInspectArgs),
    #[command(about = text("help.plugins.doctor"))]
    Doctor(PluginDoctorArgs),
}

/// `hongyan plugins list`
#[derive(Args)]
pub(crate) struct PluginListArgs {
    #[arg(long, help = text("help.plugins.list.enabled"))]
    pub(crate) enabled: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan plugins install`
#[derive(Args)]
pub(crate) struct PluginInstallArgs {
    #[arg(value_name = "SPEC", help = text("help.plugins.install.spec"))]
    pub(crate) spec: String,
    #[arg(short, long, help = text("help.plugins.install.link"))]
    pub(crate) link: bool,
    #[arg(long, help = text("help.plugins.install.force"))]
    pub(crate) force: bool,
    #[arg(long, help = text("help.plugins.accept"))]
    pub(crate) accept_capabilities: bool,
    // OpenClaw takes it and does nothing with it, too.
    #[arg(long, hide = true)]
    pub(crate) dangerously_force_unsafe_install: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan plugins update`
#[derive(Args)]
pub(crate) struct PluginUpdateArgs {
    #[arg(value_name = "PLUGIN", required_unless_present = "all", conflicts_with = "all", help = text("help.plugins.plugin"))]
    pub(crate) plugin: Option<String>,
    #[arg(long, help = text("help.plugins.update.all"))]
    pub(crate) all: bool,
    #[arg(long, help = text("help.plugins.accept"))]
    pub(crate) accept_capabilities: bool,
    #[arg(long, help = text("help.plugins.dry_run"))]
    pub(crate) dry_run: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan plugins enable`, `disable`
#[derive(Args)]
pub(crate) struct PluginArgs {
    #[arg(value_name = "PLUGIN", help = text("help.plugins.plugin"))]
    pub(crate) plugin: String,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan plugins uninstall`
#[derive(Args)]
pub(crate) struct PluginUninstallArgs {
    #[arg(value_name = "PLUGIN", help = text("help.plugins.plugin"))]
    pub(crate) plugin: String,
    #[arg(long, help = text("help.plugins.dry_run"))]
    pub(crate) dry_run: bool,
    #[arg(long, help = text("help.plugins.uninstall.force"))]
    pub(crate) force: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan plugins inspect`
#[derive(Args)]
pub(crate) struct PluginInspectArgs {
    #[arg(value_name = "PLUGIN", help = text("help.plugins.plugin"))]
    pub(crate) plugin: String,
    #[arg(long, help = text("help.plugins.inspect.runtime"))]
    pub(crate) runtime: bool,
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

/// `hongyan plugins doctor`
#[derive(Args)]
pub(crate) struct PluginDoctorArgs {
    #[arg(long, help = text("help.json"))]
    pub(crate) json: bool,
}

//! The words of `hongyan sidecar` and `hongyan openclaw …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::text;

/// `hongyan sidecar`
#[derive(Args)]
pub(crate) struct SidecarArgs {
    #[arg(long, help = text("help.sidecar.schema"))]
    pub(crate) schema: bool,
}

/// `hongyan openclaw …`
#[derive(Subcommand)]
pub(crate) enum OpenClawCommand {
    #[command(about = text("help.openclaw.install"))]
    Install(InstallArgs),
    #[command(about = text("help.openclaw.uninstall"))]
    Uninstall(HostArgs),
    #[command(about = text("help.openclaw.switch_back"))]
    SwitchBack(SwitchBackArgs),
}

/// Which OpenClaw.
#[derive(Args)]
pub(crate) struct HostArgs {
    #[arg(long, value_name = "PATH", default_value = "openclaw", help = text("help.openclaw.openclaw"))]
    pub(crate) openclaw: PathBuf,
}

/// `hongyan openclaw install`
#[derive(Args)]
pub(crate) struct InstallArgs {
    #[command(flatten)]
    pub(crate) host: HostArgs,
    #[arg(long, value_name = "FILE", help = text("help.openclaw.package"))]
    pub(crate) package: Option<PathBuf>,
    #[arg(long, help = text("help.openclaw.no_login"))]
    pub(crate) no_login: bool,
}

/// `hongyan openclaw switch-back`
#[derive(Args)]
pub(crate) struct SwitchBackArgs {
    #[command(flatten)]
    pub(crate) host: HostArgs,
    #[arg(long, value_name = "SPEC", default_value = "@tencent-weixin/openclaw-weixin@2.4.9", help = text("help.openclaw.official"))]
    pub(crate) package: String,
}

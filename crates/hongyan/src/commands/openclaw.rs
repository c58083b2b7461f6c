//! `hongyan openclaw …`: the channel's package in an OpenClaw, by the commands
//! of that OpenClaw alone: none of its files is written here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use weixin::CHANNEL_ID;

use crate::cli::{InstallArgs, OpenClawCommand, SwitchBackArgs};
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

/// The oldest OpenClaw that the package is tested with; its manifest says the same.
const OLDEST: (u32, u32, u32) = (2026, 9, 1);
/// The package's file, as `just openclaw-pack` names it.
const PACKAGE: &str = concat!("hongyan-openclaw-weixin-", env!("CARGO_PKG_VERSION"), ".tgz");

pub(crate) fn run(command: OpenClawCommand) -> Result<(), CliError> {
    match command {
        OpenClawCommand::Install(args) => install(args),
        OpenClawCommand::Uninstall(args) => {
            let host = Host::find(args.openclaw)?;
            host.does(["plugins", "uninstall", CHANNEL_ID, "--force"])?;
            host.restart();
            output::done(t!("openclaw.uninstalled"));
            Ok(())
        }
        OpenClawCommand::SwitchBack(args) => switch_back(args),
    }
}

fn install(args: InstallArgs) -> Result<(), CliError> {
    let host = Host::find(args.host.openclaw)?;
    let package = package(args.package)?;
    host.replace_with(package.as_os_str())?;
    host.restart();
    if !args.no_login && !host.has_account() && output::can_ask() {
        output::note(t!("openclaw.login"));
        host.does(["channels", "login", "--channel", CHANNEL_ID])?;
    }
    output::done(t!("openclaw.installed"));
    host.shows_status();
    Ok(())
}

fn switch_back(args: SwitchBackArgs) -> Result<(), CliError> {
    let host = Host::find(args.host.openclaw)?;
    host.replace_with(OsStr::new(&args.package))?;
    host.restart();
    output::done(t!("openclaw.switched_back", package = args.package));
    host.shows_status();
    Ok(())
}

/// An OpenClaw that can be asked.
struct Host {
    program: PathBuf,
}

impl Host {
    /// Makes sure that it is there and new enough.
    fn find(program: PathBuf) -> Result<Self, CliError> {
        let host = Self { program };
        let said = host.output(["--version"]).ok_or_else(|| {
            let program = host.program.display();
            CliError::new(Kind::Usage, t!("error.openclaw.missing", program = program))
                .hinted(t!("hint.openclaw.missing"))
        })?;
        let oldest = format!("{}.{}.{}", OLDEST.0, OLDEST.1, OLDEST.2);
        match version(&said) {
            Some(found) if found >= OLDEST => Ok(host),
            Some(_) | None => {
                let found = said.trim();
                Err(CliError::new(
                    Kind::Config,
                    t!("error.openclaw.old", found = found, oldest = oldest),
                )
                .hinted(t!("hint.openclaw.old")))
            }
        }
    }

    /// Puts a package in the place of whichever serves the channel now. The
    /// channel's settings, which an uninstallation takes along, are put back.
    fn replace_with(&self, package: &OsStr) -> Result<(), CliError> {
        let place = format!("channels.{CHANNEL_ID}");
        let settings = self.output(["config", "get", &place, "--json"]);
        if self.output(["plugins", "inspect", CHANNEL_ID]).is_some() {
            self.does(["plugins", "uninstall", CHANNEL_ID, "--force"])?;
        }
        let install = ["plugins", "install", "--force", "--accept-capabilities"].map(OsStr::new);
        self.does(install.into_iter().chain([package]))?;
        self.does(["plugins", "enable", CHANNEL_ID])?;
        let settings = settings.as_deref().map(str::trim).filter(|text| text.starts_with('{'));
        if let Some(settings) = settings {
            self.does(["config", "set", &place, settings, "--strict-json", "--replace"])?;
        }
        Ok(())
    }

    /// Restarts its gateway, if it runs as a service that can be restarted.
    fn restart(&self) {
        if self.does(["gateway", "restart"]).is_err() {
            output::note(t!("openclaw.restart"));
        }
    }

    fn shows_status(&self) {
        if self.does(["channels", "status", "--channel", CHANNEL_ID, "--probe"]).is_err() {
            output::note(t!("openclaw.no_status"));
        }
    }

    /// Says whether somebody has logged in; the host's list shows real accounts only.
    fn has_account(&self) -> bool {
        let list = self.output(["channels", "list", "--json"]).unwrap_or_default();
        let list: Value = serde_json::from_str(&list).unwrap_or_default();
        let accounts = list["chat"][CHANNEL_ID]["accounts"].as_array();
        accounts.is_some_and(|accounts| accounts.iter().any(|account| account != "default"))
    }

    /// Runs a command before the person's eyes.
    fn does<I, S>(&self, args: I) -> Result<(), CliError>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = Command::new(&self.program);
        command.args(args);
        let shown: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        let shown = shown.join(" ");
        output::aside(format!("openclaw {shown}"));
        let failed =
            || CliError::new(Kind::Unavailable, t!("error.openclaw.failed", command = shown));
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(failed()),
            Err(err) => Err(failed().caused_by(err)),
        }
    }

    /// Runs a command and returns what it prints, `None` when it fails.
    fn output<const N: usize>(&self, args: [&str; N]) -> Option<String> {
        let mut command = Command::new(&self.program);
        let output = command.args(args).stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }
}

/// Finds the package: the one that is named, the one beside this program, or
/// the one in the current folder.
fn package(named: Option<PathBuf>) -> Result<PathBuf, CliError> {
    let beside = std::env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent).map(|dir| dir.join(PACKAGE));
    let places = match named {
        Some(named) => vec![named],
        None => beside.into_iter().chain([PathBuf::from(PACKAGE)]).collect(),
    };
    let found = places.iter().find(|path| path.is_file()).cloned();
    let found = found.and_then(|path| std::path::absolute(path).ok());
    found.ok_or_else(|| {
        let places: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
        CliError::new(Kind::Usage, t!("error.openclaw.package", places = places.join(", ")))
            .hinted(t!("hint.openclaw.package"))
    })
}

/// Reads the first version in a text: year, month and number.
fn version(text: &str) -> Option<(u32, u32, u32)> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let mut parts = word.split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(year)), Some(Ok(month)), Some(Ok(number))) => Some((year, month, number)),
            (Some(_) | None, Some(_) | None, Some(_) | None) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_wherever_it_stands() {
        assert_eq!(version("OpenClaw 2026.9.6 (eb377ac)\n"), Some((2026, 9, 6)));
        assert_eq!(version("2026.10.1-beta.2"), Some((2026, 10, 1)));
        assert_eq!(version("v2026.9"), None);
        assert!((2026, 10, 1) > OLDEST && (2026, 8, 33) < OLDEST);
    }
}

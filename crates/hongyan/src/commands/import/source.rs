//! Where OpenClaw keeps what it knows, and whether it runs.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{CliError, Kind};
use crate::texts::t;

/// The names of the configuration, the newer first.
const CONFIGS: [&str; 2] = ["openclaw.json", "clawdbot.json"];
/// The names of the folder in the home folder, the newer first.
const FOLDERS: [&str; 2] = [".openclaw", ".clawdbot"];

/// The state of an OpenClaw.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Its folder.
    pub(super) dir: PathBuf,
    /// Its configuration, if there is one.
    pub(super) config: Option<PathBuf>,
    /// Where lists of admitted peers lie.
    pub(super) credentials: PathBuf,
}

impl Source {
    /// Takes the folder that was named, or finds the one that OpenClaw would use.
    pub(super) fn find(named: Option<&Path>) -> Result<Self, CliError> {
        let source = match named {
            Some(dir) => Self::at(dir.to_owned()),
            None => Self::usual(&|name| std::env::var(name).ok(), std::env::home_dir()),
        };
        if source.holds_something() {
            return Ok(source);
        }
        let message = t!("error.import.nothing", dir = source.dir.display());
        Err(CliError::new(Kind::Usage, message).hinted(t!("hint.import.from")))
    }

    fn at(dir: PathBuf) -> Self {
        let (config, credentials) = (config_in(&dir), dir.join("credentials"));
        Self { dir, config, credentials }
    }

    /// Looks where OpenClaw looks: its variables, then the home folder.
    fn usual(variable: &dyn Fn(&str) -> Option<String>, home: Option<PathBuf>) -> Self {
        let set = |name| variable(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        let system = home.unwrap_or_default();
        let whole = |text: String| match text.strip_prefix('~') {
            Some("") => system.clone(),
            Some(rest) if rest.starts_with('/') => system.join(&rest[1..]),
            Some(_) | None => PathBuf::from(text),
        };
        let home = set("OPENCLAW_HOME").map(&whole).unwrap_or_else(|| system.clone());
        let folders = FOLDERS.map(|name| home.join(name));
        let named = set("OPENCLAW_STATE_DIR").map(&whole);
        let there = || folders.iter().find(|dir| dir.is_dir()).unwrap_or(&folders[0]).clone();
        let dir = named.clone().unwrap_or_else(there);
        let config = set("OPENCLAW_CONFIG_PATH").map(&whole);
        let config = config.or_else(|| named.iter().chain(&folders).find_map(|dir| config_in(dir)));
        let credentials = set("OPENCLAW_OAUTH_DIR").map(&whole);
        let credentials = credentials.unwrap_or_else(|| dir.join("credentials"));
        Self { dir, config, credentials }
    }

    fn holds_something(&self) -> bool {
        let inside = [weixin::CHANNEL_ID, "state/openclaw.sqlite"];
        self.config.as_ref().is_some_and(|path| path.is_file())
            || inside.iter().any(|name| self.dir.join(name).exists())
    }

    /// Returns the process that seems to be a gateway on this state.
    pub(super) fn gateway(&self) -> Option<u32> {
        let folders = entries(&self.dir.join("tmp")).into_iter();
        let folders = folders.filter(|path| name(path).starts_with("openclaw-"));
        let files = folders.flat_map(|folder| entries(&folder));
        let locks = files
            .filter(|path| name(path).starts_with("gateway.") && name(path).ends_with(".lock"));
        let owners = locks
            .filter_map(|path| serde_json::from_slice::<Owner>(&std::fs::read(path).ok()?).ok());
        let mut gateways =
            owners.filter(|owner| owner.role.as_deref().unwrap_or("gateway") == "gateway");
        gateways.find(|owner| may_run(owner.pid)).map(|owner| owner.pid)
    }
}

/// What a lock file of OpenClaw says, as far as it matters.
#[derive(Deserialize)]
struct Owner {
    pid: u32,
    role: Option<String>,
}

/// Where the operating system does not list processes in files, a lock is
/// believed.
fn may_run(pid: u32) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(pid.to_string()).exists()
}

fn config_in(dir: &Path) -> Option<PathBuf> {
    CONFIGS.iter().map(|name| dir.join(name)).find(|path| path.is_file())
}

/// Returns what is in a folder, in the order of the names; nothing of one that
/// is not there.
pub(super) fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_for_where_openclaw_would_look() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let find = |variables: &[(&str, &str)]| {
            let value = |name: &str| {
                let found = variables.iter().find(|(it, _)| *it == name)?;
                Some(found.1.replace("HOME", &home.path().to_string_lossy()))
            };
            let found = Source::usual(&value, Some(home.path().to_owned()));
            (found.dir, found.config, found.credentials)
        };
        assert_eq!(find(&[]), (at(".openclaw"), None, at(".openclaw/credentials")));
        for dir in [".clawdbot", "x", "y/.openclaw"] {
            std::fs::create_dir_all(at(dir)).unwrap();
            std::fs::write(at(dir).join("clawdbot.json"), "{}").unwrap();
        }
        let old =
            (at(".clawdbot"), Some(at(".clawdbot/clawdbot.json")), at(".clawdbot/credentials"));
        assert_eq!(find(&[("OPENCLAW_STATE_DIR", "  ")]), old);
        let expected = (at("x"), Some(at("x/clawdbot.json")), at("x/credentials"));
        assert_eq!(find(&[("OPENCLAW_STATE_DIR", " ~/x ")]), expected);
        let dir = at("y/.openclaw");
        let expected = (dir.clone(), Some(dir.join("clawdbot.json")), at("creds"));
        assert_eq!(
            find(&[("OPENCLAW_HOME", "HOME/y"), ("OPENCLAW_OAUTH_DIR", "HOME/creds")]),
            expected
        );
        let expected = (at("none"), Some(at("c.json")), at("none/credentials"));
        let named = [("OPENCLAW_STATE_DIR", "HOME/none"), ("OPENCLAW_CONFIG_PATH", "~/c.json")];
        assert_eq!(find(&named), expected);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_gateway_is_known_by_its_lock_and_its_process() {
        let dir = tempfile::tempdir().unwrap();
        let locks = dir.path().join("tmp/openclaw-1000");
        std::fs::create_dir_all(&locks).unwrap();
        let source = Source::at(dir.path().to_owned());
        let write = |text: String| std::fs::write(locks.join("gateway.state.lock"), text).unwrap();
        assert_eq!(source.gateway(), None);
        let ours = std::process::id();
        write(format!("{{\"pid\":{ours},\"createdAt\":\"x\",\"configPath\":\"y\"}}"));
        assert_eq!(source.gateway(), Some(ours));
        write(format!("{{\"pid\":{ours},\"role\":\"sqlite-maintenance\"}}"));
        assert_eq!(source.gateway(), None);
        write(format!("{{\"pid\":{}}}", u32::MAX));
        assert_eq!(source.gateway(), None);
    }
}

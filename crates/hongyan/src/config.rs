//! The configuration file: JSON5, read at the start and watched from then on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use contract::{Channel, ChannelError};
use jsonc_parser::ParseOptions;
use jsonc_parser::errors::ParseError;
use serde_json::{Map, Value};

/// The names of the channel under `channels`.
const CHANNEL_NAMES: [&str; 3] = [weixin::CHANNEL_ID, "weixin", "wechat"];
/// What OpenClaw's own configuration has at its top: no mistake, and nothing to
/// us yet.
const OPENCLAWS: [&str; 36] = [
    "$include",
    "$schema",
    "acp",
    "agents",
    "approvals",
    "audio",
    "auth",
    "bindings",
    "broadcast",
    "browser",
    "canvasHost",
    "cli",
    "commands",
    "cron",
    "diagnostics",
    "discovery",
    "env",
    "gateway",
    "hooks",
    "logging",
    "mcp",
    "media",
    "memory",
    "messages",
    "meta",
    "models",
    "nodeHost",
    "plugins",
    "secrets",
    "session",
    "skills",
    "talk",
    "tools",
    "ui",
    "update",
    "wizard",
];
/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A configuration file that may be there.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    /// As it was when it was read last.
    seen: Option<Stamp>,
}

/// What the file says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// The section of the WeChat channel.
    pub(crate) section: Value,
    /// Where the section stands.
    place: &'static str,
}

/// Tells one version of the file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}:{}:{}: {}", path.display(), why.line_display(), why.column_display(), why.kind())]
    Garbled { path: PathBuf, why: ParseError },
    #[error("{}: {what}", path.display())]
    Wrong { path: PathBuf, what: String },
}

impl Default for Config {
    fn default() -> Self {
        Self { section: nothing(), place: CHANNEL_NAMES[0] }
    }
}

fn nothing() -> Value {
    Value::Object(Map::new())
}

impl ConfigFile {
    /// Chooses the file that was named, or the one in the state folder.
    pub(crate) fn locate(named: Option<PathBuf>, state: &Path) -> Result<Self, ConfigError> {
        let is_named = named.is_some();
        let path = named.unwrap_or_else(|| state.join("config.json5"));
        if is_named && let Err(source) = fs::metadata(&path) {
            return Err(ConfigError::Unreadable { path, source });
        }
        Ok(Self { path, seen: None })
    }

    /// Reads the file; one that is not there says nothing.
    pub(crate) fn read(&mut self) -> Result<Config, ConfigError> {
        // Before it is read: what changes while it is read counts as news.
        self.seen = self.stamp();
        if self.seen.is_none() {
            return Ok(Config::default());
        }
        let text = fs::read_to_string(&self.path)
            .map_err(|source| ConfigError::Unreadable { path: self.path.clone(), source })?;
        let (config, warnings) = self.parse(&text)?;
        for warning in warnings {
            tracing::warn!(file = %self.path.display(), "{warning}");
        }
        Ok(config)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns all that the file says; one that is not there says nothing.
    pub(crate) fn root(&self) -> Result<Value, ConfigError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => self.object(&text).map(Value::Object),
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(nothing()),
            Err(source) => Err(ConfigError::Unreadable { path: self.path.clone(), source }),
        }
    }

    /// Applies each new version of the file to a channel. A version that cannot
    /// be used changes nothing and is reported once.
    pub(crate) async fn watch(mut self, channel: &dyn Channel) {
        let mut last = self.seen;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.stamp();
            // Settled, so that no file is read that is being written; one that
            // is gone is perhaps about to be replaced.
            let is_settled = now == last;
            last = now;
            if !is_settled || now == self.seen || now.is_none() {
                continue;
            }
            match self.read() {
                Ok(config) => self.apply(channel, config).await,
                Err(err) => tracing::error!(error = %err, "configuration not applied"),
            }
        }
    }

    async fn apply(&self, channel: &dyn Channel, config: Config) {
        match channel.configure(config.section.clone()).await {
            Ok(warnings) => {
                tracing::info!(file = %self.path.display(), "configuration applied");
                self.warn(&config, &warnings);
            }
            Err(err) => {
                let err = self.placed(&config, err);
                tracing::error!(error = %err, "configuration not applied");
            }
        }
    }

    /// Reports what in a section was not understood.
    pub(crate) fn warn(&self, config: &Config, warnings: &[String]) {
        let (file, place) = (self.path.display(), config.place);
        for warning in warnings {
            tracing::warn!(%file, "channels.{place}.{warning}");
        }
    }

    /// Says where in the file a section is wrong.
    pub(crate) fn placed(&self, config: &Config, err: ChannelError) -> ConfigError {
        let what = if let ChannelError::Settings { path, reason } = err {
            let place = format!("channels.{}.{path}", config.place);
            format!("{}: {reason}", place.trim_end_matches('.'))
        } else {
            err.to_string()
        };
        ConfigError::Wrong { path: self.path.clone(), what }
    }

    /// Returns a path in the file: one that is not whole begins at the file's folder.
    pub(crate) fn whole(&self, path: &Path) -> PathBuf {
        self.path.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    fn stamp(&self) -> Option<Stamp> {
        let found = fs::metadata(&self.path).ok()?;
        Some(Stamp { modified: found.modified().ok(), len: found.len() })
    }

    fn object(&self, text: &str) -> Result<Map<String, Value>, ConfigError> {
        // JSON5 allows what the parser allows by default, and wants its commas.
        let options = ParseOptions { allow_missing_commas: false, ..ParseOptions::default() };
        let root: Value = jsonc_parser::parse_to_serde_value(text, &options)
            .map_err(|why| ConfigError::Garbled { path: self.path.clone(), why })?;
        if let Value::Object(root) = root {
            return Ok(root);
        }
        let what = "it must be an object in braces".to_owned();
        Err(ConfigError::Wrong { path: self.path.clone(), what })
    }

    fn parse(&self, text: &str) -> Result<(Config, Vec<String>), ConfigError> {
        let wrong = |what: String| ConfigError::Wrong { path: self.path.clone(), what };
        let mut root = self.object(text)?;
        let channels = root.remove("channels").filter(|it| !it.is_null()).unwrap_or_else(nothing);
        let Value::Object(channels) = channels else {
            return Err(wrong("channels: it must be an object in braces".to_owned()));
        };
        let unknown = root.keys().filter(|key| !OPENCLAWS.contains(&key.as_str()));
        let mut warnings: Vec<_> =
            unknown.map(|key| format!("{key}: not known, and ignored")).collect();
        let mut found = None;
        for (name, section) in channels {
            let section = if section.is_null() { nothing() } else { section };
            match CHANNEL_NAMES.iter().find(|known| **known == name) {
                Some(place) if found.is_none() => found = Some(Config { section, place }),
                Some(_) => {
                    return Err(wrong(format!("channels.{name}: the channel stands there twice")));
                }
                None => {
                    warnings.push(format!("channels.{name}: no such channel here, and ignored"));
                }
            }
        }
        Ok((found.unwrap_or_default(), warnings))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<(Config, Vec<String>), String> {
        let file = ConfigFile { path: "c.json5".into(), seen: None };
        file.parse(text).map_err(|err| err.to_string())
    }

    #[test]
    fn the_section_is_found_under_each_name_and_json5_is_read() {
        for name in CHANNEL_NAMES {
            let text = format!("{{ // mine\n channels: {{ '{name}': {{ routeTag: 0x7, }}, }}, }}");
            let config = Config { section: json!({"routeTag": 7}), place: name };
            assert_eq!(parse(&text), Ok((config, Vec::new())));
        }
        let (empty, warnings) = parse("{}").unwrap();
        assert_eq!((empty.section, warnings), (json!({}), Vec::new()));
    }

    #[test]
    fn keys_that_nobody_knows_are_warned_of_and_openclaws_are_not() {
        let text = "{agents: {}, gateway: 1, chanels: {}, channels: {telegram: {}}}";
        let (_, warnings) = parse(text).unwrap();
        let expected = [
            "chanels: not known, and ignored",
            "channels.telegram: no such channel here, and ignored",
        ];
        assert_eq!(warnings, expected);
    }

    #[test]
    fn a_file_that_cannot_be_used_says_where() {
        let cases = [
            ("{\n  channels: {", "c.json5:2:14: Unterminated object"),
            ("{a: 1\n b: 2}", "c.json5:1:6: Expected comma"),
            ("", "c.json5: it must be an object in braces"),
            ("{channels: 1}", "c.json5: channels: it must be an object in braces"),
            (
                "{channels: {weixin: {}, wechat: {}}}",
                "c.json5: channels.weixin: the channel stands there twice",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).map(drop), Err(expected.to_owned()), "{text}");
        }
    }
}

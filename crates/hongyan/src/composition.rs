//! Puts the parts together: which folder, which channel, which agent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use contract::{AccountId, ChannelId, Conversation, PeerId};
use gateway::{AccessSettings, Agent, Pairing, Rules};
use ilink::BotAgent;
use ilink::client::{Http, HttpOptions};
use plugins::House;
use serde_json::{Map, Value};
use weixin::{Accounts, CHANNEL_ID, ChannelSettings, Settings, StoreKey, WeixinChannel, official};

use crate::agents;
use crate::bundled;
use crate::config::{Configuration, wrong};
use crate::error::{CliError, Kind};
use crate::rules;
use crate::texts::t;

/// How long a stop may take by default.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Where everything lies.
#[derive(Clone)]
pub(crate) struct State {
    dir: PathBuf,
    key: Option<StoreKey>,
    section: ChannelSettings,
    config: Option<Configuration>,
    /// What is wrong with the WeChat channel's section; the defaults hold then.
    fault: Option<String>,
}

impl State {
    /// Uses the folder that was named, or the one in the home folder.
    pub(crate) fn resolve(named: Option<PathBuf>) -> Result<Self, CliError> {
        if let Some(dir) = named {
            return Ok(Self::at(dir));
        }
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let home = home.ok_or_else(|| {
            CliError::new(Kind::Config, t!("error.home")).hinted(t!("hint.state"))
        })?;
        Ok(Self::at(home.join(".hongyan")))
    }

    pub(crate) fn at(dir: PathBuf) -> Self {
        Self { dir, key: None, section: ChannelSettings::default(), config: None, fault: None }
    }

    /// Reads the configuration file, and the key of credentials at rest. A
    /// section that is broken counts as not written.
    pub(crate) fn configured(self, named: Option<PathBuf>) -> Result<Self, CliError> {
        let config = Configuration::read(named, &self.dir)?.with_house(&self.plugins());
        config.warn();
        self.with(config)
    }

    /// Takes another version of the configuration.
    pub(crate) fn with(self, config: Configuration) -> Result<Self, CliError> {
        let (section, fault) = match config.fault_of(CHANNEL_ID) {
            Some(fault) => (ChannelSettings::default(), Some(fault)),
            None => section_of(&config, &config.channel(CHANNEL_ID)),
        };
        let key = credentials_key(section.credentials_key_file().map(|path| config.whole(&path)))?;
        Ok(Self { key, section, fault, config: Some(config), ..self })
    }

    /// For a host that is another program: what the gateway does, such as its
    /// queue, says nothing about the channel then.
    pub(crate) fn for_another_host(self) -> Self {
        let Some(config) = &self.config else { return self };
        match ChannelSettings::parse(&config.written(CHANNEL_ID)) {
            Ok((section, _)) => Self { section, ..self },
            // It has been told, and the defaults hold.
            Err(_) => self,
        }
    }

    /// Refuses to go on when the WeChat channel's section is broken: with other
    /// settings than those that were meant, much could go wrong.
    pub(crate) fn sound(self) -> Result<Self, CliError> {
        match self.fault {
            Some(fault) => Err(wrong(fault)),
            None => Ok(self),
        }
    }

    /// Returns what is wrong with the WeChat channel's section.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Returns the configuration, unless this is a state without one.
    pub(crate) fn config(&self) -> Option<&Configuration> {
        self.config.as_ref()
    }

    /// Returns all that can be used of the configuration file.
    pub(crate) fn root(&self) -> Value {
        let usable = self.config.as_ref().map(|config| config.usable().clone());
        usable.unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// Returns who waits for an approval and who was approved, also beside a
    /// gateway that runs.
    pub(crate) async fn pairing(&self) -> Result<Pairing, CliError> {
        let opened = Pairing::open(&self.gateway()).await;
        opened.map_err(|err| CliError::new(Kind::Config, err.to_string()).caused_by(err))
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn backend(&self) -> PathBuf {
        self.dir.join("backend")
    }

    /// Returns the lock of the gateway on this folder.
    pub(crate) fn gateway_lock(&self) -> PathBuf {
        self.dir.join("gateway.lock")
    }

    /// Returns where the gateway's own store is.
    pub(crate) fn gateway(&self) -> PathBuf {
        self.dir.join("gateway.sqlite")
    }

    /// Returns the settings of the WeChat channel in this folder.
    pub(crate) fn weixin(&self) -> Settings {
        let mut settings = Settings::new(self.dir.join(CHANNEL_ID));
        settings.key.clone_from(&self.key);
        settings.section.clone_from(&self.section);
        // A folder that is not whole would move with the process.
        if let Ok(dir) = std::path::absolute(&self.dir) {
            settings.sending.media_roots = vec![dir.join("workspace"), dir.join("media")];
        }
        settings.bot_agent = BotAgent::sanitize(concat!("Hongyan/", env!("CARGO_PKG_VERSION")));
        settings
    }

    /// Returns the WeChat channel on this folder.
    pub(crate) fn channel(&self) -> Result<WeixinChannel, CliError> {
        Ok(WeixinChannel::new(self.weixin(), http()?))
    }

    /// Returns the accounts of the WeChat channel in this folder.
    pub(crate) fn accounts(&self) -> Result<Accounts, CliError> {
        Ok(Accounts::new(self.weixin(), http()?))
    }

    /// Returns those whom the official plugin admits, each on the account whose
    /// file says so.
    fn admitted_before(&self) -> Vec<Conversation> {
        let settings = self.weixin();
        let accounts = settings.registry().accounts().unwrap_or_default();
        let allowed = official::read(&settings, &accounts).allowed.into_iter();
        let at = |account: &AccountId, peer: &str| Conversation {
            channel: ChannelId::new(CHANNEL_ID),
            account: account.clone(),
            peer: PeerId::new(peer),
        };
        allowed
            .flat_map(|(account, peers)| {
                peers.into_iter().map(move |peer| at(&account, peer.as_str()))
            })
            .collect()
    }

    /// Returns who is heard: whom the configuration and the official plugin admit.
    pub(crate) fn access(&self) -> Result<AccessSettings, CliError> {
        Ok(rules::access(&self.root())?.and_allowing_at(self.admitted_before()))
    }

    /// Returns where plugins lie.
    pub(crate) fn plugins(&self) -> House {
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        House::new(&self.dir, bundled::version(), bundled::all()).with_home(home)
    }

    /// Returns the rules of the configuration: with `only`, that agent answers
    /// for all, each with sessions of its own; `allow_from` is heard besides.
    pub(crate) fn rules(
        &self,
        only: Option<&Arc<dyn Agent>>,
        allow_from: &[String],
    ) -> Result<Rules, CliError> {
        let root = self.root();
        let named = allow_from.iter().map(|peer| PeerId::from(peer.as_str()));
        let access = self.access()?.and_allowing(named);
        for fault in access.faults() {
            tracing::error!("{fault}; only owners are heard there");
        }
        let route = rules::route(&root)?;
        let agents = match &self.config {
            Some(config) => agents::all(only, &route.agents, config)?,
            None => gateway::Agents::only(only.map_or_else(agents::guide, Arc::clone)),
        };
        let (queue, sessions) = (rules::queue(&root)?, rules::sessions(&root)?);
        Ok(Rules { access, route, agents, queue, sessions })
    }
}

/// Reads the WeChat channel's section, or says what is wrong with it.
fn section_of(config: &Configuration, section: &Value) -> (ChannelSettings, Option<String>) {
    match ChannelSettings::parse(section) {
        Ok((section, warnings)) => {
            for warning in warnings {
                tracing::warn!(file = %config.path().display(), "{}", config.place(&warning.to_string()));
            }
            (section, None)
        }
        Err(err) => {
            let (file, place) = (config.path().display(), config.place(&err.path));
            (ChannelSettings::default(), Some(format!("{file}: {place}: {}", err.reason)))
        }
    }
}

/// Reads the key of credentials at rest, from the file that the environment
/// names, or else the configuration.
fn credentials_key(configured: Option<PathBuf>) -> Result<Option<StoreKey>, CliError> {
    const NAME: &str = "HONGYAN_CREDENTIALS_KEY_FILE";
    let named = std::env::var_os(NAME).filter(|path| !path.is_empty()).map(PathBuf::from);
    let key = named.or(configured).map(|path| StoreKey::read(&path)).transpose();
    key.map_err(|err| CliError::new(Kind::Config, err.to_string()).hinted(t!("hint.key_file")))
}

/// Returns the connection pool of the process.
pub(crate) fn http() -> Result<Http, CliError> {
    Http::new(&HttpOptions::default()).map_err(CliError::bug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateways_queue_says_nothing_to_another_host() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.json5");
        std::fs::write(file, "{ messages: { queue: { mode: 'steer' } } }").unwrap();
        let state = State::at(dir.path().to_owned()).configured(None).unwrap();
        assert_ne!(state.section, ChannelSettings::default());
        assert_eq!(state.for_another_host().section, ChannelSettings::default());
    }
}

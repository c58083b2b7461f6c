//! Puts the parts together: which folder, which channel, which agent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use contract::{Channel, PeerId};
use gateway::agents::{ApiKey, Guide, GuideOptions, OpenAi, OpenAiOptions};
use gateway::{Agent, AgentId, Config, Gateway, GatewayError, Pairing, Rules};
use ilink::BotAgent;
use ilink::client::{Http, HttpOptions};
use serde_json::{Map, Value};
use weixin::{Accounts, CHANNEL_ID, ChannelSettings, Settings, StoreKey, WeixinChannel, official};

use crate::cli::{AgentArgs, AgentName};
use crate::config::{ConfigError, ConfigFile};
use crate::error::{CliError, Kind};
use crate::rules;
use crate::texts::t;

/// How long a stop may take by default.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Where everything lies.
#[derive(Clone, Debug)]
pub(crate) struct State {
    dir: PathBuf,
    key: Option<StoreKey>,
    section: ChannelSettings,
    config: Option<ConfigFile>,
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
        Self { dir, key: None, section: ChannelSettings::default(), config: None }
    }

    /// Reads the configuration file, and the key of credentials at rest.
    pub(crate) fn configured(self, named: Option<PathBuf>) -> Result<Self, CliError> {
        let mut file = ConfigFile::locate(named, &self.dir).map_err(unusable)?;
        let config = file.read().map_err(unusable)?;
        let (section, warnings) = ChannelSettings::parse(&config.section)
            .map_err(|err| unusable(file.placed(&config, err.into())))?;
        file.warn(&config, &warnings.iter().map(ToString::to_string).collect::<Vec<_>>());
        let key = credentials_key(section.credentials_key_file().map(|path| file.whole(&path)))?;
        Ok(Self { key, section, config: Some(file), ..self })
    }

    /// Returns the configuration file, to be watched.
    pub(crate) fn config(&self) -> Option<ConfigFile> {
        self.config.clone()
    }

    /// Returns all that the configuration file says.
    pub(crate) fn root(&self) -> Result<Value, CliError> {
        let root = self.config.as_ref().map(|file| file.root().map_err(unusable));
        root.unwrap_or_else(|| Ok(Value::Object(Map::new())))
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

    /// Returns those whom the official plugin admits, on whatever account.
    fn admitted_before(&self) -> Vec<PeerId> {
        let settings = self.weixin();
        let accounts = settings.registry().accounts().unwrap_or_default();
        let allowed = official::read(&settings, &accounts).allowed;
        allowed.into_values().flatten().map(|peer| PeerId::new(peer.as_str())).collect()
    }

    /// Starts a gateway on this folder.
    pub(crate) async fn start_gateway(
        &self,
        channel: WeixinChannel,
        agent: Arc<dyn Agent>,
        allow_from: &[String],
    ) -> Result<Gateway, CliError> {
        let root = self.root()?;
        let named = allow_from.iter().map(|peer| PeerId::from(peer.as_str()));
        let access = rules::access(&root)?.and_allowing(named.chain(self.admitted_before()));
        for fault in access.faults() {
            tracing::error!("{fault}; only owners are heard there");
        }
        let route = rules::route(&root)?;
        // All agents are the one of the command line, each with sessions of its own.
        let ids = route.agents.entries().iter().map(|entry| entry.id.clone());
        let ids = ids.chain([AgentId::main()]);
        let agents = ids.map(|id| (id, Arc::clone(&agent))).collect();
        let mut config = Config::new(self.gateway(), agent);
        config.rules = Rules { access, route, agents, ..config.rules };
        let channels: Vec<Arc<dyn Channel>> = vec![Arc::new(channel)];
        Gateway::start(config, channels).await.map_err(|err| match err {
            GatewayError::Channel { source, .. } => source.into(),
            GatewayError::Rules(_) => CliError::new(Kind::Config, err.to_string()),
            GatewayError::Store(_) => CliError::new(Kind::Config, err.to_string()).caused_by(err),
        })
    }
}

/// Errors of the file say all that there is to say in one line.
fn unusable(err: ConfigError) -> CliError {
    CliError::new(Kind::Config, err.to_string()).hinted(t!("hint.config"))
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

/// Returns who answers.
pub(crate) fn agent(args: &AgentArgs) -> Result<Arc<dyn Agent>, CliError> {
    match args.agent {
        AgentName::Guide => Ok(Arc::new(Guide::new(GuideOptions::default()))),
        AgentName::Openai => openai(args),
    }
}

fn openai(args: &AgentArgs) -> Result<Arc<dyn Agent>, CliError> {
    let missing = |option| CliError::new(Kind::Usage, t!("error.agent_option", option = option));
    let base_url = args.base_url.clone().ok_or_else(|| missing("--base-url"))?;
    let model = args.model.clone().ok_or_else(|| missing("--model"))?;
    let mut options = OpenAiOptions::new(base_url, model);
    options.system_prompt.clone_from(&args.system);
    if let Some(name) = &args.api_key_env {
        options.api_key = Some(ApiKey::new(secret_from_env(name)?));
    }
    let agent = OpenAi::new(options).map_err(CliError::bug)?;
    Ok(Arc::new(agent))
}

/// Reads a secret that was named, rather than given, on the command line,
/// where every process of the machine could see it.
pub(crate) fn secret_from_env(name: &str) -> Result<String, CliError> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.ok_or_else(|| CliError::new(Kind::Usage, t!("error.env_missing", name = name)))
}

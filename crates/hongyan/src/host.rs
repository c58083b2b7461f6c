//! The gateway that runs, with the channels that the configuration wants, kept
//! in step with the file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::config::Path;
use ::plugins::external::{External, Launch, Pace};
use ::plugins::{Found, Inventory, PluginSettings};
use contract::stdio::Hello;
use contract::{Channel, ChannelError, ChannelId};
use futures_util::future::join_all;
use gateway::{Agent, Config, Gateway, GatewayError};
use serde_json::Value;
use weixin::CHANNEL_ID;

use crate::composition::State;
use crate::config::Configuration;
use crate::error::{CliError, Kind};
use crate::reload;

/// How long a channel may take to go while the others stay.
const LEAVE: Duration = Duration::from_secs(5);

/// What a gateway is started with besides the configuration.
pub(crate) struct Wanted {
    /// The agent of the command line, which answers for all.
    pub(crate) only: Option<Arc<dyn Agent>>,
    /// Who is heard besides.
    pub(crate) allow_from: Vec<String>,
}

/// A gateway and its channels.
pub(crate) struct Running {
    pub(crate) gateway: Gateway,
    state: State,
    wanted: Wanted,
    channels: BTreeMap<ChannelId, Seated>,
}

/// A channel that runs.
struct Seated {
    kind: Kinship,
    channel: Arc<dyn Channel>,
    /// The settings that it has.
    section: Value,
}

/// Whose channel it is; one that is another's now is started anew.
#[derive(Clone, Debug, PartialEq)]
enum Kinship {
    Bundled,
    Plugin {
        id: String,
        root: PathBuf,
        version: Option<String>,
        command: Vec<String>,
        /// When it was installed: another installation is another program, also
        /// under the same version.
        installed_at: Option<String>,
    },
}

/// How it went to start the channels and to give them their settings.
#[derive(Default)]
struct Seating {
    /// What they did not understand.
    warnings: Vec<String>,
    /// Those that do not run, or not with their new settings; the next version of
    /// the file tries again.
    failed: Vec<(ChannelId, ChannelError)>,
}

/// What has become of another version of the file.
#[derive(Debug, Default)]
pub(crate) struct Reloaded {
    /// What differs.
    pub(crate) changed: Vec<Path>,
    /// What was not understood.
    pub(crate) warnings: Vec<String>,
    /// What asks for a new start.
    pub(crate) restart: Vec<Path>,
}

impl Running {
    /// Starts a gateway on a state folder, with all channels that are wanted.
    pub(crate) async fn start(state: State, wanted: Wanted) -> Result<Self, CliError> {
        let state = with_plugins(state).await?;
        let mut config = Config::new(state.gateway(), crate::agents::guide());
        config.rules = state.rules(wanted.only.as_ref(), &wanted.allow_from)?;
        let gateway = Gateway::start(config, Vec::new()).await.map_err(|err| match err {
            GatewayError::Channel { source, .. } => source.into(),
            GatewayError::Rules(_) => CliError::new(Kind::Config, err.to_string()),
            GatewayError::Store(_) => CliError::new(Kind::Config, err.to_string()).caused_by(err),
        })?;
        let mut running = Self { gateway, state, wanted, channels: BTreeMap::new() };
        match running.seat().await.failed.into_iter().next() {
            None => Ok(running),
            Some((_, err)) => Err(err.into()),
        }
    }

    /// Returns the state folder with the configuration that is followed.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Returns what of the configuration cannot be used, and so does not run.
    pub(crate) fn problems(&self) -> Vec<String> {
        let faults = self.state.config().map(Configuration::faults).unwrap_or_default();
        let mut problems: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
        if let Some(fault) = self.state.fault().filter(|_| problems.is_empty()) {
            problems.push(fault.to_owned());
        }
        problems
    }

    /// Reads the file again and follows it. One that cannot be used, or that
    /// has a section that could be used before and cannot any more, changes
    /// nothing.
    pub(crate) async fn reload(&mut self) -> Result<Reloaded, String> {
        let Some(before) = self.state.config().cloned() else { return Ok(Reloaded::default()) };
        let read = tokio::task::spawn_blocking(move || before.again().map(|anew| (before, anew)));
        let read = read.await.map_err(|err| err.to_string())?;
        let (before, anew) = read.map_err(|err| err.message)?;
        let in_words = |err: CliError| err.message;
        let state = self.state.clone().with(anew).map_err(in_words)?;
        let state = with_plugins(state).await.map_err(in_words)?;
        let Some(anew) = state.config() else { return Ok(Reloaded::default()) };
        if let Some(fault) = anew.faults().into_iter().find(|it| !before.faults().contains(it)) {
            return Err(fault.message);
        }
        if let Some(fault) = state.fault().filter(|_| self.state.fault().is_none()) {
            return Err(fault.to_owned());
        }
        let plan = reload::rules().plan(before.usable(), anew.usable());
        anew.warn();
        let rules = state.rules(self.wanted.only.as_ref(), &self.wanted.allow_from);
        let rules = rules.map_err(in_words)?;
        self.gateway.configure(rules).map_err(|err| err.to_string())?;
        self.state = state;
        let Seating { mut warnings, failed } = self.seat().await;
        warnings.extend(failed.into_iter().map(|(id, err)| format!("{id}: {err}")));
        Ok(Reloaded { changed: plan.changed, warnings, restart: plan.restart })
    }

    /// Lets channels go that are not wanted any more, starts those that are, and
    /// gives the others their settings: all at once, so that none waits for a
    /// slow one, nor ends with one that fails.
    async fn seat(&mut self) -> Seating {
        let wanted = self.wanted_channels();
        let stays = |id: &ChannelId, seated: &Seated| wanted.get(id) == Some(&seated.kind);
        let gone: Vec<_> = self.channels.extract_if(.., |id, seated| !stays(id, seated)).collect();
        join_all(gone.iter().map(|(id, _)| {
            tracing::info!(channel = %id, "the channel leaves");
            self.gateway.leave(id, LEAVE)
        }))
        .await;
        let placed = join_all(wanted.into_iter().map(async |(id, kind)| {
            let section = self.section(&id);
            let outcome = self.place(&id, &kind, &section).await;
            (id, outcome.map(|(channel, warnings)| (Seated { kind, channel, section }, warnings)))
        }))
        .await;
        let mut seating = Seating::default();
        for (id, outcome) in placed {
            match outcome {
                Ok((seated, warnings)) => {
                    seating.warnings.extend(warnings);
                    self.channels.insert(id, seated);
                }
                Err(err) => seating.failed.push((id, err)),
            }
        }
        seating
    }

    /// Starts one channel, or gives it its settings if it runs and they are
    /// others now. Returns it with what it did not understand.
    async fn place(
        &self,
        id: &ChannelId,
        kind: &Kinship,
        section: &Value,
    ) -> Result<(Arc<dyn Channel>, Vec<String>), ChannelError> {
        if let Some(Seated { channel, section: earlier, .. }) = self.channels.get(id) {
            let warnings = match earlier == section {
                true => Vec::new(),
                false => channel.configure(section.clone()).await?,
            };
            return Ok((Arc::clone(channel), warnings));
        }
        let channel = self.make(id, kind)?;
        let warnings = match kind {
            Kinship::Bundled => Vec::new(),
            Kinship::Plugin { .. } => channel.configure(section.clone()).await?,
        };
        self.gateway.join(Arc::clone(&channel)).await?;
        Ok((channel, warnings))
    }

    /// Returns the channels that the configuration wants, and whose they are.
    fn wanted_channels(&self) -> BTreeMap<ChannelId, Kinship> {
        let inventory = inventory(&self.state);
        let mut wanted = BTreeMap::new();
        for found in inventory.enabled() {
            for channel in &found.channels {
                if let Some(kind) = kinship(found) {
                    wanted.entry(ChannelId::new(channel.as_str())).or_insert(kind);
                }
            }
        }
        if let Some(fault) = self.state.fault() {
            tracing::error!(fault, "the channel does not run");
            wanted.remove(&ChannelId::new(CHANNEL_ID));
        }
        let config = self.state.config();
        wanted.retain(|id, _| config.is_none_or(|it| it.fault_of(id.as_str()).is_none()));
        wanted
    }

    fn section(&self, id: &ChannelId) -> Value {
        self.state.config().map_or(Value::Null, |config| config.channel(id.as_str()))
    }

    fn make(&self, id: &ChannelId, kind: &Kinship) -> Result<Arc<dyn Channel>, ChannelError> {
        let Kinship::Plugin { id: plugin, root, command, .. } = kind else {
            let channel = self.state.channel();
            let channel = channel.map_err(|err| ChannelError::Failed(err.message))?;
            return Ok(Arc::new(channel));
        };
        let launch = Launch {
            plugin: plugin.clone(),
            channel: id.clone(),
            command: command.clone(),
            dir: root.clone(),
            state_dir: self.state.dir().join("plugins").join(plugin),
            hello: Hello::new("hongyan", env!("CARGO_PKG_VERSION")),
        };
        Ok(Arc::new(External::new(launch, Pace::default())))
    }
}

/// Checks the configuration against what installed plugins say, too.
async fn with_plugins(state: State) -> Result<State, CliError> {
    let Some(config) = state.config().cloned() else { return Ok(state) };
    let looked = tokio::task::spawn_blocking(move || {
        let inventory = inventory(&state);
        state.with(config.with_plugins(&inventory))
    });
    looked.await.map_err(CliError::bug)?
}

/// Looks which plugins there are. Blocks.
pub(crate) fn inventory(state: &State) -> Inventory {
    let settings = PluginSettings::parse(&state.root()["plugins"]).unwrap_or_else(|err| {
        tracing::error!(error = %err, "plugins: settings not understood; only what is built in runs");
        PluginSettings::default()
    });
    let inventory = state.plugins().inventory(&settings);
    for finding in &inventory.findings {
        tracing::warn!("{finding}");
    }
    inventory
}

fn kinship(found: &Found) -> Option<Kinship> {
    let (Some(root), Some(package)) = (&found.root, &found.package) else {
        return Some(Kinship::Bundled);
    };
    let run = package.manifest.run.as_ref()?;
    Some(Kinship::Plugin {
        id: found.id.clone(),
        root: root.clone(),
        version: found.version.clone(),
        command: run.command.clone(),
        installed_at: found.record.as_ref().map(|record| record.installed_at.clone()),
    })
}

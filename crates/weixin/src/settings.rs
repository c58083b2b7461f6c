//! What the channel is told.
//!
//! - [`Settings`] is what it needs to start: its folder, and the rest resolved.
//! - [`ChannelSettings`] is its section of a configuration, checked; it
//!   resolves to [`AccountSettings`], one for each account.
//! - [`Change`] says what other settings mean for an account that runs; `live`
//!   is where its tasks look them up.

use std::path::PathBuf;
use std::time::Duration;

use contract::AccountId;
use ilink::client::{DEFAULT_API, DEFAULT_HOLD, Http};
use ilink::{BotAgent, Client, Endpoints, Identity};
use mediafile::remote::FetchLimits;
use url::Url;

use crate::clock::Clock;
use crate::credentials::{Credentials, Registry};
use crate::intake::IntakeSettings;
use crate::pace::Pace;
use crate::seal::StoreKey;
use crate::sending::SendSettings;

mod change;
mod fields;
mod live;
mod schema;
mod section;

pub use self::change::Change;
pub(crate) use self::live::{LiveSettings, Told};
pub use self::schema::schema;
use self::section::Layers;
pub use self::section::{AccountSettings, ChannelSettings, SettingsError, Warning};

/// The channel's id, in configurations and on the command line.
pub const CHANNEL_ID: &str = "openclaw-weixin";

/// The version of the official plugin whose protocol this channel speaks.
pub const PROTOCOL_VERSION: &str = "2.4.9";

/// What the channel needs to know. Resolved once and handed down.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The channel's folder: credentials, store, media.
    pub dir: PathBuf,
    /// The CDN; by default Tencent's for Tencent's API and `<api>/c2c` for any other.
    pub cdn_url: Option<Url>,
    /// What the bot says it is.
    pub bot_agent: BotAgent,
    /// The route tag, when one is configured.
    pub route_tag: Option<String>,
    /// How long polls are held until the backend says otherwise.
    pub hold: Duration,
    /// How messages leave.
    pub sending: SendSettings,
    /// The clock.
    pub clock: Clock,
    /// When polls are given up, repeated and doubted.
    pub pace: Pace,
    /// Where the locks of bot tokens lie; by default where all programs of
    /// this person on this machine meet.
    pub locks: Option<PathBuf>,
    /// How messages are received.
    pub intake: IntakeSettings,
    /// The key under which credentials lie on disk; without one they lie open.
    pub key: Option<StoreKey>,
    /// What a configuration says, per account.
    pub section: ChannelSettings,
}

impl Settings {
    /// Uses a folder, and the defaults for everything else.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            cdn_url: None,
            bot_agent: BotAgent::default(),
            route_tag: None,
            hold: DEFAULT_HOLD,
            sending: SendSettings::default(),
            clock: Clock::default(),
            pace: Pace::default(),
            locks: None,
            intake: IntakeSettings::default(),
            key: None,
            section: ChannelSettings::default(),
        }
    }

    /// Returns the folder of credentials.
    #[must_use]
    pub fn registry(&self) -> Registry {
        Registry::new(&self.dir).with_key(self.key.clone())
    }

    /// Returns what holds for an account: what the section says of it, else of
    /// all, else what stands here.
    #[must_use]
    pub fn for_account(
        &self,
        account: &AccountId,
        credentials: Option<&Credentials>,
    ) -> AccountSettings {
        let alias = credentials.and_then(|found| found.alias.as_deref());
        let layers = self.section.layers(account, alias);
        let issued = credentials.and_then(|found| found.base_url.clone());
        let own = self.resolve(layers, layers.base_url().or(issued));
        AccountSettings { name: alias.map(str::to_owned).or(own.name), ..own }
    }

    /// Returns a client for a login: at the base that is named, else at the one
    /// that is configured, else at Tencent's.
    #[must_use]
    pub fn login_client(&self, http: Http, base: Option<Url>) -> Client {
        self.resolve(self.section.layers_of_others(), base).client(http)
    }

    /// Returns a client that speaks for an account, by what is configured for it.
    #[must_use]
    pub fn account_client(
        &self,
        http: Http,
        account: &AccountId,
        credentials: &Credentials,
    ) -> Client {
        let own = self.for_account(account, Some(credentials));
        own.client(http).with_token(credentials.token.clone())
    }

    /// Returns the networks beside the public one that media may be fetched from.
    pub(crate) fn networks(&self) -> Vec<String> {
        self.resolve(self.section.layers_of_others(), None).sending.media_networks
    }

    /// Returns what bounds the fetching of media.
    pub(crate) fn fetch_limits(&self) -> FetchLimits {
        let own_networks = self.networks().iter().filter_map(|text| text.parse().ok()).collect();
        FetchLimits { own_networks, ..FetchLimits::default() }
    }

    fn resolve(&self, layers: Layers<'_>, base_url: Option<Url>) -> AccountSettings {
        layers.over(AccountSettings {
            name: None,
            enabled: true,
            base_url: base_url.or_else(|| self.section.login_url()),
            cdn_url: self.cdn_url.clone(),
            route_tag: self.route_tag.clone(),
            bot_agent: self.bot_agent.clone(),
            sending: self.sending.clone(),
            receiving: self.intake.clone(),
        })
    }

    /// Where copies of media lie until they have left.
    pub(crate) fn files(&self) -> PathBuf {
        self.dir.join("outbox")
    }

    /// Where media that came lie for a while.
    pub(crate) fn received(&self) -> PathBuf {
        self.dir.join("received")
    }

    /// Where media of messages lie that may be quoted.
    pub(crate) fn quoted(&self) -> PathBuf {
        self.dir.join("quoted")
    }

    /// The file of the channel's store.
    pub(crate) fn store(&self) -> PathBuf {
        self.dir.join("channel.sqlite")
    }
}

impl AccountSettings {
    /// Returns a client for the backend, without a token.
    pub(crate) fn client(&self, http: Http) -> Client {
        let endpoints = match &self.base_url {
            Some(api) if api.as_str().trim_end_matches('/') != DEFAULT_API => {
                let cdn = self.cdn_url.clone().unwrap_or_else(|| own_cdn(api));
                Endpoints::at(api.clone()).with_cdn(cdn)
            }
            _ => match &self.cdn_url {
                Some(cdn) => Endpoints::default().with_cdn(cdn.clone()),
                None => Endpoints::default(),
            },
        };
        let mut identity = Identity::new(PROTOCOL_VERSION);
        identity.bot_agent = self.bot_agent.clone();
        identity.route_tag.clone_from(&self.route_tag);
        Client::new(http, endpoints, identity)
    }
}

/// A backend of one's own serves its CDN below its API.
fn own_cdn(api: &Url) -> Url {
    let mut cdn = api.clone();
    cdn.set_path(&format!("{}/c2c", api.path().trim_end_matches('/')));
    cdn
}

//! The channel's section of a configuration: read once, resolved per account.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use contract::AccountId;
use ilink::{BotAgent, BotId};
use serde_json::Value;
use url::Url;

use super::fields::{FIELDS, Field, NOT_OURS, schema};
use crate::account_id::account_id;

/// What the section says, checked, and not yet resolved for any account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelSettings {
    channel: Layer,
    /// By key as it stands in the section: an account's id, or its alias.
    accounts: BTreeMap<String, Layer>,
}

/// What holds for one account: its own fields, else the channel's, else the
/// defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSettings {
    /// How the account is called where it has no alias.
    pub name: Option<String>,
    /// Whether it runs.
    pub enabled: bool,
    /// The API in place of the one that the login gave.
    pub base_url: Option<Url>,
    /// The CDN in place of the one that belongs to the API.
    pub cdn_url: Option<Url>,
    /// The route tag.
    pub route_tag: Option<String>,
    /// What the bot says it is.
    pub bot_agent: Option<BotAgent>,
    /// Whether the use of tools is shown.
    pub reply_progress: bool,
    /// What is kept to resolve quotes.
    pub quotes: QuoteSettings,
}

/// What is kept of messages to resolve quotes.
#[derive(Clone, Debug, PartialEq)]
pub struct QuoteSettings {
    /// Whether anything is kept.
    pub enabled: bool,
    /// How long messages are kept.
    pub retention: Duration,
    /// The most messages that are kept per account.
    pub most_messages: u64,
    /// How long media are kept.
    pub media_retention: Duration,
    /// The most bytes of media that are kept per account.
    pub most_media_bytes: u64,
    /// The largest media that is kept, in bytes.
    pub largest_media: u64,
}

/// Something in a section that is not understood and does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where in the section.
    pub path: String,
    /// What was perhaps meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: not known, and ignored", self.path)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

/// A section cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct SettingsError {
    /// Where in the section; empty for the section itself.
    pub path: String,
    /// What is wrong, and what would do.
    pub reason: String,
}

/// Checked values by path.
#[derive(Clone, Debug, Default, PartialEq)]
struct Layer(BTreeMap<&'static str, Value>);

impl ChannelSettings {
    /// Reads a section. Unknown keys are warned of, since they may be another
    /// version's; a key that is `null` counts as left out.
    ///
    /// # Errors
    ///
    /// When a known field has a value that it cannot have.
    pub fn parse(section: &Value) -> Result<(Self, Vec<Warning>), SettingsError> {
        let mut reader = Reader { warnings: Vec::new() };
        let channel = reader.layer(section, "", false)?;
        let mut settings = Self { channel, accounts: BTreeMap::new() };
        let accounts = section.get("accounts").filter(|value| !value.is_null());
        for (key, value) in accounts.map(|it| entries(it, "accounts")).transpose()?.unwrap_or(&NONE)
        {
            let path = format!("accounts.{key}.");
            settings.accounts.insert(key.clone(), reader.layer(value, &path, true)?);
        }
        Ok((settings, reader.warnings))
    }

    /// Returns the JSON Schema of a section.
    #[must_use]
    pub fn schema() -> Value {
        schema()
    }

    /// Resolves what holds for one account. The section may name it by its id
    /// in any form, or by its alias in any case; the id wins.
    #[must_use]
    pub fn for_account(&self, account: &AccountId, alias: Option<&str>) -> AccountSettings {
        let by_id = |key: &str| account_id(&BotId::from(key)) == *account;
        let by_alias =
            |key: &str| alias.is_some_and(|alias| alias.to_lowercase() == key.to_lowercase());
        let named = |is_meant: &dyn Fn(&str) -> bool| {
            self.accounts.iter().find(|(key, _)| is_meant(key)).map(|(_, layer)| layer)
        };
        self.resolve(named(&by_id).or_else(|| named(&by_alias)))
    }

    /// Returns what holds for accounts that the section does not name.
    #[must_use]
    pub fn for_others(&self) -> AccountSettings {
        self.resolve(None)
    }

    /// Returns where logins begin, unless at Tencent's API.
    #[must_use]
    pub fn login_url(&self) -> Option<Url> {
        Resolver { own: None, channel: &self.channel }.url("baseUrl")
    }

    /// Returns the file whose content encrypts the credentials on disk.
    #[must_use]
    pub fn credentials_key_file(&self) -> Option<PathBuf> {
        Resolver { own: None, channel: &self.channel }.text("credentialsKeyFile").map(PathBuf::from)
    }

    fn resolve(&self, own: Option<&Layer>) -> AccountSettings {
        let of = Resolver { own, channel: &self.channel };
        // The channel's base is where logins begin; it must not move accounts.
        let base_url = Resolver { own: None, channel: own.unwrap_or(&NO_LAYER) }.url("baseUrl");
        AccountSettings {
            name: of.text("name"),
            enabled: of.flag("enabled"),
            base_url,
            cdn_url: of.url("cdnBaseUrl"),
            route_tag: of.text("routeTag"),
            bot_agent: of.text("botAgent").map(|text| BotAgent::sanitize(&text)),
            reply_progress: of.flag("replyProgressMessages"),
            quotes: QuoteSettings {
                enabled: of.flag("quoteCache.enabled"),
                retention: of.days("quoteCache.retentionDays"),
                most_messages: of.count("quoteCache.maxMessagesPerAccount"),
                media_retention: of.days("quoteCache.mediaRetentionDays"),
                most_media_bytes: of.count("quoteCache.maxMediaBytesPerAccount"),
                largest_media: of.count("quoteCache.maxSingleMediaBytes"),
            },
        }
    }
}

static NO_LAYER: Layer = Layer(BTreeMap::new());
static NONE: std::sync::LazyLock<serde_json::Map<String, Value>> =
    std::sync::LazyLock::new(serde_json::Map::new);

/// Looks a field up: the account's, else the channel's, else the default.
struct Resolver<'a> {
    own: Option<&'a Layer>,
    channel: &'a Layer,
}

impl Resolver<'_> {
    fn value(&self, path: &str) -> Value {
        let configured = self.own.and_then(|own| own.0.get(path));
        if let Some(value) = configured.or_else(|| self.channel.0.get(path)) {
            return value.clone();
        }
        let field = FIELDS.iter().find(|field| field.path == path);
        debug_assert!(field.is_some(), "{path} is not in the table of fields");
        field.map(Field::default).unwrap_or_default()
    }

    fn flag(&self, path: &str) -> bool {
        self.value(path).as_bool().unwrap_or_default()
    }

    fn text(&self, path: &str) -> Option<String> {
        self.value(path).as_str().map(str::to_owned).filter(|text| !text.is_empty())
    }

    fn url(&self, path: &str) -> Option<Url> {
        self.text(path)?.parse().ok()
    }

    fn count(&self, path: &str) -> u64 {
        self.value(path).as_u64().unwrap_or_default()
    }

    fn days(&self, path: &str) -> Duration {
        const DAY_SECS: f64 = 86_400.0;
        let days = self.value(path).as_f64().unwrap_or_default();
        Duration::try_from_secs_f64(days * DAY_SECS).unwrap_or_default()
    }
}

struct Reader {
    warnings: Vec<Warning>,
}

impl Reader {
    /// Reads the fields of the section or of one account; `at` is where they
    /// stand, with a dot behind.
    fn layer(
        &mut self,
        object: &Value,
        at: &str,
        of_account: bool,
    ) -> Result<Layer, SettingsError> {
        let fields: Vec<_> =
            FIELDS.iter().filter(|field| field.per_account || !of_account).collect();
        let mut layer = Layer::default();
        for (path, value) in flat(object, at)? {
            match fields.iter().find(|field| field.path == path) {
                Some(_) if value.is_null() => {}
                Some(field) => {
                    let checked = field
                        .kind
                        .check(value)
                        .map_err(|reason| SettingsError { path: format!("{at}{path}"), reason })?;
                    layer.0.insert(field.path, checked);
                }
                None if NOT_OURS.contains(&path.as_str()) => {}
                None if path == "accounts" && !of_account => {}
                None => self.warn(at, &path, &fields),
            }
        }
        Ok(layer)
    }

    fn warn(&mut self, at: &str, path: &str, fields: &[&'static Field]) {
        /// Below this, two words have nothing to do with each other.
        const SIMILAR: f64 = 0.7;
        let likeness =
            |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &path.to_lowercase());
        let known = fields.iter().map(|field| field.path).chain(["accounts"]);
        let nearest = known.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let suggestion = nearest.filter(|known| likeness(known) >= SIMILAR);
        self.warnings.push(Warning {
            path: format!("{at}{path}"),
            suggestion: suggestion.map(|known| format!("{at}{known}")),
        });
    }
}

/// Returns the fields of an object by path, going into objects that the table
/// knows as such.
fn flat<'a>(object: &'a Value, at: &str) -> Result<Vec<(String, &'a Value)>, SettingsError> {
    let groups: BTreeSet<_> =
        FIELDS.iter().filter_map(|field| Some(field.path.split_once('.')?.0)).collect();
    let mut flat = Vec::new();
    for (key, value) in entries(object, at.trim_end_matches('.'))? {
        if !groups.contains(key.as_str()) || value.is_null() {
            flat.push((key.clone(), value));
            continue;
        }
        for (inner, value) in entries(value, &format!("{at}{key}"))? {
            flat.push((format!("{key}.{inner}"), value));
        }
    }
    Ok(flat)
}

fn entries<'a>(
    value: &'a Value,
    path: &str,
) -> Result<&'a serde_json::Map<String, Value>, SettingsError> {
    value.as_object().ok_or_else(|| SettingsError {
        path: path.to_owned(),
        reason: "it must be an object in braces".to_owned(),
    })
}

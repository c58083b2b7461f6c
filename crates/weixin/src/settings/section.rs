//! The channel's section of a configuration: read once, resolved per account.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use contract::{AccountId, ChannelError};
use ilink::{BotAgent, BotId};
use serde_json::{Map, Value};
use url::Url;

use super::fields::{FIELDS, Field, NOT_OURS, PRESET, is_group, pointer, schema};
use crate::account_id::account_id;
use crate::governor::Limits;
use crate::intake::IntakeSettings;
use crate::sending::SendSettings;

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
    /// How the account is called: its alias, else the name in the section.
    pub name: Option<String>,
    /// Whether it runs.
    pub enabled: bool,
    /// The API of the account, if it is not Tencent's.
    pub base_url: Option<Url>,
    /// The CDN in place of the one that belongs to the API.
    pub cdn_url: Option<Url>,
    /// The route tag.
    pub route_tag: Option<String>,
    /// What the bot says it is.
    pub bot_agent: BotAgent,
    /// How messages leave.
    pub sending: SendSettings,
    /// How messages are received.
    pub receiving: IntakeSettings,
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

impl From<SettingsError> for ChannelError {
    fn from(err: SettingsError) -> Self {
        let SettingsError { path, reason } = err;
        Self::Settings { path, reason }
    }
}

/// Checked values by path.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layer(BTreeMap<&'static str, Value>);

impl ChannelSettings {
    /// Reads a section. Unknown keys are warned of, since they may be another
    /// version's; a key that is `null` counts as left out.
    ///
    /// # Errors
    ///
    /// When a known field has a value that it cannot have.
    pub fn parse(section: &Value) -> Result<(Self, Vec<Warning>), SettingsError> {
        let mut settings = Self::default();
        let mut reader = Reader { of_account: false, at: String::new(), warnings: Vec::new() };
        settings.channel = reader.layer(section)?;
        reader.of_account = true;
        let accounts = section.get("accounts").filter(|value| !value.is_null());
        for (key, value) in accounts.map(|it| entries(it, "accounts")).transpose()?.unwrap_or(&NONE)
        {
            reader.at = format!("accounts.{key}.");
            settings.accounts.insert(key.clone(), reader.layer(value)?);
        }
        Ok((settings, reader.warnings))
    }

    /// Returns the JSON Schema of a section.
    #[must_use]
    pub fn schema() -> Value {
        schema()
    }

    /// Returns where logins begin, unless at Tencent's API.
    #[must_use]
    pub fn login_url(&self) -> Option<Url> {
        self.channel.url("baseUrl")
    }

    /// Returns the file whose content encrypts the credentials on disk.
    #[must_use]
    pub fn credentials_key_file(&self) -> Option<PathBuf> {
        self.channel.text("credentialsKeyFile").map(PathBuf::from)
    }

    /// Returns what the section says of one account, from the general to the
    /// particular. It may name it by its id in any form, or by its alias in any
    /// case; the id wins.
    pub(super) fn layers(&self, account: &AccountId, alias: Option<&str>) -> Layers<'_> {
        let by_id = |key: &str| account_id(&BotId::from(key)) == *account;
        let by_alias =
            |key: &str| alias.is_some_and(|alias| alias.to_lowercase() == key.to_lowercase());
        let named = |is_meant: &dyn Fn(&str) -> bool| {
            self.accounts.iter().find(|(key, _)| is_meant(key)).map(|(_, layer)| layer)
        };
        let own = named(&by_id).or_else(|| named(&by_alias));
        Layers { channel: &self.channel, own }
    }

    /// Returns what holds for accounts that the section does not name.
    pub(super) fn layers_of_others(&self) -> Layers<'_> {
        Layers { channel: &self.channel, own: None }
    }
}

/// What holds for one account.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    channel: &'a Layer,
    own: Option<&'a Layer>,
}

impl Layers<'_> {
    /// Returns the account's own base. The channel's is where logins begin; it
    /// must not move accounts.
    pub(super) fn base_url(&self) -> Option<Url> {
        self.own?.url("baseUrl")
    }

    /// Puts what is said over what holds otherwise. The base is taken as it is.
    pub(super) fn over(&self, under: AccountSettings) -> AccountSettings {
        let is_tencents = is_tencents(under.base_url.as_ref());
        let limits = match self.find("sending.limits.preset").and_then(Value::as_str) {
            Some("tencent") => Limits::tencent(),
            Some("open") => Limits::open(),
            Some(_) | None => under.sending.limits.clone().for_api(is_tencents),
        };
        let sending = SendSettings { limits, ..under.sending };
        AccountSettings {
            name: self.text("name").or(under.name),
            enabled: self.find("enabled").and_then(Value::as_bool).unwrap_or(under.enabled),
            base_url: under.base_url,
            cdn_url: self.last(|layer| layer.url("cdnBaseUrl")).or(under.cdn_url),
            route_tag: self.text("routeTag").or(under.route_tag),
            bot_agent: self.text("botAgent").map_or(under.bot_agent, |it| BotAgent::sanitize(&it)),
            sending: self.onto(sending, "sending"),
            receiving: self.onto(under.receiving, "receiving"),
        }
    }

    /// Replaces those parts of a struct that fields configure.
    fn onto<T>(&self, under: T, home: &str) -> T
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let mut json = match serde_json::to_value(&under) {
            Ok(json) => json,
            Err(err) => {
                // Such as a folder whose name is not Unicode.
                tracing::error!(home, error = %err, "settings cannot be changed here");
                return under;
            }
        };
        for layer in [Some(self.channel), self.own].into_iter().flatten() {
            for field in FIELDS.iter().filter(|field| !field.path.ends_with(PRESET)) {
                let path = field.home();
                let Some(path) = path.strip_prefix(home).and_then(|it| it.strip_prefix('.')) else {
                    continue;
                };
                if let Some(value) = layer.0.get(field.path) {
                    set(&mut json, path, value.clone());
                }
            }
        }
        serde_json::from_value(json).unwrap_or_else(|err| {
            debug_assert!(false, "a checked value does not fit: {err}");
            under
        })
    }

    /// Looks a field up: the account's, else the channel's.
    fn find(&self, path: &str) -> Option<&Value> {
        self.own.and_then(|own| own.0.get(path)).or_else(|| self.channel.0.get(path))
    }

    fn last<T>(&self, look: impl Fn(&Layer) -> Option<T>) -> Option<T> {
        self.own.and_then(&look).or_else(|| look(self.channel))
    }

    fn text(&self, path: &str) -> Option<String> {
        self.last(|layer| layer.text(path))
    }
}

impl Layer {
    fn text(&self, path: &str) -> Option<String> {
        let text = self.0.get(path)?.as_str()?;
        Some(text.to_owned()).filter(|text| !text.is_empty())
    }

    fn url(&self, path: &str) -> Option<Url> {
        self.text(path)?.parse().ok()
    }
}

/// Says whether an API is one of Tencent's, whose known hosts lie under this name.
fn is_tencents(api: Option<&Url>) -> bool {
    let Some(api) = api else { return true };
    let host = api.host_str().unwrap_or_default();
    host == "qq.com" || host.ends_with(".qq.com")
}

/// Puts a value in its place, and objects on the way there.
fn set(json: &mut Value, path: &str, value: Value) {
    if let Some(place) = json.pointer_mut(&pointer(path)) {
        *place = value;
        return;
    }
    let (outer, inner) = path.rsplit_once('.').unwrap_or(("", path));
    let Some(group) = json.pointer_mut(&pointer(outer)) else { return };
    if !group.is_object() {
        *group = Value::Object(Map::new());
    }
    group[inner] = value;
}

static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

/// Reads the section, or the part of one account.
struct Reader {
    of_account: bool,
    /// Where the fields stand, with a dot behind.
    at: String,
    warnings: Vec<Warning>,
}

impl Reader {
    fn layer(&mut self, object: &Value) -> Result<Layer, SettingsError> {
        let mut layer = Layer::default();
        self.read("", object, &mut layer)?;
        Ok(layer)
    }

    /// Reads the fields of one object; `group` is its path, with a dot behind.
    fn read(
        &mut self,
        group: &str,
        object: &Value,
        layer: &mut Layer,
    ) -> Result<(), SettingsError> {
        let at = format!("{}{group}", self.at);
        for (key, value) in entries(object, at.trim_end_matches('.'))? {
            let path = format!("{group}{key}");
            if value.is_null() && (is_group(&path) || self.known(&path).is_some()) {
                continue;
            }
            let preset = format!("{path}.{PRESET}");
            match self.known(&path).or_else(|| self.known(&preset)) {
                _ if is_group(&path) && value.is_object() => {
                    self.read(&format!("{path}."), value, layer)?;
                }
                Some(field) => {
                    let checked = field.kind.check(value).map_err(|reason| SettingsError {
                        path: format!("{}{path}", self.at),
                        reason,
                    })?;
                    layer.0.insert(field.path, checked);
                }
                None if is_group(&path) => return Err(no_object(format!("{}{path}", self.at))),
                None if NOT_OURS.contains(&path.as_str()) => {}
                None if path == "accounts" && !self.of_account => {}
                None => self.warn(&path),
            }
        }
        Ok(())
    }

    fn known(&self, path: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.path == path)
    }

    fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        let of_account = self.of_account;
        FIELDS.iter().filter(move |field| field.is_per_account() || !of_account)
    }

    fn warn(&mut self, path: &str) {
        /// Below this, two words have nothing to do with each other.
        const SIMILAR: f64 = 0.7;
        let likeness =
            |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &path.to_lowercase());
        // Fields, and the groups that they stand in, as deep as this.
        let depth = path.split('.').count();
        let cut = |field: &'static Field| match field.path.match_indices('.').nth(depth - 1) {
            Some((end, _)) => &field.path[..end],
            None => field.path,
        };
        let known = self.fields().map(cut).chain(["accounts"]);
        let nearest = known.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let suggestion = nearest.filter(|known| likeness(known) >= SIMILAR);
        self.warnings.push(Warning {
            path: format!("{}{path}", self.at),
            suggestion: suggestion.map(|known| format!("{}{known}", self.at)),
        });
    }
}

fn entries<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, SettingsError> {
    value.as_object().ok_or_else(|| no_object(path.to_owned()))
}

fn no_object(path: String) -> SettingsError {
    SettingsError { path, reason: "it must be an object in braces".to_owned() }
}

//! The configuration file as the program uses it: read whole, checked, with the
//! WeChat channel under its one name.

use std::path::{Path, PathBuf};

use ::config::{
    Checked, Environment, File, Issue, Loaded, Path as Place, Schema, Severity, Watcher,
};
use plugins::{House, Inventory, PluginSettings};
use serde_json::{Map, Value, json};
use weixin::CHANNEL_ID;

use crate::error::{CliError, Kind};
use crate::rules;
use crate::texts::t;

/// The names of the WeChat channel under `channels`, its own first.
pub(crate) const CHANNEL_NAMES: [&str; 3] = [CHANNEL_ID, "weixin", "wechat"];
/// What the file in a state folder is called.
const NAME: &str = "config.json5";

/// A configuration file, as it was read last. One that is not there says nothing.
#[derive(Clone)]
pub(crate) struct Configuration {
    file: File,
    loaded: Loaded,
    checked: Checked,
    /// What can be used of it.
    usable: Value,
    /// Under which of its names the WeChat channel stands there.
    name: &'static str,
}

/// What is wrong with a file that can be used otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The section, which counts as not written; the whole file has none.
    pub(crate) section: Option<String>,
    /// What and where.
    pub(crate) message: String,
}

/// Returns where the file is: the one that was named, or the one of the folder.
pub(crate) fn path(named: Option<PathBuf>, dir: &Path) -> PathBuf {
    named.unwrap_or_else(|| dir.join(NAME))
}

/// Names the file, with the variables of this process.
pub(crate) fn file(path: PathBuf) -> File {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    File::open(path).with_environment(Environment::new(std::env::vars_os().filter_map(text)))
}

/// Returns what may stand in the file: the channel's section by each of its names.
pub(crate) fn schema() -> Schema {
    CHANNEL_NAMES.iter().fold(Schema::standard(), |schema, name| {
        schema.with_section(&section(name), weixin::settings::schema())
    })
}

/// Returns what may stand in a file, with the sections of the plugins that are
/// there by what the file itself says. Blocks.
pub(crate) fn schema_for(root: &Value, house: &House) -> Schema {
    match PluginSettings::parse(&root["plugins"]) {
        Ok(settings) => schema_with(&house.inventory(&settings)),
        Err(_) => schema(),
    }
}

/// Adds what installed plugins say of their sections.
fn schema_with(plugins: &Inventory) -> Schema {
    let mut whole = schema();
    for found in plugins.enabled() {
        let Some(manifest) = found.package.as_ref().map(|package| &package.manifest) else {
            continue;
        };
        for channel in &manifest.channels {
            let told = manifest.channel_configs.get(channel).map(|config| config.schema.clone());
            let section = section(channel.as_str());
            whole = whole.with_section(&section, with_ours(told.unwrap_or_default()));
        }
        let own = Place::root().key("plugins").key("entries").key(&found.id).key("config");
        whole = whole.with_section(&own, Value::Object(manifest.config_schema.clone()));
    }
    whole
}

/// Adds the keys of a channel's section that are the host's own matter.
fn with_ours(schema: Map<String, Value>) -> Value {
    let policy = json!({"enum": ["pairing", "allowlist", "open", "disabled"]});
    let of_account = json!({"dmPolicy": policy, "allowFrom": {"type": "array"}});
    let mut schema = Value::Object(schema);
    let Some(properties) = schema["properties"].as_object_mut() else { return schema };
    let accounts = json!({"type": "object", "additionalProperties": {"properties": of_account}});
    properties.entry("dmPolicy").or_insert(policy);
    properties.entry("allowFrom").or_insert(json!({"type": "array"}));
    properties.entry("accounts").or_insert(accounts);
    schema
}

fn section(channel: &str) -> Place {
    Place::root().key("channels").key(channel)
}

impl Configuration {
    /// Reads the file that was named, which must be there, or the one in the
    /// state folder.
    pub(crate) fn read(named: Option<PathBuf>, dir: &Path) -> Result<Self, CliError> {
        let must_be_there = named.is_some();
        let configuration = Self::of(file(path(named, dir)))?;
        if must_be_there && !configuration.loaded.is_there {
            let file = configuration.path().display();
            return Err(wrong(t!("config.no_file", file = file).into_owned()));
        }
        Ok(configuration)
    }

    /// Reads the file anew.
    pub(crate) fn again(&self) -> Result<Self, CliError> {
        Self::of(self.file.clone())
    }

    fn of(file: File) -> Result<Self, CliError> {
        let loaded = file.read().map_err(|err| wrong(err.to_string()))?;
        Ok(Self::checked(file, loaded, &schema()))
    }

    /// Checks it against what the plugins that are there say of their sections, too.
    pub(crate) fn with_house(self, house: &House) -> Self {
        let schema = schema_for(&self.loaded.effective, house);
        Self::checked(self.file, self.loaded, &schema)
    }

    /// Checks it against what these plugins say of their sections, too.
    pub(crate) fn with_plugins(self, plugins: &Inventory) -> Self {
        Self::checked(self.file, self.loaded, &schema_with(plugins))
    }

    fn checked(file: File, loaded: Loaded, schema: &Schema) -> Self {
        let mut checked = schema.check(&loaded);
        let name = under_one_name(&loaded, &mut checked);
        let mut usable = checked.usable(&loaded.effective);
        if let Some(channels) = usable.get_mut("channels").and_then(Value::as_object_mut) {
            let section = channels.remove(name);
            channels.retain(|name, _| !CHANNEL_NAMES.contains(&name.as_str()));
            channels.extend(section.map(|section| (CHANNEL_ID.to_owned(), section)));
        }
        Self { file, loaded, checked, usable, name }
    }

    /// Returns where the file is, whether it is there or not.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns all that can be used of the file.
    pub(crate) fn usable(&self) -> &Value {
        &self.usable
    }

    /// Returns the section of a channel; empty if it says nothing or is broken,
    /// but for what follows from other sections.
    pub(crate) fn channel(&self, id: &str) -> Value {
        let section = self.written(id);
        if id == CHANNEL_ID { rules::with_queue(&self.usable, section) } else { section }
    }

    /// Returns the section of a channel without what follows from other sections.
    pub(crate) fn written(&self, id: &str) -> Value {
        let section = self.usable.get("channels").and_then(|channels| channels.get(id));
        let section = section.filter(|it| !it.is_null()).cloned();
        section.unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// Returns where a setting of the WeChat channel stands.
    pub(crate) fn place(&self, setting: &str) -> String {
        format!("channels.{}.{setting}", self.name).trim_end_matches('.').to_owned()
    }

    /// Returns what is wrong with the section of a channel, if it is broken.
    pub(crate) fn fault_of(&self, channel: &str) -> Option<String> {
        let name = if channel == CHANNEL_ID { self.name } else { channel };
        let issues = self.checked.broken.get(&section(name))?;
        Some(issues.iter().map(located).collect::<Vec<_>>().join("; "))
    }

    /// Returns all sections that cannot be used.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let broken = self.checked.broken.iter();
        let faults = broken.flat_map(|(section, issues)| {
            issues.iter().map(|issue| Fault {
                section: (!section.is_root()).then(|| section.to_string()),
                message: located(issue),
            })
        });
        faults.collect()
    }

    /// Reports what in the file was not understood.
    pub(crate) fn warn(&self) {
        let file = self.path().display();
        for warning in &self.loaded.warnings {
            tracing::warn!(%file, "{warning}");
        }
        for issue in &self.checked.warnings {
            tracing::warn!(%file, "{}", located(issue));
        }
        for Fault { message, .. } in self.faults() {
            tracing::error!(%file, "{message}; the section is not used");
        }
    }

    /// Returns a secret, unless what it refers to is missing.
    pub(crate) fn secret(&self, path: &Place) -> Option<String> {
        if let Some(missing) = self.loaded.missing(path) {
            tracing::error!("{missing}");
            return None;
        }
        path.get(&self.usable).and_then(Value::as_str).map(str::to_owned)
    }

    /// Returns a path in the file: one that is not whole begins at the file's folder.
    pub(crate) fn whole(&self, path: &Path) -> PathBuf {
        self.path().parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    /// Watches the file and what it includes, from when it was read.
    pub(crate) fn watcher(&self) -> Watcher {
        Watcher::new(&self.loaded)
    }

    /// Goes on watching, with the files of this version.
    pub(crate) fn follow(&self, watcher: &mut Watcher) {
        watcher.follow(&self.loaded);
    }
}

/// Finds the name under which the channel stands there. Under a second one it
/// cannot be told which counts, so the section is broken.
fn under_one_name(loaded: &Loaded, checked: &mut Checked) -> &'static str {
    let is_there = |name: &&str| section(name).get(&loaded.effective).is_some();
    let mut names = CHANNEL_NAMES.into_iter().filter(is_there);
    let first = names.next().unwrap_or(CHANNEL_ID);
    for second in names {
        let path = section(second);
        let issue = Issue {
            place: loaded.place(&path).cloned(),
            message: format!("the channel stands there already, as {first}"),
            path,
            suggestion: None,
            severity: Severity::Error,
        };
        checked.broken.entry(section(first)).or_default().push(issue);
    }
    first
}

fn located(issue: &Issue) -> String {
    match &issue.place {
        Some(place) => format!("{place}: {issue}"),
        None => issue.to_string(),
    }
}

/// Errors of the file say all that there is to say in one line.
pub(crate) fn wrong(message: String) -> CliError {
    CliError::new(Kind::Config, message).hinted(t!("hint.config"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Configuration, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(NAME), text).unwrap();
        let folder = format!("{}/", dir.path().display());
        Configuration::read(None, dir.path()).map_err(|err| err.message.replace(&folder, ""))
    }

    #[test]
    fn the_section_is_found_under_each_name_and_json5_is_read() {
        for name in CHANNEL_NAMES {
            let text = format!("{{ // mine\n channels: {{ '{name}': {{ routeTag: 0x7, }}, }}, }}");
            let read = read(&text).unwrap();
            assert_eq!(read.channel(CHANNEL_ID), json!({"routeTag": 7}));
            assert_eq!(read.place("routeTag"), format!("channels.{name}.routeTag"));
        }
        assert_eq!(read("{}").unwrap().channel(CHANNEL_ID), json!({}));
    }

    #[test]
    fn a_wrong_value_breaks_its_section_and_nothing_else() {
        let text = "{channels: {weixin: {enabled: 'perhaps'}}, session: {dmScope: 'main'}}";
        let read = read(text).unwrap();
        assert_eq!(read.channel(CHANNEL_ID), json!({}));
        assert_eq!(read.usable()["session"], json!({"dmScope": "main"}));
        let sections: Vec<_> = read.faults().into_iter().map(|fault| fault.section).collect();
        assert_eq!(sections, [Some("channels.weixin".to_owned())]);
        assert!(read.fault_of(CHANNEL_ID).is_some_and(|it| it.contains("enabled")));
    }

    #[test]
    fn a_channel_that_stands_there_twice_is_used_under_neither_name() {
        let read = read("{channels: {weixin: {}, wechat: {name: 'x'}}}").unwrap();
        assert!(read.fault_of(CHANNEL_ID).is_some_and(|it| it.contains("as weixin")));
        assert_eq!(read.channel(CHANNEL_ID), json!({}));
    }

    #[test]
    fn a_file_that_cannot_be_read_says_where() {
        let cases =
            [("{a: 1\n b: 2}", "config.json5:1:6"), ("[]", "config.json5: it must be an object")];
        for (text, expected) in cases {
            let err = read(text).map(drop).unwrap_err();
            assert!(err.starts_with(expected), "{text}: {err}");
        }
    }
}

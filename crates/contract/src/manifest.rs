//! What a plugin says of itself: `openclaw.plugin.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ChannelId;
use crate::json::plain;

/// The name of the file at the root of a plugin.
pub const FILE_NAME: &str = "openclaw.plugin.json";

/// How long an id may be.
const MAX_ID: usize = 128;

/// A plugin's manifest, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The plugin's id: usable as the name of a folder and as a key.
    pub id: String,
    /// Its version.
    pub version: Option<String>,
    /// Its name, for people.
    pub name: Option<String>,
    /// What it is for, in a sentence.
    pub description: Option<String>,
    /// The channels that it brings.
    pub channels: Vec<ChannelId>,
    /// What it says of each of them, if anything.
    pub channel_configs: BTreeMap<ChannelId, ChannelConfig>,
    /// The JSON schema of the plugin's own settings.
    pub config_schema: Map<String, Value>,
    /// How to run it. Plugins without are for other hosts.
    pub run: Option<Run>,
}

/// What a manifest says of a channel.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ChannelConfig {
    /// The JSON schema of the channel's section.
    #[serde(default)]
    pub schema: Map<String, Value>,
    /// The channel's name, for people.
    pub label: Option<String>,
    /// What it is, in a sentence.
    pub description: Option<String>,
}

/// How a plugin is run: our own part of the manifest, under `hongyan`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Run {
    /// The program and its arguments; run in the plugin's folder.
    pub command: Vec<String>,
    /// The version of the contract that it speaks.
    pub contract: u32,
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is no JSON.
    #[error("{FILE_NAME} is not JSON: line {line}, column {column}: {reason}")]
    NoJson {
        /// Where, from 1.
        line: usize,
        /// Where in the line.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Something in it is not what it must be.
    #[error("{FILE_NAME}: {place}: {reason}")]
    At {
        /// Where: keys with dots between them.
        place: String,
        /// What is wrong there.
        reason: String,
    },
}

/// The file as it is written; keys of other hosts are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    id: String,
    version: Option<String>,
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    channels: Vec<ChannelId>,
    #[serde(default)]
    channel_configs: BTreeMap<ChannelId, ChannelConfig>,
    config_schema: Map<String, Value>,
    hongyan: Option<Run>,
}

impl Manifest {
    /// Reads a manifest. Keys that are not known are passed over.
    ///
    /// # Errors
    ///
    /// When it is no JSON, or something in it is missing or wrong: says where.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut json = serde_json::Deserializer::from_str(text);
        let raw: Raw = serde_path_to_error::deserialize(&mut json).map_err(|err| {
            let place = err.path().to_string();
            let err = err.into_inner();
            if err.is_data() { at(&place, plain(&err)) } else { no_json(&err) }
        })?;
        json.end().map_err(|err| no_json(&err))?;
        check(&raw)?;
        let Raw { id, version, name, description, channels, .. } = raw;
        let Raw { channel_configs, config_schema, hongyan: run, .. } = raw;
        let manifest =
            Self { id, version, name, description, channels, channel_configs, config_schema, run };
        Ok(manifest)
    }
}

fn check(raw: &Raw) -> Result<(), ManifestError> {
    let id_of = |place: &str, id: &str| match wrong_id(id) {
        Some(reason) => Err(at(place, reason.to_owned())),
        None => Ok(()),
    };
    id_of("id", &raw.id)?;
    let mut seen = BTreeSet::new();
    for (n, channel) in raw.channels.iter().enumerate() {
        let place = format!("channels[{n}]");
        id_of(&place, channel.as_str())?;
        if !seen.insert(channel) {
            return Err(at(&place, format!("{channel} stands there twice")));
        }
    }
    if let Some(stray) = raw.channel_configs.keys().find(|it| !seen.contains(it)) {
        let place = format!("channelConfigs.{stray}");
        return Err(at(&place, "there is no such channel in `channels`".to_owned()));
    }
    let Some(Run { command, contract }) = &raw.hongyan else { return Ok(()) };
    if command.first().is_none_or(String::is_empty) {
        return Err(at("hongyan.command", "must begin with a program".to_owned()));
    }
    if let Some(n) = command.iter().position(|word| word.contains('\0')) {
        return Err(at(&format!("hongyan.command[{n}]"), "contains a NUL".to_owned()));
    }
    if *contract == 0 {
        return Err(at("hongyan.contract", "versions begin with 1".to_owned()));
    }
    Ok(())
}

/// An id becomes a folder and a key, so it must not lead out of either.
fn wrong_id(id: &str) -> Option<&'static str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() {
        return Some("must not be empty");
    }
    if id.len() > MAX_ID {
        return Some("is longer than 128 bytes");
    }
    if !id.chars().all(is_plain) || !id.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Some("must be letters, digits, `-`, `_` and `.`, with a letter or a digit first");
    }
    None
}

fn at(place: &str, reason: String) -> ManifestError {
    let place = if place == "." { "the whole of it" } else { place };
    ManifestError::At { place: place.to_owned(), reason }
}

fn no_json(err: &serde_json::Error) -> ManifestError {
    ManifestError::NoJson { line: err.line(), column: err.column(), reason: plain(err) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERBOX: &str = r#"{
        "id": "letterbox", "version": "0.1.0", "name": "Letterbox",
        "channels": ["letterbox"],
        "channelConfigs": {"letterbox": {"schema": {"type": "object"}, "uiHints": {}}},
        "configSchema": {"type": "object"},
        "hongyan": {"command": ["python3", "main.py"], "contract": 1},
        "skills": ["./skills"]
    }"#;

    fn refused(text: &str) -> String {
        Manifest::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn a_manifest_says_how_to_run_it_and_keys_of_others_are_passed_over() {
        let object: Map<String, Value> =
            [("type".to_owned(), Value::from("object"))].into_iter().collect();
        let command = vec!["python3".to_owned(), "main.py".to_owned()];
        let config = ChannelConfig { schema: object.clone(), ..ChannelConfig::default() };
        let manifest = Manifest {
            id: "letterbox".to_owned(),
            version: Some("0.1.0".to_owned()),
            name: Some("Letterbox".to_owned()),
            description: None,
            channels: vec!["letterbox".into()],
            channel_configs: [("letterbox".into(), config)].into_iter().collect(),
            config_schema: object,
            run: Some(Run { command, contract: 1 }),
        };
        assert_eq!(Manifest::parse(LETTERBOX).expect("readable"), manifest);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let with = |from: &str, to: &str| refused(&LETTERBOX.replace(from, to));
        let check = |error: String, says: &str| {
            assert_eq!(error, format!("openclaw.plugin.json{says}"));
        };
        check(with("0.1.0\"", "0.1.0"), " is not JSON: line 2, column 48: expected `,` or `}`");
        check(refused("{}"), ": the whole of it: missing field `id`");
        check(
            with("\"contract\": 1", "\"contract\": \"1\""),
            ": hongyan.contract: invalid type: string \"1\", expected u32",
        );
        check(
            with("[\"python3\", \"main.py\"]", "[]"),
            ": hongyan.command: must begin with a program",
        );
        check(
            with("[\"letterbox\"]", "[\"letterbox\", \"letterbox\"]"),
            ": channels[1]: letterbox stands there twice",
        );
        check(
            with("[\"letterbox\"]", "[\"other\"]"),
            ": channelConfigs.letterbox: there is no such channel in `channels`",
        );
        let bad = "must be letters, digits, `-`, `_` and `.`, with a letter or a digit first";
        check(with("\"id\": \"letterbox\"", "\"id\": \"../up\""), &format!(": id: {bad}"));
    }
}

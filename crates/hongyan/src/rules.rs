//! What the configuration says of conversations, with the WeChat channel under
//! its one name: `weixin` and `wechat` stand for it everywhere, also where
//! OpenClaw takes them for channels of their own.

use gateway::{AccessSettings, QueueSettings, RouteSettings, SessionSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use weixin::CHANNEL_ID;

use crate::error::{CliError, Kind};
use crate::texts::t;

/// The other names of the channel.
const ALIASES: [&str; 2] = ["weixin", "wechat"];

/// Returns the one name of a channel.
pub(crate) fn channel_name(name: &str) -> String {
    let name = name.trim().to_lowercase();
    if ALIASES.contains(&name.as_str()) { CHANNEL_ID.to_owned() } else { name }
}

/// Reads who is heard out of a whole configuration.
pub(crate) fn access(root: &Value) -> Result<AccessSettings, CliError> {
    let mut sections = pick(root, ["channels", "commands"]);
    rename_keys(sections.get_mut("channels"));
    let commands = sections.get_mut("commands");
    if let Some(Value::Object(commands)) = commands {
        rename_keys(commands.get_mut("allowFrom"));
        rename_prefixes(commands.get_mut("ownerAllowFrom"));
    }
    read(sections)
}

/// Reads who answers, and out of which memory, out of a whole configuration.
pub(crate) fn route(root: &Value) -> Result<RouteSettings, CliError> {
    let mut sections = pick(root, ["session", "bindings", "agents"]);
    let bindings = sections.get_mut("bindings").and_then(Value::as_array_mut);
    for binding in bindings.into_iter().flatten() {
        if let Some(Value::String(channel)) = binding.pointer_mut("/match/channel") {
            *channel = channel_name(channel);
        }
    }
    let links = sections.get_mut("session").and_then(|it| it.get_mut("identityLinks"));
    for ids in links.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        rename_prefixes(Some(ids));
    }
    read(sections)
}

/// Reads what happens to messages of a busy session.
pub(crate) fn queue(root: &Value) -> Result<QueueSettings, CliError> {
    let section = root.get("messages").and_then(|it| it.get("queue"));
    let mut queue = section.cloned().unwrap_or_default();
    rename_keys(queue.get_mut("byChannel"));
    of_section(queue)
}

/// Reads when sessions begin anew.
pub(crate) fn sessions(root: &Value) -> Result<SessionSettings, CliError> {
    let mut section = root.get("session").cloned().unwrap_or_default();
    rename_keys(section.get_mut("resetByChannel"));
    of_section(section)
}

fn of_section<T: DeserializeOwned>(section: Value) -> Result<T, CliError> {
    read(section.as_object().cloned().unwrap_or_default())
}

/// Takes the sections that are there and say something.
fn pick<const N: usize>(root: &Value, names: [&str; N]) -> Map<String, Value> {
    let found =
        names.into_iter().filter_map(|name| Some((name.to_owned(), root.get(name)?.clone())));
    found.filter(|(_, section)| !section.is_null()).collect()
}

fn read<T: DeserializeOwned>(sections: Map<String, Value>) -> Result<T, CliError> {
    serde_json::from_value(Value::Object(sections)).map_err(|err| {
        CliError::new(Kind::Config, t!("error.rules", why = err)).hinted(t!("hint.config"))
    })
}

/// What stands there under the channel's own name holds.
fn rename_keys(of_channels: Option<&mut Value>) {
    let Some(Value::Object(of_channels)) = of_channels else { return };
    for alias in ALIASES {
        if let Some(section) = of_channels.remove(alias) {
            of_channels.entry(CHANNEL_ID).or_insert(section);
        }
    }
}

fn rename_prefixes(entries: Option<&mut Value>) {
    for entry in entries.and_then(Value::as_array_mut).into_iter().flatten() {
        let Value::String(text) = entry else { continue };
        if let Some((channel, peer)) = text.split_once(':') {
            let channel = channel_name(channel);
            if channel == CHANNEL_ID {
                *text = format!("{channel}:{peer}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::{Conversation, Sender};
    use gateway::{Authority, Decision, Ground};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_channel_goes_by_each_of_its_names() {
        let conversation =
            Conversation { channel: CHANNEL_ID.into(), account: "a".into(), peer: "p".into() };
        for name in ["openclaw-weixin", "weixin", "WeChat"] {
            let root = json!({
                "channels": {name.to_lowercase(): {"dmPolicy": "allowlist", "allowFrom": ["p"]}},
                "commands": {"ownerAllowFrom": [format!("{name}:boss")]},
                "bindings": [{"agentId": "main", "match": {"channel": name, "accountId": "*"}}],
                "session": {"identityLinks": {"alice": [format!("{name}:p")]}},
                "models": 7,
            });
            let sender =
                Sender { conversation: conversation.clone(), turn: "t".into(), is_owner: false };
            let access = access(&root).unwrap();
            assert_eq!(access.decide(&sender), Decision::Admit(Ground::Listed), "{name}");
            assert_eq!(access.authority(&sender), Authority::ResetOnly, "{name}");
            let route = route(&root).unwrap().route(&conversation).unwrap();
            assert_eq!(route.matched_by.as_str(), "binding.channel", "{name}");
            assert_eq!(route.session.as_str(), "agent:main:openclaw-weixin:a:direct:alice");
        }
    }

    #[test]
    fn a_section_that_is_wrong_is_an_error_of_the_configuration() {
        let err = route(&json!({"session": {"dmScope": "everyone"}})).unwrap_err();
        assert!(err.message.contains("everyone"), "{}", err.message);
    }
}

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

/// Lets the queue decide about messages of a busy session where it is configured
/// for the WeChat channel: that would keep them to itself by default.
pub(crate) fn with_queue(root: &Value, mut section: Value) -> Value {
    if !has_queue(root) {
        return section;
    }
    let mut inner = &mut section;
    for key in ["receiving", "merge"] {
        if !inner[key].is_object() && !inner[key].is_null() {
            // It is told what is wrong with it.
            return section;
        }
        let Some(map) = inner.as_object_mut() else { return section };
        let entry = map.entry(key).or_insert_with(Value::default);
        if entry.is_null() {
            *entry = Value::Object(Map::new());
        }
        inner = entry;
    }
    if inner["whileBusy"].is_null() {
        inner["whileBusy"] = false.into();
    }
    section
}

/// Says whether somebody has written what the queue does on the WeChat channel.
fn has_queue(root: &Value) -> bool {
    let queue = root.pointer("/messages/queue").and_then(Value::as_object);
    queue.into_iter().flatten().any(|(key, value)| match value.as_object() {
        Some(modes) if key == "byChannel" => {
            modes.keys().any(|name| channel_name(name) == CHANNEL_ID)
        }
        _ => !value.is_null(),
    })
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
    fn the_queue_decides_where_it_is_configured_and_nothing_else_is() {
        let merge = |while_busy| json!({"receiving": {"merge": {"whileBusy": while_busy}}});
        for (queue, section, expected) in [
            (json!({}), json!({}), json!({})),
            (json!({"byChannel": {"letterbox": "interrupt"}}), json!({}), json!({})),
            (json!({"mode": null}), json!({}), json!({})),
            (json!({"byChannel": {"wechat": "collect"}}), json!({}), merge(false)),
            (json!({"mode": "steer"}), json!({"receiving": null}), merge(false)),
            (json!({"cap": 3}), merge(true), merge(true)),
            (json!({"cap": 3}), json!({"receiving": 7}), json!({"receiving": 7})),
        ] {
            let root = json!({"messages": {"queue": queue}});
            assert_eq!(with_queue(&root, section), expected, "{root}");
        }
        let (root, section) =
            (json!({"messages": {"queue": {"mode": "steer"}}}), json!({"name": "n"}));
        let expected = json!({"name": "n", "receiving": {"merge": {"whileBusy": false}}});
        assert_eq!(with_queue(&root, section), expected);
    }

    #[test]
    fn a_section_that_is_wrong_is_an_error_of_the_configuration() {
        let err = route(&json!({"session": {"dmScope": "everyone"}})).unwrap_err();
        assert!(err.message.contains("everyone"), "{}", err.message);
    }
}

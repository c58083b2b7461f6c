//! Which keys of OpenClaw's configuration come along. No I/O.
//!
//! Ours wins where both say something. A part is told as a whole where the same
//! becomes of all of it, and key by key where not.

use ::config::Path;
use serde_json::Value;
use weixin::CHANNEL_ID;

use super::report::Why;
use crate::rules::channel_name;

/// What is taken over key by key.
const TAKEN: [&str; 8] =
    ["agents", "commands", "cron", "env", "messages", "models", "secrets", "session"];
/// What channels share.
const SHARED: [&str; 2] = ["defaults", "modelByChannel"];

/// A part of the configuration, and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// Where it stands there.
    pub(super) from: Path,
    pub(super) verdict: Verdict,
}

/// What becomes of a part.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    Take { to: Path, value: Value },
    Known,
    Left(Why),
}

/// Decides about a configuration. `knows` says which keys there are here.
pub(super) fn plan(theirs: &Value, ours: &Value, knows: &dyn Fn(&Path) -> bool) -> Vec<Found> {
    let desk = Desk { ours, knows };
    let root = Path::root();
    let sections = theirs.as_object().into_iter().flatten();
    sections.flat_map(|(key, value)| desk.section(key, &root.key(key), value)).collect()
}

struct Desk<'a> {
    ours: &'a Value,
    knows: &'a dyn Fn(&Path) -> bool,
}

impl Desk<'_> {
    fn section(&self, key: &str, at: &Path, value: &Value) -> Vec<Found> {
        match key {
            "channels" => self.channels(at, value),
            "bindings" => self.bindings(at, value),
            "plugins" => self.plugins(at, value),
            "gateway" => below(at, value, |key, at, value| match key {
                "reload" => self.part(at, at, value),
                _ => left(at, Why::OwnGateway),
            }),
            _ if TAKEN.contains(&key) => self.part(at, at, value),
            _ => left(at, Why::NotHere),
        }
    }

    /// The first section that is ours by one of its names, into the one that is
    /// here already, by whatever name.
    fn channels(&self, at: &Path, value: &Value) -> Vec<Found> {
        let is_ours = |key: &&String| channel_name(key) == CHANNEL_ID;
        let name_in =
            |value: &Value| value.as_object().and_then(|it| it.keys().find(is_ours).cloned());
        let theirs = name_in(value);
        let here = self.ours.get("channels").and_then(name_in);
        let to = at.key(here.as_deref().unwrap_or(CHANNEL_ID));
        below(at, value, |key, at, value| {
            if theirs.as_deref() == Some(key) {
                self.part(at, &to, value)
            } else if SHARED.contains(&key) {
                self.part(at, at, value)
            } else {
                left(at, Why::OtherChannel)
            }
        })
    }

    /// Those of our channel, as a whole: their order counts.
    fn bindings(&self, at: &Path, value: &Value) -> Vec<Found> {
        let Some(all) = value.as_array() else { return self.part(at, at, value) };
        let (mut found, mut kept) = (Vec::new(), Vec::new());
        for (n, binding) in all.iter().enumerate() {
            let channel = binding.pointer("/match/channel").and_then(Value::as_str);
            if binding.get("type").is_some_and(|kind| kind == "acp") {
                found.extend(left(&at.index(n), Why::NotHere));
            } else if channel.is_some_and(|name| channel_name(name) != CHANNEL_ID) {
                found.extend(left(&at.index(n), Why::OtherChannel));
            } else {
                kept.push(binding.clone());
            }
        }
        if !kept.is_empty() {
            found.extend(self.part(at, at, &Value::Array(kept)));
        }
        found
    }

    /// Whether our channel is switched on, and nothing else.
    fn plugins(&self, at: &Path, value: &Value) -> Vec<Found> {
        let entry = at.key("entries").key(CHANNEL_ID);
        let switch = entry.key("enabled");
        let mut found = match switch.segments()[1..]
            .iter()
            .try_fold(value, |value, step| value.get(&*step.as_key()))
        {
            Some(is_on) => self.part(&switch, &switch, is_on),
            None => Vec::new(),
        };
        let entries = |value: &Value| {
            value.as_object().is_some_and(|it| it.keys().all(|key| key == CHANNEL_ID))
        };
        let is_all = value
            .as_object()
            .is_some_and(|it| it.iter().all(|(key, value)| key == "entries" && entries(value)));
        if !is_all || found.is_empty() {
            found.extend(left(at, Why::OwnPlugins));
        }
        found
    }

    fn part(&self, from: &Path, to: &Path, value: &Value) -> Vec<Found> {
        if value.is_null() {
            return Vec::new();
        }
        if !(self.knows)(to) {
            return left(from, Why::Unknown);
        }
        let here = to.get(self.ours).filter(|here| !here.is_null());
        match (value, here) {
            (_, Some(here)) if here == value => {
                vec![Found { from: from.clone(), verdict: Verdict::Known }]
            }
            (Value::Object(entries), None | Some(Value::Object(_))) => {
                let parts = entries.iter().flat_map(|(key, value)| {
                    if self.says_it_otherwise(to, key) {
                        return left(&from.key(key), Why::Ours);
                    }
                    self.part(&from.key(key), &to.key(key), value)
                });
                whole(from, to, value, here.is_none(), parts.collect())
            }
            (_, None) => vec![Found {
                from: from.clone(),
                verdict: Verdict::Take { to: to.clone(), value: value.clone() },
            }],
            (_, Some(_)) => left(from, Why::Ours),
        }
    }

    /// Agents stand in a map or in a list, not in both.
    fn says_it_otherwise(&self, at: &Path, key: &str) -> bool {
        let other = match key {
            "entries" => "list",
            "list" => "entries",
            _ => return false,
        };
        *at == Path::root().key("agents")
            && at.key(other).get(self.ours).is_some_and(|it| !it.is_null())
    }
}

/// Tells of a part as a whole if the same becomes of everything in it.
fn whole(from: &Path, to: &Path, value: &Value, is_new: bool, parts: Vec<Found>) -> Vec<Found> {
    let Some(first) = parts.first() else { return parts };
    let is_taken = |found: &Found| matches!(found.verdict, Verdict::Take { .. });
    let verdict = if is_new && parts.iter().all(is_taken) {
        Verdict::Take { to: to.clone(), value: value.clone() }
    } else if !is_taken(first) && parts.iter().all(|part| part.verdict == first.verdict) {
        first.verdict.clone()
    } else {
        return parts;
    };
    vec![Found { from: from.clone(), verdict }]
}

/// Goes through an object, and tells of it as a whole if nothing is taken.
fn below(at: &Path, value: &Value, each: impl Fn(&str, &Path, &Value) -> Vec<Found>) -> Vec<Found> {
    let entries = value.as_object().into_iter().flatten();
    let parts: Vec<_> = entries.flat_map(|(key, value)| each(key, &at.key(key), value)).collect();
    whole(at, at, value, false, parts)
}

fn left(at: &Path, why: Why) -> Vec<Found> {
    vec![Found { from: at.clone(), verdict: Verdict::Left(why) }]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What becomes of each part, in words.
    fn planned(theirs: Value, ours: Value) -> Vec<String> {
        let knows = |path: &Path| !path.to_string().contains("strange");
        let told = |found: Found| {
            let Found { from, verdict } = found;
            match verdict {
                Verdict::Take { to, value } if to == from => format!("{from} = {value}"),
                Verdict::Take { to, value } => format!("{from} > {to} = {value}"),
                Verdict::Known => format!("{from} known"),
                Verdict::Left(why) => format!("{from} left: {why:?}"),
            }
        };
        plan(&theirs, &ours, &knows).into_iter().map(told).collect()
    }

    #[test]
    fn parts_are_taken_as_a_whole_and_ours_wins() {
        let theirs = json!({
            "session": {"dmScope": "main", "mainKey": "x", "reset": {"mode": "idle"}},
            "messages": {"queue": {"mode": "collect"}},
            "models": {"providers": {"a": {"apiKey": "${KEY}"}}, "strange": 1},
            "cron": {},
        });
        let ours = json!({"session": {"dmScope": "per-peer", "mainKey": "x"}});
        let expected = [
            "messages = {\"queue\":{\"mode\":\"collect\"}}",
            "models.providers = {\"a\":{\"apiKey\":\"${KEY}\"}}",
            "models.strange left: Unknown",
            "session.dmScope left: Ours",
            "session.mainKey known",
            "session.reset = {\"mode\":\"idle\"}",
        ];
        assert_eq!(planned(theirs, ours), expected);
    }

    #[test]
    fn what_the_gateway_and_plugins_have_of_their_own_stays() {
        let theirs = json!({
            "gateway": {"port": 1, "auth": {"token": "t"}, "reload": {"mode": "off"}},
            "plugins": {"allow": ["x"], "entries": {"openclaw-weixin": {"enabled": false, "config": {}}}},
            "meta": {"lastTouchedVersion": "1"},
            "wizard": {},
        });
        let expected = [
            "gateway.auth left: OwnGateway",
            "gateway.port left: OwnGateway",
            "gateway.reload = {\"mode\":\"off\"}",
            "meta left: NotHere",
            "plugins.entries.openclaw-weixin.enabled = false",
            "plugins left: OwnPlugins",
            "wizard left: NotHere",
        ];
        assert_eq!(planned(theirs, json!({})), expected);
        let auth = json!({"gateway": {"auth": {}, "port": 1}});
        assert_eq!(planned(auth, json!({})), ["gateway left: OwnGateway"]);
    }

    #[test]
    fn our_channel_is_taken_under_the_name_that_it_has_here() {
        let theirs = json!({
            "channels": {"wechat": {"enabled": true}, "telegram": {"botToken": "t"}, "defaults": {"a": 1}},
            "bindings": [
                {"agentId": "a", "match": {"channel": "telegram"}},
                {"agentId": "b", "match": {"channel": "WeChat", "accountId": "*"}},
                {"type": "acp", "agentId": "c", "match": {"channel": "weixin"}},
            ],
        });
        let binding = "bindings = [{\"agentId\":\"b\",\"match\":{\"accountId\":\"*\",\"channel\":\"WeChat\"}}]";
        let expected = |channel| {
            [
                "bindings[0] left: OtherChannel",
                "bindings[2] left: NotHere",
                binding,
                "channels.defaults = {\"a\":1}",
                "channels.telegram left: OtherChannel",
                channel,
            ]
        };
        let new = expected("channels.wechat > channels.openclaw-weixin = {\"enabled\":true}");
        assert_eq!(planned(theirs.clone(), json!({})), new);
        let ours = json!({"channels": {"weixin": {"routeTag": 7}}});
        let laid_over = expected("channels.wechat.enabled > channels.weixin.enabled = true");
        assert_eq!(planned(theirs, ours), laid_over);
    }

    #[test]
    fn agents_in_a_list_and_in_a_map_are_not_mixed() {
        let list = json!({"agents": {"list": [{"id": "a"}]}});
        let map = json!({"agents": {"entries": {"b": {}}}});
        assert_eq!(planned(list, map), ["agents left: Ours"]);
    }

    #[test]
    fn what_was_taken_is_known_the_next_time() {
        let theirs = json!({
            "agents": {"entries": {"b": {"name": "B"}}},
            "bindings": [{"agentId": "b", "match": {"channel": "wechat"}}],
            "session": {"dmScope": "main"},
        });
        let expected = ["agents known", "bindings known", "session known"];
        assert_eq!(planned(theirs.clone(), theirs), expected);
    }
}

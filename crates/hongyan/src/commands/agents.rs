//! `hongyan agents`

use ::config::{Edit, How, Path};
use gateway::{AgentId, Binding, BindingKind, BindingMatch, RouteSettings};
use serde_json::{Value, json};

use super::config;
use super::route::place;
use crate::cli::{AgentsCommand, BindArgs, UnbindArgs};
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::texts::t;
use crate::{output, rules};

pub(crate) fn run(command: AgentsCommand, state: &State) -> Result<(), CliError> {
    let settings = rules::route(&state.root())?;
    match command {
        AgentsCommand::List { json } => {
            list(&settings, json);
            Ok(())
        }
        AgentsCommand::Bindings { agent, json } => {
            bindings(&settings, agent.as_deref(), json);
            Ok(())
        }
        AgentsCommand::Bind(args) => bind(&settings, &args, state),
        AgentsCommand::Unbind(args) => unbind(&settings, &args, state),
    }
}

fn list(settings: &RouteSettings, json: bool) {
    let fallback = settings.agents.fallback();
    let agent = |id: &AgentId, name: Option<&str>| {
        let n_bindings = routing(settings).filter(|(_, it)| it.agent_id == *id).count();
        let is_default = fallback.as_ref() == Some(id);
        json!({ "id": id, "name": name, "bindings": n_bindings, "isDefault": is_default })
    };
    let mut agents: Vec<Value> = Vec::new();
    for entry in settings.agents.entries() {
        agents.push(agent(&entry.id, entry.name.as_deref()));
    }
    if agents.is_empty() {
        agents.push(agent(&AgentId::main(), None));
    }
    if json {
        output::json(&agents);
        return;
    }
    let header = [t!("agents.id"), t!("agents.name"), t!("agents.bindings"), t!("agents.default")];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = agents.iter().map(|it| {
        let mark = if it["isDefault"] == true { "✓" } else { "" };
        [text(&it["id"]), text(&it["name"]), it["bindings"].to_string(), mark.to_owned()]
    });
    output::table(header, rows);
}

fn bindings(settings: &RouteSettings, agent: Option<&str>, json: bool) {
    let agent = agent.map(AgentId::new);
    let is_asked_for = |it: &Binding| agent.as_ref().is_none_or(|agent| it.agent_id == *agent);
    let found: Vec<_> =
        routing(settings).map(|(_, binding)| binding).filter(|it| is_asked_for(it)).collect();
    if json {
        let described = found.iter().map(|it| {
            json!({"agentId": it.agent_id, "match": it.place, "description": place(&it.place)})
        });
        output::json(&described.collect::<Vec<_>>());
    } else if found.is_empty() {
        output::line(t!("agents.no_bindings"));
    } else {
        output::line(t!("agents.routing_bindings"));
        for Binding { agent_id, place: it, .. } in found {
            output::line(format!("- {agent_id} <- {}", place(it)));
        }
    }
}

/// One change of `bindings` in the configuration.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    /// This one comes last.
    Add(Value),
    /// The one at this place goes; places are those before all changes.
    Remove(usize),
}

fn bind(settings: &RouteSettings, args: &BindArgs, state: &State) -> Result<(), CliError> {
    let agent = agent(settings, args.agent.as_deref())?;
    let (mut added, mut present, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
    for wanted in &args.bind {
        let wanted = wanted_place(wanted, state)?;
        match routing(settings).find(|(_, it)| same_place(&it.place, &wanted)) {
            Some((_, it)) if it.agent_id == agent => present.push(place(&wanted)),
            Some((_, it)) => conflicts.push(format!("{} (agent={})", place(&wanted), it.agent_id)),
            None if added.contains(&wanted) => present.push(place(&wanted)),
            None => added.push(wanted),
        }
    }
    let changes = added.iter().map(|it| Change::Add(json!({"agentId": agent, "match": it})));
    write_bindings(state, &changes.collect::<Vec<_>>())?;
    let added: Vec<_> = added.iter().map(place).collect();
    if args.json {
        output::json(&json!({
            "agentId": agent, "added": added, "skipped": present, "conflicts": conflicts,
        }));
    } else {
        let sections = [
            (t!("agents.added"), &added),
            (t!("agents.present"), &present),
            (t!("agents.conflicts"), &conflicts),
        ];
        tell(&sections);
    }
    if conflicts.is_empty() {
        return Ok(());
    }
    Err(CliError::new(Kind::NotDone, t!("error.agents.taken")))
}

fn unbind(settings: &RouteSettings, args: &UnbindArgs, state: &State) -> Result<(), CliError> {
    let agent = agent(settings, args.agent.as_deref())?;
    let wanted: Vec<_> =
        args.bind.iter().map(|it| wanted_place(it, state)).collect::<Result<_, _>>()?;
    let goes = |it: &Binding| {
        it.agent_id == agent && (args.all || wanted.iter().any(|w| same_place(&it.place, w)))
    };
    let gone: Vec<_> = routing(settings).filter(|(_, it)| goes(it)).collect();
    let changes: Vec<_> = gone.iter().map(|(index, _)| Change::Remove(*index)).collect();
    let removed: Vec<_> = gone.iter().map(|(_, it)| place(&it.place)).collect();
    let is_missing = |it: &&BindingMatch| !gone.iter().any(|(_, gone)| same_place(&gone.place, it));
    let missing: Vec<_> = wanted.iter().filter(is_missing).map(place).collect();
    write_bindings(state, &changes)?;
    if args.json {
        output::json(&json!({"agentId": agent, "removed": removed, "missing": missing}));
    } else if removed.is_empty() && missing.is_empty() {
        output::line(t!("agents.nothing_to_remove", agent = agent));
    } else {
        tell(&[(t!("agents.removed"), &removed), (t!("agents.missing"), &missing)]);
    }
    Ok(())
}

/// Puts changes of `bindings` into the configuration file. Each is made only if
/// the file still says what it said.
fn write_bindings(state: &State, changes: &[Change]) -> Result<(), CliError> {
    if changes.is_empty() {
        return Ok(());
    }
    let root = state.root();
    let path = Path::root().key("bindings");
    let before = root.get("bindings").and_then(Value::as_array).cloned();
    let is_new = before.is_none();
    let mut after = before.unwrap_or_default();
    let mut edits = Vec::new();
    // From the last on, so that no place moves before its turn.
    for index in changes.iter().rev().filter_map(Change::removed) {
        let value = (index < after.len()).then(|| after.remove(index));
        let path = path.index(index);
        edits.push(Edit::Expect { path: path.clone(), value });
        edits.push(Edit::Unset { path });
    }
    for value in changes.iter().filter_map(Change::added) {
        let (path, how) = (path.index(after.len()), How::Set);
        after.push(value.clone());
        edits.push(Edit::Set { path, value: value.clone(), how });
    }
    if is_new {
        edits.clear();
    }
    // Alone, this would lose the comments; last, it changes nothing more and
    // says that the file may become much shorter.
    edits.push(Edit::Set { path, value: Value::Array(after), how: How::Replace });
    config::edit(state, &edits)
}

impl Change {
    fn removed(&self) -> Option<usize> {
        match self {
            Self::Remove(index) => Some(*index),
            Self::Add(_) => None,
        }
    }

    fn added(&self) -> Option<&Value> {
        match self {
            Self::Add(binding) => Some(binding),
            Self::Remove(_) => None,
        }
    }
}

fn tell(sections: &[(std::borrow::Cow<'_, str>, &Vec<String>)]) {
    for (title, entries) in sections.iter().filter(|(_, entries)| !entries.is_empty()) {
        output::line(title);
        for entry in *entries {
            output::line(format!("- {entry}"));
        }
    }
}

/// Returns the bindings that route, each with its place.
fn routing(settings: &RouteSettings) -> impl Iterator<Item = (usize, &Binding)> {
    let all = settings.bindings.iter().enumerate();
    all.filter(|(_, binding)| binding.kind == BindingKind::Route)
}

/// Finds the agent that is meant; the default one where none is named.
fn agent(settings: &RouteSettings, name: Option<&str>) -> Result<AgentId, CliError> {
    let Some(name) = name else {
        let fallback = settings.agents.fallback();
        return fallback.ok_or_else(|| CliError::new(Kind::NotDone, t!("error.agents.which")));
    };
    let id = AgentId::new(name);
    let is_main = settings.agents.entries().is_empty() && id == AgentId::main();
    if settings.agents.has(&id) || is_main {
        return Ok(id);
    }
    Err(CliError::new(Kind::NotDone, t!("error.agents.unknown", name = name)))
}

/// Reads `<channel>`, which means all its accounts, or `<channel>:<account>`.
fn wanted_place(text: &str, state: &State) -> Result<BindingMatch, CliError> {
    let (channel, account) = text.split_once(':').map_or((text, "*"), |(c, a)| (c, a.trim()));
    let channel = rules::channel_name(channel);
    if channel.is_empty() || account.is_empty() {
        return Err(CliError::new(Kind::NotDone, t!("error.agents.place", text = text)));
    }
    let known = (channel == weixin::CHANNEL_ID && account != "*")
        .then(|| state.weixin().registry().find(account).ok())
        .flatten();
    let account = known.map_or_else(|| account.to_owned(), |it| it.as_str().to_owned());
    Ok(BindingMatch { channel, account_id: Some(account), ..BindingMatch::default() })
}

fn same_place(one: &BindingMatch, other: &BindingMatch) -> bool {
    // Without an account, a binding holds on the one that is called so.
    let account = |it: &BindingMatch| it.account_id.as_deref().unwrap_or("default").to_lowercase();
    let rest = |it: &BindingMatch| BindingMatch {
        channel: rules::channel_name(&it.channel),
        account_id: None,
        ..it.clone()
    };
    account(one) == account(other) && rest(one) == rest(other)
}

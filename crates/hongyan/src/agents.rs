//! Who answers: the agent of the command line for all, or each agent of the
//! configuration with the model that it names.

use std::sync::Arc;

use ::config::Path;
use gateway::agents::{ApiKey, Guide, GuideOptions, OpenAi, OpenAiOptions};
use gateway::{Agent, AgentId, Agents, Roster};
use serde_json::Value;

use crate::cli::{AgentArgs, AgentName};
use crate::config::{Configuration, wrong};
use crate::error::{CliError, Kind};
use crate::texts::t;

/// The protocols that are spoken, by OpenClaw's names.
const PROTOCOLS: [&str; 1] = ["openai-completions"];

/// Returns the agent that the command line names, if it names one.
pub(crate) fn named(args: &AgentArgs) -> Result<Option<Arc<dyn Agent>>, CliError> {
    args.agent
        .map(|name| match name {
            AgentName::Guide => Ok(guide()),
            AgentName::Openai => openai(args),
        })
        .transpose()
}

/// Returns the agent that explains what one sees; it needs nothing.
pub(crate) fn guide() -> Arc<dyn Agent> {
    Arc::new(Guide::new(GuideOptions::default()))
}

fn openai(args: &AgentArgs) -> Result<Arc<dyn Agent>, CliError> {
    let missing = |option| CliError::new(Kind::Usage, t!("error.agent_option", option = option));
    let base_url = args.base_url.clone().ok_or_else(|| missing("--base-url"))?;
    let model = args.model.clone().ok_or_else(|| missing("--model"))?;
    let mut options = OpenAiOptions::new(base_url, model);
    options.system_prompt.clone_from(&args.system);
    if let Some(name) = &args.api_key_env {
        options.api_key = Some(ApiKey::new(secret_from_env(name)?));
    }
    let agent = OpenAi::new(options).map_err(CliError::bug)?;
    Ok(Arc::new(agent))
}

/// Reads a secret that was named, rather than given, on the command line,
/// where every process of the machine could see it.
pub(crate) fn secret_from_env(name: &str) -> Result<String, CliError> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.ok_or_else(|| CliError::new(Kind::Usage, t!("error.env_missing", name = name)))
}

/// Builds all agents of a configuration: `only`, if there is it, for each of
/// them, else each its own. One without a model is the guide.
pub(crate) fn all(
    only: Option<&Arc<dyn Agent>>,
    roster: &Roster,
    config: &Configuration,
) -> Result<Agents, CliError> {
    let entries = roster.entries().iter().map(|entry| entry.id.clone());
    let ids = entries.chain([AgentId::main()]);
    let build = |id: AgentId| {
        let agent = match only {
            Some(only) => Arc::clone(only),
            None => of_config(&id, config)?,
        };
        Ok((id, agent))
    };
    ids.map(build).collect()
}

fn of_config(id: &AgentId, config: &Configuration) -> Result<Arc<dyn Agent>, CliError> {
    let Some((place, model)) = model_of(id, config.usable()) else {
        return Ok(guide());
    };
    let Some((provider, model)) = model.split_once('/') else {
        return Err(wrong(t!("error.model_ref", place = place, model = model).into_owned()));
    };
    let at = Path::root().key("models").key("providers").key(provider);
    let Some(settings) = at.get(config.usable()) else {
        let message = t!("error.no_provider", place = place, provider = provider);
        return Err(wrong(message.into_owned()));
    };
    let protocol = settings["api"].as_str().unwrap_or(PROTOCOLS[0]);
    if !PROTOCOLS.contains(&protocol) {
        let message = t!("error.protocol", place = at, protocol = protocol, known = PROTOCOLS[0]);
        return Err(wrong(message.into_owned()));
    }
    let base_url = settings["baseUrl"].as_str().and_then(|url| url.parse().ok());
    let base_url = base_url.ok_or_else(|| wrong(t!("error.base_url", place = at).into_owned()))?;
    let mut options = OpenAiOptions::new(base_url, model);
    options.other_models = models(settings).filter(|other| *other != model).collect();
    options.api_key = config.secret(&at.key("apiKey")).map(ApiKey::new);
    let agent = OpenAi::new(options).map_err(|err| wrong(format!("{at}: {err}")))?;
    Ok(Arc::new(agent))
}

/// Returns the model of an agent, and where it is named: its own, or that of
/// all agents.
fn model_of(id: &AgentId, root: &Value) -> Option<(String, String)> {
    let agents = root.get("agents")?;
    let is_it = |entry: &&Value| entry["id"].as_str().is_some_and(|it| AgentId::new(it) == *id);
    let entries = agents["entries"].as_object().into_iter().flatten();
    let entry =
        entries.filter(|(name, _)| AgentId::new(name) == *id).map(|(_, entry)| entry).next();
    let entry = entry.or_else(|| agents["list"].as_array()?.iter().find(is_it));
    let own = entry.and_then(|entry| text_of(&entry["model"]));
    let own = own.map(|model| (format!("agents.entries.{id}.model"), model));
    own.or_else(|| {
        Some(("agents.defaults.model".to_owned(), text_of(&agents["defaults"]["model"])?))
    })
}

/// A model is a text, or an object with a primary one.
fn text_of(model: &Value) -> Option<String> {
    let text = model.as_str().or_else(|| model["primary"].as_str())?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Returns the models that a provider lists.
fn models(provider: &Value) -> impl Iterator<Item = String> {
    let listed = provider["models"].as_array().into_iter().flatten();
    listed.filter_map(|model| model.as_str().or_else(|| model["id"].as_str())).map(str::to_owned)
}

//! Answers the commands that overtake.

use std::time::Duration;

use super::{Aside, Standing, help, status, stopped};
use crate::lanes::Lanes;
use crate::language::Language;
use crate::store::{Choice, now_ms};
use crate::turn::{Runner, Visit};

/// What puts the configured agent or model back.
const USUAL: [&str; 3] = ["default", "默认", "-"];

/// Does what a command asks, and returns the words to say, if any.
pub(crate) async fn answer(
    aside: Aside,
    visit: &Visit,
    runner: &Runner,
    lanes: &Lanes,
) -> Option<String> {
    // Before anything that takes time.
    let had_turn = aside == Aside::Stop && lanes.stop_front(&visit.seat.session);
    let language = runner.language(visit).await;
    match aside {
        Aside::More => None,
        Aside::Help => Some(help(language).to_owned()),
        Aside::Stop => Some(stopped(had_turn, language).to_owned()),
        Aside::Status => {
            let standing = standing(visit, runner, lanes).await;
            Some(status(&standing, language))
        }
        Aside::Agent(name) => Some(choose(What::Agent, &name, visit, runner, language).await),
        Aside::Model(name) => Some(choose(What::Model, &name, visit, runner, language).await),
    }
}

async fn standing(visit: &Visit, runner: &Runner, lanes: &Lanes) -> Standing {
    let entry = runner.entry(visit);
    let (name, agent) = Runner::agent(visit, entry.as_ref());
    let chosen = entry.as_ref().and_then(|entry| entry.model.clone());
    let began = entry.as_ref().map(|entry| now_ms().saturating_sub(entry.started_at_ms));
    let peer = visit.channel.peer(&visit.inbound.conversation).await;
    Standing {
        busy: lanes.busy(&visit.seat.session),
        agent: name.to_string(),
        model: chosen.or_else(|| agent.models().into_iter().next()),
        age: began.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or_default())),
        memory: runner.store.memory(&visit.seat.session).await.ok(),
        sends_left: peer.ok().flatten().and_then(|peer| peer.sends_left),
    }
}

/// What can be chosen.
#[derive(Clone, Copy)]
enum What {
    Agent,
    Model,
}

async fn choose(
    what: What,
    name: &str,
    visit: &Visit,
    runner: &Runner,
    language: Language,
) -> String {
    let conversation = &visit.inbound.conversation;
    if !visit.rules.may_choose(&visit.inbound) {
        let (chinese, english) = (
            "你还不能更换助手和模型，请联系管理员。",
            "You may not choose agents and models. Please ask whoever runs this.",
        );
        return language.pick(chinese, english).to_owned();
    }
    let (now, names) = there_are(what, visit, runner);
    if name.is_empty() {
        return listed(what, &now, &names, language);
    }
    let usual = USUAL.contains(&name.to_lowercase().as_str());
    let known = names.iter().find(|known| known.eq_ignore_ascii_case(name)).cloned();
    if known.is_none() && !usual {
        let list = listed(what, &now, &names, language);
        return match language {
            Language::Chinese => format!("没有“{name}”。\n{list}"),
            Language::English => format!("There is no {name:?}.\n{list}"),
        };
    }
    let choice = match what {
        What::Agent => Choice::Agent(known),
        What::Model => Choice::Model(known),
    };
    if let Err(err) = runner.store.choose(&visit.seat.session, conversation, choice).await {
        tracing::error!(session = %visit.seat.session, error = %err, "choice not stored");
        return language
            .pick("出了点问题，没有换成。", "Something went wrong; nothing has changed.")
            .to_owned();
    }
    let (now, _) = there_are(what, visit, runner);
    match (what, language) {
        (What::Agent, Language::Chinese) => format!("好，从下一条开始由 {now} 回答。"),
        (What::Agent, Language::English) => format!("From the next message on, {now} answers."),
        (What::Model, Language::Chinese) => format!("好，从下一条开始用 {now}。"),
        (What::Model, Language::English) => {
            format!("From the next message on, the model is {now}.")
        }
    }
}

/// Returns what is used now, and what there is.
fn there_are(what: What, visit: &Visit, runner: &Runner) -> (String, Vec<String>) {
    let entry = runner.entry(visit);
    let (agent_name, agent) = Runner::agent(visit, entry.as_ref());
    match what {
        What::Agent => {
            let names = visit.rules.agents.ids().map(ToString::to_string);
            (agent_name.to_string(), names.collect())
        }
        What::Model => {
            let models = agent.models();
            let chosen = entry.as_ref().and_then(|entry| entry.model.clone());
            let now = chosen.or_else(|| models.first().cloned());
            (now.unwrap_or_else(|| "—".to_owned()), models)
        }
    }
}

fn listed(what: What, now: &str, names: &[String], language: Language) -> String {
    let all = names.join(language.pick("、", ", "));
    match (what, language) {
        (What::Model, Language::Chinese) if names.is_empty() => {
            "这个助手没有可选的模型。".to_owned()
        }
        (What::Model, Language::English) if names.is_empty() => {
            "This agent has no models to choose from.".to_owned()
        }
        (What::Agent, Language::Chinese) => {
            format!("现在的助手：{now}\n可选：{all}（/agent 名字）")
        }
        (What::Agent, Language::English) => format!("Agent: {now}\nThere are: {all} (/agent NAME)"),
        (What::Model, Language::Chinese) => {
            format!("现在的模型：{now}\n可选：{all}（/model 名字）")
        }
        (What::Model, Language::English) => format!("Model: {now}\nThere are: {all} (/model NAME)"),
    }
}

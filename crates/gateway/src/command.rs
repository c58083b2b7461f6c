//! The few words that are for the gateway and not for an agent.

use std::time::Duration;

use contract::{Inbound, Lane};

use crate::lanes::Busy;
use crate::language::Language;
use crate::store::Memory;

mod desk;

pub(crate) use self::desk::answer;

/// What a peer can ask of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Begin the session anew, after what was said before; with a model, or
    /// with what is said first, or with neither.
    New(String),
    /// Something that overtakes the lane.
    Aside(Aside),
}

/// What is answered at once, whatever the lane is busy with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Aside {
    /// Tell which commands there are.
    Help,
    /// Tell how things stand.
    Status,
    /// Cancel the running turn.
    Stop,
    /// Go on with what a channel has kept back, which that does by itself as
    /// soon as the peer writes.
    More,
    /// Tell which agents there are, or choose one.
    Agent(String),
    /// Tell which models there are, or choose one.
    Model(String),
}

impl Command {
    /// Recognises a command, in any case. Most are the word alone; where the
    /// channel has let a message overtake, its first word counts, and plain
    /// words do, too: in a conversation they may be meant for the agent.
    /// `triggers` are the words that begin a session anew.
    ///
    /// A word that is not known here is the agent's, in its turn.
    pub(crate) fn of(inbound: &Inbound, triggers: &[String]) -> Option<Self> {
        let text = inbound.text.trim();
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (word, rest) = (first.to_lowercase(), rest.trim());
        if triggers.iter().any(|trigger| trigger.to_lowercase() == word) {
            let is_slashed = word.starts_with('/');
            return (is_slashed || rest.is_empty()).then(|| Self::New(rest.to_owned()));
        }
        let overtakes = inbound.lane == Lane::Aside;
        let aside = match word.as_str() {
            "/agent" => Aside::Agent(rest.to_owned()),
            "/model" => Aside::Model(rest.to_owned()),
            _ if !overtakes && !rest.is_empty() => return None,
            "/help" => Aside::Help,
            "/status" => Aside::Status,
            "/stop" => Aside::Stop,
            "停止" | "停" | "取消" | "stop" if overtakes && rest.is_empty() => Aside::Stop,
            "/more" => Aside::More,
            _ => return None,
        };
        Some(Self::Aside(aside))
    }
}

pub(crate) fn help(language: Language) -> &'static str {
    language.pick(
        "可以发送：\n\
         /stop 停下正在处理的消息（直接发“停止”或“取消”也行）\n\
         /status 看看现在在做什么\n\
         /more 接着收没发完的内容\n\
         /new 忘掉之前的对话，重新开始\n\
         /agent 看看有哪些助手，或换一个\n\
         /model 看看有哪些模型，或换一个\n\
         /help 显示这些命令",
        "You can send:\n\
         /stop to stop what is running\n\
         /status to see what is going on\n\
         /more to get what is still to come\n\
         /new to forget what was said and start afresh\n\
         /agent to see the agents or choose one\n\
         /model to see the models or choose one\n\
         /help to see this list",
    )
}

pub(crate) fn renewed(language: Language) -> &'static str {
    language.pick("好，我们重新开始。", "A fresh start. What shall we talk about?")
}

pub(crate) fn stopped(had_turn: bool, language: Language) -> &'static str {
    if had_turn {
        return language.pick("已停止。", "Stopped.");
    }
    language.pick("现在没有正在处理的消息。", "Nothing is running.")
}

/// Tells that something waits.
pub(crate) fn waiting(n_before: usize, language: Language) -> String {
    match language {
        Language::Chinese => format!("前面还有 {n_before} 条，处理完就轮到这条。"),
        Language::English => format!("Got it; {n_before} before this one."),
    }
}

/// How a session stands.
#[derive(Default)]
pub(crate) struct Standing {
    pub(crate) busy: Option<Busy>,
    pub(crate) agent: String,
    pub(crate) model: Option<String>,
    /// How long ago it began, if it has.
    pub(crate) age: Option<Duration>,
    pub(crate) memory: Option<Memory>,
    /// How many sends are left until the peer writes, where they are limited.
    pub(crate) sends_left: Option<u32>,
}

/// Tells how a session stands, as far as that is known.
pub(crate) fn status(standing: &Standing, language: Language) -> String {
    let Standing { busy, agent, model, age, memory, sends_left } = standing;
    let chinese = language == Language::Chinese;
    let mut lines = vec![now(*busy, language)];
    lines.push(match (model, chinese) {
        (None, true) => format!("助手：{agent}"),
        (None, false) => format!("Agent: {agent}"),
        (Some(model), true) => format!("助手：{agent}，模型：{model}"),
        (Some(model), false) => format!("Agent: {agent}, model: {model}"),
    });
    if let Some(age) = age {
        let age = length(*age, language);
        lines.push(if chinese {
            format!("对话开始于 {age}前")
        } else {
            format!("Session age: {age}")
        });
    }
    if let Some(Memory { n_turns }) = memory {
        lines.push(if chinese {
            format!("记得的对话：{n_turns} 轮（/new 重新开始）")
        } else {
            format!("Turns I remember: {n_turns} (/new starts afresh)")
        });
    }
    if let Some(left) = sends_left {
        lines.push(if chinese {
            format!("你回复之前，我还能发 {left} 条")
        } else {
            format!("Messages I can send before you write: {left}")
        });
    }
    lines.join("\n")
}

fn length(time: Duration, language: Language) -> String {
    let mins = time.as_secs() / 60;
    let (n, chinese, english) = match mins {
        0..60 => (mins, "分钟", "min"),
        60..2880 => (mins / 60, "小时", "h"),
        2880.. => (mins / 1440, "天", "d"),
    };
    format!("{n} {}", language.pick(chinese, english))
}

fn now(busy: Option<Busy>, language: Language) -> String {
    let Some(Busy { running_for, waiting }) = busy else {
        return language.pick("空闲", "Idle").to_owned();
    };
    let secs = running_for.unwrap_or(Duration::ZERO).as_secs();
    match language {
        Language::Chinese => {
            format!("正在处理（已 {secs} 秒），后面还有 {waiting} 条（/stop 停止）")
        }
        Language::English => {
            format!("Working for {secs} s, {waiting} more waiting (/stop stops it)")
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::Conversation;

    use super::*;

    fn told(lane: Lane, text: &str) -> Option<Command> {
        let conversation =
            Conversation { channel: "c".into(), account: "a".into(), peer: "p".into() };
        let inbound = Inbound {
            turn: "t".into(),
            conversation,
            from_owner: false,
            message_id: "1".to_owned(),
            sent_at_ms: 0,
            text: text.to_owned(),
            attachments: Vec::new(),
            quote: None,
            lane,
            offers: 1,
        };
        Command::of(&inbound, &["/new".to_owned(), "/Reset".to_owned(), "重来".to_owned()])
    }

    fn new(words: &str) -> Command {
        Command::New(words.to_owned())
    }

    #[test]
    fn a_command_is_the_word_alone_or_what_is_chosen_with_it() {
        let cases = [
            (" /NEW\n", new("")),
            ("/reset", new("")),
            ("/new plan B", new("plan B")),
            ("重来", new("")),
            ("/help", Command::Aside(Aside::Help)),
            ("/status", Command::Aside(Aside::Status)),
            ("/Stop", Command::Aside(Aside::Stop)),
            ("/more", Command::Aside(Aside::More)),
            ("/agent", Command::Aside(Aside::Agent(String::new()))),
            ("/Model  Fast-1 ", Command::Aside(Aside::Model("Fast-1".to_owned()))),
        ];
        for (text, command) in cases {
            assert_eq!(told(Lane::Conversation, text).as_ref(), Some(&command), "{text}");
            assert_eq!(told(Lane::Aside, text), Some(command), "{text}");
        }
        for other in ["new", "/news", "help", "", "please /stop", "/stop it", "停", "重来 吧", "/x"]
        {
            assert_eq!(told(Lane::Conversation, other), None, "{other}");
        }
    }

    /// Demand 4: what the channel lets overtake is not mistaken for a message.
    #[test]
    fn what_overtakes_is_told_by_its_first_word_and_may_be_a_plain_one() {
        for stop in ["停止", " 停 ", "取消", "Stop", "/stop now", "/STOP"] {
            assert_eq!(told(Lane::Aside, stop), Some(Command::Aside(Aside::Stop)), "{stop}");
        }
        for agents in ["/think hard", "停止营业", "停 车", "stop it", ""] {
            assert_eq!(told(Lane::Aside, agents), None, "{agents}");
        }
    }

    #[test]
    fn the_status_tells_what_runs_and_what_waits() {
        let busy = Busy { running_for: Some(Duration::from_secs(3)), waiting: 2 };
        let standing = Standing {
            busy: Some(busy),
            agent: "main".to_owned(),
            model: Some("fast".to_owned()),
            age: Some(Duration::from_secs(7_300)),
            memory: Some(Memory { n_turns: 4 }),
            sends_left: Some(7),
        };
        assert_eq!(
            status(&standing, Language::English),
            "Working for 3 s, 2 more waiting (/stop stops it)\n\
             Agent: main, model: fast\n\
             Session age: 2 h\n\
             Turns I remember: 4 (/new starts afresh)\n\
             Messages I can send before you write: 7",
        );
        let idle = Standing { agent: "main".to_owned(), ..Standing::default() };
        assert_eq!(status(&idle, Language::Chinese), "空闲\n助手：main");
    }
}

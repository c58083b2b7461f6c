//! The few words that are for the gateway and not for an agent.

use std::time::Duration;

use contract::{Inbound, Lane};

use crate::lanes::Busy;
use crate::language::Language;
use crate::store::Memory;

/// What a peer can ask of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Begin the session anew, after what was said before.
    New,
    /// Something that overtakes the lane.
    Aside(Aside),
}

/// What is answered at once, whatever the lane is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl Command {
    /// Recognises a command: the word alone, in any case. Where the channel has
    /// let a message overtake, its first word counts, and plain words do, too:
    /// in a conversation they may be meant for the agent.
    ///
    /// A word that is not known here is the agent's, in its turn.
    pub(crate) fn of(inbound: &Inbound) -> Option<Self> {
        let text = inbound.text.trim().to_lowercase();
        let overtakes = inbound.lane == Lane::Aside;
        let word = text.split_whitespace().next().filter(|_| overtakes).unwrap_or(&text);
        match word {
            "/new" | "/reset" => Some(Self::New),
            "/help" => Some(Self::Aside(Aside::Help)),
            "/status" => Some(Self::Aside(Aside::Status)),
            "/stop" => Some(Self::Aside(Aside::Stop)),
            "停止" | "停" | "取消" if overtakes => Some(Self::Aside(Aside::Stop)),
            "/more" => Some(Self::Aside(Aside::More)),
            _ => None,
        }
    }
}

pub(crate) fn help(language: Language) -> &'static str {
    language.pick(
        "可以发送：\n\
         /stop 停下正在处理的消息（直接发“停止”或“取消”也行）\n\
         /status 看看现在在做什么\n\
         /more 接着收没发完的内容\n\
         /new 忘掉之前的对话，重新开始\n\
         /help 显示这些命令",
        "You can send:\n\
         /stop to stop what is running\n\
         /status to see what is going on\n\
         /more to get what is still to come\n\
         /new to forget what was said and start afresh\n\
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

/// Tells how a session stands; without its memory, if that could not be read.
pub(crate) fn status(busy: Option<Busy>, memory: Option<Memory>, language: Language) -> String {
    let now = now(busy, language);
    let Some(Memory { n_turns }) = memory else {
        return now;
    };
    match language {
        Language::Chinese => format!("{now}\n记得的对话：{n_turns} 轮（/new 重新开始）"),
        Language::English => {
            format!("{now}\nTurns I remember: {n_turns} (/new starts afresh)")
        }
    }
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
        Command::of(&Inbound {
            turn: "t".into(),
            conversation,
            message_id: "1".to_owned(),
            sent_at_ms: 0,
            text: text.to_owned(),
            attachments: Vec::new(),
            quote: None,
            lane,
            offers: 1,
        })
    }

    #[test]
    fn a_command_is_the_word_alone() {
        let cases = [
            (" /NEW\n", Command::New),
            ("/reset", Command::New),
            ("/help", Command::Aside(Aside::Help)),
            ("/status", Command::Aside(Aside::Status)),
            ("/Stop", Command::Aside(Aside::Stop)),
            ("/more", Command::Aside(Aside::More)),
        ];
        for (text, command) in cases {
            assert_eq!(told(Lane::Conversation, text), Some(command), "{text}");
            assert_eq!(told(Lane::Aside, text), Some(command), "{text}");
        }
        for other in ["new", "/new plan", "/news", "help", "", "please /stop", "/stop it", "停"] {
            assert_eq!(told(Lane::Conversation, other), None, "{other}");
        }
    }

    /// Demand 4: what the channel lets overtake is not mistaken for a message.
    #[test]
    fn what_overtakes_is_told_by_its_first_word_and_may_be_a_plain_one() {
        for stop in ["停止", " 停 ", "取消", "/stop now", "/STOP"] {
            assert_eq!(told(Lane::Aside, stop), Some(Command::Aside(Aside::Stop)), "{stop}");
        }
        for agents in ["/model fast", "/agent", "停止营业", ""] {
            assert_eq!(told(Lane::Aside, agents), None, "{agents}");
        }
    }

    #[test]
    fn the_status_tells_what_runs_and_what_waits() {
        let busy = Busy { running_for: Some(Duration::from_secs(3)), waiting: 2 };
        let memory = Some(Memory { n_turns: 4 });
        assert_eq!(
            status(Some(busy), memory, Language::English),
            "Working for 3 s, 2 more waiting (/stop stops it)\n\
             Turns I remember: 4 (/new starts afresh)",
        );
        assert_eq!(
            status(None, memory, Language::Chinese),
            "空闲\n记得的对话：4 轮（/new 重新开始）"
        );
    }
}

//! The few words that are for the gateway and not for an agent.

use std::time::Duration;

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
    /// Tell how things stand.
    Status,
    /// Cancel the running turn.
    Stop,
}

impl Command {
    /// Recognises a command: the word alone, in any case.
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "/new" | "/reset" => Some(Self::New),
            "/status" => Some(Self::Aside(Aside::Status)),
            "/stop" => Some(Self::Aside(Aside::Stop)),
            _ => None,
        }
    }
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
    use super::*;

    #[test]
    fn a_command_is_the_word_alone() {
        assert_eq!(Command::of(" /NEW\n"), Some(Command::New));
        assert_eq!(Command::of("/reset"), Some(Command::New));
        assert_eq!(Command::of("/status"), Some(Command::Aside(Aside::Status)));
        assert_eq!(Command::of("/Stop"), Some(Command::Aside(Aside::Stop)));
        for other in ["new", "/new plan", "/news", "/help", "", "please /stop"] {
            assert_eq!(Command::of(other), None, "{other}");
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

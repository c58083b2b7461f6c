//! How a turn ends, and what the peer is told about it.

use std::time::Duration;

use contract::{ChannelError, TurnEnd};

use crate::AgentError;
use crate::language::Language;

/// What became of a run.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered,
    Failed(AgentError),
    Panicked,
    TimedOut(Duration),
    /// The peer said `/stop`, or something that interrupts.
    Stopped,
    /// Too many messages waited.
    LeftOut {
        /// Whether the peer is to be told.
        is_told: bool,
    },
    /// The gateway stops and could not wait.
    Cut,
}

/// What is to be done about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The turn ends, after a word to the peer if there is one.
    Finish { notice: Option<Notice>, end: TurnEnd },
    /// The turn stays open: the channel hands it over again.
    Leave,
}

/// What the peer can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    TookTooLong,
    FileNotSent,
    NotSetUp,
    Busy,
    TooLong,
    Unreachable,
    Declined,
    LeftOut,
    WentWrong,
}

impl Ending {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Answered => Self::Finish { notice: None, end: TurnEnd::Answered },
            Outcome::Stopped => Self::Finish { notice: None, end: TurnEnd::Stopped },
            Outcome::Cut => Self::Leave,
            Outcome::LeftOut { is_told } => Self::failed(
                is_told.then_some(Notice::LeftOut),
                "too many messages were waiting".to_owned(),
            ),
            Outcome::Panicked => {
                Self::failed(Some(Notice::WentWrong), "the agent panicked".to_owned())
            }
            Outcome::TimedOut(limit) => Self::failed(
                Some(Notice::TookTooLong),
                format!("the agent took longer than {} s", limit.as_secs_f32()),
            ),
            Outcome::Failed(AgentError::Channel(err)) if !is_about_the_reply(err) => Self::Leave,
            Outcome::Failed(err) => Self::failed(Some(Notice::of(err)), err.to_string()),
        }
    }

    fn failed(notice: Option<Notice>, reason: String) -> Self {
        Self::Finish { notice, end: TurnEnd::Failed { reason } }
    }
}

impl Notice {
    fn of(err: &AgentError) -> Self {
        match err {
            AgentError::Channel(_) => Self::FileNotSent,
            AgentError::Setup(_) => Self::NotSetUp,
            AgentError::Busy { .. } => Self::Busy,
            AgentError::TooLong(_) => Self::TooLong,
            AgentError::Unreachable(_) => Self::Unreachable,
            AgentError::Declined(_) => Self::Declined,
            AgentError::Store(_) | AgentError::Failed(_) => Self::WentWrong,
        }
    }

    pub(crate) fn words(self, language: Language) -> &'static str {
        let (chinese, english) = match self {
            Self::TookTooLong => (
                "这一轮花的时间太长，我先停下了。请再试一次。",
                "This took too long, so I stopped. Please try again.",
            ),
            Self::FileNotSent => ("有一个文件没能发出去。", "A file could not be sent."),
            Self::NotSetUp => (
                "助手还没有配置好，请联系管理员。",
                "The agent is not set up right. Please tell whoever runs it.",
            ),
            Self::Busy => (
                "现在问的人太多了，请过一会儿再试。",
                "The agent is busy right now. Please try again in a while.",
            ),
            Self::TooLong => (
                "内容太长了，放不下。发 /new 可以重新开始。",
                "This is too long for the agent. Send /new to start afresh.",
            ),
            Self::Unreachable => (
                "暂时连不上助手，请稍后再试。",
                "The agent cannot be reached right now. Please try again later.",
            ),
            Self::Declined => (
                "这个问题助手没有回答。换个说法试试？",
                "The agent declined to answer this. Try to put it differently?",
            ),
            Self::LeftOut => (
                "消息太多，前面的还没处理完，有的没能收下。请过一会儿再发。",
                "Too many messages are waiting, so I left some out. Please send them again later.",
            ),
            Self::WentWrong => (
                "出了点问题，这条消息没能回答。请再试一次。",
                "Something went wrong. Please try again.",
            ),
        };
        language.pick(chinese, english)
    }
}

/// Tells a reply that could not be taken from a channel that takes none.
fn is_about_the_reply(err: &ChannelError) -> bool {
    match err {
        ChannelError::Media { .. } => true,
        ChannelError::NoSuchTurn(_)
        | ChannelError::UnknownTarget(_)
        | ChannelError::AmbiguousTarget { .. }
        | ChannelError::Settings { .. }
        | ChannelError::Locked(_)
        | ChannelError::Storage(_)
        | ChannelError::Stopped
        | ChannelError::UnknownAccount(_)
        | ChannelError::Login(_)
        | ChannelError::Unsupported(_)
        | ChannelError::Gone(_)
        | ChannelError::Failed(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(outcome: &Outcome, notice: Option<Notice>, reason: &str) {
        let end = TurnEnd::Failed { reason: reason.to_owned() };
        assert_eq!(Ending::of(outcome), Ending::Finish { notice, end });
    }

    #[test]
    fn a_failed_turn_ends_with_one_notice_and_a_reason() {
        check(
            &Outcome::TimedOut(Duration::from_millis(1500)),
            Some(Notice::TookTooLong),
            "the agent took longer than 1.5 s",
        );
        check(
            &Outcome::Failed(AgentError::Setup("no key".to_owned())),
            Some(Notice::NotSetUp),
            "the agent is not set up right: no key",
        );
        check(&Outcome::Panicked, Some(Notice::WentWrong), "the agent panicked");
        let stopped = Ending::Finish { notice: None, end: TurnEnd::Stopped };
        assert_eq!(Ending::of(&Outcome::Stopped), stopped);
    }

    #[test]
    fn a_turn_that_was_cut_or_whose_channel_is_down_stays_open() {
        let down = Outcome::Failed(AgentError::Channel(ChannelError::Stopped));
        assert_eq!(Ending::of(&Outcome::Cut), Ending::Leave);
        assert_eq!(Ending::of(&down), Ending::Leave);
    }
}

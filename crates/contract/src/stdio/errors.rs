//! Errors of the two traits as they travel: each comes back as what it was.

use std::error::Error;

use serde::{Deserialize, Serialize};

use super::endpoint::CallError;
use super::message::{WireError, code};
use crate::{ChannelError, HostError, LoginFailure, TurnId};

/// Which error it is, with its fields: the `data` of an error.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kind {
    NoSuchTurn { turn: TurnId },
    Media { path: String, reason: String },
    UnknownTarget { to: String },
    AmbiguousTarget { to: String, among: Vec<String> },
    Settings { path: String, reason: String },
    Locked { owner: String },
    Storage { reason: String },
    Stopped,
    UnknownAccount { reason: String },
    Login(LoginFailure),
    Unsupported { what: String },
    Gone { reason: String },
    Failed { reason: String },
    Stopping,
}

impl From<ChannelError> for WireError {
    fn from(err: ChannelError) -> Self {
        let message = err.to_string();
        let kind = match err {
            ChannelError::NoSuchTurn(turn) => Kind::NoSuchTurn { turn },
            ChannelError::Media { path, reason } => Kind::Media { path, reason },
            ChannelError::UnknownTarget(to) => Kind::UnknownTarget { to },
            ChannelError::AmbiguousTarget { to, among } => Kind::AmbiguousTarget { to, among },
            ChannelError::Settings { path, reason } => Kind::Settings { path, reason },
            ChannelError::Locked(owner) => Kind::Locked { owner },
            ChannelError::Storage(err) => Kind::Storage { reason: chain(&*err) },
            ChannelError::Stopped => Kind::Stopped,
            ChannelError::UnknownAccount(reason) => Kind::UnknownAccount { reason },
            ChannelError::Login(failure) => Kind::Login(failure),
            ChannelError::Unsupported(what) => Kind::Unsupported { what },
            ChannelError::Gone(reason) => Kind::Gone { reason },
            ChannelError::Failed(reason) => Kind::Failed { reason },
        };
        of(&kind, message)
    }
}

impl From<HostError> for WireError {
    fn from(err: HostError) -> Self {
        let message = err.to_string();
        let kind = match err {
            HostError::Stopping => Kind::Stopping,
            HostError::Storage(err) => Kind::Storage { reason: chain(&*err) },
            HostError::Gone(reason) => Kind::Gone { reason },
            HostError::Failed(reason) => Kind::Failed { reason },
        };
        of(&kind, message)
    }
}

impl From<CallError> for ChannelError {
    fn from(err: CallError) -> Self {
        let (method, refused) = match err {
            CallError::Gone(reason) => return Self::Gone(reason),
            CallError::Failed(reason) => return Self::Failed(reason),
            CallError::Refused { method, error } => (method, error),
        };
        if refused.code == code::NO_METHOD {
            return Self::Unsupported(method);
        }
        match kind(&refused) {
            Some(Kind::NoSuchTurn { turn }) => Self::NoSuchTurn(turn),
            Some(Kind::Media { path, reason }) => Self::Media { path, reason },
            Some(Kind::UnknownTarget { to }) => Self::UnknownTarget(to),
            Some(Kind::AmbiguousTarget { to, among }) => Self::AmbiguousTarget { to, among },
            Some(Kind::Settings { path, reason }) => Self::Settings { path, reason },
            Some(Kind::Locked { owner }) => Self::Locked(owner),
            Some(Kind::Storage { reason }) => Self::Storage(reason.into()),
            Some(Kind::Stopped) => Self::Stopped,
            Some(Kind::UnknownAccount { reason }) => Self::UnknownAccount(reason),
            Some(Kind::Login(failure)) => Self::Login(failure),
            Some(Kind::Unsupported { what }) => Self::Unsupported(what),
            Some(Kind::Gone { reason }) => Self::Gone(reason),
            Some(Kind::Failed { reason }) => Self::Failed(reason),
            Some(Kind::Stopping) | None => Self::Failed(refused.to_string()),
        }
    }
}

impl From<CallError> for HostError {
    fn from(err: CallError) -> Self {
        let refused = match err {
            CallError::Gone(reason) => return Self::Gone(reason),
            CallError::Failed(reason) => return Self::Failed(reason),
            CallError::Refused { error, .. } => error,
        };
        match kind(&refused) {
            Some(Kind::Stopping) => Self::Stopping,
            Some(Kind::Storage { reason }) => Self::Storage(reason.into()),
            Some(Kind::Gone { reason }) => Self::Gone(reason),
            Some(Kind::Failed { reason }) => Self::Failed(reason),
            Some(
                Kind::NoSuchTurn { .. }
                | Kind::Media { .. }
                | Kind::UnknownTarget { .. }
                | Kind::AmbiguousTarget { .. }
                | Kind::Settings { .. }
                | Kind::Locked { .. }
                | Kind::Stopped
                | Kind::UnknownAccount { .. }
                | Kind::Login(_)
                | Kind::Unsupported { .. },
            )
            | None => Self::Failed(refused.to_string()),
        }
    }
}

fn of(kind: &Kind, message: String) -> WireError {
    WireError { code: code::REFUSED, message, data: serde_json::to_value(kind).ok() }
}

fn kind(error: &WireError) -> Option<Kind> {
    Kind::deserialize(error.data.as_ref()?).ok()
}

/// Returns what an error says, with its causes.
fn chain(err: &(dyn Error + 'static)) -> String {
    let mut text = err.to_string();
    let mut next = err.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(err: ChannelError) -> String {
        let error = WireError::from(err);
        let line = serde_json::to_string(&error).expect("JSON");
        let error = serde_json::from_str(&line).expect("JSON");
        let back = ChannelError::from(CallError::Refused { method: "reply".to_owned(), error });
        format!("{back:?}")
    }

    #[test]
    fn every_error_of_a_channel_comes_back_as_what_it_was() {
        let text = || "x".to_owned();
        let failure = LoginFailure { code: text(), sentence: text(), hint: text(), detail: None };
        let all: [fn(String) -> ChannelError; 10] = [
            |it| ChannelError::NoSuchTurn(TurnId::new(it)),
            |it| ChannelError::Media { path: it, reason: "why".to_owned() },
            ChannelError::UnknownTarget,
            |it| ChannelError::AmbiguousTarget { to: it, among: vec!["a".to_owned()] },
            |it| ChannelError::Settings { path: it, reason: "why".to_owned() },
            ChannelError::Locked,
            |it| ChannelError::Storage(it.into()),
            ChannelError::UnknownAccount,
            ChannelError::Unsupported,
            ChannelError::Gone,
        ];
        for make in all {
            assert_eq!(over(make(text())), format!("{:?}", make(text())));
        }
        assert_eq!(over(ChannelError::Stopped), "Stopped");
        assert_eq!(over(ChannelError::Failed(text())), "Failed(\"x\")");
        let login = format!("{:?}", ChannelError::Login(failure.clone()));
        assert_eq!(over(ChannelError::Login(failure)), login);
    }

    #[test]
    fn a_stranger_s_error_is_told_as_it_stands() {
        let refused = |code| CallError::Refused {
            method: "peers".to_owned(),
            error: WireError::new(code, "no idea"),
        };
        let text = |code| ChannelError::from(refused(code)).to_string();
        assert_eq!(text(code::INTERNAL), "the channel failed: no idea (-32603)");
        assert_eq!(text(code::NO_METHOD), "the channel does not know how to do \"peers\"");
        assert_eq!(HostError::from(refused(1)).to_string(), "the host failed: no idea (1)");
    }
}

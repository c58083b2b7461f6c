//! What went wrong, for a person: a kind, a cause and a hint.

use std::error::Error;
use std::process::ExitCode;

use contract::ChannelError;

use crate::texts::t;

/// An error that ends the program.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: Kind,
    pub(crate) message: String,
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
    pub(crate) hint: Option<String>,
}

/// Who must act. Exit codes as in `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The caller, where OpenClaw's command of the same name says no more.
    NotDone,
    /// The caller, by other words.
    Usage,
    /// Whoever runs the other end.
    Unavailable,
    /// We.
    Bug,
    /// Nobody: try again later.
    Busy,
    /// A person, by logging in.
    NeedsLogin,
    /// The caller, by another configuration.
    Config,
    /// The caller: the command has said what is wrong, in its own words.
    Told,
}

impl CliError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hint: None }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn caused_by(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    pub(crate) fn hinted(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A command that has printed what is wrong.
    pub(crate) fn told() -> Self {
        Self::new(Kind::Told, "")
    }

    /// Says whether nothing more is to be printed.
    pub(crate) fn is_told(&self) -> bool {
        self.kind == Kind::Told
    }

    /// Something that cannot be the caller's fault.
    pub(crate) fn bug(err: impl Error + Send + Sync + 'static) -> Self {
        Self::new(Kind::Bug, err.to_string()).hinted(t!("hint.bug"))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::NotDone | Kind::Told => 1,
            Kind::Usage => 2,
            Kind::Unavailable => 69,
            Kind::Bug => 70,
            Kind::Busy => 75,
            Kind::NeedsLogin => 77,
            Kind::Config => 78,
        })
    }

    /// Returns the chain of causes, outermost first.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next: Option<&dyn Error> = self.source.as_deref().map(|err| err as &dyn Error);
        while let Some(err) = next {
            let text = err.to_string();
            // Many errors already say what their cause says.
            if causes.last().is_none_or(|last: &String| !last.ends_with(&text)) {
                causes.push(text);
            }
            next = err.source();
        }
        causes
    }
}

impl From<ChannelError> for CliError {
    fn from(err: ChannelError) -> Self {
        match err {
            ChannelError::Locked(owner) => {
                Self::new(Kind::Busy, t!("error.locked", owner = owner)).hinted(t!("hint.locked"))
            }
            ChannelError::UnknownTarget(_) | ChannelError::AmbiguousTarget { .. } => {
                Self::new(Kind::Usage, err.to_string()).hinted(t!("hint.peers"))
            }
            ChannelError::UnknownAccount(_) => {
                Self::new(Kind::Usage, err.to_string()).hinted(t!("hint.accounts.list"))
            }
            ChannelError::Login(failure) => {
                let error = Self::new(Kind::NeedsLogin, failure.sentence).hinted(failure.hint);
                match failure.detail {
                    Some(detail) => error.caused_by(detail),
                    None => error,
                }
            }
            ChannelError::Media { .. } | ChannelError::Unsupported(_) => {
                Self::new(Kind::Usage, err.to_string())
            }
            ChannelError::Gone(_) => Self::new(Kind::Unavailable, err.to_string()),
            ChannelError::NoSuchTurn(_)
            | ChannelError::Settings { .. }
            | ChannelError::Storage(_)
            | ChannelError::Stopped
            | ChannelError::Failed(_) => Self::new(Kind::Config, err.to_string()).caused_by(err),
        }
    }
}

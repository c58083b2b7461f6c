//! Why a request was not done.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use contract::ChannelError;
use serde::{Deserialize, Serialize};

use crate::{SessionsError, StoreError};

/// Why a request was not done, for programs and people. Nothing of it has
/// happened unless the message says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Who must act.
    pub kind: ProblemKind,
    /// A word for programs.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The caller, by another request.
    Usage,
    /// The caller, by a token.
    Unauthorized,
    /// The caller, by a token that may do more, or from another place.
    Forbidden,
    /// The caller, by naming something that exists.
    NotFound,
    /// Nobody: it is done already, or something else is in the way for a while.
    Busy,
    /// Whoever runs the other end, or nobody: try again later.
    Unavailable,
    /// A person, by logging in.
    NeedsLogin,
    /// Whoever runs the gateway, by other settings or a repaired disk.
    Config,
    /// We.
    Bug,
}

impl ProblemKind {
    /// All kinds.
    pub(super) const ALL: [&str; 9] = [
        "usage",
        "unauthorized",
        "forbidden",
        "not_found",
        "busy",
        "unavailable",
        "needs_login",
        "config",
        "bug",
    ];
}

impl Problem {
    pub(super) fn new(
        kind: ProblemKind,
        code: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { kind, code: code.to_owned(), message: message.into(), hint: hint.into() }
    }

    /// The request cannot be understood.
    pub(super) fn params(message: impl Into<String>) -> Self {
        let hint = "GET /v1/openapi.json says what this operation takes";
        Self::new(ProblemKind::Usage, "invalid_params", message, hint)
    }

    /// There is no such channel.
    pub(super) fn no_channel(id: &str, known: &[String]) -> Self {
        let message = format!("there is no channel {id:?}");
        let hint = format!("the channels are: {}", known.join(", "));
        Self::new(ProblemKind::NotFound, "unknown_channel", message, hint)
    }

    fn status(&self) -> StatusCode {
        match self.code.as_str() {
            "too_large" => return StatusCode::PAYLOAD_TOO_LARGE,
            "not_json" => return StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "method_not_allowed" => return StatusCode::METHOD_NOT_ALLOWED,
            _ => {}
        }
        match self.kind {
            ProblemKind::Usage => StatusCode::BAD_REQUEST,
            ProblemKind::Unauthorized => StatusCode::UNAUTHORIZED,
            ProblemKind::Forbidden => StatusCode::FORBIDDEN,
            ProblemKind::NotFound => StatusCode::NOT_FOUND,
            ProblemKind::Busy | ProblemKind::NeedsLogin => StatusCode::CONFLICT,
            ProblemKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ProblemKind::Config | ProblemKind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(&self)).into_response();
        if self.kind == ProblemKind::Unauthorized {
            let scheme = axum::http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(axum::http::header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<ChannelError> for Problem {
    fn from(err: ChannelError) -> Self {
        let (kind, code, hint) = match &err {
            ChannelError::UnknownTarget(_) => {
                (ProblemKind::NotFound, "unknown_target", "GET /v1/peers lists who is known")
            }
            ChannelError::AmbiguousTarget { .. } => {
                (ProblemKind::Usage, "ambiguous_target", "name the account, too")
            }
            ChannelError::Media { .. } => {
                (ProblemKind::Usage, "media_unusable", "name a file that the gateway can read")
            }
            ChannelError::NoSuchTurn(_) => {
                (ProblemKind::NotFound, "unknown_turn", "it may have ended meanwhile")
            }
            ChannelError::Settings { .. } => {
                (ProblemKind::Usage, "settings_unusable", "correct the configuration")
            }
            ChannelError::Locked(_) => {
                (ProblemKind::Busy, "locked", "stop the other process, or use its state folder")
            }
            ChannelError::Storage(_) => {
                (ProblemKind::Config, "storage", "check the disk and the state folder's modes")
            }
            ChannelError::Stopped => {
                (ProblemKind::Unavailable, "channel_stopped", "try again when it runs")
            }
            ChannelError::UnknownAccount(_) => {
                (ProblemKind::NotFound, "unknown_account", "GET /v1/accounts lists them")
            }
            ChannelError::Login(failure) => {
                return Self::new(
                    ProblemKind::NeedsLogin,
                    "login_failed",
                    &failure.sentence,
                    &failure.hint,
                );
            }
            ChannelError::Unsupported(_) => {
                (ProblemKind::Usage, "unsupported", "this channel cannot do it")
            }
            ChannelError::Gone(_) | ChannelError::Failed(_) => {
                (ProblemKind::Unavailable, "channel_failed", "the log says more")
            }
        };
        Self::new(kind, code, err.to_string(), hint)
    }
}

impl From<StoreError> for Problem {
    fn from(err: StoreError) -> Self {
        let hint = "check the disk and the state folder's modes";
        Self::new(ProblemKind::Config, "storage", err.to_string(), hint)
    }
}

impl From<SessionsError> for Problem {
    fn from(err: SessionsError) -> Self {
        let (kind, code, hint) = match err {
            SessionsError::Store(err) => return err.into(),
            SessionsError::Unknown(_) => {
                (ProblemKind::NotFound, "unknown_session", "GET /v1/sessions lists them")
            }
            SessionsError::Ambiguous { .. } => {
                (ProblemKind::Usage, "ambiguous_session", "name the whole key, or the id")
            }
            SessionsError::NoWindow(_) => {
                (ProblemKind::NotFound, "unknown_window", "ask for `all` to see which there are")
            }
        };
        Self::new(kind, code, err.to_string(), hint)
    }
}

//! How the phone API and the admin API say no.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ledger::LedgerError;
use serde::Serialize;

use crate::problem::Problem;

/// A refusal: a kind for programs, a message for people, perhaps a hint.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
    hint: Option<&'static str>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), hint: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub(crate) fn hinted(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        let (status, kind) = match &problem {
            Problem::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Problem::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
            Problem::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Problem::Full(_) => (StatusCode::TOO_MANY_REQUESTS, "full"),
            Problem::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Problem::BrokenOff(_) => (StatusCode::BAD_REQUEST, "broken_off"),
            Problem::Undecipherable => (StatusCode::UNPROCESSABLE_ENTITY, "undecipherable"),
            Problem::Store(_) | Problem::File(_) => {
                tracing::error!(error = ?problem, "a call failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
        };
        Self::new(status, kind, problem.to_string())
    }
}

impl From<LedgerError> for ApiError {
    fn from(err: LedgerError) -> Self {
        Problem::from(err).into()
    }
}

impl From<std::io::Error> for ApiError {
    fn from(err: std::io::Error) -> Self {
        Problem::from(err).into()
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    kind: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = Inner { kind: self.kind, message: &self.message, hint: self.hint };
        (self.status, Json(Body { error })).into_response()
    }
}

/// Reads a JSON body.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|err| ApiError::invalid(format!("the body: {err}")))
}

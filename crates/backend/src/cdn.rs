//! The CDN: bytes up and down, as streams.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ilink::wire::header;

use crate::core::Core;
use crate::problem::Problem;

mod download;
mod upload;
mod range;

pub(crate) use self::download::ranged;

pub(crate) fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/c2c/upload", post(upload::upload).put(upload::upload))
        .route("/c2c/download", get(download::download))
}

/// A failure with its reason in a header, as the CDN tells it.
pub(crate) struct CdnError {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
}

impl CdnError {
    fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

impl From<Problem> for CdnError {
    fn from(problem: Problem) -> Self {
        let status = match &problem {
            Problem::NotFound(_) => StatusCode::NOT_FOUND,
            Problem::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            Problem::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::Store(_) | Problem::File(_) => {
                tracing::error!(error = %problem, "a media failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Problem::Invalid(_)
            | Problem::Conflict(_)
            | Problem::BrokenOff(_)
            | Problem::Undecipherable => StatusCode::BAD_REQUEST,
        };
        Self::new(status, problem.to_string())
    }
}

impl IntoResponse for CdnError {
    fn into_response(self) -> Response {
        let visible: String = self.reason.chars().filter(|c| matches!(c, ' '..='~')).collect();
        let mut response = self.status.into_response();
        if let Ok(value) = HeaderValue::from_str(&visible) {
            response.headers_mut().insert(header::ERROR_MESSAGE, value);
        }
        response
    }
}

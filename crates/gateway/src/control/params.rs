//! What a request says: objects that are closed, so that a word which was
//! misspelt is an error and not ignored.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Problem, ProblemKind};

/// The most that the body of a request may have, in bytes: a text of the
/// largest length, each byte of it escaped.
pub(super) const MOST_BODY: usize = 2 << 20;

/// What stands behind the question mark.
pub(super) struct Asked<T>(pub(super) T);

/// What stands in the body, as JSON. None at all is an empty object.
pub(super) struct Given<T>(pub(super) T);

/// What stands in the path.
pub(super) struct Part<T>(pub(super) T);

/// What an operation takes that takes nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let asked = axum::extract::Query::try_from_uri(&parts.uri);
        asked.map(|query| Self(query.0)).map_err(|err| Problem::params(err.body_text()))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Part<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|err| Problem::params(err.body_text()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let headers = request.headers();
        let length = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok());
        if length.and_then(|it| it.parse().ok()).is_some_and(|n: u64| n > MOST_BODY as u64) {
            return Err(too_large());
        }
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_json = kind.is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default();
            kind.trim().eq_ignore_ascii_case("application/json")
        });
        let bytes = to_bytes(request.into_body(), MOST_BODY).await.map_err(|_| too_large())?;
        if bytes.is_empty() {
            return parse(b"{}");
        }
        if !is_json {
            let message = "the body is not declared as application/json";
            let hint = "send `Content-Type: application/json`";
            return Err(Problem::new(ProblemKind::Usage, "not_json", message, hint));
        }
        parse(&bytes)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<Given<T>, Problem> {
    serde_json::from_slice(bytes).map(Given).map_err(|err| Problem::params(err.to_string()))
}

fn too_large() -> Problem {
    let message = format!("the body is larger than {MOST_BODY} bytes, or broke off");
    Problem::new(ProblemKind::Usage, "too_large", message, "send less at once")
}

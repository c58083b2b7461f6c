//! The iLink API: what bots call.
//!
//! Business errors travel in HTTP 200 bodies, as on Tencent's servers; other
//! statuses are for what is not the protocol at all.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use ilink::wire::path;
use ilink::{BotToken, Code};

use crate::core::Core;
use crate::problem::Problem;
use crate::registry::LiveBot;

pub(crate) mod edge;
mod login;
mod media;
mod presence;
mod send;
mod typing;
mod updates;

/// Routes the API and the CDN, behind the edge.
pub(crate) fn router(core: &Arc<Core>) -> Router {
    let at = |path: &str| format!("/{path}");
    Router::new()
        .route(&at(path::GET_BOT_QRCODE), get(login::new_code).post(login::new_code))
        .route(&at(path::GET_QRCODE_STATUS), get(login::status))
        .route(&at(path::GET_UPDATES), post(updates::get_updates))
        .route(&at(path::SEND_MESSAGE), post(send::send_message))
        .route(&at(path::GET_UPLOAD_URL), post(media::get_upload_url))
        .route(&at(path::GET_CONFIG), post(typing::get_config))
        .route(&at(path::SEND_TYPING), post(typing::send_typing))
        .route(&at(path::NOTIFY_START), post(presence::start))
        .route(&at(path::NOTIFY_STOP), post(presence::stop))
        .route("/ilink/{*rest}", any(unknown))
        .merge(crate::cdn::router())
        .layer(from_fn_with_state(Arc::clone(core), edge::pass))
        .with_state(Arc::clone(core))
}

async fn unknown() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Finds the bot that a call speaks for.
fn bot_of(core: &Core, headers: &HeaderMap) -> Result<Arc<LiveBot>, Answer> {
    let token = bearer(headers).map(BotToken::new);
    let bot = token.and_then(|token| core.secret.bot_of(&token));
    let live = bot.and_then(|bot| core.registry.get(&bot));
    live.filter(|bot| !bot.is_stale(core.now())).ok_or(STALE)
}

/// Returns the token of the `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// An answer that carries a code.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    code: Code,
    errmsg: &'static str,
}

const STALE: Answer = Answer { code: Code::STALE_TOKEN, errmsg: "session timeout" };
const OK: Answer = Answer { code: Code::OK, errmsg: "" };

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        json(refusal(self.code, self.errmsg))
    }
}

/// What keeps a call from being answered.
enum Failure {
    Refused(Answer),
    /// The body is no JSON object.
    NotProtocol,
    Problem(Problem),
}

impl From<Answer> for Failure {
    fn from(answer: Answer) -> Self {
        Self::Refused(answer)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(answer) => answer.into_response(),
            Self::NotProtocol => {
                (StatusCode::BAD_REQUEST, "the body is no JSON object").into_response()
            }
            Self::Problem(Problem::Store(err)) => {
                tracing::error!(error = %err, "the store failed");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Self::Problem(problem) => {
                tracing::debug!(error = %problem, "a call was refused");
                json(refusal(Code::REFUSED, &problem.to_string()))
            }
        }
    }
}

/// Reads a body; an empty one counts as an empty object.
fn read<T: Default>(
    body: &Bytes,
    parse: impl FnOnce(&[u8]) -> serde_json::Result<T>,
) -> Result<T, Failure> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    parse(body).map_err(|_| Failure::NotProtocol)
}

/// Writes a code as every endpoint writes it.
pub(crate) fn refusal(code: Code, errmsg: &str) -> String {
    let mut answer = serde_json::Map::new();
    answer.insert("ret".to_owned(), code.0.into());
    if !code.is_ok() {
        answer.insert("errcode".to_owned(), code.0.into());
        answer.insert("errmsg".to_owned(), errmsg.into());
    }
    serde_json::Value::Object(answer).to_string()
}

/// Answers with JSON text.
pub(crate) fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

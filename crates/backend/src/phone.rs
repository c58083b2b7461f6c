//! The phone in the browser: its API, its events, its pages.
//!
//! Every user has a cookie of its own, scoped to that user's path, so that one
//! browser can be several users in several tabs and no address carries a
//! secret.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::core::Core;
use crate::guard;

mod chats;
mod error;
mod events;
mod logins;
mod markdown;
mod media;
mod pages;
mod people;
mod view;

pub(crate) use self::chats::message_id;
pub(crate) use self::error::{ApiError, parse};
pub(crate) use self::media::{SendQuery, take};
pub(crate) use self::view::{LoginView, MessageView, Resolver, UserView};

/// Routes the API and the pages.
pub(crate) fn router(core: &Arc<Core>) -> Router {
    let of_user = Router::new()
        .route("/me", get(people::me))
        .route("/contacts", get(chats::contacts))
        .route("/chats/{bot}/messages", get(chats::history).post(chats::say))
        .route("/chats/{bot}/media", post(media::send))
        .route("/chats/{bot}/read", post(chats::read))
        .route("/media/{message}/{index}", get(media::show))
        .route("/events", get(events::follow))
        .route("/scan", post(logins::scan))
        .route("/logins/{qrcode}", get(logins::show))
        .route("/logins/{qrcode}/confirm", post(logins::confirm))
        .route("/logins/{qrcode}/cancel", post(logins::cancel))
        .layer(from_fn_with_state(Arc::clone(core), people::let_in));
    let api = Router::new()
        .route("/about", get(people::about))
        .route("/users", get(people::list).post(people::create))
        .route("/u/{user}/enter", post(people::enter))
        .nest("/u/{user}", of_user)
        .fallback(missing)
        .layer(from_fn_with_state(Arc::clone(core), check));
    Router::new()
        .nest("/phone/api", api)
        .merge(pages::router())
        .layer(from_fn(harden))
        .with_state(Arc::clone(core))
}

async fn missing() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "no such call")
}

/// Turns away what a page of another site could have sent.
async fn check(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    if !guard::is_meant_for_us(&core, request.headers()) {
        return ApiError::new(
            StatusCode::FORBIDDEN,
            "denied",
            "this is not the host that was asked for",
        )
        .hinted("open the page by the address that the backend printed")
        .into_response();
    }
    let changes = *request.method() != Method::GET && *request.method() != Method::HEAD;
    if changes && !request.headers().contains_key(guard::PHONE_HEADER) {
        return ApiError::new(StatusCode::FORBIDDEN, "denied", "the header X-Phone is missing")
            .into_response();
    }
    let mut response = next.run(request).await;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    response
}

/// What the page may load: itself, and what it made.
const CONTENT_POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; \
    media-src 'self' blob:; style-src 'self'; script-src 'self'; connect-src 'self'; \
    frame-ancestors 'none'";

/// Adds the headers that keep a browser from guessing and from leaking.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

//! The admin API: what the test face does, from a shell.
//!
//! Open to this machine, and to others with the admin token. A browser that
//! acts for a page of another site is turned away.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};

use crate::core::Core;
use crate::guard;
use crate::phone::ApiError;
use crate::serve::Peer;

mod bots;
mod people;
mod script;
mod world;

/// Routes the API.
pub(crate) fn router(core: &Arc<Core>) -> Router {
    let api = Router::new()
        .route("/stats", get(world::stats))
        .route("/clock", get(world::clock).post(world::advance))
        .route("/policy", get(world::policy).put(world::set_policy))
        .route("/requests", get(world::requests))
        .route("/faults", get(script::list).post(script::add).delete(script::clear))
        .route("/faults/{id}", delete(script::remove))
        .route("/users", get(people::list).post(people::create))
        .route("/users/{user}/say", post(people::say))
        .route("/users/{user}/message", post(people::message))
        .route("/users/{user}/media", post(people::media))
        .route("/users/{user}/meet", post(people::meet))
        .route("/users/{user}/read", post(people::read))
        .route("/users/{user}/messages", get(people::messages))
        .route("/users/{user}/scan", post(people::scan))
        .route("/users/{user}/confirm", post(people::confirm))
        .route("/users/{user}/cancel", post(people::cancel))
        .route("/bots", get(bots::list).post(bots::bind))
        .route("/bots/{bot}/stale", post(bots::make_stale))
        .route("/bots/{bot}/sent", get(bots::sent))
        .fallback(missing)
        .layer(from_fn_with_state(Arc::clone(core), let_in));
    Router::new().nest("/admin/api", api).with_state(Arc::clone(core))
}

async fn missing() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "no such call")
}

async fn let_in(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.address.ip());
    let is_admin = peer.is_some_and(|peer| guard::is_admin(&core, request.headers(), peer));
    if !is_admin {
        return ApiError::new(StatusCode::UNAUTHORIZED, "denied", "this is for the admin")
            .hinted("call it from this machine, or with `Authorization: Bearer <admin token>`")
            .into_response();
    }
    if guard::is_cross_site(request.headers()) {
        return ApiError::new(StatusCode::FORBIDDEN, "denied", "not for pages of other sites")
            .into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

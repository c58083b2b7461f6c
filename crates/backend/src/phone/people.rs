//! Who there is, and who one is.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ilink::UserId;
use serde::{Deserialize, Serialize};

use super::error::{ApiError, parse};
use super::view::UserView;
use crate::core::Core;
use crate::guard;
use crate::store::Person;

/// How many users are listed.
const MOST_LISTED: u32 = 200;

#[derive(Serialize)]
pub(super) struct About {
    name: &'static str,
    version: &'static str,
    policy: &'static str,
    open_door: bool,
    now: u64,
}

pub(super) async fn about(State(core): State<Arc<Core>>) -> Json<About> {
    Json(About {
        name: "Hongyan",
        version: env!("CARGO_PKG_VERSION"),
        policy: core.policy().name(),
        open_door: guard::is_open_door(&core),
        now: core.now(),
    })
}

pub(super) async fn list(State(core): State<Arc<Core>>) -> Result<Json<Vec<UserView>>, ApiError> {
    if !guard::is_open_door(&core) {
        return Err(closed_door());
    }
    let people = core.store.people(MOST_LISTED).await?;
    Ok(Json(people.into_iter().map(UserView::from).collect()))
}

#[derive(Deserialize)]
struct NewUser {
    name: String,
}

pub(super) async fn create(
    State(core): State<Arc<Core>>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let new: NewUser = parse(&body)?;
    if !core.new_users.admit(core.now()) {
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "full",
            "too many new users at once",
        ));
    }
    let person = core.create_person(&new.name).await?;
    Ok(welcome(&core, StatusCode::CREATED, person))
}

pub(super) async fn enter(
    State(core): State<Arc<Core>>,
    Path(user): Path<UserId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if !guard::is_open_door(&core) && !guard::has_admin_token(&core, &headers) {
        return Err(closed_door());
    }
    let person = core.person(&user).await?;
    Ok(welcome(&core, StatusCode::OK, person))
}

/// Lets only the user's own phone through.
pub(super) async fn let_in(
    State(core): State<Arc<Core>>,
    Path(path): Path<std::collections::HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    let user = UserId::new(path.get("user").cloned().unwrap_or_default());
    if !guard::is_phone_of(&core, request.headers(), &user) {
        return ApiError::new(StatusCode::UNAUTHORIZED, "denied", "this browser is not that user")
            .hinted("enter as that user first")
            .into_response();
    }
    next.run(request).await
}

#[derive(Deserialize)]
pub(super) struct OfUser {
    user: UserId,
}

pub(super) async fn me(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfUser>,
) -> Result<Json<UserView>, ApiError> {
    Ok(Json(core.person(&path.user).await?.into()))
}

fn welcome(core: &Core, status: StatusCode, person: Person) -> Response {
    let cookie = guard::cookie(core, &person.id);
    (status, [(header::SET_COOKIE, cookie)], Json(UserView::from(person))).into_response()
}

fn closed_door() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "denied", "users of this backend are private")
        .hinted("create a user of your own")
}

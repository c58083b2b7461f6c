//! Faults.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ilink::BotId;
use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::endpoint::Endpoint;
use crate::fault::{Fault, Scripted};
use crate::phone::{ApiError, parse};
use crate::problem::Problem;

pub(super) async fn list(State(core): State<Arc<Core>>) -> Json<Vec<Scripted>> {
    Json(core.faults.list())
}

#[derive(Deserialize)]
struct NewFault {
    endpoint: Endpoint,
    bot: Option<BotId>,
    times: Option<u32>,
    fault: Fault,
}

#[derive(Serialize)]
pub(super) struct Added {
    id: u64,
}

pub(super) async fn add(
    State(core): State<Arc<Core>>,
    body: Bytes,
) -> Result<(StatusCode, Json<Added>), ApiError> {
    let new: NewFault = parse(&body)?;
    let times = new.times.unwrap_or(1);
    if times == 0 {
        return Err(ApiError::invalid("a fault happens at least once"));
    }
    let added = core.faults.add(new.bot, new.endpoint, times, new.fault);
    let id = added.ok_or(Problem::Full("there are too many faults"))?;
    Ok((StatusCode::CREATED, Json(Added { id })))
}

pub(super) async fn clear(State(core): State<Arc<Core>>) -> StatusCode {
    core.faults.clear(None);
    StatusCode::NO_CONTENT
}

pub(super) async fn remove(
    State(core): State<Arc<Core>>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(id) = id?;
    if core.faults.clear(Some(id)) == 0 {
        return Err(Problem::NotFound("fault").into());
    }
    Ok(StatusCode::NO_CONTENT)
}

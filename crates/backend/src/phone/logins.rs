//! Connecting a bot, from the phone's end.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use ilink::{QrCodeId, UserId};
use serde::Deserialize;

use super::error::{ApiError, parse};
use super::view::LoginView;
use crate::core::Core;
use crate::problem::Problem;
use crate::store::LoginRow;

#[derive(Deserialize)]
pub(super) struct OfUser {
    user: UserId,
}

#[derive(Deserialize)]
pub(super) struct OfLogin {
    user: UserId,
    qrcode: QrCodeId,
}

#[derive(Deserialize)]
struct Scan {
    link: String,
}

pub(super) async fn scan(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfUser>,
    body: Bytes,
) -> Result<Json<LoginView>, ApiError> {
    let scan: Scan = parse(&body)?;
    let scanned = core.scan(&path.user, &scan.link).await;
    answer(&core, scanned)
}

pub(super) async fn show(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfLogin>,
) -> Result<Json<LoginView>, ApiError> {
    let login = core.login(&path.qrcode).await?;
    if login.state.user() != Some(&path.user) {
        return Err(Problem::NotFound("QR code").into());
    }
    answer(&core, Ok(login))
}

pub(super) async fn confirm(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfLogin>,
) -> Result<Json<LoginView>, ApiError> {
    let confirmed = core.confirm(&path.user, &path.qrcode).await;
    answer(&core, confirmed)
}

pub(super) async fn cancel(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfLogin>,
) -> Result<Json<LoginView>, ApiError> {
    let cancelled = core.cancel(&path.user, &path.qrcode).await;
    answer(&core, cancelled)
}

fn answer(core: &Core, login: Result<LoginRow, Problem>) -> Result<Json<LoginView>, ApiError> {
    Ok(Json(LoginView::new(&login?, core.now())))
}

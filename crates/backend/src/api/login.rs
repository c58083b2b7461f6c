//! `get_bot_qrcode` and `get_qrcode_status`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use ilink::wire::{LoginStatus, QrCode, QrCodeRequest, QrStatus};
use ilink::{BotToken, Code, QrCodeId};
use serde::Deserialize;

use super::{Answer, Failure, json, read};
use crate::core::{Core, StatusAnswer};
use crate::links;
use crate::problem::Problem;

#[derive(Deserialize)]
pub(super) struct CodeQuery {
    bot_type: Option<String>,
}

/// The only kind of bot there is.
const BOT_TYPE: &str = "3";

pub(super) async fn new_code(
    State(core): State<Arc<Core>>,
    Query(query): Query<CodeQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    if query.bot_type.as_deref() != Some(BOT_TYPE) {
        return Err(Answer { code: Code::BAD_ARGUMENT, errmsg: "bad bot_type" }.into());
    }
    let request = read(&body, QrCodeRequest::from_slice)?;
    let tokens: Vec<BotToken> = request.local_token_list.map(Vec::from_iter).unwrap_or_default();
    let base = core.place.base(&headers);
    let qrcode = core.new_login(&tokens, base.clone()).await?;
    let answer = QrCode {
        ret: Some(Code::OK),
        qrcode_img_content: Some(links::qr(&base, &qrcode)),
        qrcode: Some(qrcode),
        ..QrCode::default()
    };
    Ok(json(answer.to_json()))
}

#[derive(Deserialize)]
pub(super) struct StatusQuery {
    #[serde(default)]
    qrcode: String,
    verify_code: Option<String>,
}

pub(super) async fn status(
    State(core): State<Arc<Core>>,
    Query(query): Query<StatusQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let qrcode = QrCodeId::new(query.qrcode);
    let told = match core.login_status(&qrcode, query.verify_code, host).await {
        Ok(told) => told,
        // An unknown code is one that was forgotten.
        Err(Problem::NotFound(_)) => StatusAnswer::Status(LoginStatus::Expired),
        Err(problem) => return Err(problem.into()),
    };
    Ok(json(wire(told).to_json()).into_response())
}

fn wire(told: StatusAnswer) -> QrStatus {
    let answer = QrStatus { ret: Some(Code::OK), ..QrStatus::default() };
    match told {
        StatusAnswer::Status(status) => QrStatus { status: Some(status), ..answer },
        StatusAnswer::Redirect(host) => QrStatus {
            status: Some(LoginStatus::ScannedButRedirect),
            redirect_host: Some(host),
            ..answer
        },
        StatusAnswer::Confirmed { bot, token, base, user } => QrStatus {
            status: Some(LoginStatus::Confirmed),
            bot_token: Some(token),
            ilink_bot_id: Some(bot),
            baseurl: Some(base),
            ilink_user_id: Some(user),
            ..answer
        },
    }
}

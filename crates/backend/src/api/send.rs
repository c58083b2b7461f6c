//! `sendmessage`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ilink::Code;
use ilink::wire::{SendMessage, Sent};

use super::{Answer, Failure, OK, bot_of, json, read};
use crate::core::{Core, SendAnswer};

pub(super) async fn send_message(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let bot = bot_of(&core, &headers)?;
    let request = read(&body, SendMessage::from_slice)?;
    let Some(message) = request.msg else {
        return Err(Answer { code: Code::WRONG_PEER, errmsg: "invalid arguments" }.into());
    };
    Ok(match core.send(&bot, message).await? {
        // Without `ret`, as a live test saw it.
        SendAnswer::Queued(id) => {
            json(Sent { message_id: Some(id.into()), ..Sent::default() }.to_json())
        }
        SendAnswer::Silence => StatusCode::OK.into_response(),
        SendAnswer::Suppressed => OK.into_response(),
        SendAnswer::Refused(code, errmsg) => Answer { code, errmsg }.into_response(),
    })
}

//! `getconfig` and `sendtyping`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use ilink::Code;
use ilink::wire::{Config, GetConfig, SendTyping, TypingStatus};

use super::{Answer, Failure, OK, bot_of, json, read};
use crate::core::{Core, TicketProblem};

pub(super) async fn get_config(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let bot = bot_of(&core, &headers)?;
    let request = read(&body, GetConfig::from_slice)?;
    let user = request.ilink_user_id.unwrap_or_default();
    let Some(ticket) = core.typing_ticket(&bot, &user).await? else {
        let errmsg = "GetTypingTicket rpc failed";
        return Err(Answer { code: Code::NO_CONTEXT, errmsg }.into());
    };
    let answer = Config { ret: Some(Code::OK), typing_ticket: Some(ticket), ..Config::default() };
    Ok(json(answer.to_json()))
}

pub(super) async fn send_typing(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let bot = bot_of(&core, &headers)?;
    let request = read(&body, SendTyping::from_slice)?;
    let user = request.ilink_user_id.unwrap_or_default();
    let ticket = request.typing_ticket.unwrap_or_default();
    let on = match request.status {
        Some(TypingStatus::Typing) => true,
        Some(TypingStatus::Cancel) => false,
        Some(TypingStatus::Unknown(_)) | None => {
            return Err(Answer { code: Code::WRONG_PEER, errmsg: "invalid arguments" }.into());
        }
    };
    Ok(match core.set_typing(&bot, &user, &ticket, on) {
        Ok(()) => OK.into_response(),
        Err(TicketProblem::Forged) => {
            Answer { code: Code::REFUSED, errmsg: "bad typing ticket" }.into_response()
        }
        Err(TicketProblem::Expired) => {
            Answer { code: Code::REFUSED, errmsg: "typing ticket expired" }.into_response()
        }
    })
}

//! `getupdates`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use ilink::Code;
use ilink::wire::{GetUpdates, Updates};

use super::{Failure, STALE, bot_of, json, read};
use crate::clock::millis;
use crate::core::{Core, PollEnd, place_of};

pub(super) async fn get_updates(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let bot = bot_of(&core, &headers)?;
    let request = read(&body, GetUpdates::from_slice)?;
    let after = request.get_updates_buf.and_then(|cursor| place_of(&bot.id, &cursor));
    let (messages, cursor) = match core.poll(&bot, after).await? {
        PollEnd::Batch(messages, cursor) => (messages, cursor),
        PollEnd::Empty(cursor) => (Vec::new(), cursor),
        PollEnd::Stale => return Ok(STALE.into_response()),
    };
    let answer = Updates {
        ret: Some(Code::OK),
        msgs: Some(messages.into()),
        get_updates_buf: Some(cursor),
        longpolling_timeout_ms: i64::try_from(millis(core.hold)).ok(),
        ..Updates::default()
    };
    Ok(json(answer.to_json()))
}

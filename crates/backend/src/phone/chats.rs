//! Contacts and conversations.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use ilink::{BotId, UserId};
use serde::{Deserialize, Serialize};

use super::error::{ApiError, parse};
use super::view::{ContactView, MessageView, Resolver};
use crate::core::{Core, Quoting, Word};

/// How many messages a page of history has.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 200;
/// The longest id that a page may give a message.
const LONGEST_LOCAL_ID: usize = 128;

#[derive(Deserialize)]
pub(super) struct OfUser {
    user: UserId,
}

#[derive(Deserialize)]
pub(super) struct OfChat {
    pub(super) user: UserId,
    pub(super) bot: BotId,
}

pub(super) async fn contacts(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfUser>,
) -> Result<Json<Vec<ContactView>>, ApiError> {
    let contacts = core.store.contacts(&path.user, None).await?;
    let resolver = Resolver::new(&core);
    let view = |contact| resolver.contact(&path.user, contact);
    Ok(Json(contacts.into_iter().map(view).collect()))
}

#[derive(Deserialize)]
pub(super) struct HistoryQuery {
    before: Option<u64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct History {
    messages: Vec<MessageView>,
    more: bool,
}

pub(super) async fn history(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfChat>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Json<History>, ApiError> {
    let Query(query) = query?;
    let most = query.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let before = query.before.unwrap_or(u64::MAX);
    let page = core.store.page(&path.user, &path.bot, before, most).await?;
    let messages = Resolver::new(&core).messages(&page.messages).await?;
    Ok(Json(History { messages, more: page.more }))
}

#[derive(Deserialize)]
struct NewText {
    text: String,
    quote: Option<NewQuote>,
    local_id: Option<String>,
}

#[derive(Deserialize)]
struct NewQuote {
    message_id: String,
    text: Option<String>,
}

pub(super) async fn say(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfChat>,
    body: Bytes,
) -> Result<(StatusCode, Json<MessageView>), ApiError> {
    let new: NewText = parse(&body)?;
    if new.text.trim().is_empty() {
        return Err(ApiError::invalid("there is no text"));
    }
    let quoting = match new.quote {
        Some(quote) => Some(Quoting { message: message_id(&quote.message_id)?, part: quote.text }),
        None => None,
    };
    let word = Word { local_id: local_id(new.local_id)?, quoting, ..Word::text(&new.text) };
    let stored = core.speak(&path.user, &path.bot, word).await?;
    let view = Resolver::new(&core).message(&stored).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn read(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfChat>,
) -> Result<StatusCode, ApiError> {
    core.mark_read(&path.user, &path.bot).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads a message id as the page sends it.
pub(crate) fn message_id(text: &str) -> Result<u64, ApiError> {
    // SQLite's integers are signed.
    let id = text.parse().ok().filter(|id| *id <= i64::MAX as u64);
    id.ok_or_else(|| ApiError::invalid("that is no message id"))
}

pub(super) fn local_id(id: Option<String>) -> Result<Option<String>, ApiError> {
    if id.as_ref().is_some_and(|id| id.len() > LONGEST_LOCAL_ID) {
        return Err(ApiError::invalid(format!("local_id has at most {LONGEST_LOCAL_ID} bytes")));
    }
    Ok(id.filter(|id| !id.is_empty()))
}

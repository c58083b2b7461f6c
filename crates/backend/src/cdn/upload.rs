//! Bytes up.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header::CONTENT_LENGTH};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt as _;
use ilink::wire::header;
use serde::Deserialize;

use super::CdnError;
use crate::core::{Core, Ownership};
use crate::problem::Problem;
use crate::secret::fingerprint;
use crate::store::Ticket;

#[derive(Deserialize)]
pub(super) struct UploadQuery {
    #[serde(default)]
    encrypted_query_param: String,
    filekey: Option<String>,
    /// Whether the address was given as a whole.
    full: Option<String>,
}

pub(super) async fn upload(
    State(core): State<Arc<Core>>,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, CdnError> {
    let ticket = ticket(&core, &query).await?;
    let announced = headers.get(CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|n| n != ticket.size) {
        let reason = format!("the ticket is for {} bytes", ticket.size);
        return Err(CdnError::new(StatusCode::BAD_REQUEST, reason));
    }
    let cap = core.policy().upload_param_cap;
    if query.full.is_none() && cap.is_some_and(|cap| ticket.size > cap) {
        return Err(CdnError::new(StatusCode::INTERNAL_SERVER_ERROR, "use upload_full_url"));
    }
    let chunks = body.into_data_stream().map_err(std::io::Error::other);
    let owner = Ownership { bot: ticket.bot, user: ticket.user };
    let reference = core.take_cipher(owner, ticket.raw_size, ticket.size, Box::pin(chunks)).await?;
    Ok(([(header::ENCRYPTED_PARAM, reference)], ()).into_response())
}

/// Finds a ticket that is still good.
async fn ticket(core: &Core, query: &UploadQuery) -> Result<Ticket, CdnError> {
    let refused = || CdnError::new(StatusCode::FORBIDDEN, "bad or expired upload ticket");
    let found = core.store.ticket(fingerprint(&query.encrypted_query_param)).await;
    let ticket = found.map_err(Problem::from)?.ok_or_else(refused)?;
    let is_meant = query.filekey.as_ref().is_none_or(|key| *key == ticket.filekey);
    if !is_meant || core.now() >= ticket.expires_at {
        return Err(refused());
    }
    Ok(ticket)
}

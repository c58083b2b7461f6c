//! Bytes down.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;

use super::CdnError;
use super::range::Range;
use crate::core::{Core, Plain};
use crate::problem::Problem;

#[derive(Deserialize)]
pub(super) struct DownloadQuery {
    #[serde(default)]
    encrypted_query_param: String,
}

pub(super) async fn download(
    State(core): State<Arc<Core>>,
    Query(query): Query<DownloadQuery>,
    headers: HeaderMap,
) -> Result<Response, CdnError> {
    // Without a key the bytes come as they lie there.
    let stored = core.open_plain(&query.encrypted_query_param, None).await?;
    let mut response = ranged(&stored, &headers).await?;
    let plain = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    Ok(response)
}

/// Answers with all of a media, or with the part that is asked for.
pub(crate) async fn ranged(media: &Plain, headers: &HeaderMap) -> Result<Response, Problem> {
    let range = Range::asked(headers, media.size);
    let Some((from, n)) = range.span(media.size) else {
        return Ok(range.head(media.size, Body::empty()));
    };
    let stream = media.stream(from, n).await?;
    Ok(range.head(media.size, Body::from_stream(stream)))
}

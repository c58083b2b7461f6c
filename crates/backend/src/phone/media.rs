//! Media from and to the phone.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::TryStreamExt as _;
use ilink::UserId;
use ilink::wire::Item;
use ilink::{BotId, MediaKey};
use serde::Deserialize;

use super::chats::{OfChat, local_id, message_id};
use super::error::ApiError;
use super::view::{MessageView, Resolver, thumb_of};
use crate::cdn::ranged;
use crate::core::{Chunks, Core, Plain, Quoting, Upload, UploadKind, cdn_media};
use crate::face::key_of;
use crate::problem::Problem;
use crate::sniff;
use crate::store::Stored;

/// What is said about a media in the address.
#[derive(Debug, Deserialize)]
pub(crate) struct SendQuery {
    kind: UploadKind,
    #[serde(default)]
    name: String,
    local_id: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    duration_ms: Option<u64>,
    quote: Option<String>,
    /// What a voice message says.
    text: Option<String>,
}

impl SendQuery {
    fn upload(self) -> Result<Upload, ApiError> {
        let quoting = match self.quote.filter(|quote| !quote.is_empty()) {
            Some(quote) => Some(Quoting { message: message_id(&quote)?, part: None }),
            None => None,
        };
        Ok(Upload {
            kind: self.kind,
            name: self.name,
            local_id: local_id(self.local_id)?,
            quoting,
            width: self.width,
            height: self.height,
            duration_ms: self.duration_ms,
            transcript: self.text,
        })
    }
}

pub(super) async fn send(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfChat>,
    query: Result<Query<SendQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<MessageView>), ApiError> {
    let Query(query) = query?;
    let stored = take(&core, &path.user, &path.bot, query, &headers, body).await?;
    let view = Resolver::new(&core).message(&stored).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Takes a media that a user sends to a bot.
pub(crate) async fn take(
    core: &Arc<Core>,
    user: &UserId,
    bot: &BotId,
    query: SendQuery,
    headers: &HeaderMap,
    body: Body,
) -> Result<Stored, ApiError> {
    let chunks = chunks_of(core, headers, body)?;
    Ok(core.speak_media(user, bot, query.upload()?, chunks).await?)
}

/// Returns a body as a stream, unless it announces to be too large.
fn chunks_of(core: &Core, headers: &HeaderMap, body: Body) -> Result<Chunks, ApiError> {
    let cap = core.limits.media_size;
    let length = headers.get(header::CONTENT_LENGTH);
    let announced = length.and_then(|n| n.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|n| n > cap) {
        return Err(Problem::TooLarge { cap }.into());
    }
    Ok(Box::pin(body.into_data_stream().map_err(std::io::Error::other)))
}

#[derive(Deserialize)]
pub(super) struct OfMedia {
    user: UserId,
    message: u64,
    index: usize,
}

#[derive(Deserialize)]
pub(super) struct ShowQuery {
    thumb: Option<String>,
    download: Option<String>,
}

pub(super) async fn show(
    State(core): State<Arc<Core>>,
    Path(path): Path<OfMedia>,
    Query(query): Query<ShowQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let stored = core.message(&path.user, message_id(&path.message.to_string())?).await?;
    let message = stored.message();
    let items = message.item_list.as_deref();
    let item = items.and_then(|items| items.get(path.index)).ok_or(Problem::NotFound("media"))?;
    let plain = open(&core, item, query.thumb.is_some()).await?;
    let head = plain.read(0, sniff::ENOUGH as u64).await?;
    let name = item.file_item.as_ref().and_then(|file| file.file_name.as_deref());
    let response = ranged(&plain, &headers).await?;
    Ok(served(response, sniff::shown_as(&head), name, query.download.is_some()))
}

async fn open(core: &Core, item: &Item, thumb: bool) -> Result<Plain, Problem> {
    let (media, key) = if thumb {
        let media = thumb_of(item);
        let own = media.and_then(|media| MediaKey::of_media(media).ok().flatten());
        (media, own.or_else(|| key_of(item)))
    } else {
        (cdn_media(item), key_of(item))
    };
    let reference = media.and_then(|media| media.encrypt_query_param.as_deref());
    core.open_plain(reference.ok_or(Problem::NotFound("media"))?, key).await
}

/// Adds the headers that keep a stranger's bytes from acting as a page.
fn served(
    mut response: Response,
    media_type: Option<&'static str>,
    name: Option<&str>,
    download: bool,
) -> Response {
    let shown = media_type.filter(|_| !download && name.is_none());
    let kind = if shown.is_some() { "inline" } else { "attachment" };
    let disposition = name.map_or_else(|| kind.to_owned(), |name| disposition(kind, name));
    let headers = response.headers_mut();
    let content_type = media_type.unwrap_or("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(value) = HeaderValue::try_from(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    let sandbox = HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(header::CONTENT_SECURITY_POLICY, sandbox);
    let cache = HeaderValue::from_static("private, max-age=86400, immutable");
    headers.insert(header::CACHE_CONTROL, cache);
    response
}

/// Writes a file name as RFC 6266 wants it.
fn disposition(kind: &str, name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{kind}; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        let cases = [
            ("报告 1.pdf", "attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A%201.pdf"),
            (
                "a\"; x=\"\r\nSet-Cookie: b",
                "attachment; filename*=UTF-8''a%22%3B%20x%3D%22%0D%0ASet-Cookie%3A%20b",
            ),
            ("../../etc/passwd", "attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd"),
        ];
        for (name, header) in cases {
            assert_eq!(disposition("attachment", name), header);
        }
    }
}

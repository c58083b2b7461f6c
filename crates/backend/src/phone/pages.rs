//! The page itself, built into the program.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::core::Core;

/// What `web/build.mjs` made. May be absent while the page is being worked on.
#[derive(RustEmbed)]
#[folder = "web/dist/"]
#[allow_missing = true]
struct Built;

pub(super) fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/phone/") }))
        .route("/phone", get(|| async { Redirect::temporary("/phone/") }))
        .route("/phone/", get(index))
        .route("/phone/assets/{*path}", get(asset))
        .route("/q/{qrcode}", get(index))
}

async fn index(headers: HeaderMap) -> Response {
    match Built::get("index.html") {
        Some(file) => serve("index.html", &file, "no-cache", &headers),
        None => Html(NOT_BUILT).into_response(),
    }
}

const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>Hongyan</title>\
    <p>This program was built without its phone page. Its API works.";

/// Names of assets carry the hash of their content.
async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let name = format!("assets/{path}");
    match Built::get(&name) {
        Some(file) => serve(&name, &file, "public, max-age=31536000, immutable", &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn serve(name: &str, file: &EmbeddedFile, cache: &'static str, asked: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let known = asked.get(header::IF_NONE_MATCH).and_then(|it| it.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|it| it.trim() == tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let media_type = mime_guess::from_path(name).first_or_octet_stream();
        let content_type = [(header::CONTENT_TYPE, media_type.to_string())];
        let bytes = match &file.data {
            Cow::Borrowed(built_in) => Bytes::from_static(built_in),
            Cow::Owned(bytes) => Bytes::copy_from_slice(bytes),
        };
        (content_type, bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

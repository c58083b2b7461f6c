//! The faults, played.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use ilink::Code;
use ilink::wire::{self, Updates};

use super::Call;
use crate::api::{json, refusal};
use crate::cdn::CdnError;
use crate::fault::Fault;
use crate::serve::Cut;

/// What an edge in front of the backend says when it gave up.
const EDGE_GAVE_UP: u16 = 524;

impl Call {
    /// Plays a fault that keeps the request from having any effect.
    pub(super) fn before(&self, fault: &Fault) -> Option<Response> {
        match fault {
            Fault::DropRequest => Some(cut(Cut::Close)),
            Fault::Reset => Some(cut(Cut::Reset)),
            Fault::BadGateway => Some(page(StatusCode::BAD_GATEWAY, "502 Bad Gateway")),
            Fault::Refuse { code, errmsg } if self.endpoint.is_cdn() => {
                Some(refuse_on_cdn(*code, errmsg))
            }
            Fault::Refuse { code, errmsg } => Some(json(refusal(Code(*code), errmsg))),
            Fault::Late { .. }
            | Fault::DropAnswer
            | Fault::HalfBody
            | Fault::EdgeTimeout { .. }
            | Fault::EdgeCut { .. }
            | Fault::TruncatedJson
            | Fault::EmptyBody
            | Fault::Duplicate
            | Fault::Reorder
            | Fault::SlowCdn { .. }
            | Fault::NoEncryptedParam
            | Fault::Hold(_) => None,
        }
    }

    /// Plays a fault that changes an answer, or what becomes of it.
    pub(super) async fn after(self, fault: Fault, response: Response) -> Response {
        match fault {
            Fault::Late { by } => {
                self.wait_for(tokio::time::sleep(by)).await;
                response
            }
            Fault::Hold(hold) => {
                self.wait_for(hold.pass()).await;
                response
            }
            Fault::DropAnswer => cut(Cut::Close),
            Fault::HalfBody => self.half_then_silence(response).await,
            Fault::TruncatedJson => truncated(response).await,
            Fault::EmptyBody => StatusCode::OK.into_response(),
            Fault::Duplicate => {
                with_batch(response, |messages| {
                    let twice = messages.drain(..).flat_map(|it| [it.clone(), it]).collect();
                    *messages = twice;
                })
                .await
            }
            Fault::Reorder => with_batch(response, |messages| messages.reverse()).await,
            Fault::NoEncryptedParam => {
                let mut response = response;
                response.headers_mut().remove(wire::header::ENCRYPTED_PARAM);
                response
            }
            Fault::DropRequest
            | Fault::Reset
            | Fault::BadGateway
            | Fault::EdgeTimeout { .. }
            | Fault::EdgeCut { .. }
            | Fault::Refuse { .. }
            | Fault::SlowCdn { .. } => response,
        }
    }

    /// Answers 524 after a while, whatever the work comes to.
    pub(super) async fn give_up_after(
        &self,
        after: Duration,
        work: impl Future<Output = Response>,
    ) -> Response {
        let deadline = tokio::time::Instant::now() + after;
        // Done or not done, the edge does not wait for it.
        drop(tokio::time::timeout_at(deadline, work).await);
        self.wait_for(tokio::time::sleep_until(deadline)).await;
        gave_up()
    }

    async fn half_then_silence(self, response: Response) -> Response {
        let (mut parts, body, n) = sized(response).await;
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(n));
        let stopping = self.core.stopping.clone();
        let silence = stream::once(async move {
            stopping.cancelled().await;
            Err(io::Error::other("the backend stops"))
        });
        let half = take(body.into_data_stream().map_err(io::Error::other), n / 2);
        Response::from_parts(parts, Body::from_stream(half.chain(silence)))
    }
}

/// Makes a request arrive no faster than this.
pub(super) fn slow_request(request: Request, bytes_per_second: u64) -> Request {
    request.map(|body| slow(body, bytes_per_second))
}

/// Makes a response leave no faster than this.
pub(super) fn slow_response(response: Response, bytes_per_second: u64) -> Response {
    response.map(|body| slow(body, bytes_per_second))
}

fn slow(body: Body, bytes_per_second: u64) -> Body {
    const PER_SECOND: u64 = 20;
    let piece = usize::try_from((bytes_per_second / PER_SECOND).max(1)).unwrap_or(usize::MAX);
    let pieces = body.into_data_stream().map_ok(move |chunk| {
        let n = chunk.len().div_ceil(piece);
        stream::iter((0..n).map(move |at| {
            Ok::<_, axum::Error>(chunk.slice(at * piece..((at + 1) * piece).min(chunk.len())))
        }))
    });
    let slowly = pieces.try_flatten().then(move |chunk| async move {
        let n = chunk.as_ref().map_or(0, Bytes::len) as u64;
        let pause = n.saturating_mul(1_000_000) / bytes_per_second.max(1);
        tokio::time::sleep(Duration::from_micros(pause)).await;
        chunk
    });
    Body::from_stream(slowly)
}

/// Lets an answer pass that comes in time.
pub(super) async fn cut_after(after: Duration, work: impl Future<Output = Response>) -> Response {
    tokio::time::timeout(after, work).await.unwrap_or_else(|_| gave_up())
}

fn gave_up() -> Response {
    let status = StatusCode::from_u16(EDGE_GAVE_UP).unwrap_or(StatusCode::GATEWAY_TIMEOUT);
    page(status, "524: A timeout occurred")
}

fn cut(how: Cut) -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(how);
    response
}

fn page(status: StatusCode, title: &str) -> Response {
    let html = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n\
         <body><center><h1>{title}</h1></center><hr><center>edge</center></body></html>\n"
    );
    (status, Html(html)).into_response()
}

fn refuse_on_cdn(code: i64, reason: &str) -> Response {
    let status = u16::try_from(code).ok().filter(|code| (400..600).contains(code));
    let status = status.and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    CdnError { status, reason: reason.to_owned() }.into_response()
}

/// Returns the response's parts, its body and the body's size. Media keep
/// their stream; answers are small and are read.
async fn sized(response: Response) -> (axum::http::response::Parts, Body, u64) {
    let (parts, body) = response.into_parts();
    let length = parts.headers.get(header::CONTENT_LENGTH);
    if let Some(n) = length.and_then(|n| n.to_str().ok()?.parse().ok()) {
        return (parts, body, n);
    }
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let n = bytes.len() as u64;
    (parts, Body::from(bytes), n)
}

async fn truncated(response: Response) -> Response {
    let (mut parts, body, n) = sized(response).await;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(n / 2));
    let half = take(body.into_data_stream().map_err(io::Error::other), n / 2);
    Response::from_parts(parts, Body::from_stream(half))
}

/// Ends a stream after so many bytes.
fn take(
    chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    n: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    chunks.scan(n, |left, chunk| {
        let cut = chunk.map(|chunk| {
            let n = chunk.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= n as u64;
            chunk.slice(..n)
        });
        std::future::ready(match &cut {
            Ok(chunk) if chunk.is_empty() => None,
            Ok(_) | Err(_) => Some(cut),
        })
    })
}

/// Changes the messages of a batch.
async fn with_batch(response: Response, change: impl FnOnce(&mut Vec<wire::Message>)) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(mut updates) = Updates::from_slice(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    if let Some(messages) = updates.msgs.as_mut() {
        change(messages);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(updates.to_json()))
}

//! What stands before the API and the CDN: remembers each request and plays
//! the scripted faults.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ilink::BotId;
use ilink::wire::Updates;

use super::bearer;
use crate::core::Core;
use crate::endpoint::Endpoint;
use crate::fault::{Fault, Moment};
use crate::recorder;
use crate::secret::{bot_named_in, fingerprint};

mod trouble;

/// The largest body of an API call.
const LARGEST_BODY: usize = 2 << 20;
/// How much of a body is remembered.
const MOST_REMEMBERED: usize = 256 << 10;
/// How long the body of an API call may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// One call on its way through the edge.
struct Call {
    core: Arc<Core>,
    endpoint: Endpoint,
    bot: Option<BotId>,
}

/// Lets a request pass, in the way the script says.
pub(super) async fn pass(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let Some(endpoint) = Endpoint::of_path(path) else {
        return next.run(request).await;
    };
    let bot = bearer(request.headers()).and_then(bot_named_in);
    let bot = match bot {
        None if endpoint.is_cdn() && core.faults.ask_for_bot(endpoint) => {
            bot_of_media(&core, endpoint, request.uri().query()).await
        }
        named => named,
    };
    let call = Call { core, endpoint, bot };
    let request = match call.receive(request).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    if endpoint.is_held() {
        call.hold_open(request, next).await
    } else {
        call.answer(request, next).await
    }
}

impl Call {
    /// Reads the body of an API call, and remembers the request. Bodies on the
    /// CDN stay streams.
    async fn receive(&self, request: Request) -> Result<Request, Response> {
        let (parts, body) = request.into_parts();
        let (text, body) = if self.endpoint.is_cdn() {
            (Bytes::new(), body)
        } else {
            let read = tokio::time::timeout(BODY_DEADLINE, to_bytes(body, LARGEST_BODY)).await;
            let Ok(read) = read else {
                return Err(StatusCode::REQUEST_TIMEOUT.into_response());
            };
            let bytes = read.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
            (bytes.clone(), Body::from(bytes))
        };
        if self.core.recorder.is_on() {
            self.core.recorder.record(recorder::Request {
                endpoint: self.endpoint,
                bot: self.bot.clone(),
                at_ms: self.core.now(),
                method: parts.method.to_string(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: recorder::Request::headers_of(&parts.headers),
                body: String::from_utf8_lossy(&text[..text.len().min(MOST_REMEMBERED)])
                    .into_owned(),
            });
        }
        Ok(Request::from_parts(parts, body))
    }

    /// A call that is answered at once.
    async fn answer(self, request: Request, next: Next) -> Response {
        match self.take(Moment::Arrival) {
            None => self.work(request, next).await,
            Some(Fault::EdgeTimeout { after }) => {
                let work = self.work(request, next);
                self.give_up_after(after, work).await
            }
            Some(Fault::EdgeCut { after }) => {
                trouble::cut_after(after, self.work(request, next)).await
            }
            Some(Fault::Hold(hold)) if !hold.is_after() => {
                self.wait_for(hold.pass()).await;
                self.work(request, next).await
            }
            Some(Fault::SlowCdn { bytes_per_second }) => {
                let response =
                    self.work(trouble::slow_request(request, bytes_per_second), next).await;
                trouble::slow_response(response, bytes_per_second)
            }
            Some(fault) => match self.before(&fault) {
                Some(response) => response,
                None => {
                    let response = self.work(request, next).await;
                    self.after(fault, response).await
                }
            },
        }
    }

    /// A call that may be held open: trouble can begin at any time.
    async fn hold_open(self, request: Request, next: Next) -> Response {
        let mut script = self.core.faults.watch();
        let mut fault = self.take(Moment::ArrivalHeld);
        if let Some(Fault::Hold(hold)) = &fault {
            self.wait_for(hold.pass()).await;
            fault = None;
        }
        let mut work = std::pin::pin!(next.run(request));
        loop {
            if let Some(Fault::EdgeTimeout { after }) = fault {
                return self.give_up_after(after, work).await;
            }
            if let Some(Fault::EdgeCut { after }) = fault {
                return trouble::cut_after(after, work).await;
            }
            if let Some(response) = fault.as_ref().and_then(|fault| self.before(fault)) {
                return response;
            }
            let response = tokio::select! {
                response = work.as_mut() => response,
                _ = script.changed() => {
                    fault = self.take(Moment::Held);
                    continue;
                }
            };
            return self.answer_held(response).await;
        }
    }

    /// Plays what waits for an answer that carries something.
    async fn answer_held(self, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let carries = self.endpoint != Endpoint::GetUpdates || {
            let updates = Updates::from_slice(&bytes).unwrap_or_default();
            updates.msgs.is_some_and(|messages| !messages.is_empty())
        };
        let fault = if carries { self.take(Moment::Answer) } else { None };
        let response = Response::from_parts(parts, Body::from(bytes));
        match fault {
            None => response,
            Some(fault) => self.after(fault, response).await,
        }
    }

    /// Does the work to its end, even if the client goes away meanwhile.
    async fn work(&self, request: Request, next: Next) -> Response {
        let work = self.core.tasks.finish("call", next.run(request));
        work.await.unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }

    fn take(&self, moment: Moment) -> Option<Fault> {
        self.core.faults.take(self.endpoint, self.bot.as_ref(), moment)
    }

    /// Waits, but not longer than the backend runs.
    async fn wait_for(&self, wait: impl Future<Output = ()>) {
        tokio::select! {
            () = wait => {}
            () = self.core.stopping.cancelled() => {}
        }
    }
}

/// Finds whose upload or download it is.
async fn bot_of_media(core: &Core, endpoint: Endpoint, query: Option<&str>) -> Option<BotId> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, reference) = pairs.find(|(name, _)| *name == "encrypted_query_param")?;
    let hash = fingerprint(reference);
    if endpoint == Endpoint::CdnUpload {
        Some(core.store.ticket(hash).await.ok()??.bot)
    } else {
        Some(core.store.media(hash).await.ok()??.bot)
    }
}

//! One request and its answer, on a connection of their own.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Context;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use gateway::control::Token;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long it may take to be let in.
const CONNECT: Duration = Duration::from_secs(2);
/// The most that an answer may have, in bytes.
const MOST_ANSWER: usize = 256 << 20;

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is asked for.
pub(super) struct Question<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
}

/// An answer whose body is still to come.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Incoming,
    line: Line,
}

/// The connection, which does the work while somebody waits for what it brings.
struct Line(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Line {
    fn work(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.0
            && connection.as_mut().poll(context).is_ready()
        {
            self.0 = None;
        }
    }
}

/// Sends a request and waits until the answer begins.
pub(super) async fn ask(
    address: SocketAddr,
    token: &Token,
    question: Question<'_>,
) -> Result<Answer, Failure> {
    let Question { method, path, body } = question;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "close")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let request = request.body(Body::from(body.unwrap_or_default()))?;
    let stream = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // What it has to say of its end, the answer says, too.
    let mut line = Line(Some(Box::pin(async { drop(connection.await) })));
    let mut answering = pin!(sender.send_request(request));
    let answer = poll_fn(|context| {
        line.work(context);
        answering.as_mut().poll(context)
    });
    let answer = answer.await?;
    Ok(Answer { status: answer.status(), body: answer.into_body(), line })
}

impl Answer {
    /// Returns the next piece, `None` at the end. Cancel safe.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = poll_fn(|context| {
                self.line.work(context);
                Pin::new(&mut self.body).poll_frame(context)
            });
            let Some(frame) = frame.await else { return Ok(None) };
            if let Ok(piece) = frame?.into_data() {
                return Ok(Some(piece));
            }
        }
    }

    /// Returns all of it.
    pub(super) async fn whole(mut self) -> Result<Vec<u8>, Failure> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await? {
            if whole.len() + piece.len() > MOST_ANSWER {
                return Err("the answer is too long".into());
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

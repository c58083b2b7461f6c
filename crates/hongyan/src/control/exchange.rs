//! One request and its answer.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use gateway::control::Token;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long it may take to be let in.
const CONNECT: Duration = Duration::from_secs(2);
/// The most that an answer may have, in bytes.
const MOST_ANSWER: usize = 256 << 20;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sends one request on a connection of its own and reads the whole answer.
pub(super) async fn exchange(
    address: SocketAddr,
    token: &Token,
    method: &str,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<(StatusCode, Vec<u8>), Failure> {
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
    let (mut line, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answered = async move {
        let answer = line.send_request(request).await?;
        let status = answer.status();
        let bytes = to_bytes(Body::new(answer.into_body()), MOST_ANSWER).await?;
        Ok::<_, Failure>((status, bytes.to_vec()))
    };
    // The connection does the work; what it has to say of its end, the answer says, too.
    let (_, answered) = tokio::join!(connection, answered);
    answered
}

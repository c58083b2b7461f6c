//! Connections: accepting them, answering on them, and cutting them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long a connection may be idle, or take to send the head of a request.
/// Longer than clients keep idle connections, so that they close them first.
const IDLE: Duration = Duration::from_secs(120);
/// How long open requests may take to end when the backend stops.
const GRACE: Duration = Duration::from_secs(5);

/// Who is on the other end of a connection. In the extensions of each request.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Set to end the connection by a reset.
    reset: Arc<AtomicBool>,
}

/// In the extensions of a response: the connection is closed instead of
/// answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// As if the other end had simply gone.
    Close,
    /// With a TCP reset.
    Reset,
}

/// Serves until told to stop; then lets open requests end, for a while.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    most: usize,
    stopping: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(most));
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(err) => {
                // Out of file descriptors, usually: give others time to close theirs.
                tracing::warn!(error = %err, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(most, "a connection was refused: there are too many");
            continue;
        };
        let serving = serve_one(stream, address, router.clone(), stopping.clone());
        open.spawn(async move {
            serving.await;
            drop(permit);
        });
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!(grace = ?GRACE, "requests were cut off by the stop");
    }
}

async fn serve_one(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) {
    if let Err(err) = stream.set_nodelay(true) {
        tracing::debug!(error = %err, "a connection was gone at once");
        return;
    }
    let peer = Peer { address, reset: Arc::default() };
    let line = Line { stream, reset: Arc::clone(&peer.reset) };
    let answer = service_fn(move |request| answer(router.clone(), peer.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(line), answer);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(err) = ended {
        tracing::trace!(error = %err, "a connection broke");
    }
}

/// Answers one request, or breaks the connection when a fault says so.
async fn answer(
    router: Router,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let mut request = request.map(Body::new);
    let reset = Arc::clone(&peer.reset);
    request.extensions_mut().insert(peer);
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let Some(cut) = response.extensions().get::<Cut>() else {
        return Ok(response);
    };
    reset.store(*cut == Cut::Reset, Ordering::Relaxed);
    Err(io::Error::other("cut by a fault"))
}

/// A TCP connection that can end in a reset.
struct Line {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // If it fails the connection closes in order, which is nearly as bad.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}

//! Connections: accepting them, answering on them, ending them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many connections there may be at once.
const MOST: usize = 128;
/// How long a connection may be idle, or take to send the head of a request.
const IDLE: Duration = Duration::from_secs(30);
/// How long open requests may take to end at a stop.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until told to stop; then lets open requests end, for a moment.
pub(super) async fn serve(listener: TcpListener, router: Router, stopping: CancellationToken) {
    let room = Arc::new(Semaphore::new(MOST));
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(err) => {
                // Out of file descriptors, usually: give others time to close theirs.
                tracing::warn!(error = %err, "a control connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(most = MOST, "a control connection was refused: there are too many");
            continue;
        };
        let serving = serve_one(stream, router.clone(), stopping.clone());
        open.spawn(async move {
            serving.await;
            drop(permit);
        });
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::debug!("control requests were cut off by the stop");
    }
}

async fn serve_one(stream: TcpStream, router: Router, stopping: CancellationToken) {
    if let Err(err) = stream.set_nodelay(true) {
        tracing::debug!(error = %err, "a control connection was gone at once");
        return;
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(err) = ended {
        tracing::trace!(error = %err, "a control connection broke");
    }
}

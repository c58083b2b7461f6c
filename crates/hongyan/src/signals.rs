//! What the operating system asks for.

/// Waits until somebody wants the program to stop.
pub(crate) async fn stop_asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return ctrl_c().await;
        };
        tokio::select! {
            () = ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    ctrl_c().await;
}

/// Waits until somebody wants the program to start anew in place: SIGUSR2, as
/// OpenClaw has it.
#[cfg(unix)]
pub(crate) async fn restart_asked() {
    use tokio::signal::unix::{SignalKind, signal};

    if let Ok(mut restart) = signal(SignalKind::user_defined2())
        && restart.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

/// Waits for ever: there is no such signal here.
#[cfg(not(unix))]
pub(crate) async fn restart_asked() {
    std::future::pending().await
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without the signal there is nothing to wait for, and stopping at once
        // would be wrong.
        std::future::pending::<()>().await;
    }
}

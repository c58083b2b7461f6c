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

/// What somebody wants of a gateway by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Stop,
    /// To start anew in place: SIGUSR2, as OpenClaw has it.
    Restart,
}

/// Signals, heard from the moment that this is made: none is lost between two
/// waits.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    restart: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            restart: signal(SignalKind::user_defined2())?,
        })
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one. Cancel safe.
    pub(crate) async fn next(&mut self) -> Asked {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.restart.recv() => Asked::Restart,
        }
        #[cfg(not(unix))]
        {
            ctrl_c().await;
            Asked::Stop
        }
    }

    /// Waits until somebody wants the program to stop, whatever else is wanted.
    pub(crate) async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}

/// Waits until the system wants the program to stop. What a terminal sends to
/// everything that runs in it is passed over: the host has heard it as well.
pub(crate) async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let _interrupts = signal(SignalKind::interrupt());
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            terminate.recv().await;
            return;
        }
    }
    std::future::pending::<()>().await;
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without the signal there is nothing to wait for, and stopping at once
        // would be wrong.
        std::future::pending::<()>().await;
    }
}

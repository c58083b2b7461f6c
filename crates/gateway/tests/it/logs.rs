//! Keeps what is logged.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

/// All that this thread logs, at every level, until it is dropped.
pub(crate) struct Logs {
    bytes: Buffer,
    _installed: DefaultGuard,
    /// Where only one listens, `tracing` asks the thread that comes to a line
    /// first whether anybody does, and believes it for all threads.
    _second: Dispatch,
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Logs {
    pub(crate) fn kept() -> Self {
        let bytes = Buffer::default();
        let writer = bytes.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        let _second = Dispatch::new(NoSubscriber::new());
        Self { bytes, _installed: tracing::subscriber::set_default(subscriber), _second }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

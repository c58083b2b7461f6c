//! What a program writes to stderr goes to the log, within bounds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};
use tokio::time::Instant;

use super::lock;

/// How many bytes of a line are told.
const MAX_LINE: usize = 2_000;
/// How many lines are told within a while.
const MAX_LINES: u32 = 100;
const WHILE: Duration = Duration::from_secs(10);

/// The last line, to explain an end.
#[derive(Clone, Default)]
pub(super) struct LastWords(Arc<Mutex<Option<String>>>);

impl LastWords {
    pub(super) fn get(&self) -> Option<String> {
        lock(&self.0).clone()
    }
}

/// Tells line after line until the end.
pub(super) async fn tell(plugin: String, mut from: impl AsyncBufRead + Unpin, last: LastWords) {
    let mut line = Vec::new();
    let mut room = Room { since: Instant::now(), n_told: 0, n_dropped: 0 };
    while let Some(is_whole) = read_on(&mut from, &mut line).await {
        if !is_whole {
            continue;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        if text.is_empty() {
            continue;
        }
        if room.is_left(&plugin) {
            tracing::info!(plugin, line = text, "plugin says");
        }
        *lock(&last.0) = Some(text);
    }
}

/// Reads on, up to the end of the line or of what has come; keeps the beginning
/// of a line that is too long. Says whether the line is whole; `None` at the end.
async fn read_on(from: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> Option<bool> {
    let chunk = from.fill_buf().await.ok()?;
    if chunk.is_empty() {
        let rest = !line.is_empty();
        return rest.then_some(true);
    }
    let end = chunk.iter().position(|byte| *byte == b'\n');
    let (n_new, n_read) = match end {
        Some(end) => (end, end + 1),
        None => (chunk.len(), chunk.len()),
    };
    let room = MAX_LINE.saturating_sub(line.len());
    line.extend_from_slice(&chunk[..n_new.min(room)]);
    from.consume(n_read);
    Some(end.is_some())
}

/// How much may still be told.
struct Room {
    since: Instant,
    n_told: u32,
    n_dropped: u32,
}

impl Room {
    fn is_left(&mut self, plugin: &str) -> bool {
        if self.since.elapsed() >= WHILE {
            if self.n_dropped > 0 {
                tracing::warn!(plugin, lines = self.n_dropped, "plugin says too much");
            }
            *self = Self { since: Instant::now(), n_told: 0, n_dropped: 0 };
        }
        if self.n_told >= MAX_LINES {
            self.n_dropped += 1;
            return false;
        }
        self.n_told += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_without_an_end_takes_no_memory_and_the_last_is_remembered() {
        let mut text = vec![b'x'; 1_000_000];
        text.extend_from_slice(b"\n\xffbye\n\n");
        let last = LastWords::default();
        tell("p".to_owned(), text.as_slice(), last.clone()).await;
        assert_eq!(last.get().as_deref(), Some("\u{fffd}bye"));
        tell("p".to_owned(), vec![b'x'; 1_000_000].as_slice(), last.clone()).await;
        assert_eq!(last.get().map(|text| text.len()), Some(MAX_LINE));
    }
}

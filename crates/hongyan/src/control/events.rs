//! What a gateway tells as it happens: server-sent events, each a value.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::exchange::{Answer, Failure};

/// How long nothing may come: a gateway that lives says so four times meanwhile.
const SILENCE: Duration = Duration::from_secs(60);
/// The most that one event may have, in bytes.
const MOST_EVENT: usize = 1 << 20;

/// Events in the order in which they happen. Dropped, it hangs up.
pub(crate) struct Events {
    answer: Answer,
    /// What came and is not told yet.
    rest: Vec<u8>,
}

impl Events {
    pub(super) fn new(answer: Answer) -> Self {
        Self { answer, rest: Vec::new() }
    }

    /// Waits for the next one; `None` when the gateway has hung up. Cancel safe.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Failure> {
        loop {
            if let Some(told) = take(&mut self.rest) {
                return Ok(Some(serde_json::from_slice(&told)?));
            }
            if self.rest.len() > MOST_EVENT {
                return Err("an event is too long".into());
            }
            let piece = tokio::time::timeout(SILENCE, self.answer.piece()).await;
            let piece = piece.map_err(|_| format!("nothing was heard for {SILENCE:?}"))??;
            let Some(piece) = piece else { return Ok(None) };
            self.rest.extend_from_slice(&piece);
        }
    }
}

/// Takes the first event that is whole out of what came. Comments, by which a
/// gateway says that it lives, are passed over.
fn take(rest: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\n\n")?;
        let block: Vec<u8> = rest.drain(..end + 2).collect();
        let lines = block.split(|byte| *byte == b'\n');
        let told: Vec<&[u8]> = lines.filter_map(|line| line.strip_prefix(b"data:")).collect();
        if !told.is_empty() {
            return Some(told.join(&b'\n'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whole_and_signs_of_life_do_not() {
        let mut rest = Vec::new();
        let mut told = Vec::new();
        for piece in ["data: {\"a\"", ":1}\n", "\n:\n\ndata: 2\n\nda", "ta: 3\ndata: 4\n\n"] {
            rest.extend_from_slice(piece.as_bytes());
            while let Some(event) = take(&mut rest) {
                told.push(String::from_utf8(event).unwrap());
            }
        }
        assert_eq!(told, [" {\"a\":1}", " 2", " 3\n 4"]);
        assert!(rest.is_empty());
    }
}

//! Cuts a stream of bytes into the data of its events.
//!
//! The format is the one of the HTML standard ("server-sent events"). Only
//! `data` matters here: names, ids, retry times and comments are skipped.

/// How long one event may be, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// What has come of the current event.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    after_cr: bool,
}

/// An event is longer than any honest one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Events {
    /// Takes the next bytes and returns the data of the events they complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut complete = Vec::new();
        for &byte in bytes {
            let second_of_crlf = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            if second_of_crlf {
                continue;
            }
            if byte == b'\n' || byte == b'\r' {
                complete.extend(self.end_line());
            } else {
                self.line.push(byte);
            }
            if self.line.len() + self.data.len() > MOST_BYTES {
                return Err(TooLong);
            }
        }
        Ok(complete)
    }

    /// Returns what was left when the stream ended without an empty line.
    pub(super) fn end(mut self) -> Option<String> {
        self.end_line().or_else(|| self.end_event())
    }

    fn end_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.end_event();
        }
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line);
        if let Some(value) = line.strip_prefix(b"data:") {
            self.data.extend(value.strip_prefix(b" ").unwrap_or(value));
            self.data.push(b'\n');
        }
        None
    }

    fn end_event(&mut self) -> Option<String> {
        let mut data = std::mem::take(&mut self.data);
        data.pop()?;
        Some(String::from_utf8_lossy(&data).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stream: &str, expected: &[&str]) {
        let mut whole = Events::default();
        let mut found = whole.feed(stream.as_bytes()).unwrap();
        found.extend(whole.end());
        assert_eq!(found, expected, "{stream:?} at once");

        let mut bytewise = Events::default();
        let mut found = Vec::new();
        for byte in stream.bytes() {
            found.extend(bytewise.feed(&[byte]).unwrap());
        }
        found.extend(bytewise.end());
        assert_eq!(found, expected, "{stream:?} byte by byte");
    }

    #[test]
    fn events_are_found_whatever_ends_their_lines() {
        check("data: a\n\ndata: b\n\n", &["a", "b"]);
        check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
        check("data: a\r\rdata: b\r\r", &["a", "b"]);
    }

    #[test]
    fn what_is_not_data_is_skipped() {
        check(": ping\n\nevent: x\nid: 1\ndata:{\"a\":1}\n\n", &["{\"a\":1}"]);
        check("\u{feff}data: first\n\n", &["first"]);
        check("data: one\ndata: two\n\n", &["one\ntwo"]);
        check("data: 鸿雁\n\n", &["鸿雁"]);
    }

    #[test]
    fn the_last_event_counts_without_an_empty_line() {
        check("data: a\n\ndata: [DONE]", &["a", "[DONE]"]);
        check("data: a\n\ndata: [DONE]\n", &["a", "[DONE]"]);
        check("", &[]);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut events = Events::default();
        assert_eq!(events.feed(&vec![b'x'; MOST_BYTES + 1]), Err(TooLong));
    }
}

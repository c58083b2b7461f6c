//! Voice files in, PCM out.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod golden;

//! One binary for all integration tests of the crate.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod render;
mod split;
mod texts;
mod vectors;

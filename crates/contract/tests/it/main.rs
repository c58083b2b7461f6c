//! The contract between two programs, spoken over pipes in memory.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod doc;
mod misbehaviour;
mod post;
mod stdio;

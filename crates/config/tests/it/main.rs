//! The file as a host uses it, on a real disk.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod checking;
mod comments;
mod editing;
mod folder;
mod manual;
mod reading;
mod watching;

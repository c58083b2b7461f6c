//! The channel against the real backend, with its faults.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod account_ids;
mod credentials;
mod crash;
mod host;
mod polling;
mod receiving;
mod sending;
mod trouble;

//! The channel against the real backend, with its faults.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod account_ids;
mod accounts;
mod canary;
mod credentials;
mod crash;
mod host;
mod polling;
mod login;
mod official;
mod receiving;
mod sending;
mod settings;
mod trouble;

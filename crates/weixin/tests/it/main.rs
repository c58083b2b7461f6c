//! The channel against the real backend, with its faults.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod account_ids;
mod accounts;
mod budget;
mod canary;
mod commands;
mod credentials;
mod crash;
mod host;
mod intake;
mod login;
mod merging;
mod official;
mod overflow;
mod polling;
mod proactive;
mod quotes;
mod receiving;
mod sending;
mod settings;
mod trouble;

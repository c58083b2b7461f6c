//! The channel against the real backend, with its faults.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod account_ids;
mod accounts;
mod budget;
mod big_files;
mod bounded;
mod canary;
mod commands;
mod configuring;
mod credentials;
mod crash;
mod demands;
mod fairness;
mod delivery_truth;
mod facing;
mod host;
mod intake;
mod login;
mod losses;
mod media_out;
mod merging;
mod mid_send;
mod official;
mod overflow;
mod polling;
mod proactive;
mod quotes;
mod rebind;
mod receiving;
mod recordings;
mod repeats;
mod secrets_at_rest;
mod sending;
mod sending_order;
mod settings;
mod strangers;
mod trouble;
mod typing;
mod witness;

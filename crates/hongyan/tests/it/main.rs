//! Hongyan from the outside: the rules of its house, and its commands.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod accounts;
mod backup_words;
mod cli;
mod config;
mod config_words;
mod control_words;
mod cut;
mod documents;
mod host;
mod import_words;
mod instance;
mod kill;
mod model;
mod pairing_words;
mod plugin_words;
mod program;
mod session_words;
mod restart;
mod sidecar;
mod soak;
mod tidy;

//! One binary for all integration tests of the crate.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing to unwrap has failed")]

// Elsewhere loopback is a single address.
#[cfg(target_os = "linux")]
mod addresses;
mod backend;
mod cipher;
mod client;
mod golden;
mod login;
mod machine;
mod media;
mod secrets;
mod vectors;
mod wire;

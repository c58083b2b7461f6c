//! One binary for all integration tests of the crate.

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

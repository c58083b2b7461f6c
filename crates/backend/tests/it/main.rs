//! The backend from outside: raw HTTP on one side, phones on the other.
#![expect(clippy::unwrap_used, reason = "a test cannot go on without")]

mod bot;
mod wire;
mod basics;
mod golden;
mod login;
mod stream;
mod send;
mod limits;
mod typing;
mod media;
mod quotes;
mod faults;
mod crash;
mod phone;
mod events;
mod admin;
mod hostile;

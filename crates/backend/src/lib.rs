//! The server side of Tencent's iLink bot protocol, with a phone in the
//! browser: for those who have their own IM, for the demo, and in process
//! inside every test.
//!
//! ```text
//!  bots ──▶ api      the iLink API         ┐
//!      ──▶ cdn      media up and down     │            ┌ store     what survives
//! pages ──▶ phone    the phone API, SSE    ├──▶ core ──▶┤ registry  the bots in memory
//! shell ──▶ admin    the admin API         │            └ phones    who must be told
//! tests ──▶ face     the test face         ┘
//!
//! pure: policy (what is allowed) · login (the QR login) · quote · sniff
//! around: clock (time that can jump) · fault (scripted trouble) · recorder
//!         (what was asked) · secret (tokens that are computed, not stored)
//! running: backend (the handle) · serve (connections) · tasks (the spawner)
//! ```
//!
//! Promise: every answer that promises something is sent when it is on disk.
//! `kill -9` loses nothing that was answered.
//!
//! Invariants: this crate leans on the wire types and the cipher of `ilink` and
//! never on its client; only `store/` contains SQL; every policy and expiry
//! goes by [`Clock`]; nothing that decides does I/O.

mod backend;
mod config;
mod core;
mod face;
mod admin;
mod api;
mod cdn;
mod phone;
mod clock;
mod endpoint;
mod fault;
mod guard;
mod ident;
mod links;
mod login;
mod phones;
mod policy;
mod problem;
mod quote;
mod rate;
mod recorder;
mod registry;
mod secret;
mod serve;
mod sniff;
mod store;
mod tasks;

pub use crate::backend::{Backend, Builder, StartError};
pub use crate::clock::Clock;
pub use crate::config::{Config, Limits};
pub use crate::endpoint::Endpoint;
pub use crate::face::{Credentials, Seen, SeenItem, SeenMedia, User};
pub use crate::fault::{Fault, Gate, Hold};
pub use crate::policy::{Duplicate, Policy, QuoteForm, Throttle};
pub use crate::recorder::Request;

//! What the gateway promises.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod agent;
mod approvals;
mod asides;
mod channel;
mod control;
mod commands;
mod guide;
mod lanes;
mod logs;
mod model;
mod openai;
mod pairing;
mod routing;
mod queue;
mod sessions;
mod turns;

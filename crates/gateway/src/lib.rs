//! The host that has agents behind it.
//!
//! ```text
//!  channel ─▶ access ───▶ route ──▶ lanes ───▶ turn ──▶ agent
//!             admitted?   session   in order   one run    │ answers
//!             pairing     agent                           │
//!  channel ◀──────────────────────────────── replies ◀────┘
//!                                            numbered, and recorded
//!                                            in the store before
//! ```
//!
//! `gateway` holds it together: it starts the channels, is what they see of
//! us, and stops everything in order. `command` answers the few words that
//! are for the gateway and not for an agent. [`agents`] are the ones built in.
//!
//! [`control`] is how programs on this machine reach it while it runs.
//!
//! Nothing here knows what a channel's network is called or how it works.
//!
//! A turn that is cut, by a crash or by a stop that could not wait, is not
//! finished: its channel hands it over again, it runs again, and because its
//! replies are numbered and its words recorded before they are given, it
//! answers once.

mod config;
pub mod control;
mod gateway;
mod access;
mod pairing;
mod route;
mod rules;
mod lanes;
mod command;
mod turn;
mod ending;
mod agent;
mod approval;
mod replies;
mod session_policy;
mod sessions;
pub mod agents;
mod language;
mod store;

pub use crate::access::{
    AccessSettings, Authority, Decision, DmPolicy, Ground, OwnerToConfigure, Reason, Refusal,
    Refused,
};
pub use crate::agent::{Agent, AgentError, Turn};
pub use crate::approval::{Question, Resolution};
pub use crate::config::Config;
pub use crate::gateway::{Gateway, GatewayError};
pub use crate::lanes::{DropPolicy, QueueMode, QueueSettings};
pub use crate::pairing::{APPROVED, Approval, Elsewhere, Pairing, PairingMeta, PairingRequest};
pub use crate::replies::Replies;
pub use crate::route::{
    AgentId, Binding, BindingKind, BindingMatch, BindingPeer, BindingSession, Considered, DmScope,
    MatchedBy, Mismatch, Roster, RosterEntry, Route, RouteError, RouteExplanation, RouteSettings,
    ScopeSettings, SessionKey, SessionScope,
};
pub use crate::rules::{AccessExplanation, Agents, Explanation, Rules, RulesError};
pub use crate::session_policy::{ResetMode, ResetRule, SessionSettings};
pub use crate::sessions::{Sessions, SessionsError, Transcript, Which};
pub use crate::store::{
    Closing, Entry, HistoryLimit, Line, ResetReason, Role, SessionEntry, StoreError, Window,
};

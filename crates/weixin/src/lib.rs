//! The WeChat channel.
//!
//! ```text
//! backend ─▶ monitor ─▶ inbox (store) ─▶ intake ─▶ host
//! backend ◀─ delivery ◀─ outbox (store) ◀────────── host
//!               ▲ typing ◀──────────────────────────┘
//! ```
//!
//! - [`channel`] is the front door: it implements [`contract::Channel`] and
//!   keeps one running `account` per stored credential.
//! - `monitor` polls one account and stores what comes, and does nothing else;
//!   `hold` and `pacer` decide for how long and when, `wake` and `notes` are
//!   one task each for all monitors (`pulse`).
//! - `store` is the memory: the inbox with cursor and context tokens, and the
//!   outbox. Only its files contain SQL.
//! - `intake` turns stored messages into what a host understands, in order
//!   within a conversation and side by side across conversations (`lanes`);
//!   `merge` says which of them make one turn, `commands` which overtake,
//!   `crashes` which have to wait for each other,
//!   `quotes` remembers what a message may refer to.
//! - `delivery` sends outbox rows, under one client id for all attempts.
//! - [`governor`] decides what may leave when: window, quota, bursts, penalties;
//!   [`outcome`] says what an answer of the backend means.
//! - [`codes`] explains every notice, outcome and trouble to people.
//! - [`credentials`] are the files that the official plugin keeps, too; `seal`
//!   closes them, and [`official`] is its other state.
//! - [`settings`] are what a configuration says, checked and resolved.
//! - [`login`] brings an account here, [`accounts`] lists, carries and removes it;
//!   `facing` is both for a host that knows the contract only.
//!
//! Invariants: nothing here knows what an agent is; a message is acknowledged
//! to the backend only after it is on disk; a reply is on disk before it leaves.

pub mod account_id;
pub mod accounts;
pub mod channel;
pub mod codes;
pub mod credentials;
pub mod governor;
pub mod login;
pub mod outcome;
pub mod official;
pub mod settings;

mod account;
mod budget;
mod clock;
mod composing;
mod crashes;
mod commands;
mod delivery;
mod desk;
mod facing;
mod files;
mod hold;
mod inbound;
mod intake;
mod lanes;
mod lock;
mod metrics;
mod merge;
mod monitor;
mod news;
mod pacer;
mod packing;
mod notes;
mod pace;
mod pulse;
mod quotes;
mod received_files;
mod running;
mod saying;
mod sending;
mod speaker;
mod seal;
mod status;
mod store;
mod switch;
mod targets;
mod time;
mod typing;
mod wake;

pub use crate::accounts::Accounts;
pub use crate::channel::WeixinChannel;
pub use crate::clock::Clock;
pub use crate::commands::Words;
pub use crate::credentials::{Credentials, CredentialsError, NameError, Registry};
pub use crate::intake::IntakeSettings;
pub use crate::merge::MergeSettings;
pub use crate::pace::Pace;
pub use crate::quotes::QuoteSettings;
pub use crate::seal::pieces::{Sealed, SealedReader, SealedWriter};
pub use crate::seal::{KeyFileError, StoreKey};
pub use crate::sending::{MarkdownStyle, SendSettings, Ttl};
pub use crate::settings::{CHANNEL_ID, ChannelSettings, PROTOCOL_VERSION, Settings};
pub use crate::time::{Clocks, Reading};

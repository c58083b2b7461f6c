//! What a media file is, what it is called, where it may come from, and its
//! preview.
//!
//! a reference → [`local`]  ┐          ┌ [`kind`] → [`facts`] → [`preview`]
//!                          ├→ a file →┤
//! an address  → [`remote`] ┘          └ [`name`]
//!
//! Invariants: nothing here knows a channel; nothing panics on outside bytes,
//! and what is read, decoded or fetched is bounded whatever a file claims.
//! Everything but [`remote`] is synchronous and belongs on a blocking thread.

pub mod facts;
pub mod kind;
pub mod local;
pub mod name;
pub mod preview;
#[cfg(feature = "remote")]
pub mod remote;

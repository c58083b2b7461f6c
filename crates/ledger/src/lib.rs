//! One SQLite file: one writer, group commit, numbered migrations.
//!
//! The stores of the channel, the gateway and the backend stand on this. It
//! knows no tables: each store brings its own migrations and its own SQL.
//!
//! ```text
//! write() ─┐
//! write() ─┼─▶ writer thread: BEGIN · job · job · job · COMMIT ─▶ every caller is told
//! write() ─┘                  (each job in a savepoint of its own)
//! read()  ───▶ one of a few read-only connections, on a thread for it
//! glance() ──▶ the same, on the caller's thread: for look-ups by an index
//! ```
//!
//! Promise: when [`Ledger::write`] returns `Ok`, the change is on disk
//! (`synchronous=FULL`); a crash at any moment leaves all of a job or none of
//! it. Callers that arrive while a commit runs share the next one, so the cost
//! of an fsync is spread over them.

mod ledger;
mod migrate;
mod visit;
mod writer;

pub use crate::ledger::{Ledger, LedgerError};
pub use crate::visit::{copy, visit};

//! Exactly what travels, as types without behaviour beyond putting them together.
//!
//! Lenient in: every field may be missing; a field that cannot be read as its
//! type is not an error but is kept, as it came, in `extra`, beside the fields
//! this version does not know. An entry of a list that is no object is kept in
//! [`List::unreadable`]. So one strange value never costs a message, and one
//! strange message never costs a batch.
//!
//! Exact out: fields are written in the official plugin's order, absent ones
//! not at all, and everything kept is written again: a value that was read and
//! is written unchanged means the same.
//!
//! Field names are the protocol's. Units: times in milliseconds since 1970,
//! sizes in bytes.

mod field;
mod message;
mod exchange;
mod compose;

pub use self::exchange::*;
pub use self::field::{Decimal, Extra, List};
pub use self::message::*;

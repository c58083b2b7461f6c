//! A lock on a file that says who has it.
//!
//! `lock` takes a lock of the operating system, which takes it back when the
//! process ends, however it ends: a stale lock cannot exist, and nobody guesses
//! by port or name. `claims` are thousands of locks for one open file. `owner` is what the file says of its holder. `process`
//! tells one process from another that got its number later, and an ancestor
//! from a stranger. `place` is where programs of one person meet.

mod claims;
mod lock;
mod owner;
mod place;
mod process;

pub use crate::claims::{Claim, Claims, claimants};
pub use crate::lock::{Lock, LockError, holder, is_held};
pub use crate::owner::Owner;
pub use crate::place::{machine_locks, make_private};
pub use crate::process::{Process, is_ancestor};

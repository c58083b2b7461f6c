//! Plugins from the outside: archives, installations and what is found.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod archives;
mod crafted;
mod installing;
mod inventory;
mod world;
mod external;

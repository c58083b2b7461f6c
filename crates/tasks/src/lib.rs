//! Tasks with an owner and a name.
//!
//! A task that nobody owns outlives what it works for, and its panic is heard
//! by nobody. So whoever starts one has a [`Tasks`], spawns through it and
//! waits for it at the end.

mod tasks;

pub use crate::tasks::Tasks;

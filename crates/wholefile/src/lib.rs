//! Files that are there as a whole or not at all.
//!
//! ```text
//! write   .name.new ─▶ name
//! ```
//!
//! A file is written beside its place and renamed when it is whole. A write
//! that is killed leaves its half behind, under a name that the next write of
//! the same file takes again: so halves do not gather, and nobody has to guess
//! whose they are.

mod draft;

pub use crate::draft::{Draft, is_unfinished, replace, sync, tidy};

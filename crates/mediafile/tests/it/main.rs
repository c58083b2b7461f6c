//! Files as they come: good, odd and hostile.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod facts;
mod local;
mod names;
mod previews;
mod remote;
mod samples;

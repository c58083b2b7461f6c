//! The contract between two programs: JSON-RPC 2.0, one message a line, both
//! directions on one pair of pipes. `docs/contract.md` says it for strangers.
//!
//! ```text
//!  host's program                                   channel's program
//!  Channel ◀─ Remote ─▶ Endpoint ═ stdin, stdout ═ Endpoint ─▶ serve ─▶ Channel
//!  Host ◀───────────────┘                              └◀─ RemoteHost ◀─ Host
//! ```
//!
//! [`connect`] is the host's end, [`serve`] the channel's. Bounds, each way: a
//! line has at most [`MAX_LINE`] bytes, and [`MAX_IN_FLIGHT`] requests are in
//! work; more wait at the caller, and are refused where they come in anyway.
//! Cancellations, pings and answers do not count. When a pipe breaks, every
//! call in flight fails with `Gone`.

mod calls;
mod endpoint;
mod errors;
mod hello;
mod message;
mod remote;
mod remote_host;
mod serve;

pub use self::calls::{ChannelCall, HostCall};
pub use self::hello::{Hello, VERSIONS};
pub use self::message::{Id, Malformed, Message, WireError, code};
pub use self::remote::{ConnectError, Patience, Remote, connect};
pub use self::serve::{ORPHAN_GRACE, ServeError, serve};

/// How many bytes a line may have, without its end.
pub const MAX_LINE: usize = 4 * 1024 * 1024;
/// How many requests may be in work, each way.
pub const MAX_IN_FLIGHT: usize = 256;
/// How many bytes the requests in work may have together.
pub const MAX_BYTES_IN_FLIGHT: usize = 64 * 1024 * 1024;

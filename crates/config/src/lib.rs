//! One JSON5 file that people and programs edit: read, checked, edited, watched.
//!
//! ```text
//! text ──parse──► node ──include──► node ──resolve──► Loaded ──check──► Checked
//!   ▲                                                   │
//!   └── text::set, unset ◄── File::edit                 └──differences──► Plan
//! ```
//!
//! - [`path`] names a value: `bindings[0].match.peer`.
//! - [`text`] is the pure part: what a text says, and how it is edited so that
//!   comments, order and everything else stay.
//! - [`File`] reads the file with what it includes, `${NAME}` and secrets by
//!   reference, and edits it: locked, checked, with backups, replaced at once.
//! - [`Schema`] says which keys there are, and which sections can be used.
//! - [`differences`] and [`Rules`] say what another version changes.
//! - [`Watcher`] tells of another version.
//!
//! It knows neither the host nor any channel: what they have to say about their
//! sections they hand in.

mod change;
mod check;
mod edit;
mod environment;
mod file;
mod include;
mod node;
pub mod path;
mod redact;
mod schema;
mod secret;
mod substitute;
pub mod text;
mod watch;
mod write;

pub use self::change::{Outcome, Plan, Rule, Rules, differences};
pub use self::check::{Checked, Issue, Severity};
pub use self::edit::{Draft, Edit, EditError, How};
pub use self::environment::Environment;
pub use self::file::{ConfigError, File, Loaded, Warning};
pub use self::node::Place;
pub use self::path::{Path, PathError, Segment};
pub use self::redact::{REDACTED, redacted};
pub use self::schema::Schema;
pub use self::watch::{Stamp, Watcher};

//! Turns an agent's markdown into text that WeChat shows, in parts that it accepts.
//!
//! markdown → [`render`] (or [`Renderer`], as it streams) → text and pictures
//! text → [`split`] → parts, or [`lead`] when the text itself travels as a file
//!
//! Invariants: nothing here does I/O or reads a clock; no word of the input
//! disappears; any text is taken, and the work grows with its length.

mod excerpt;
mod fence;
mod language;
mod render;
mod script;
mod split;

pub use excerpt::lead;
pub use language::Language;
pub use render::{Markup, Picture, Pictures, Rendered, Renderer, Style, render};
pub use split::{Limits, Numbering, Part, count_parts, split};

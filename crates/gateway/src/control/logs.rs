//! What was logged lately, kept in memory.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::store::now_ms;

/// How many lines are kept.
const MOST_LINES: usize = 2_000;
/// How long one text of a line may be, in bytes.
const MOST_TEXT: usize = 2_048;

/// The last 2,000 lines of a process's log. Clones share them. As a layer of a
/// `tracing` subscriber it fills itself.
#[derive(Clone, Default)]
pub struct LogRing {
    // Held to push or copy, never across an await.
    inner: Arc<Mutex<Ring>>,
}

#[derive(Default)]
struct Ring {
    lines: VecDeque<LogLine>,
    n_ever: u64,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its number, from 1.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// How grave.
    pub level: Level,
    /// The part of the program that says it.
    pub target: String,
    /// What happened.
    pub message: String,
    /// With what values.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// How grave a line is, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something is broken.
    Error,
    /// Something should be looked at.
    Warn,
    /// Something happened.
    Info,
    /// A detail.
    Debug,
    /// A small detail.
    Trace,
}

/// The end of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tail {
    /// The lines, the oldest first.
    pub lines: Vec<LogLine>,
    /// The number behind which to ask for more.
    pub last: u64,
    /// How many lines were asked for and are not kept any more.
    pub lost: u64,
}

impl LogRing {
    /// Returns the last `most` lines behind line `after` that are at least so
    /// grave and, if a target is named, of it or below it, or that name it as
    /// their `channel`.
    #[must_use]
    pub fn tail(&self, after: u64, most: usize, level: Level, target: Option<&str>) -> Tail {
        let ring = self.inner.lock();
        let is_wanted = |line: &&LogLine| {
            line.number > after && line.level <= level && target.is_none_or(|it| line.is_of(it))
        };
        let mut lines: Vec<_> =
            ring.lines.iter().rev().filter(is_wanted).take(most).cloned().collect();
        lines.reverse();
        let first = ring.lines.front().map_or(ring.n_ever + 1, |line| line.number);
        let lost = if after == 0 { 0 } else { first.saturating_sub(after + 1) };
        Tail { lines, last: ring.n_ever, lost }
    }

    fn push(&self, at_ms: i64, level: Level, target: &str, words: Words) {
        let mut ring = self.inner.lock();
        ring.n_ever += 1;
        let number = ring.n_ever;
        let Words { message, fields } = words;
        let target = target.to_owned();
        if ring.lines.len() >= MOST_LINES {
            ring.lines.pop_front();
        }
        ring.lines.push_back(LogLine { number, at_ms, level, target, message, fields });
    }
}

impl LogLine {
    fn is_of(&self, target: &str) -> bool {
        let below = self.target.strip_prefix(target);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            || self.fields.get("channel").is_some_and(|channel| channel == target)
    }
}

impl<S: Subscriber> Layer<S> for LogRing {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let meta = event.metadata();
        self.push(now_ms(), Level::from(*meta.level()), meta.target(), words);
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        }
    }
}

/// What an event says.
#[derive(Default)]
struct Words {
    message: String,
    fields: BTreeMap<String, String>,
}

impl Words {
    fn note(&mut self, field: &Field, mut text: String) {
        if text.len() > MOST_TEXT {
            text.truncate(text.floor_char_boundary(MOST_TEXT));
            text.push('…');
        }
        if field.name() == "message" {
            self.message = text;
        } else {
            self.fields.insert(field.name().to_owned(), text);
        }
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.note(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn numbers(tail: &Tail) -> Vec<u64> {
        tail.lines.iter().map(|line| line.number).collect()
    }

    #[test]
    fn lines_are_kept_in_order_and_the_oldest_go_first() {
        let ring = LogRing::default();
        let subscriber = tracing_subscriber::registry().with(ring.clone());
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..MOST_LINES + 5 {
                tracing::info!(n, "counted");
            }
        });
        let all = ring.tail(0, usize::MAX, Level::Trace, None);
        assert_eq!((all.lines.len(), all.last, all.lost), (MOST_LINES, 2_005, 0));
        assert_eq!((all.lines[0].number, all.lines[0].fields["n"].as_str()), (6, "5"));
        assert_eq!(ring.tail(2, 1, Level::Trace, None).lost, 3);
        assert_eq!(numbers(&ring.tail(2_003, 9, Level::Trace, None)), [2_004, 2_005]);
        assert_eq!(numbers(&ring.tail(0, 1, Level::Trace, None)), [2_005]);
    }

    #[test]
    fn lines_are_found_by_level_by_target_and_by_the_channel_they_name() {
        let ring = LogRing::default();
        let subscriber = tracing_subscriber::registry().with(ring.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "post::monitor", "one");
            tracing::warn!(target: "poster", "two");
            tracing::error!(target: "gateway", channel = %"post", "three");
        });
        assert_eq!(numbers(&ring.tail(0, 9, Level::Warn, None)), [2, 3]);
        assert_eq!(numbers(&ring.tail(0, 9, Level::Trace, Some("post"))), [1, 3]);
    }
}

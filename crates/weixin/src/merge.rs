//! Which waiting messages make the next turn of a conversation. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::inbound::Kind;

/// The most bytes of messages, as they travel, that are merged.
const MOST_BYTES: i64 = 256 << 10;

/// How messages that come close together become one turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct MergeSettings {
    /// Whether a conversation has one turn at a time, and what is said
    /// meanwhile makes the next. Otherwise messages are handed over one by one
    /// as they come.
    pub while_busy: bool,
    /// How long pictures, videos and files wait for the words that usually
    /// follow. In milliseconds in a configuration.
    #[serde(rename = "mediaWaitMs", with = "millis")]
    pub media_wait: Duration,
    /// The most messages that make one turn.
    pub most: usize,
}

impl Default for MergeSettings {
    fn default() -> Self {
        Self { while_busy: true, media_wait: Duration::from_millis(1200), most: 20 }
    }
}

impl MergeSettings {
    /// Hands every message over by itself, as it comes.
    #[must_use]
    pub fn off() -> Self {
        Self { while_busy: false, media_wait: Duration::ZERO, most: 1 }
    }
}

/// A message that waits, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) kind: Kind,
    /// The turn that it belonged to when that was cut.
    pub(crate) turn: Option<i64>,
    pub(crate) received_at_ms: i64,
    pub(crate) bytes: i64,
}

/// What to do next in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The first so many messages make a turn.
    Take(usize),
    /// Words may follow; look again then, or when something comes.
    Later(Duration),
    Nothing,
}

/// Decides which of the messages that wait make the next turn.
///
/// A turn that was cut is made of the same messages again, so that it keeps
/// its name and its replies are recognised.
pub(crate) fn plan(waiting: &[Waiting], settings: &MergeSettings, now_ms: i64) -> Plan {
    let Some(first) = waiting.first() else {
        return Plan::Nothing;
    };
    if first.turn.is_some() {
        return Plan::Take(waiting.iter().take_while(|row| row.turn == first.turn).count());
    }
    if first.kind == Kind::Alone {
        return Plan::Take(1);
    }
    let group = joined(waiting, settings);
    let has_words = waiting[..group.n].iter().any(|row| row.kind == Kind::Words);
    if has_words || group.is_closed {
        return Plan::Take(group.n);
    }
    let newest = waiting[..group.n].iter().map(|row| row.received_at_ms).max().unwrap_or(now_ms);
    // A clock that was set back must not make anyone wait longer.
    let waited = u64::try_from(now_ms - newest).map_or(settings.media_wait, Duration::from_millis);
    match settings.media_wait.checked_sub(waited) {
        None | Some(Duration::ZERO) => Plan::Take(group.n),
        Some(left) => Plan::Later(left),
    }
}

/// The messages at the front that belong together.
struct Group {
    n: usize,
    /// Whether nothing more can join.
    is_closed: bool,
}

fn joined(waiting: &[Waiting], settings: &MergeSettings) -> Group {
    let mut bytes = 0;
    for (n, row) in waiting.iter().enumerate() {
        bytes += row.bytes;
        let stays_out = row.kind == Kind::Alone || row.turn.is_some() || bytes > MOST_BYTES;
        if n > 0 && (n >= settings.most || stays_out) {
            return Group { n, is_closed: true };
        }
        if row.kind == Kind::Words && !settings.while_busy {
            return Group { n: n + 1, is_closed: true };
        }
    }
    Group { n: waiting.len(), is_closed: waiting.len() >= settings.most }
}

pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(wait: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::Kind::{Alone, Media, Words};
    use super::*;

    fn row(kind: Kind, received_at_ms: i64) -> Waiting {
        Waiting { kind, turn: None, received_at_ms, bytes: 100 }
    }

    fn cut(turn: i64) -> Waiting {
        Waiting { turn: Some(turn), ..row(Words, 0) }
    }

    #[track_caller]
    fn check(settings: &MergeSettings, waiting: &[Waiting], expected: Plan) {
        assert_eq!(plan(waiting, settings, 1000), expected, "{waiting:?}");
    }

    /// Demand 47.
    #[test]
    fn what_was_said_close_together_makes_one_turn() {
        let later = |ms| Plan::Later(Duration::from_millis(ms));
        let merging = MergeSettings::default();
        let cases = [
            (vec![], Plan::Nothing),
            (vec![row(Words, 1000)], Plan::Take(1)),
            (vec![row(Words, 0), row(Words, 1000), row(Media, 1000)], Plan::Take(3)),
            (vec![row(Media, 1000)], later(1200)),
            (vec![row(Media, 0), row(Media, 500)], later(700)),
            (vec![row(Media, -200)], Plan::Take(1)),
            (vec![row(Media, 1000), row(Words, 1000)], Plan::Take(2)),
            // The clock was set back.
            (vec![row(Media, 9000)], Plan::Take(1)),
            // A command that has its place stays by itself.
            (vec![row(Words, 0), row(Alone, 0), row(Words, 0)], Plan::Take(1)),
            (vec![row(Alone, 0), row(Words, 0)], Plan::Take(1)),
            (vec![row(Media, 1000), row(Alone, 1000)], Plan::Take(1)),
            // A turn that was cut is made of the same messages.
            (vec![cut(5), cut(5), row(Words, 0)], Plan::Take(2)),
            (vec![cut(5), cut(7), cut(7)], Plan::Take(1)),
            (vec![row(Words, 0); 25], Plan::Take(20)),
            (vec![row(Media, 1000); 20], Plan::Take(20)),
            (vec![Waiting { bytes: 200 << 10, ..row(Words, 0) }; 2], Plan::Take(1)),
            (vec![Waiting { bytes: 1 << 30, ..row(Words, 0) }], Plan::Take(1)),
        ];
        for (waiting, expected) in cases {
            check(&merging, &waiting, expected);
        }
    }

    #[test]
    fn without_merging_messages_come_one_by_one_and_pictures_still_wait_for_words() {
        let settings = MergeSettings { while_busy: false, ..MergeSettings::default() };
        check(&settings, &[row(Words, 0), row(Words, 0)], Plan::Take(1));
        check(&settings, &[row(Media, 1000), row(Words, 1000), row(Words, 1000)], Plan::Take(2));
        check(&settings, &[row(Media, 1000)], Plan::Later(Duration::from_millis(1200)));
        let off = MergeSettings::off();
        check(&off, &[row(Media, 1000), row(Words, 1000)], Plan::Take(1));
        check(&off, &[row(Media, 1000)], Plan::Take(1));
    }

    #[test]
    fn the_settings_read_as_a_configuration_has_them() {
        let read: MergeSettings = serde_json::from_str(r#"{"mediaWaitMs":0}"#).expect("settings");
        assert_eq!(read, MergeSettings { media_wait: Duration::ZERO, ..MergeSettings::default() });
    }
}

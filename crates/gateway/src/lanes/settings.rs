//! How what is said meanwhile is dealt with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::ChannelId;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

/// What happens to messages of a session that is busy; `messages.queue` in a
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct QueueSettings {
    /// What happens to a message that comes while a turn runs.
    pub mode: QueueMode,
    /// The same for single channels, by their ids.
    pub by_channel: BTreeMap<String, QueueMode>,
    /// How long it has to be quiet before what waited is joined into a turn.
    /// Nothing that finds the session idle waits for this. In milliseconds.
    #[serde(rename = "debounceMs", with = "millis")]
    pub debounce: Duration,
    /// How many messages may wait as they are, at least 1.
    pub cap: usize,
    /// What happens beyond that.
    pub drop: DropPolicy,
    /// How long something waits before its peer is told so, once as long as the
    /// session is busy; 0 for never. In milliseconds.
    #[serde(rename = "noticeAfterMs", with = "millis")]
    pub notice_after: Duration,
}

/// What happens to a message that comes while a turn runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueMode {
    /// It is given to the agent that runs, if that can take it, and has a turn
    /// of its own otherwise. OpenClaw's earlier words for it are taken, too.
    #[default]
    #[serde(alias = "queue", alias = "steer-backlog", alias = "steer+backlog")]
    Steer,
    /// It has a turn of its own, in order.
    Followup,
    /// All that wait become one turn.
    Collect,
    /// The turn that runs is cut; all that wait become the next.
    Interrupt,
}

/// What happens to messages that are too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DropPolicy {
    /// The oldest that wait become one turn, each shortened to a line.
    #[default]
    Summarize,
    /// The oldest that waits is left out, and its peer told.
    Old,
    /// The one that comes is left out, and its peer told.
    New,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            mode: QueueMode::default(),
            by_channel: BTreeMap::new(),
            debounce: Duration::from_millis(500),
            cap: 20,
            drop: DropPolicy::default(),
            notice_after: Duration::from_secs(5),
        }
    }
}

impl QueueSettings {
    /// Returns the mode on a channel.
    #[must_use]
    pub fn mode_on(&self, channel: &ChannelId) -> QueueMode {
        self.by_channel.get(channel.as_str()).copied().unwrap_or(self.mode)
    }
}

impl QueueMode {
    /// Says whether what waits is joined into one turn.
    pub(crate) fn joins(self) -> bool {
        match self {
            Self::Collect | Self::Interrupt => true,
            Self::Steer | Self::Followup => false,
        }
    }
}

/// Settings that may be replaced while they are used. Clones share them.
pub(crate) struct Switch<T> {
    // Held for a clone of the inner Arc, never across an await.
    now: Arc<RwLock<Arc<T>>>,
}

impl<T> Switch<T> {
    pub(crate) fn new(settings: T) -> Self {
        Self { now: Arc::new(RwLock::new(Arc::new(settings))) }
    }

    pub(crate) fn now(&self) -> Arc<T> {
        Arc::clone(&self.now.read())
    }

    pub(crate) fn set(&self, settings: T) {
        *self.now.write() = Arc::new(settings);
    }
}

impl<T> Clone for Switch<T> {
    fn clone(&self) -> Self {
        Self { now: Arc::clone(&self.now) }
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(wait: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_read_as_a_configuration_has_them() {
        let json = r#"{"mode":"collect","debounceMs":0,"cap":3,"drop":"old","byChannel":{"post":"interrupt"}}"#;
        let read: QueueSettings = serde_json::from_str(json).expect("settings");
        let expected = QueueSettings {
            mode: QueueMode::Collect,
            by_channel: [("post".to_owned(), QueueMode::Interrupt)].into(),
            debounce: Duration::ZERO,
            cap: 3,
            drop: DropPolicy::Old,
            ..QueueSettings::default()
        };
        assert_eq!(read, expected);
        assert_eq!(read.mode_on(&"post".into()), QueueMode::Interrupt);
        assert_eq!(read.mode_on(&"other".into()), QueueMode::Collect);
    }

    #[test]
    fn what_openclaw_has_called_steering_is_steering() {
        for word in ["queue", "steer-backlog", "steer+backlog"] {
            let read: QueueSettings =
                serde_json::from_value(serde_json::json!({"mode": word})).expect("settings");
            assert_eq!(read.mode, QueueMode::Steer, "{word}");
        }
    }
}

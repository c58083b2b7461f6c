//! How the channel sends, as settings.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::governor::Limits;

/// How messages leave. An absent field means its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SendSettings {
    /// What the backend allows and what the channel allows itself.
    pub limits: Limits,
    /// How long each kind of message is worth sending.
    pub ttl: Ttl,
    /// Whether markdown is shown as WeChat shows it, or taken off.
    pub markdown: MarkdownStyle,
    /// Whether the parts of a long text say which of how many they are.
    pub number_parts: bool,
    /// Whether tools are told as items of their own while a turn runs.
    pub reply_progress_messages: bool,
    /// Folders whose files an agent may send.
    pub media_roots: Vec<PathBuf>,
    /// Networks beside the public one that media may be fetched from, such as
    /// `10.0.0.0/8`.
    pub media_networks: Vec<String>,
    /// The largest media that is sent, in bytes.
    pub max_media_bytes: u64,
    /// Whether recordings leave as voice bubbles. Tencent's servers accept
    /// those from bots and never show them (several live tests).
    pub voice_bubbles: bool,
    /// From which age on a message says that it is late.
    #[serde(rename = "lateAfterMs", with = "millis")]
    pub late_after: Duration,
}

/// How long each kind of message is worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Ttl {
    /// An answer that the backend does not take.
    #[serde(rename = "answerMs", with = "millis")]
    pub answer: Duration,
    /// A word of the host's or the channel's own.
    #[serde(rename = "noticeMs", with = "millis")]
    pub notice: Duration,
    /// Something due at a time.
    #[serde(rename = "reminderMs", with = "millis")]
    pub reminder: Duration,
    /// Something to be read at leisure.
    #[serde(rename = "reportMs", with = "millis")]
    pub report: Duration,
    /// The rest of an answer that waits until the peer writes.
    #[serde(rename = "parkedMs", with = "millis")]
    pub parked: Duration,
}

/// What becomes of markdown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkdownStyle {
    /// What WeChat shows stays; code, addresses and names are left alone.
    #[default]
    Wechat,
    /// As the official plugin does it, mark for mark.
    Official,
    /// All markup is taken off.
    Plain,
}

impl Default for SendSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            ttl: Ttl::default(),
            markdown: MarkdownStyle::default(),
            number_parts: false,
            reply_progress_messages: true,
            media_roots: Vec::new(),
            media_networks: Vec::new(),
            max_media_bytes: 100 << 20,
            voice_bubbles: false,
            late_after: Duration::from_secs(5 * 60),
        }
    }
}

impl Default for Ttl {
    fn default() -> Self {
        let hours = |n: u64| Duration::from_secs(n * 60 * 60);
        Self {
            answer: Duration::from_secs(10 * 60),
            notice: hours(1),
            reminder: hours(24),
            report: hours(48),
            parked: hours(48),
        }
    }
}

/// Durations as whole milliseconds.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

//! What is said without being asked, and what waits to leave.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Content, Conversation};

/// Something to say outside a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// To whom.
    pub target: Target,
    /// What it is for.
    pub class: SendClass,
    /// What it says.
    pub content: Content,
    /// Sent at most once per key and target, however often it is asked for.
    pub key: Option<String>,
    /// How long it is worth sending; that of its class when left out.
    #[serde(rename = "ttl_ms", default, with = "millis", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
}

/// Whom to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// A peer's id or the name given to it here.
    pub to: String,
    /// An account's id or name. Left out, it is the one that knows the peer; when
    /// several do, the target is refused as ambiguous.
    pub account: Option<String>,
}

/// What an outgoing message is for, which says how long it is worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SendClass {
    /// A word of the host's own: one hour.
    Notice,
    /// Something due at a time: a day.
    Reminder,
    /// Something to be read at leisure: two days.
    Report,
}

/// What became of something that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Delivery {
    /// On disk, and on its way.
    Queued,
    /// The backend has queued all of it for the phone.
    Sent,
    /// The backend has accepted it without a receipt: it may never show.
    Unconfirmed,
    /// Kept until something happens.
    Parked {
        /// A code to look up.
        code: String,
        /// Until what, in words.
        until: String,
    },
    /// Given up.
    Failed {
        /// A code to look up.
        code: String,
        /// Why.
        reason: String,
    },
}

/// The receipt for an [`Outgoing`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendReport {
    /// Its number in the outbox.
    pub id: i64,
    /// Where it goes.
    pub conversation: Conversation,
    /// What has become of it so far.
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// One message in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Its number.
    pub id: i64,
    /// Where it goes.
    pub conversation: Conversation,
    /// The name given to the peer here.
    pub peer_name: Option<String>,
    /// What it is for: a reply's or an outgoing message's class, in lower case.
    pub class: String,
    /// The beginning of what it says.
    pub excerpt: String,
    /// What has become of it so far.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was said, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it stops being worth sending.
    pub expires_at_ms: i64,
}

/// What to do with messages in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutboxAction {
    /// Never send them.
    Drop,
    /// Try again now, whatever they wait for.
    Retry,
}

/// What a channel knows of one peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    /// Where.
    pub conversation: Conversation,
    /// The name given to the peer here.
    pub name: Option<String>,
    /// When the peer last wrote, in milliseconds since 1970.
    pub last_inbound_at_ms: Option<i64>,
    /// How long the channel may still write, in milliseconds; `None` without limit.
    pub window_left_ms: Option<i64>,
    /// How many sends are left until the peer writes; `None` without limit.
    pub sends_left: Option<u32>,
    /// Sends in a row that the backend accepted without a receipt.
    pub unconfirmed: u32,
    /// Whether what is sent seems not to show on the phone.
    pub suppressed: bool,
    /// Messages that wait to leave.
    pub waiting: u64,
    /// Messages that are parked.
    pub parked: u64,
}

/// Something that a person should know, told once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The account that it is about.
    pub account: AccountId,
    /// A code to look up.
    pub code: String,
    /// What happened and what to do, in one sentence.
    pub text: String,
}

/// A time in whole milliseconds, which every language can read.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        time.map(millis).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
    }
}

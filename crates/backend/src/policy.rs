//! What the backend allows, and how it says no. Pure: no I/O, no clock.
//!
//! Each rule is a switch with a number. [`Policy::open`] has none of them on;
//! [`Policy::tencent`] imitates every limit of Tencent's servers that is known,
//! so that a client tested here survives there. Most numbers come from single
//! live tests that disagree with each other, so all of them are settings.

use std::time::Duration;

use ilink::Code;
use ilink::wire::ItemKind;
use serde::{Deserialize, Serialize};

mod throttle;

pub(crate) use self::throttle::Burst;
pub use self::throttle::Throttle;

/// The rules. Serialises with durations as milliseconds; an absent field means
/// the value of [`Policy::open`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How long after a user's message the bot may still write.
    #[serde(rename = "window_ms", with = "millis::option")]
    pub window: Option<Duration>,
    /// How many messages a bot may send per message of the user.
    pub sends_per_inbound: Option<u32>,
    /// Limits bursts of one bot.
    pub throttle: Option<Throttle>,
    /// The longest text in bytes of UTF-8.
    pub text_bytes: Option<usize>,
    /// The longest text in characters.
    pub text_chars: Option<usize>,
    /// How many characters of a text the phone shows; the rest is cut off unseen.
    pub shown_chars: Option<usize>,
    /// Whether a send must carry a context token of its conversation.
    pub context_required: bool,
    /// Whether voice messages of a bot show. Otherwise they are accepted and dropped.
    pub bot_voice_shown: bool,
    /// Whether tool items (kinds 11 and 12) show. They are accepted in any case.
    pub tools_shown: bool,
    /// Accepts every message with `ret: 0` and no id, and shows none.
    pub suppressed: bool,
    /// Delivers each of a user's messages a second time.
    pub duplicate: Option<Duplicate>,
    /// Whether a bot's own messages come back to it with `message_type` 2.
    pub echo: bool,
    /// Whether users other than the one who bound it can meet a bot.
    pub strangers: bool,
    /// How quotes travel.
    pub quotes: QuoteForm,
    /// Whether an upload ticket comes with a whole address.
    pub upload_full_url: bool,
    /// The largest upload, in bytes, that works without the whole address.
    pub upload_param_cap: Option<u64>,
    /// Whether media in messages carry a whole download address.
    pub download_full_url: bool,
    /// Whether upload tickets for voice are refused (code 2).
    pub voice_upload_refused: bool,
    /// How long an upload ticket is good.
    #[serde(rename = "upload_ticket_life_ms", with = "millis")]
    pub upload_ticket_life: Duration,
    /// How long media stay on the CDN.
    #[serde(rename = "media_life_ms", with = "millis::option")]
    pub media_life: Option<Duration>,
    /// How long a typing ticket is good.
    #[serde(rename = "typing_ticket_life_ms", with = "millis")]
    pub typing_ticket_life: Duration,
    /// How long a QR code is good.
    #[serde(rename = "qr_life_ms", with = "millis")]
    pub qr_life: Duration,
    /// Asks for digits during a login; blocks it after this many wrong ones.
    pub verify_tries: Option<u32>,
    /// Sends a scanned login to another host.
    pub redirect_host: Option<String>,
    /// How long an older token still works after its user was bound anew.
    #[serde(rename = "rebind_grace_ms", with = "millis")]
    pub rebind_grace: Duration,
}

/// A second delivery of the same message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// How long after the first.
    #[serde(rename = "after_ms", with = "millis")]
    pub after: Duration,
    /// Whether the copy carries another context token.
    #[serde(default)]
    pub new_context: bool,
}

/// How a user's quote travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuoteForm {
    /// The quoted item itself, as older phones send it.
    Item,
    /// Only the id of the quoted message and the selected part, as newer phones do.
    Id,
}

impl Policy {
    /// Nothing is limited but what must be: tickets and QR codes still expire.
    #[must_use]
    pub fn open() -> Self {
        Self {
            window: None,
            sends_per_inbound: None,
            throttle: None,
            text_bytes: None,
            text_chars: None,
            shown_chars: None,
            context_required: false,
            bot_voice_shown: true,
            tools_shown: true,
            suppressed: false,
            duplicate: None,
            echo: false,
            strangers: true,
            quotes: QuoteForm::Id,
            upload_full_url: true,
            upload_param_cap: None,
            download_full_url: false,
            voice_upload_refused: false,
            upload_ticket_life: Duration::from_secs(600),
            media_life: None,
            typing_ticket_life: Duration::from_secs(600),
            qr_life: Duration::from_secs(300),
            verify_tries: None,
            redirect_host: None,
            rebind_grace: Duration::ZERO,
        }
    }

    /// Every limit of Tencent's servers that is known. Where measurements
    /// disagree, the stricter number.
    #[must_use]
    pub fn tencent() -> Self {
        Self {
            window: Some(Duration::from_secs(24 * 3600)),
            sends_per_inbound: Some(10),
            throttle: Some(Throttle {
                sends: 18,
                period: Duration::from_secs(34),
                penalty: Duration::from_secs(300),
            }),
            text_bytes: Some(16_384),
            text_chars: Some(5_000),
            shown_chars: Some(2_000),
            context_required: true,
            bot_voice_shown: false,
            tools_shown: false,
            duplicate: Some(Duplicate { after: Duration::from_secs(5), new_context: true }),
            echo: true,
            strangers: false,
            upload_param_cap: Some(50 * 1024),
            media_life: Some(Duration::from_secs(3 * 24 * 3600)),
            typing_ticket_life: Duration::from_secs(60),
            qr_life: Duration::from_secs(120),
            rebind_grace: Duration::from_secs(30),
            ..Self::open()
        }
    }

    /// Returns `tencent` for exactly [`Policy::tencent`], and `open` otherwise.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if *self == Self::tencent() { "tencent" } else { "open" }
    }

    /// Decides about one message of a bot. A refusal for its speed counts and
    /// prolongs the penalty.
    pub(crate) fn judge(&self, send: &Send<'_>, burst: &mut Burst, now_ms: u64) -> Verdict {
        if is_tool(send.kind) {
            return if self.tools_shown { Verdict::Show } else { Verdict::Drop };
        }
        if let Some(throttle) = &self.throttle
            && !burst.admit(throttle, now_ms)
        {
            return Verdict::Refuse(Code::REFUSED, "rate limited");
        }
        if self.is_too_long(send.text) {
            return Verdict::Refuse(Code::REFUSED, "prepare failed");
        }
        if self.context_required && !send.has_context {
            return Verdict::Refuse(Code::REFUSED, "unknown error");
        }
        if self.is_window_closed(send.last_inbound_ms, now_ms) || self.is_spent(send) {
            return Verdict::Refuse(Code::REFUSED, "prepare failed");
        }
        if self.suppressed {
            return Verdict::Suppress;
        }
        if send.kind == ItemKind::Voice && !self.bot_voice_shown {
            return Verdict::Drop;
        }
        Verdict::Show
    }

    /// Returns the part of a text that the phone shows.
    pub(crate) fn shown<'a>(&self, text: &'a str) -> &'a str {
        let cut = self.shown_chars.and_then(|most| text.char_indices().nth(most));
        cut.map_or(text, |(end, _)| &text[..end])
    }

    fn is_too_long(&self, text: &str) -> bool {
        self.text_bytes.is_some_and(|most| text.len() > most)
            || self.text_chars.is_some_and(|most| text.chars().count() > most)
    }

    fn is_window_closed(&self, last_inbound_ms: Option<u64>, now_ms: u64) -> bool {
        let Some(window) = self.window else {
            return false;
        };
        let closes = last_inbound_ms.map(|at| at.saturating_add(crate::clock::millis(window)));
        closes.is_none_or(|at| now_ms > at)
    }

    fn is_spent(&self, send: &Send<'_>) -> bool {
        let Some(most) = self.sends_per_inbound else {
            return false;
        };
        send.last_inbound_ms.is_none() || send.sends_since_inbound >= most
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::open()
    }
}

/// What the decision about one message needs to know.
pub(crate) struct Send<'a> {
    /// What is sent.
    pub(crate) kind: ItemKind,
    /// Its text, or nothing.
    pub(crate) text: &'a str,
    /// When the user last wrote to this bot.
    pub(crate) last_inbound_ms: Option<u64>,
    /// How many messages were accepted since then.
    pub(crate) sends_since_inbound: u32,
    /// Whether it carries a context token of this conversation.
    pub(crate) has_context: bool,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It gets an id and the phone shows it.
    Show,
    /// It gets an id and nobody sees it.
    Drop,
    /// It is accepted without an id and nobody sees it.
    Suppress,
    /// It is refused.
    Refuse(Code, &'static str),
}

/// Says whether an item tells of a tool.
pub(crate) fn is_tool(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::ToolCallStart | ItemKind::ToolCallResult)
}

/// Durations as milliseconds in JSON.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(crate::clock::millis(*value))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }

    pub(crate) mod option {
        use std::time::Duration;

        use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

        pub(crate) fn serialize<S: Serializer>(
            value: &Option<Duration>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            value.map(crate::clock::millis).serialize(to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Duration>, D::Error> {
            Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
        }
    }
}

#[cfg(test)]
mod tests;

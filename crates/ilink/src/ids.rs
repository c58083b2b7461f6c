//! What names things on the wire.
//!
//! Ids are opaque and case-sensitive: they are kept and sent as they came.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the id as it stands, without judging it.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// Returns the id as it travels.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Says whether the id is the empty text, which the wire uses for "nobody".
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }
    };
}

text_id! {
    /// One end of a message: a person (`…@im.wechat`) or a bot (`…@im.bot`).
    UserId
}

text_id! {
    /// A bot identity, `<12 hex>@im.bot` on Tencent's servers.
    BotId
}

text_id! {
    /// Our id for one outbound message, the same in every attempt to send it.
    ///
    /// The receiving client hides a message whose client id it has seen, so a
    /// retry under the same id cannot be seen twice (one live test).
    ClientId
}

text_id! {
    /// Names the turn that an outbound message belongs to.
    RunId
}

text_id! {
    /// The opaque mark to send with the next poll (wire: `get_updates_buf`).
    ///
    /// Sending it acknowledges everything before it; an older one makes the
    /// backend deliver again.
    Cursor
}

text_id! {
    /// Names one QR login attempt (wire: `qrcode`).
    QrCodeId
}

text_id! {
    /// Names one upload: 16 random bytes in hex.
    FileKey
}

impl FileKey {
    /// Draws a new key.
    #[must_use]
    pub fn random() -> Self {
        Self(hex::encode(rand::random::<[u8; 16]>()))
    }
}

impl ClientId {
    /// Makes an id for a message that is sent now; see [`generate`](Self::generate).
    #[must_use]
    pub fn now(prefix: &str) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self::generate(prefix, u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// Makes an id of the official plugin's form: prefix, milliseconds, 8 hex digits.
    #[must_use]
    pub fn generate(prefix: &str, now_ms: u64) -> Self {
        Self(format!("{prefix}:{now_ms}-{}", hex::encode(rand::random::<[u8; 4]>())))
    }
}

impl From<BotId> for UserId {
    fn from(bot: BotId) -> Self {
        Self(bot.0)
    }
}

/// The backend's id of one message: a uint64 that travels as number or string.
///
/// Kept as its decimal text, so no value is ever rounded. Written as a number
/// where it fits one, as the backend writes it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(Box<str>);

impl MessageId {
    /// Takes the text of an id as it stands.
    pub fn new(id: impl Into<Box<str>>) -> Self {
        Self(id.into())
    }

    /// Returns the id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id as a number, if it is a uint64.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl From<u64> for MessageId {
    fn from(id: u64) -> Self {
        Self(id.to_string().into())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({})", self.0)
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Only the canonical form: "007" must not turn into 7.
        match self.as_u64() {
            Some(n) if n.to_string() == *self.0 => serializer.serialize_u64(n),
            _ => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = MessageId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message id: an integer or its decimal text")
            }

            fn visit_u64<E>(self, id: u64) -> Result<MessageId, E> {
                Ok(MessageId::from(id))
            }

            fn visit_i64<E>(self, id: i64) -> Result<MessageId, E> {
                Ok(MessageId::new(id.to_string()))
            }

            fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<MessageId, E> {
                if id.is_empty() {
                    return Err(E::custom("an empty message id"));
                }
                Ok(MessageId::new(id))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

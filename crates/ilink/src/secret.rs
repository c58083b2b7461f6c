//! What must not print.
//!
//! Each secret is a type of its own: it formats as dots, is wiped from memory
//! when dropped, compares in constant time and is read only by
//! [`expose`](BotToken::expose). It serialises as its text, because it travels
//! and is stored.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes the secret's text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(Zeroizing::new(text.into()))
            }

            /// Returns the secret's text, for the wire and for storage only.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// Says whether there is no text at all.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
            }
        }

        impl Eq for $name {}
    };
}

secret! {
    /// The account's credential, `<bot id>:<hex>` on Tencent's servers.
    BotToken
}

secret! {
    /// Proof that we may answer a peer; the newest one wins.
    ContextToken
}

secret! {
    /// Permission to show "typing…" to one peer.
    TypingTicket
}

secret! {
    /// Permission to put one media on the CDN (wire: `upload_param`, or the
    /// query of `upload_full_url`).
    UploadTicket
}

secret! {
    /// The text of a media key as it stands in a message. [`MediaKey`] is the
    /// key itself.
    MediaKeyText
}

/// The AES-128 key of one media.
#[derive(Clone)]
pub struct MediaKey(Zeroizing<[u8; 16]>);

impl MediaKey {
    /// Takes the key's bytes.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Draws a new key from the operating system's generator.
    #[must_use]
    pub fn random() -> Self {
        Self::new(rand::random())
    }

    /// Returns the key's bytes, for the cipher and the wire only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaKey(…)")
    }
}

impl PartialEq for MediaKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for MediaKey {}

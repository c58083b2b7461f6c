//! How one field is read, and what happens to what cannot be read.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Fields that this version does not know or could not read, as they came.
#[derive(Clone, Default)]
pub struct Extra(Vec<(String, Box<RawValue>)>);

impl Extra {
    /// Returns the JSON text of a kept field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| raw.get())
    }

    /// Says whether nothing was kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn keep(&mut self, name: String, raw: &RawValue) {
        self.0.push((name, raw.to_owned()));
    }

    /// Drops what was kept of a field that comes again.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, raw)| (key.as_str(), &**raw))
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.iter().map(|(k, v)| (k, v.get())).eq(other.iter().map(|(k, v)| (k, v.get())))
    }
}

impl fmt::Debug for Extra {
    /// Prints the names only: what we do not know may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(key, _)| key)).finish()
    }
}

/// A list whose unreadable entries are kept beside the readable ones.
#[derive(Clone)]
pub struct List<T> {
    entries: Vec<T>,
    /// Entries that are not of the list's type, as they came. Written after
    /// the readable ones.
    pub unreadable: Vec<Box<RawValue>>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(entries: Vec<T>) -> Self {
        Self { entries, unreadable: Vec::new() }
    }
}

impl<T> Deref for List<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.entries
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.entries
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        let raw =
            |list: &Self| list.unreadable.iter().map(|r| r.get().to_owned()).collect::<Vec<_>>();
        self.entries == other.entries && raw(self) == raw(other)
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        list.entries(&self.entries);
        if !self.unreadable.is_empty() {
            list.entry(&format_args!("{} unreadable", self.unreadable.len()));
        }
        list.finish()
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let n = self.entries.len() + self.unreadable.len();
        let mut seq = serializer.serialize_seq(Some(n))?;
        for entry in &self.entries {
            seq.serialize_element(entry)?;
        }
        for raw in &self.unreadable {
            seq.serialize_element(raw)?;
        }
        seq.end()
    }
}

impl<'de, T: Field> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Field> Visitor<'de> for Entries<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
                let mut list = List::default();
                while let Some(raw) = seq.next_element::<&RawValue>()? {
                    match T::read(raw.get()) {
                        Some(entry) => list.entries.push(entry),
                        None => list.unreadable.push(raw.to_owned()),
                    }
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

/// A number that travels as its decimal text, such as the size in a file item.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Decimal(pub u64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A type that a field can have: read from JSON text, or not at all.
pub trait Field: Sized {
    /// Reads the value, or returns `None` when the text is something else.
    fn read(json: &str) -> Option<Self>;
}

/// A field's name: borrowed from the text unless it is written with escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Reads by serde what has no leniency of its own.
macro_rules! strict_field {
    ($($ty:ty),* $(,)?) => {$(
        impl $crate::wire::field::Field for $ty {
            fn read(json: &str) -> Option<Self> {
                serde_json::from_str(json).ok()
            }
        }
    )*};
}
pub(super) use strict_field;

strict_field! {
    String,
    crate::MessageId, crate::UserId, crate::BotId, crate::ClientId, crate::RunId, crate::Cursor,
    crate::QrCodeId, crate::FileKey, crate::BotToken, crate::ContextToken, crate::TypingTicket,
    crate::UploadTicket, crate::secret::MediaKeyText,
}

impl Field for i64 {
    /// Accepts a number, a whole float such as `3.0`, or either as text.
    fn read(json: &str) -> Option<Self> {
        let text = json.trim_matches('"').trim();
        text.parse().ok().or_else(|| whole(text))
    }
}

/// Reads a float that is a whole number small enough to be exact.
fn whole(text: &str) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let n: f64 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within ±2^53")]
    (n.fract() == 0.0 && n.abs() <= EXACT).then_some(n as i64)
}

impl Field for u64 {
    fn read(json: &str) -> Option<Self> {
        let text = json.trim_matches('"').trim();
        text.parse().ok().or_else(|| whole(text)?.try_into().ok())
    }
}

impl Field for Decimal {
    fn read(json: &str) -> Option<Self> {
        u64::read(json).map(Self)
    }
}

impl Field for crate::Code {
    fn read(json: &str) -> Option<Self> {
        i64::read(json).map(Self)
    }
}

impl Field for bool {
    fn read(json: &str) -> Option<Self> {
        match json {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

impl<T: Field> Field for List<T> {
    fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

impl<T: Field> Field for Box<T> {
    /// Boxes stand where a type contains itself (a quote in a quote), so their
    /// depth is limited: hostile nesting must not exhaust the stack. What lies
    /// deeper is kept unread.
    fn read(json: &str) -> Option<Self> {
        const DEEPEST: u8 = 4;
        thread_local!(static DEPTH: Cell<u8> = const { Cell::new(0) });

        let depth = DEPTH.get();
        if depth == DEEPEST {
            return None;
        }
        DEPTH.set(depth + 1);
        let value = T::read(json);
        DEPTH.set(depth);
        value.map(Box::new)
    }
}

/// Reads a whole JSON text as a wire type. Bytes that are no UTF-8 are replaced,
/// so that one broken message does not cost the batch.
///
/// # Errors
///
/// When the text is not JSON or not of the type's outer form.
pub(super) fn from_slice<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    serde_json::from_str(&String::from_utf8_lossy(json))
}

/// Declares a wire struct: every field optional, unknown and unreadable ones kept.
macro_rules! wire_struct {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $( $(#[$field_doc:meta])* $field:ident $(as $wire:literal)? : $ty:ty, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: Option<$ty>, )*
            /// Fields that this version does not know or could not read.
            pub extra: $crate::wire::Extra,
        }

        impl $name {
            $(
                #[expect(non_upper_case_globals, reason = "named after the field")]
                const $field: &str = $crate::wire::field::wire_name!($field $($wire)?);
            )*

            /// Reads a JSON body.
            ///
            /// # Errors
            ///
            /// When the body is not a JSON object.
            pub fn from_slice(json: &[u8]) -> serde_json::Result<Self> {
                $crate::wire::field::from_slice(json)
            }

            /// Writes the JSON body.
            #[must_use]
            pub fn to_json(&self) -> String {
                serde_json::to_string(self).unwrap_or_default()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $(
                    if let Some(value) = &self.$field {
                        map.serialize_entry(Self::$field, value)?;
                    }
                )*
                for (name, raw) in self.extra.iter() {
                    map.serialize_entry(name, raw)?;
                }
                map.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;

                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut it = $name::default();
                        while let Some(key) = map.next_key::<$crate::wire::field::Name<'de>>()? {
                            let key = key.0;
                            let raw: &serde_json::value::RawValue = map.next_value()?;
                            // Of a field that comes twice the last counts.
                            let read = match &*key {
                                $( $name::$field => {
                                    it.extra.forget(&key);
                                    it.$field = $crate::wire::field::Field::read(raw.get());
                                    it.$field.is_some()
                                } )*
                                _ => false,
                            };
                            if !read && raw.get() != "null" {
                                it.extra.keep(key.into_owned(), raw);
                            }
                        }
                        Ok(it)
                    }
                }

                deserializer.deserialize_map(Fields)
            }
        }

        $crate::wire::field::strict_field!($name);
    };
}
pub(super) use wire_struct;

macro_rules! wire_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $wire:literal) => {
        $wire
    };
}
pub(super) use wire_name;

/// Declares an enum that travels as a number; unknown numbers are kept.
macro_rules! wire_code {
    (
        $(#[$doc:meta])*
        pub enum $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $code:literal, )* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )*
            /// A number that this version does not know.
            Unknown(i64),
        }

        impl $name {
            /// Returns the number as it travels.
            #[must_use]
            pub fn code(self) -> i64 {
                match self {
                    $( Self::$variant => $code, )*
                    Self::Unknown(code) => code,
                }
            }
        }

        impl From<i64> for $name {
            fn from(code: i64) -> Self {
                match code {
                    $( $code => Self::$variant, )*
                    code => Self::Unknown(code),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.code())
            }
        }

        impl $crate::wire::field::Field for $name {
            fn read(json: &str) -> Option<Self> {
                <i64 as $crate::wire::field::Field>::read(json).map(Self::from)
            }
        }
    };
}
pub(super) use wire_code;

/// Declares an enum that travels as a word; unknown words are kept.
macro_rules! wire_word {
    (
        $(#[$doc:meta])*
        pub enum $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $word:literal, )* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )*
            /// A word that this version does not know.
            Unknown(String),
        }

        impl $name {
            /// Returns the word as it travels.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )*
                    Self::Unknown(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $( $word => Self::$variant, )*
                    word => Self::Unknown(word.to_owned()),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::wire::field::Field for $name {
            fn read(json: &str) -> Option<Self> {
                serde_json::from_str::<String>(json).ok().map(|word| Self::from(word.as_str()))
            }
        }
    };
}
pub(super) use wire_word;

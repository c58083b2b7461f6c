//! How much a text takes of the limits.

use std::ops::Add;

/// Characters and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) chars: usize,
    pub(super) bytes: usize,
}

impl Size {
    pub(super) fn of(text: &str) -> Self {
        Self { chars: text.chars().count(), bytes: text.len() }
    }

    pub(super) fn of_ascii(len: usize) -> Self {
        Self { chars: len, bytes: len }
    }

    pub(super) fn of_all(texts: &[&str]) -> Self {
        texts.iter().map(|text| Self::of(text)).fold(Self::default(), Self::add)
    }

    /// What is left beside texts that together take at most half; long ones
    /// are not counted.
    pub(super) fn beside_all(self, texts: &[&str]) -> Option<Self> {
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let countable = bytes <= self.bytes.min(self.chars.saturating_mul(4));
        if countable { self.beside(Self::of_all(texts)) } else { None }
    }

    /// Whether this is within a limit.
    pub(super) fn fits(self, limit: Self) -> bool {
        self.chars <= limit.chars && self.bytes <= limit.bytes
    }

    /// Whether this fills at least one `share`th of a limit.
    pub(super) fn fills(self, limit: Self, share: usize) -> bool {
        self.chars.saturating_mul(share) >= limit.chars
            || self.bytes.saturating_mul(share) >= limit.bytes
    }

    /// What is left beside something that takes at most half; `None` if it
    /// takes more, or if what is left cannot hold any character.
    pub(super) fn beside(self, other: Self) -> Option<Self> {
        let chars = self.chars.checked_sub(other.chars)?;
        let bytes = self.bytes.checked_sub(other.bytes)?;
        let enough = chars >= other.chars.max(1) && bytes >= other.bytes.max(4);
        enough.then_some(Self { chars, bytes })
    }
}

impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { chars: self.chars + other.chars, bytes: self.bytes + other.bytes }
    }
}

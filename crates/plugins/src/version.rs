//! Versions, and the lowest that a plugin asks for.

use std::fmt;

/// A version of three numbers.
///
/// What may follow them, such as `-beta.1`, does not count: the host is always
/// a release, and a release has everything that its previews had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

impl Version {
    /// Returns the version of these numbers.
    #[must_use]
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `x.y.z`, with or without something behind a `-` or `+`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let (numbers, rest) = text.split_at(end);
        let mut numbers = numbers.split('.').map(number);
        let version = Self::new(numbers.next()??, numbers.next()??, numbers.next()??);
        (numbers.next().is_none() && is_suffix(rest)).then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Reads `>=x.y.z`, the only form in which a plugin may ask for a host.
pub(crate) fn floor(text: &str) -> Option<Version> {
    Version::parse(text.trim().strip_prefix(">=")?)
}

fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_padded = text.len() > 1 && text.starts_with('0');
    (is_plain && !is_padded).then(|| text.parse().ok())?
}

fn is_suffix(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    text.len() != 1 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_three_numbers_behind_a_sign() {
        let asked = Some(Version::new(2026, 3, 22));
        for text in [">=2026.3.22", " >=2026.3.22 ", ">=2026.3.22-beta.1", ">=2026.3.22+b7"] {
            assert_eq!(floor(text), asked, "{text}");
        }
        for text in [
            "",
            "2026.3.22",
            ">=",
            ">=2026.3",
            ">=2026.3.22.1",
            ">=a.b.c",
            ">=1.2.03",
            "^1.2.3",
            ">=1.2.3-",
        ] {
            assert_eq!(floor(text), None, "{text}");
        }
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(Version::new(2026, 10, 1) > Version::new(2026, 9, 30));
        assert!(Version::new(1, 0, 0) > Version::new(0, 99, 99));
    }
}

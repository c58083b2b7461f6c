//! Codes that a person can read to another.

use std::fmt;

/// Without what looks alike: 0 and O, 1 and I.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// How many characters a code has: 40 bits.
const LENGTH: usize = 8;

/// A pairing code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code(String);

impl Code {
    /// Draws a code, from a generator that cannot be foretold.
    pub(crate) fn draw() -> Self {
        let bytes: [u8; LENGTH] = rand::random();
        // 32 divides 256: no character comes more often than another.
        Self(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
    }

    /// Takes a code as a person types it.
    pub(crate) fn typed(text: &str) -> Self {
        Self(text.trim().to_uppercase())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_is_eight_characters_of_the_alphabet_and_never_the_same() {
        let codes: BTreeSet<String> = (0..500).map(|_| Code::draw().to_string()).collect();
        assert_eq!(codes.len(), 500);
        let drawn: BTreeSet<u8> = codes.iter().flat_map(|code| code.bytes()).collect();
        assert_eq!(drawn, ALPHABET.iter().copied().collect());
        assert!(codes.iter().all(|code| code.len() == LENGTH));
    }

    #[test]
    fn a_code_is_typed_in_any_case() {
        assert_eq!(Code::typed(" abcd2345\n").as_str(), "ABCD2345");
    }
}

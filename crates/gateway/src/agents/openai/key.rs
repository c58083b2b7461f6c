//! The secret that opens the API.

use std::fmt;

use zeroize::Zeroizing;

/// An API key. It formats as dots and is wiped from memory when dropped.
#[derive(Clone)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// Takes the key's text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the key's text, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Takes the key out of a text that somebody else wrote.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        text.replace(self.expose(), "…")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_be_printed_and_is_taken_out_of_what_others_say() {
        let key = ApiKey::new("sk-1234");
        assert_eq!(format!("{key:?}"), "ApiKey(…)");
        assert_eq!(key.hidden_in("wrong key sk-1234!"), "wrong key …!");
        assert_eq!(ApiKey::new("").hidden_in("as it is"), "as it is");
    }
}

//! What the backend derives its secrets from.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ilink::{BotId, BotToken, ContextToken, MessageId, TypingTicket, UserId};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The key of one store, in a file of its own beside the database.
///
/// Bot tokens, context tokens, typing tickets, cursors and the phone's cookies
/// are not stored anywhere: each is computed from this key and what it stands
/// for, and checked by computing it again. A copy of the database alone lets
/// nobody in.
pub(crate) struct Secret([u8; 32]);

impl Secret {
    /// Reads the key, or draws and stores one (mode 0600) on first use.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) => {
                let key = bytes.try_into().map_err(|_| {
                    std::io::Error::new(std::io::ErrorKind::InvalidData, "the key is not 32 bytes")
                })?;
                Ok(Self(key))
            }
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => Self::create(path),
            Err(err) => Err(err),
        }
    }

    fn create(path: &Path) -> std::io::Result<Self> {
        let key: [u8; 32] = rand::random();
        wholefile::replace(path, &key)?;
        Ok(Self(key))
    }

    /// Signs parts under a purpose. No two different lists of parts are signed alike.
    fn sign(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut inner = Sha256::new().chain_update(self.0).chain_update([0]);
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            inner.update((part.len() as u64).to_be_bytes());
            inner.update(part);
        }
        Sha256::new()
            .chain_update(self.0)
            .chain_update([1])
            .chain_update(inner.finalize())
            .finalize()
            .into()
    }

    /// Returns the token of a bot, `<bot id>:<hex>`.
    pub(crate) fn bot_token(&self, bot: &BotId) -> BotToken {
        let mac = self.sign("bot token", &[bot.as_str().as_bytes()]);
        BotToken::new(format!("{bot}:{}", hex::encode(mac)))
    }

    /// Returns whose token this is, if it is one of ours.
    pub(crate) fn bot_of(&self, token: &BotToken) -> Option<BotId> {
        let bot = bot_named_in(token.expose())?;
        (self.bot_token(&bot) == *token).then_some(bot)
    }

    /// Returns the context token of a message. A redelivered copy can have another one.
    pub(crate) fn context_token(
        &self,
        bot: &BotId,
        user: &UserId,
        message: u64,
        copy: u32,
    ) -> ContextToken {
        let mut text = message.to_be_bytes().to_vec();
        text.extend(copy.to_be_bytes());
        let mac = self.sign("context", &[bot.as_str().as_bytes(), user.as_str().as_bytes(), &text]);
        text.extend(&mac[..18]);
        ContextToken::new(URL_SAFE_NO_PAD.encode(text))
    }

    /// Returns the message that a context token was given with, if the token is
    /// ours and of this conversation.
    pub(crate) fn message_of(&self, bot: &BotId, user: &UserId, token: &str) -> Option<MessageId> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let message = u64::from_be_bytes(*bytes.first_chunk()?);
        let copy = u32::from_be_bytes(*bytes.get(8..)?.first_chunk()?);
        let ours = self.context_token(bot, user, message, copy);
        same(ours.expose(), token).then(|| MessageId::from(message))
    }

    /// Returns a typing ticket that is good until a moment.
    pub(crate) fn typing_ticket(&self, bot: &BotId, user: &UserId, until_ms: u64) -> TypingTicket {
        let until = until_ms.to_be_bytes();
        let mac = self.sign("typing", &[bot.as_str().as_bytes(), user.as_str().as_bytes(), &until]);
        TypingTicket::new(URL_SAFE_NO_PAD.encode([&until[..], &mac[..16]].concat()))
    }

    /// Says until when a typing ticket is good, if it is ours and of this conversation.
    pub(crate) fn ticket_until(
        &self,
        bot: &BotId,
        user: &UserId,
        ticket: &TypingTicket,
    ) -> Option<u64> {
        let bytes = URL_SAFE_NO_PAD.decode(ticket.expose()).ok()?;
        let until = u64::from_be_bytes(*bytes.first_chunk()?);
        (self.typing_ticket(bot, user, until) == *ticket).then_some(until)
    }

    /// Returns the value of a user's cookie.
    pub(crate) fn cookie(&self, user: &UserId) -> String {
        hex::encode(self.sign("phone", &[user.as_str().as_bytes()]))
    }
}

/// Returns the bot that a token claims to be of, unchecked.
pub(crate) fn bot_named_in(token: &str) -> Option<BotId> {
    let (bot, _) = token.rsplit_once(':')?;
    Some(BotId::from(bot))
}

/// Compares two secrets in constant time.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Returns the name under which a reference is stored: its hash.
pub(crate) fn fingerprint(reference: &str) -> String {
    hex::encode(&Sha256::digest(reference)[..16])
}

/// Draws the text of a new ticket or reference.
pub(crate) fn draw() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 30]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret([7; 32])
    }

    #[test]
    fn a_token_names_its_bot_and_no_other_token_does() {
        let bot = BotId::from("b0f5a1b2c3d4@im.bot");
        let token = secret().bot_token(&bot);
        assert_eq!(secret().bot_of(&token), Some(bot.clone()));
        assert_eq!(Secret([8; 32]).bot_of(&token), None);
        assert_eq!(secret().bot_of(&BotToken::new(format!("{bot}:00"))), None);
        assert_eq!(secret().bot_of(&BotToken::new("")), None);
    }

    #[test]
    fn a_context_token_is_good_in_its_own_conversation_only() {
        let (bot, alice, bob) = (BotId::from("b@im.bot"), UserId::from("a"), UserId::from("c"));
        let token = secret().context_token(&bot, &alice, 1 << 60, 2);
        let message = secret().message_of(&bot, &alice, token.expose());
        assert_eq!(message, Some(MessageId::from(1 << 60)));
        assert_eq!(secret().message_of(&bot, &bob, token.expose()), None);
        assert_eq!(secret().message_of(&bot, &alice, "short"), None);
    }

    #[test]
    fn parts_cannot_be_moved_across_their_borders() {
        assert_ne!(secret().sign("x", &[b"ab", b"c"]), secret().sign("x", &[b"a", b"bc"]));
    }
}

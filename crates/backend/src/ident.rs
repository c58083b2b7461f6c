//! New names for things: users, bots, QR codes, messages.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ilink::{BotId, QrCodeId, UserId};

/// Draws a user id: mixed case on purpose, as on Tencent's servers.
pub(crate) fn user_id() -> UserId {
    UserId::new(format!("o9{}@im.wechat", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>())))
}

/// Draws a bot id, `<12 hex>@im.bot`.
pub(crate) fn bot_id() -> BotId {
    BotId::new(format!("{}@im.bot", hex::encode(rand::random::<[u8; 6]>())))
}

/// Draws the id of a QR code.
pub(crate) fn qr_code_id() -> QrCodeId {
    QrCodeId::new(hex::encode(rand::random::<[u8; 16]>()))
}

/// Draws the digits that a phone shows.
pub(crate) fn verify_code() -> String {
    format!("{:06}", rand::random_range(0..1_000_000))
}

/// Gives message ids: rising, unique within a store, above 2^53.
///
/// Milliseconds shifted left by 20 bits; messages of one millisecond count on
/// from there. Stays below 2^63 until far beyond this century.
pub(crate) struct MessageIds {
    last: AtomicU64,
}

impl MessageIds {
    /// Goes on after the newest id that a store has.
    pub(crate) fn after(newest: u64) -> Self {
        Self { last: AtomicU64::new(newest) }
    }

    /// Returns the next id. To be called where commits are in order.
    pub(crate) fn next(&self, now_ms: u64) -> u64 {
        let floor = now_ms << 20 | u64::from(rand::random::<u8>());
        let step = |last: u64| floor.max(last + 1);
        match self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(step(last)))
        {
            Ok(last) | Err(last) => step(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_and_exceed_what_a_double_holds() {
        let ids = MessageIds::after(0);
        let first = ids.next(1_795_293_962_515);
        let second = ids.next(1_795_293_962_515);
        assert!(first > 1 << 53);
        assert!(second > first);
        assert!(ids.next(1) > second, "a clock behind the store changes nothing");
    }
}

//! A bot's stream: polls, cursors, acknowledgements.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ilink::wire;
use ilink::{BotId, Cursor};

use super::Core;
use crate::phones::News;
use crate::problem::Problem;
use crate::registry::{LiveBot, Poll};
use crate::store::{Batch, Delivery};

/// How many messages a poll brings at most.
const BATCH: usize = 100;

/// How a poll ended.
pub(crate) enum PollEnd {
    /// With messages, and the cursor behind them.
    Batch(Vec<wire::Message>, Cursor),
    /// With nothing: the time is up, a newer poll has begun, or the backend stops.
    Empty(Cursor),
    /// The token became stale meanwhile.
    Stale,
}

impl Core {
    /// Waits for the next batch of a bot. The cursor acknowledges everything
    /// before it; without one, everything unacknowledged comes. Ends older
    /// polls of the same bot.
    ///
    /// Cancel safe: a batch that was lost comes again.
    pub(crate) async fn poll(
        &self,
        bot: &Arc<LiveBot>,
        after: Option<u64>,
    ) -> Result<PollEnd, Problem> {
        let mut poll = bot.begin_poll();
        if poll.came_online {
            self.tell_contact(&bot.user, &bot.id);
        }
        let deadline = tokio::time::Instant::now() + self.hold;
        if let Some(place) = after {
            self.acknowledge(bot, place).await?;
        }
        loop {
            poll.look();
            let next_copy = self.deliver_copies(bot).await?;
            let batch = self.store.batch(&bot.id, after, BATCH).await?;
            if bot.is_stale(self.now()) {
                return Ok(PollEnd::Stale);
            }
            // What an older poll has found is for the newer one.
            if !batch.deliveries.is_empty() && !poll.is_superseded() {
                return Ok(self.batch(bot, batch));
            }
            if self.is_over(&mut poll, bot, next_copy, deadline).await {
                return Ok(PollEnd::Empty(cursor(&bot.id, batch.after)));
            }
        }
    }

    /// Waits until it is worth looking again (false) or the poll is over (true).
    async fn is_over(
        &self,
        poll: &mut Poll,
        bot: &LiveBot,
        next_copy: Option<u64>,
        deadline: tokio::time::Instant,
    ) -> bool {
        if poll.is_superseded() {
            return true;
        }
        let superseded = poll.superseded();
        let wake_at = next_copy.unwrap_or(u64::MAX).min(bot.stale_at());
        tokio::select! {
            () = superseded => true,
            () = tokio::time::sleep_until(deadline) => true,
            () = self.stopping.cancelled() => true,
            () = sleep_until(&self.clock, wake_at) => false,
            () = poll.news() => false,
        }
    }

    fn batch(&self, bot: &LiveBot, batch: Batch) -> PollEnd {
        let last = batch.deliveries.last().map_or(batch.after, |it| it.seq);
        let complete = |it| self.complete(&bot.id, it);
        let messages = batch.deliveries.into_iter().map(complete).collect();
        PollEnd::Batch(messages, cursor(&bot.id, last))
    }

    /// Adds place and context token to a stored message.
    fn complete(&self, bot: &BotId, delivery: Delivery) -> wire::Message {
        let mut message = wire::Message::from_slice(delivery.wire.as_bytes()).unwrap_or_default();
        message.seq = i64::try_from(delivery.seq).ok();
        if message.context_token.is_none() {
            let context =
                self.secret.context_token(bot, &delivery.user, delivery.message, delivery.copy);
            message.context_token = Some(context);
        }
        message
    }

    async fn acknowledge(&self, bot: &LiveBot, place: u64) -> Result<(), Problem> {
        if place <= bot.acked.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (acked, delivered) = self.store.acknowledge(&bot.id, place).await?;
        bot.acked.fetch_max(acked, Ordering::Relaxed);
        for it in delivered {
            let news = News::Delivered { bot: bot.id.clone(), up_to: it.up_to };
            self.phones.tell(&it.user, news);
        }
        Ok(())
    }

    /// Moves copies that are due into the stream, and returns when the next is.
    async fn deliver_copies(&self, bot: &LiveBot) -> Result<Option<u64>, Problem> {
        let expected = bot.copies.load(Ordering::Relaxed);
        if expected == 0 {
            return Ok(None);
        }
        let next = self.store.deliver_due_copies(&bot.id, self.now()).await?;
        if next.is_none() {
            // Fails when another was announced meanwhile: then the next look finds it.
            bot.copies.compare_exchange(expected, 0, Ordering::Relaxed, Ordering::Relaxed).ok();
        }
        Ok(next)
    }

    /// Remembers that a bot has second deliveries waiting.
    pub(super) fn expect_copies(&self, bot: &BotId) {
        if let Some(live) = self.registry.get(bot) {
            live.copies.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Shows a bot as there or gone.
    pub(crate) fn appear(&self, bot: &LiveBot, online: bool) {
        if bot.appear(online) {
            self.tell_contact(&bot.user, &bot.id);
        }
    }

    /// How long a bot counts as there after its last poll.
    pub(super) fn presence_life(&self) -> Duration {
        self.hold + Duration::from_secs(20)
    }
}

async fn sleep_until(clock: &crate::clock::Clock, at: u64) {
    if at == u64::MAX {
        return std::future::pending().await;
    }
    clock.sleep_until(at).await;
}

/// Writes a place in a bot's stream as a cursor.
fn cursor(bot: &BotId, place: u64) -> Cursor {
    Cursor::new(URL_SAFE_NO_PAD.encode(format!("1:{bot}:{place}")))
}

/// Reads a cursor of this bot. Anything else counts as no cursor.
pub(crate) fn place_of(bot: &BotId, cursor: &Cursor) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (of, place) = text.strip_prefix("1:")?.rsplit_once(':')?;
    if of != bot.as_str() {
        return None;
    }
    // SQLite's integers are signed.
    place.parse().ok().filter(|place| *place <= i64::MAX as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_by_its_own_bot_only() {
        let bot = BotId::from("b0f5a1b2c3d4@im.bot");
        assert_eq!(place_of(&bot, &cursor(&bot, 42)), Some(42));
        assert_eq!(place_of(&BotId::from("x@im.bot"), &cursor(&bot, 42)), None);
        for hostile in ["", "eyJjIjo5NTI5MzM5Mn0=", "%%", "MTo"] {
            assert_eq!(place_of(&bot, &Cursor::from(hostile)), None, "{hostile}");
        }
    }
}

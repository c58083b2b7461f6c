//! The stream of each bot: places, copies, acknowledgements.

use ilink::{BotId, UserId};
use ledger::LedgerError;
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::Store;

/// How many acknowledged deliveries stay, for cursors that go back.
const KEPT: u64 = 10_000;

/// One delivery, to be completed with place and context token.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) seq: u64,
    pub(crate) message: u64,
    pub(crate) copy: u32,
    pub(crate) user: UserId,
    pub(crate) wire: String,
}

/// What a poll found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) deliveries: Vec<Delivery>,
    /// Where the reader stands before these.
    pub(crate) after: u64,
}

/// The newest message of a conversation that was acknowledged just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) user: UserId,
    pub(crate) up_to: u64,
}

impl Store {
    /// Reads what comes after a place; after the last acknowledged one without
    /// a place. A place beyond the end counts as the end.
    pub(crate) async fn batch(
        &self,
        bot: &BotId,
        after: Option<u64>,
        most: usize,
    ) -> Result<Batch, LedgerError> {
        const PLACE: &str = "SELECT min(coalesce(?2, acked), seq) FROM bots WHERE id = ?1";
        const SQL: &str = "SELECT d.seq, d.message, d.copy, m.user, m.wire FROM deliveries d
            JOIN messages m ON m.id = d.message
            WHERE d.bot = ?1 AND d.seq > ?2 ORDER BY d.seq LIMIT ?3";
        let bot = bot.clone();
        self.ledger
            .read(move |conn| {
                let place = conn
                    .prepare_cached(PLACE)?
                    .query_row((bot.as_str(), after), |row| row.get(0))
                    .optional()?;
                let after: u64 = place.unwrap_or(0);
                let mut query = conn.prepare_cached(SQL)?;
                let found = query.query_map((bot.as_str(), after, most), delivery)?;
                Ok(Batch { deliveries: found.collect::<rusqlite::Result<_>>()?, after })
            })
            .await
    }

    /// Remembers that everything up to a place has arrived. Returns up to where
    /// the stream is acknowledged now, and which conversations got further.
    pub(crate) async fn acknowledge(
        &self,
        bot: &BotId,
        up_to: u64,
    ) -> Result<(u64, Vec<Delivered>), LedgerError> {
        const NEWEST: &str = "SELECT m.user, max(m.id) FROM deliveries d
            JOIN messages m ON m.id = d.message JOIN bots b ON b.id = d.bot
            WHERE d.bot = ?1 AND d.seq > b.acked AND d.seq <= ?2 AND NOT m.from_bot GROUP BY m.user";
        const ACK: &str = "UPDATE bots SET acked = max(acked, min(?2, seq)) WHERE id = ?1
            RETURNING acked";
        const PRUNE: &str = "DELETE FROM deliveries WHERE bot = ?1 AND seq <= ?2";
        let bot = bot.clone();
        let read = |row: &Row<'_>| {
            Ok(Delivered { user: UserId::new(row.get::<_, String>(0)?), up_to: row.get(1)? })
        };
        self.ledger
            .write(move |tx| {
                let newest = tx
                    .prepare_cached(NEWEST)?
                    .query_map((bot.as_str(), up_to), read)?
                    .collect::<rusqlite::Result<_>>()?;
                let acked: u64 =
                    tx.prepare_cached(ACK)?.query_row((bot.as_str(), up_to), |row| row.get(0))?;
                tx.prepare_cached(PRUNE)?.execute((bot.as_str(), acked.saturating_sub(KEPT)))?;
                Ok((acked, newest))
            })
            .await
    }

    /// Moves copies that are due into the stream. Returns when the next is due.
    pub(crate) async fn deliver_due_copies(
        &self,
        bot: &BotId,
        now_ms: u64,
    ) -> Result<Option<u64>, LedgerError> {
        const DUE: &str =
            "DELETE FROM copies WHERE bot = ?1 AND due_at <= ?2 RETURNING message, copy";
        const NEXT: &str = "SELECT min(due_at) FROM copies WHERE bot = ?1";
        const PLACE: &str = "UPDATE bots SET seq = seq + 1 WHERE id = ?1 RETURNING seq";
        let bot = bot.clone();
        self.ledger
            .write(move |tx| {
                let due: Vec<(u64, u32)> = tx
                    .prepare_cached(DUE)?
                    .query_map((bot.as_str(), now_ms), |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<rusqlite::Result<_>>()?;
                for (message, copy) in due {
                    let seq =
                        tx.prepare_cached(PLACE)?.query_row([bot.as_str()], |row| row.get(0))?;
                    deliver(tx, &bot, seq, message, copy)?;
                }
                tx.prepare_cached(NEXT)?.query_row([bot.as_str()], |row| row.get(0))
            })
            .await
    }

    /// Returns the bots that have copies waiting.
    pub(crate) async fn bots_with_copies(&self) -> Result<Vec<BotId>, LedgerError> {
        const SQL: &str = "SELECT DISTINCT bot FROM copies";
        let id = |row: &Row<'_>| Ok(BotId::new(row.get::<_, String>(0)?));
        self.ledger.read(move |conn| conn.prepare_cached(SQL)?.query_map([], id)?.collect()).await
    }
}

/// Puts a message into a bot's stream.
pub(super) fn deliver(
    tx: &Transaction<'_>,
    bot: &BotId,
    seq: u64,
    message: u64,
    copy: u32,
) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO deliveries (bot, seq, message, copy) VALUES (?1, ?2, ?3, ?4)";
    tx.prepare_cached(SQL)?.execute((bot.as_str(), seq, message, copy)).map(drop)
}

/// Keeps a second delivery for later.
pub(super) fn postpone(
    tx: &Transaction<'_>,
    bot: &BotId,
    message: u64,
    due_at: u64,
    copy: u32,
) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO copies (bot, message, due_at, copy) VALUES (?1, ?2, ?3, ?4)";
    tx.prepare_cached(SQL)?.execute((bot.as_str(), message, due_at, copy)).map(drop)
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        seq: row.get(0)?,
        message: row.get(1)?,
        copy: row.get(2)?,
        user: UserId::new(row.get::<_, String>(3)?),
        wire: row.get(4)?,
    })
}

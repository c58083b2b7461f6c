//! Conversations: who knows whom, what was read and heard.

use ilink::{BotId, UserId};
use ledger::LedgerError;
use rusqlite::OptionalExtension as _;

use super::Store;
use super::messages::{STORED, Stored};

impl Store {
    /// Lets a user and a bot talk to each other.
    pub(crate) async fn meet(&self, user: &UserId, bot: &BotId) -> Result<(), LedgerError> {
        const SQL: &str = "INSERT OR IGNORE INTO chats (user, bot) VALUES (?1, ?2)";
        let (user, bot) = (user.clone(), bot.clone());
        self.ledger
            .write(move |tx| {
                tx.prepare_cached(SQL)?.execute((user.as_str(), bot.as_str())).map(drop)
            })
            .await
    }

    /// Says whether a user and a bot can talk to each other.
    pub(crate) async fn has_met(&self, user: &UserId, bot: &BotId) -> Result<bool, LedgerError> {
        const SQL: &str = "SELECT 1 FROM chats WHERE user = ?1 AND bot = ?2";
        let (user, bot) = (user.clone(), bot.clone());
        self.ledger
            .read(move |conn| conn.prepare_cached(SQL)?.exists((user.as_str(), bot.as_str())))
            .await
    }

    /// Says whether the user has ever written to the bot.
    pub(crate) async fn has_written(
        &self,
        user: &UserId,
        bot: &BotId,
    ) -> Result<bool, LedgerError> {
        const SQL: &str = "SELECT 1 FROM chats
            WHERE user = ?1 AND bot = ?2 AND last_inbound_at IS NOT NULL";
        let (user, bot) = (user.clone(), bot.clone());
        self.ledger
            .read(move |conn| conn.prepare_cached(SQL)?.exists((user.as_str(), bot.as_str())))
            .await
    }

    /// Clears the count of unread messages. Says whether there were any.
    pub(crate) async fn mark_read(&self, user: &UserId, bot: &BotId) -> Result<bool, LedgerError> {
        const SQL: &str = "UPDATE chats SET unread = 0 WHERE user = ?1 AND bot = ?2 AND unread > 0";
        let (user, bot) = (user.clone(), bot.clone());
        self.ledger
            .write(
                move |tx| Ok(tx.prepare_cached(SQL)?.execute((user.as_str(), bot.as_str()))? > 0),
            )
            .await
    }

    /// Returns the oldest text of a bot that the user has not heard yet, and
    /// remembers it as heard.
    pub(crate) async fn hear(&self, user: &UserId) -> Result<Option<Stored>, LedgerError> {
        let next = format!(
            "SELECT {STORED} FROM messages m JOIN bots b ON b.id = m.bot
            WHERE m.user = ?1 AND m.from_bot AND m.shown
                AND m.id > (SELECT heard FROM users WHERE id = ?1)
                AND json_extract(m.wire, '$.item_list[0].type') = 1
            ORDER BY m.id LIMIT 1"
        );
        let user = user.clone();
        self.ledger
            .write(move |tx| {
                let found = tx
                    .prepare_cached(&next)?
                    .query_row([user.as_str()], |row| Stored::read(row, 0))
                    .optional()?;
                if let Some(heard) = &found {
                    tx.prepare_cached("UPDATE users SET heard = ?2 WHERE id = ?1")?
                        .execute((user.as_str(), heard.id))?;
                }
                Ok(found)
            })
            .await
    }
}

//! Bots, and what a phone lists about them.

use ilink::{BotId, UserId};
use ledger::LedgerError;
use rusqlite::{Row, Transaction};

use super::Store;
use super::messages::{STORED, Stored};

/// A bot identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bot {
    pub(crate) id: BotId,
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) created_at: u64,
    pub(crate) stale_at: Option<u64>,
}

/// A bot to be bound.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) bot: Bot,
    /// From when on the user's older bots are refused.
    pub(crate) older_stale_at: u64,
}

/// A bot as its user's phone lists it.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    pub(crate) bot: Bot,
    pub(crate) unread: u64,
    pub(crate) last: Option<Stored>,
}

impl Store {
    /// Binds a bot. Returns the user's bots that are stale because of it.
    pub(crate) async fn bind(&self, new: Binding) -> Result<Vec<BotId>, LedgerError> {
        self.ledger.write(move |tx| bind(tx, &new)).await
    }

    /// Makes a token refused from a moment on.
    pub(crate) async fn make_stale(&self, bot: &BotId, at: u64) -> Result<(), LedgerError> {
        const SQL: &str =
            "UPDATE bots SET stale_at = min(?2, coalesce(stale_at, ?2)) WHERE id = ?1";
        let bot = bot.clone();
        self.ledger
            .write(move |tx| tx.prepare_cached(SQL)?.execute((bot.as_str(), at)).map(drop))
            .await
    }

    /// Gives a bot the name under which phones list it.
    pub(crate) async fn rename_bot(&self, bot: &BotId, name: &str) -> Result<(), LedgerError> {
        const SQL: &str = "UPDATE bots SET name = ?2 WHERE id = ?1";
        let (bot, name) = (bot.clone(), name.to_owned());
        self.ledger
            .write(move |tx| tx.prepare_cached(SQL)?.execute((bot.as_str(), name)).map(drop))
            .await
    }

    /// Returns every bot, oldest first.
    pub(crate) async fn bots(&self) -> Result<Vec<Bot>, LedgerError> {
        const SQL: &str = "SELECT id, user, name, created_at, stale_at FROM bots
            ORDER BY created_at, id";
        self.ledger.read(|conn| conn.prepare_cached(SQL)?.query_map([], bot)?.collect()).await
    }

    /// Returns whom a user can talk to, the newest conversation first.
    pub(crate) async fn contacts(
        &self,
        user: &UserId,
        only: Option<&BotId>,
    ) -> Result<Vec<Contact>, LedgerError> {
        let sql = format!(
            "SELECT b.id, b.user, b.name, b.created_at, b.stale_at, c.unread, {STORED}
            FROM chats c JOIN bots b ON b.id = c.bot LEFT JOIN messages m ON m.id = c.last_shown
            WHERE c.user = ?1 AND (?2 IS NULL OR c.bot = ?2)
            ORDER BY coalesce(m.at, b.created_at) DESC, b.id"
        );
        let (user, only) = (user.clone(), only.map(|bot| bot.as_str().to_owned()));
        self.ledger
            .read(move |conn| {
                let mut query = conn.prepare_cached(&sql)?;
                query.query_map((user.as_str(), only), contact)?.collect()
            })
            .await
    }
}

/// Adds a bot and retires the user's older ones.
pub(super) fn bind(tx: &Transaction<'_>, new: &Binding) -> rusqlite::Result<Vec<BotId>> {
    let older = retire(tx, &new.bot.user, new.older_stale_at)?;
    insert(tx, &new.bot)?;
    Ok(older)
}

fn retire(tx: &Transaction<'_>, user: &UserId, at: u64) -> rusqlite::Result<Vec<BotId>> {
    const SQL: &str = "UPDATE bots SET stale_at = ?2
        WHERE user = ?1 AND (stale_at IS NULL OR stale_at > ?2) RETURNING id";
    let id = |row: &Row<'_>| Ok(BotId::new(row.get::<_, String>(0)?));
    tx.prepare_cached(SQL)?.query_map((user.as_str(), at), id)?.collect()
}

fn insert(tx: &Transaction<'_>, bot: &Bot) -> rusqlite::Result<()> {
    const BOT: &str = "INSERT INTO bots (id, user, name, created_at) VALUES (?1, ?2, ?3, ?4)";
    const CHAT: &str = "INSERT INTO chats (user, bot) VALUES (?1, ?2)";
    let row = (bot.id.as_str(), bot.user.as_str(), &bot.name, bot.created_at);
    tx.prepare_cached(BOT)?.execute(row)?;
    tx.prepare_cached(CHAT)?.execute((bot.user.as_str(), bot.id.as_str()))?;
    Ok(())
}

fn bot(row: &Row<'_>) -> rusqlite::Result<Bot> {
    Ok(Bot {
        id: BotId::new(row.get::<_, String>(0)?),
        user: UserId::new(row.get::<_, String>(1)?),
        name: row.get(2)?,
        created_at: row.get(3)?,
        stale_at: row.get(4)?,
    })
}

fn contact(row: &Row<'_>) -> rusqlite::Result<Contact> {
    let last = match row.get::<_, Option<u64>>(6)? {
        Some(_) => Some(Stored::read(row, 6)?),
        None => None,
    };
    Ok(Contact { bot: bot(row)?, unread: row.get(5)?, last })
}

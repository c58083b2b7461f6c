//! What was said.

use std::sync::Arc;

use ilink::{BotId, Code, UserId};
use ledger::LedgerError;
use rusqlite::{OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::Store;
use crate::policy::Verdict;

/// The columns that [`Stored::read`] reads; `m` is the message, `b` its bot.
pub(super) const STORED: &str = "m.id, m.user, m.bot, m.from_bot, m.at, m.local_id, m.shown, m.wire, \
    m.notes, m.quote_id, m.quote_text, m.seq IS NOT NULL AND m.seq <= b.acked";

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) id: u64,
    pub(crate) user: UserId,
    pub(crate) bot: BotId,
    pub(crate) from_bot: bool,
    pub(crate) at: u64,
    pub(crate) local_id: Option<String>,
    pub(crate) shown: bool,
    /// As it travels, without place and context token.
    pub(crate) wire: Arc<str>,
    pub(crate) notes: Vec<Note>,
    pub(crate) quote_id: Option<u64>,
    pub(crate) quote_text: Option<String>,
    /// Whether the bot has acknowledged it.
    pub(crate) delivered: bool,
}

/// What the phone knows about one item beyond what travels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<u64>,
}

/// A message of a user, to be stored and delivered.
#[derive(Clone, Debug)]
pub(crate) struct NewWord {
    pub(crate) user: UserId,
    pub(crate) bot: BotId,
    pub(crate) at: u64,
    pub(crate) local_id: Option<String>,
    /// The message; the id is added when it is known.
    pub(crate) wire: ilink::wire::Message,
    pub(crate) notes: Vec<Note>,
    pub(crate) quote_id: Option<u64>,
    pub(crate) quote_text: Option<String>,
    /// When to deliver it a second time, and with which context token.
    pub(crate) copy: Option<(u64, u32)>,
    /// Whether the phone shows it.
    pub(crate) shown: bool,
}

/// A message of a bot, to be judged and stored.
#[derive(Clone, Debug)]
pub(crate) struct NewSend {
    pub(crate) user: UserId,
    pub(crate) bot: BotId,
    pub(crate) at: u64,
    pub(crate) client_id: Option<String>,
    pub(crate) wire: ilink::wire::Message,
    /// Hashes of the media references of each item.
    pub(crate) media: Vec<Option<String>>,
    /// Whether it comes back to the bot.
    pub(crate) echo: bool,
}

/// What became of a message of a user.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// It is stored and in the bot's stream.
    New(Stored),
    /// One with the same local id was stored before; this is that one.
    Known(Stored),
    /// Too many messages wait for the bot.
    Full,
    /// The two have never met.
    Strangers,
}

/// What became of a message of a bot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It is stored.
    New(Stored),
    /// One with the same client id was stored before; this is that one.
    Repeated(Stored),
    /// It was accepted and forgotten.
    Suppressed,
    /// It was refused.
    Refused(Code, &'static str),
    /// The two have never met.
    Strangers,
}

/// A part of a conversation, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) messages: Vec<Stored>,
    /// Whether there are older ones.
    pub(crate) more: bool,
}

/// What the judge of a send is told.
pub(crate) struct ChatState {
    pub(crate) last_inbound_ms: Option<u64>,
    pub(crate) sends_since_inbound: u32,
}

impl Store {
    /// Stores a user's message and puts it into the bot's stream, unless `most`
    /// messages wait there.
    pub(crate) async fn say(&self, word: NewWord, most: u64) -> Result<Said, LedgerError> {
        let ids = Arc::clone(&self.ids);
        self.ledger
            .write(move |tx| {
                if let Some(known) = by_local_id(tx, &word)? {
                    return Ok(Said::Known(known));
                }
                if chat_state(tx, &word.user, &word.bot)?.is_none() {
                    return Ok(Said::Strangers);
                }
                let Some(seq) = next_seq(tx, &word.bot, Some(most))? else {
                    return Ok(Said::Full);
                };
                let id = ids.next(word.at);
                let mut wire = word.wire;
                wire.message_id.get_or_insert(id.into());
                let stored = Stored {
                    id,
                    user: word.user,
                    bot: word.bot,
                    from_bot: false,
                    at: word.at,
                    local_id: word.local_id,
                    shown: word.shown,
                    wire: wire.to_json().into(),
                    notes: word.notes,
                    quote_id: word.quote_id,
                    quote_text: word.quote_text,
                    delivered: false,
                };
                insert(tx, &stored, None, Some(seq))?;
                super::deliveries::deliver(tx, &stored.bot, seq, id, 0)?;
                if let Some((due_at, copy)) = word.copy {
                    super::deliveries::postpone(tx, &stored.bot, id, due_at, copy)?;
                }
                note_inbound(tx, &stored)?;
                Ok(Said::New(stored))
            })
            .await
    }

    /// Judges a bot's message and stores it, in one transaction.
    pub(crate) async fn send<J>(&self, send: NewSend, judge: J) -> Result<Outcome, LedgerError>
    where
        J: FnOnce(&ChatState) -> Verdict + Send + 'static,
    {
        let ids = Arc::clone(&self.ids);
        self.ledger
            .write(move |tx| {
                if let Some(known) = by_client_id(tx, &send)? {
                    return Ok(Outcome::Repeated(known));
                }
                let Some(chat) = chat_state(tx, &send.user, &send.bot)? else {
                    return Ok(Outcome::Strangers);
                };
                let shown = match judge(&chat) {
                    Verdict::Show => true,
                    Verdict::Drop => false,
                    Verdict::Suppress => return Ok(Outcome::Suppressed),
                    Verdict::Refuse(code, errmsg) => return Ok(Outcome::Refused(code, errmsg)),
                };
                store_send(tx, send, ids.as_ref(), shown).map(Outcome::New)
            })
            .await
    }

    /// Returns one message of a user, if the user may see it.
    pub(crate) async fn message(
        &self,
        user: &UserId,
        id: u64,
    ) -> Result<Option<Stored>, LedgerError> {
        let sql = format!(
            "SELECT {STORED} FROM messages m JOIN bots b ON b.id = m.bot
            WHERE m.id = ?1 AND m.user = ?2 AND m.shown"
        );
        let user = user.clone();
        self.ledger
            .read(move |conn| {
                conn.prepare_cached(&sql)?
                    .query_row((id, user.as_str()), |row| Stored::read(row, 0))
                    .optional()
            })
            .await
    }

    /// Returns the newest messages of a conversation that are older than `before`.
    pub(crate) async fn page(
        &self,
        user: &UserId,
        bot: &BotId,
        before: u64,
        most: usize,
    ) -> Result<Page, LedgerError> {
        let sql = format!(
            "SELECT {STORED} FROM messages m JOIN bots b ON b.id = m.bot
            WHERE m.user = ?1 AND m.bot = ?2 AND m.shown AND m.id < ?3
            ORDER BY m.id DESC LIMIT ?4"
        );
        let (user, bot) = (user.clone(), bot.clone());
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        self.ledger
            .read(move |conn| {
                let mut query = conn.prepare_cached(&sql)?;
                let rows = (user.as_str(), bot.as_str(), before, most + 1);
                let found = query.query_map(rows, |row| Stored::read(row, 0))?;
                let mut messages: Vec<Stored> = found.collect::<rusqlite::Result<_>>()?;
                let more = messages.len() > most;
                messages.truncate(most);
                messages.reverse();
                Ok(Page { messages, more })
            })
            .await
    }

    /// Returns what a user's phone shows of all conversations, oldest first.
    pub(crate) async fn shown_to(
        &self,
        user: &UserId,
        most: u32,
    ) -> Result<Vec<Stored>, LedgerError> {
        let sql = format!(
            "SELECT * FROM (SELECT {STORED} FROM messages m JOIN bots b ON b.id = m.bot
            WHERE m.user = ?1 AND m.shown ORDER BY m.id DESC LIMIT ?2) ORDER BY 1"
        );
        let user = user.clone();
        self.ledger
            .read(move |conn| {
                let mut query = conn.prepare_cached(&sql)?;
                query.query_map((user.as_str(), most), |row| Stored::read(row, 0))?.collect()
            })
            .await
    }

    /// Returns what a bot sent and was accepted, shown or not, oldest first.
    pub(crate) async fn sent_by(&self, bot: &BotId, most: u32) -> Result<Vec<Stored>, LedgerError> {
        let sql = format!(
            "SELECT * FROM (SELECT {STORED} FROM messages m JOIN bots b ON b.id = m.bot
            WHERE m.bot = ?1 AND m.from_bot ORDER BY m.id DESC LIMIT ?2) ORDER BY 1"
        );
        let bot = bot.clone();
        self.ledger
            .read(move |conn| {
                let mut query = conn.prepare_cached(&sql)?;
                query.query_map((bot.as_str(), most), |row| Stored::read(row, 0))?.collect()
            })
            .await
    }
}

impl Stored {
    /// Reads the columns of [`STORED`] from column `at` on.
    pub(super) fn read(row: &Row<'_>, at: usize) -> rusqlite::Result<Self> {
        let notes: String = row.get(at + 8)?;
        Ok(Self {
            id: row.get(at)?,
            user: UserId::new(row.get::<_, String>(at + 1)?),
            bot: BotId::new(row.get::<_, String>(at + 2)?),
            from_bot: row.get(at + 3)?,
            at: row.get(at + 4)?,
            local_id: row.get(at + 5)?,
            shown: row.get(at + 6)?,
            wire: row.get::<_, String>(at + 7)?.into(),
            notes: serde_json::from_str(&notes).unwrap_or_default(),
            quote_id: row.get(at + 9)?,
            quote_text: row.get(at + 10)?,
            delivered: row.get(at + 11)?,
        })
    }

    /// Returns the message as it travels.
    pub(crate) fn message(&self) -> ilink::wire::Message {
        ilink::wire::Message::from_slice(self.wire.as_bytes()).unwrap_or_default()
    }
}

fn store_send(
    tx: &Transaction<'_>,
    send: NewSend,
    ids: &crate::ident::MessageIds,
    shown: bool,
) -> rusqlite::Result<Stored> {
    let id = ids.next(send.at);
    let mut wire = send.wire;
    wire.message_id = Some(id.into());
    let notes = send.media.iter().map(|hash| note_of(tx, hash.as_deref()));
    let stored = Stored {
        id,
        user: send.user,
        bot: send.bot,
        from_bot: true,
        at: send.at,
        local_id: None,
        shown,
        wire: wire.to_json().into(),
        notes: notes.collect::<rusqlite::Result<_>>()?,
        quote_id: None,
        quote_text: None,
        delivered: false,
    };
    let seq = if send.echo { next_seq(tx, &stored.bot, None)? } else { None };
    insert(tx, &stored, send.client_id.as_deref(), seq)?;
    if let Some(seq) = seq {
        super::deliveries::deliver(tx, &stored.bot, seq, id, 0)?;
    }
    count_send(tx, &stored)?;
    Ok(stored)
}

fn insert(
    tx: &Transaction<'_>,
    message: &Stored,
    client_id: Option<&str>,
    seq: Option<u64>,
) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO messages (id, user, bot, from_bot, at, seq, client_id, local_id,
        shown, wire, notes, quote_id, quote_text)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let notes = serde_json::to_string(&message.notes).unwrap_or_default();
    let row = rusqlite::params![
        message.id,
        message.user.as_str(),
        message.bot.as_str(),
        message.from_bot,
        message.at,
        seq,
        client_id,
        message.local_id,
        message.shown,
        &*message.wire,
        notes,
        message.quote_id,
        message.quote_text,
    ];
    tx.prepare_cached(SQL)?.execute(row).map(drop)
}

/// Returns the next place in a bot's stream, unless `most` wait already.
fn next_seq(tx: &Transaction<'_>, bot: &BotId, most: Option<u64>) -> rusqlite::Result<Option<u64>> {
    const SQL: &str =
        "UPDATE bots SET seq = seq + 1 WHERE id = ?1 AND seq - acked < ?2 RETURNING seq";
    let most = most.unwrap_or(i64::MAX as u64);
    tx.prepare_cached(SQL)?.query_row((bot.as_str(), most), |row| row.get(0)).optional()
}

fn note_inbound(tx: &Transaction<'_>, message: &Stored) -> rusqlite::Result<()> {
    const SQL: &str = "UPDATE chats SET last_inbound_at = ?3, sends = 0,
        last_shown = CASE WHEN ?5 THEN ?4 ELSE last_shown END WHERE user = ?1 AND bot = ?2";
    let row = (message.user.as_str(), message.bot.as_str(), message.at, message.id, message.shown);
    tx.prepare_cached(SQL)?.execute(row).map(drop)
}

fn count_send(tx: &Transaction<'_>, message: &Stored) -> rusqlite::Result<()> {
    const SQL: &str = "UPDATE chats SET sends = sends + 1, unread = unread + ?4,
        last_shown = CASE WHEN ?4 THEN ?3 ELSE last_shown END WHERE user = ?1 AND bot = ?2";
    let row = (message.user.as_str(), message.bot.as_str(), message.id, message.shown);
    tx.prepare_cached(SQL)?.execute(row).map(drop)
}

fn chat_state(
    tx: &Transaction<'_>,
    user: &UserId,
    bot: &BotId,
) -> rusqlite::Result<Option<ChatState>> {
    const SQL: &str = "SELECT last_inbound_at, sends FROM chats WHERE user = ?1 AND bot = ?2";
    let read = |row: &Row<'_>| {
        Ok(ChatState { last_inbound_ms: row.get(0)?, sends_since_inbound: row.get(1)? })
    };
    tx.prepare_cached(SQL)?.query_row((user.as_str(), bot.as_str()), read).optional()
}

fn by_client_id(tx: &Transaction<'_>, send: &NewSend) -> rusqlite::Result<Option<Stored>> {
    let sql = format!(
        "SELECT {STORED} FROM messages m JOIN bots b ON b.id = m.bot
        WHERE m.bot = ?1 AND m.client_id = ?2 AND m.from_bot"
    );
    if send.client_id.is_none() {
        return Ok(None);
    }
    let key = (send.bot.as_str(), &send.client_id);
    tx.prepare_cached(&sql)?.query_row(key, |row| Stored::read(row, 0)).optional()
}

fn by_local_id(tx: &Transaction<'_>, word: &NewWord) -> rusqlite::Result<Option<Stored>> {
    let sql = format!(
        "SELECT {STORED} FROM messages m JOIN bots b ON b.id = m.bot
        WHERE m.user = ?1 AND m.bot = ?2 AND m.local_id = ?3"
    );
    if word.local_id.is_none() {
        return Ok(None);
    }
    let key = (word.user.as_str(), word.bot.as_str(), &word.local_id);
    tx.prepare_cached(&sql)?.query_row(key, |row| Stored::read(row, 0)).optional()
}

/// Returns what is known about the media of an item.
fn note_of(tx: &Transaction<'_>, hash: Option<&str>) -> rusqlite::Result<Note> {
    const SQL: &str = "SELECT raw_size FROM media WHERE hash = ?1";
    let size = tx.prepare_cached(SQL)?.query_row([hash], |row| row.get(0)).optional()?;
    Ok(Note { size: size.unwrap_or(0), ..Note::default() })
}

//! What was said, by the backend's id, for quotes that carry nothing else.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::{AccountId, Author, MediaKind};
use ilink::UserId;
use ledger::LedgerError;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::{Store, Talk};
use crate::governor::ms;
use crate::quotes::QuoteSettings;

/// The most messages that are taken over from the official plugin.
const MOST_IMPORTED: i64 = 100_000;

/// A message that may be quoted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Remembered {
    pub(crate) talk: Talk,
    pub(crate) message_id: String,
    pub(crate) author: Author,
    pub(crate) text: String,
    pub(crate) media: Vec<KeptMedia>,
    pub(crate) created_at_ms: i64,
}

/// A media of a message that may be quoted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptMedia {
    pub(crate) kind: MediaKind,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mime: Option<String>,
    /// Its file in the folder of quoted media, if it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    #[serde(default)]
    pub(crate) bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transcript: Option<String>,
}

/// A message in the official plugin's store, with its media where it lies there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OfficialQuote {
    pub(crate) message: Remembered,
    pub(crate) media_path: Option<PathBuf>,
    pub(crate) media_name: Option<String>,
    pub(crate) media_mime: Option<String>,
}

impl Store {
    /// Remembers messages; those that are known stay as they are.
    pub(crate) async fn remember(&self, messages: Vec<Remembered>) -> Result<usize, LedgerError> {
        self.ledger.write(move |tx| remember(tx, &messages)).await
    }

    /// Returns a message of a conversation by the backend's id.
    pub(crate) async fn remembered(
        &self,
        talk: &Talk,
        message_id: &str,
    ) -> Result<Option<Remembered>, LedgerError> {
        let (talk, message_id) = (talk.clone(), message_id.to_owned());
        self.ledger
            .read(move |conn| {
                conn.prepare_cached(
                    "SELECT account, peer, message_id, author, text, media, created_at_ms
                     FROM quote WHERE account = ?1 AND peer = ?2 AND message_id = ?3",
                )?
                .query_row((talk.account.as_str(), talk.peer.as_str(), message_id), remembered)
                .optional()
            })
            .await
    }

    /// Says whether nothing has ever been remembered.
    pub(crate) async fn remembers_nothing(&self) -> Result<bool, LedgerError> {
        self.ledger
            .read(|conn| {
                conn.query_row("SELECT NOT EXISTS (SELECT 1 FROM quote)", [], |row| row.get(0))
            })
            .await
    }

    /// Returns those of another store's messages that are not remembered here.
    pub(crate) async fn unknown_of(
        &self,
        mut messages: Vec<OfficialQuote>,
    ) -> Result<Vec<OfficialQuote>, LedgerError> {
        self.ledger
            .read(move |conn| {
                let mut known = conn.prepare_cached(
                    "SELECT 1 FROM quote WHERE account = ?1 AND peer = ?2 AND message_id = ?3",
                )?;
                let mut is_known = Vec::new();
                for OfficialQuote { message, .. } in &messages {
                    let Talk { account, peer } = &message.talk;
                    is_known.push(known.exists((
                        account.as_str(),
                        peer.as_str(),
                        &message.message_id,
                    ))?);
                }
                let mut is_known = is_known.into_iter();
                messages.retain(|_| is_known.next() == Some(false));
                Ok(messages)
            })
            .await
    }

    /// Returns the accounts of which anything is remembered.
    pub(crate) async fn quoted_accounts(&self) -> Result<Vec<AccountId>, LedgerError> {
        self.ledger
            .read(|conn| {
                conn.prepare("SELECT DISTINCT account FROM quote")?
                    .query_map([], |row| Ok(AccountId::new(row.get::<_, String>(0)?)))?
                    .collect()
            })
            .await
    }

    /// Returns the files that messages still need.
    pub(crate) async fn quoted_files(&self) -> Result<HashSet<String>, LedgerError> {
        self.ledger
            .read(|conn| {
                conn.prepare(
                    "SELECT media.value ->> '$.file' FROM quote, json_each(quote.media) AS media
                     WHERE media_bytes > 0 AND media.value ->> '$.file' IS NOT NULL",
                )?
                .query_map([], |row| row.get(0))?
                .collect()
            })
            .await
    }

    /// Forgets what is older or larger than an account's settings allow.
    pub(crate) async fn prune_quotes(
        &self,
        account: AccountId,
        settings: QuoteSettings,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                let account = account.as_str();
                let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
                let before = |age: Duration| now_ms.saturating_sub(ms(age));
                tx.execute(
                    "DELETE FROM quote WHERE account = ?1 AND created_at_ms < ?2",
                    (account, before(settings.retention)),
                )?;
                tx.execute(
                    "DELETE FROM quote WHERE (account, peer, message_id) IN (
                        SELECT account, peer, message_id FROM quote WHERE account = ?1
                        ORDER BY created_at_ms DESC, message_id DESC LIMIT -1 OFFSET ?2)",
                    (account, count(settings.max_messages_per_account)),
                )?;
                tx.execute(
                    "UPDATE quote SET media = '[]', media_bytes = 0
                     WHERE account = ?1 AND media_bytes > 0 AND created_at_ms < ?2",
                    (account, before(settings.media_retention)),
                )?;
                tx.execute(
                    "UPDATE quote SET media = '[]', media_bytes = 0
                     WHERE (account, peer, message_id) IN (
                        SELECT account, peer, message_id FROM (
                            SELECT account, peer, message_id, sum(media_bytes) OVER (
                                ORDER BY created_at_ms DESC, message_id DESC
                            ) AS total FROM quote WHERE account = ?1 AND media_bytes > 0)
                        WHERE total > ?2)",
                    (account, count(settings.max_media_bytes_per_account)),
                )
                .map(drop)
            })
            .await
    }
}

/// Reads the official plugin's store, which is left as it is. Blocks.
pub(crate) fn read_official(path: &Path) -> Result<Vec<OfficialQuote>, LedgerError> {
    ledger::visit(path, official)
}

fn official(conn: &Connection) -> rusqlite::Result<Vec<OfficialQuote>> {
    let mut statement = conn.prepare(
        "SELECT account_id, conversation_id, message_id, direction = 'outbound', body,
                created_at, media_path, media_name, media_mime
         FROM quote_messages ORDER BY created_at DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([MOST_IMPORTED], |row| {
        let message = Remembered {
            talk: Talk {
                account: AccountId::new(row.get::<_, String>(0)?),
                peer: UserId::new(row.get::<_, String>(1)?),
            },
            message_id: row.get(2)?,
            author: author(row.get(3)?),
            text: row.get(4)?,
            media: Vec::new(),
            created_at_ms: row.get(5)?,
        };
        let media_path: Option<String> = row.get(6)?;
        Ok(OfficialQuote {
            message,
            media_path: media_path.map(PathBuf::from),
            media_name: row.get(7)?,
            media_mime: row.get(8)?,
        })
    })?;
    rows.collect()
}

pub(super) fn remember(tx: &Transaction<'_>, messages: &[Remembered]) -> rusqlite::Result<usize> {
    let mut insert = tx.prepare_cached(
        "INSERT OR IGNORE INTO quote
            (account, peer, message_id, author, text, media, media_bytes, created_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let mut n_new = 0;
    for it in messages {
        let bytes: u64 = it.media.iter().map(|media| media.bytes).sum();
        n_new += insert.execute((
            it.talk.account.as_str(),
            it.talk.peer.as_str(),
            &it.message_id,
            i64::from(it.author == Author::Us),
            &it.text,
            serde_json::to_string(&it.media).unwrap_or_default(),
            i64::try_from(bytes).unwrap_or(i64::MAX),
            it.created_at_ms,
        ))?;
    }
    Ok(n_new)
}

fn remembered(row: &Row<'_>) -> rusqlite::Result<Remembered> {
    let media: String = row.get(5)?;
    Ok(Remembered {
        talk: Talk {
            account: AccountId::new(row.get::<_, String>(0)?),
            peer: UserId::new(row.get::<_, String>(1)?),
        },
        message_id: row.get(2)?,
        author: author(row.get(3)?),
        text: row.get(4)?,
        // A newer version may have written more than this one can read.
        media: serde_json::from_str(&media).unwrap_or_default(),
        created_at_ms: row.get(6)?,
    })
}

fn author(is_us: bool) -> Author {
    if is_us { Author::Us } else { Author::Peer }
}

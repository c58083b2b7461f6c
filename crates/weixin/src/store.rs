//! The channel's memory: one SQLite file for all accounts.
//!
//! | table | holds |
//! |---|---|
//! | `account` | the cursor, and where it stood last |
//! | `host` | how long its polls may last |
//! | `peer` | the newest context token of each peer, when the peer wrote last, name and budget |
//! | `inbox` | each message once, until its turn has ended; then a mark that it was seen |
//! | `inbox_key` | all ids of each message, to recognise copies |
//! | `quote` | what was said, for messages that refer to it |
//! | `outbox` | each reply, until it has left or was given up |
//!
//! A message that was handed to the host and not ended before a crash is
//! handed over again. A reply is unique by its turn and number.

use std::path::Path;

use contract::{AccountId, AccountState, ChannelError};
use ilink::{ContextToken, UserId};
use ledger::{Ledger, LedgerError};
use prose::Language;
use rusqlite::OptionalExtension as _;

use crate::status::Snapshot;

mod budgets;
mod carry;
mod entries;
mod hosts;
mod inbox;
mod outbox;
mod peers;
mod quotes;
mod wipe;

pub(crate) use self::budgets::Records;
pub(crate) use self::carry::{Adopted, Carried, Foreign};
pub(crate) use self::inbox::{Accepted, Claimed, InboxRow};
pub(crate) use self::outbox::{Class, Next, OutboxRow, Payload, Saying, Stored};
pub(crate) use self::peers::KnownPeer;
pub(crate) use self::quotes::{KeptMedia, OfficialQuote, Remembered, read_official};
pub(crate) use self::wipe::Wiped;

/// Numbered migrations; one that has been released is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("store/001_initial.sql"),
    include_str!("store/002_hosts.sql"),
    include_str!("store/003_inbox.sql"),
    include_str!("store/004_outbox.sql"),
    include_str!("store/005_begun.sql"),
];

/// How long a message is remembered after its turn, to recognise copies.
const REMEMBERED_MS: i64 = 48 * 60 * 60 * 1000;

/// One conversation of the channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Talk {
    pub(crate) account: AccountId,
    pub(crate) peer: UserId,
}

/// The store. Clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    ledger: Ledger,
}

/// What waits for one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) inbox: u64,
    /// Messages that were set aside.
    pub(crate) failed: u64,
    pub(crate) outbox: u64,
    pub(crate) parked: u64,
    pub(crate) last_inbound_at_ms: Option<i64>,
    pub(crate) last_outbound_at_ms: Option<i64>,
}

impl Store {
    /// Opens the file and creates or migrates it.
    pub(crate) fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { ledger: Ledger::open(path, MIGRATIONS)? })
    }

    /// Makes ready what an earlier run left: turns that were cut are offered
    /// again, and progress that nobody waits for any more is dropped.
    pub(crate) async fn recover(&self) -> Result<(), LedgerError> {
        self.ledger
            .write(|tx| {
                inbox::recover(tx)?;
                tx.execute("DELETE FROM outbox WHERE state = 0 AND class = 'progress'", [])
                    .map(drop)
            })
            .await
    }

    /// Forgets what is done and old.
    pub(crate) async fn prune(&self, now_ms: i64) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                let before = now_ms - REMEMBERED_MS;
                let done = "DELETE FROM outbox WHERE state IN (1, 3) AND settled_at_ms < ?1";
                tx.execute(done, [before])?;
                inbox::prune(tx, before, now_ms)
            })
            .await
    }

    /// Returns the newest context token of a peer.
    pub(crate) async fn context_token(
        &self,
        talk: &Talk,
    ) -> Result<Option<ContextToken>, LedgerError> {
        let talk = talk.clone();
        self.ledger
            .read(move |conn| {
                conn.prepare_cached(
                    "SELECT context_token FROM peer WHERE account = ?1 AND peer = ?2 COLLATE NOCASE
                     AND context_token <> '' ORDER BY peer = ?2 DESC, token_at_ms DESC LIMIT 1",
                )?
                .query_row((talk.account.as_str(), talk.peer.as_str()), |row| {
                    Ok(ContextToken::new(row.get::<_, String>(0)?))
                })
                .optional()
            })
            .await
            .map(|token| token.filter(|token| !token.is_empty()))
    }

    /// Lets what was to wait for a later try be tried at once.
    pub(crate) async fn retry_now(&self, account: &AccountId) -> Result<(), LedgerError> {
        let account = account.clone();
        self.ledger
            .write(move |tx| {
                let sql = "UPDATE outbox SET not_before_ms = 0
                           WHERE account = ?1 AND state = 0 AND not_before_ms > 0";
                tx.execute(sql, [account.as_str()]).map(drop)
            })
            .await
    }

    /// Returns the language that a peer writes; that of the last text.
    pub(crate) async fn language(&self, talk: &Talk) -> Result<Language, LedgerError> {
        let talk = talk.clone();
        let word: Option<Option<String>> = self
            .ledger
            .read(move |conn| {
                conn.prepare_cached("SELECT language FROM peer WHERE account = ?1 AND peer = ?2")?
                    .query_row((talk.account.as_str(), talk.peer.as_str()), |row| row.get(0))
                    .optional()
            })
            .await?;
        // Most people here write Chinese.
        let is_english = word.flatten().as_deref() == language_word(Some(Language::En));
        Ok(if is_english { Language::En } else { Language::Zh })
    }

    /// Counts what waits for one account.
    pub(crate) async fn counts(&self, account: &AccountId) -> Result<Counts, LedgerError> {
        let account = account.clone();
        self.ledger
            .read(move |conn| {
                // Conditions that say nothing new name the partial indexes; without
                // them every message that ever left is looked at.
                conn.query_row(
                    "SELECT
                        (SELECT count(*) FROM inbox
                         WHERE account = ?1 AND state < 2 AND state <> 2),
                        (SELECT count(*) FROM outbox
                         WHERE account = ?1 AND state = 0 AND state IN (0, 2)),
                        (SELECT count(*) FROM outbox
                         WHERE account = ?1 AND state = 2 AND state IN (0, 2)),
                        (SELECT max(received_at_ms) FROM inbox WHERE account = ?1),
                        (SELECT settled_at_ms FROM outbox
                         WHERE account = ?1 AND message_id IS NOT NULL
                         ORDER BY settled_at_ms DESC LIMIT 1),
                        (SELECT count(*) FROM inbox
                         WHERE account = ?1 AND state = 3 AND state <> 2)",
                    [account.as_str()],
                    |row| {
                        let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
                        Ok(Counts {
                            inbox: count(0)?,
                            outbox: count(1)?,
                            parked: count(2)?,
                            last_inbound_at_ms: row.get(3)?,
                            last_outbound_at_ms: row.get(4)?,
                            failed: count(5)?,
                        })
                    },
                )
            })
            .await
    }

    /// Returns where an account stood when it was last noted.
    pub(crate) async fn health(
        &self,
        account: &AccountId,
    ) -> Result<Option<Snapshot>, LedgerError> {
        let account = account.clone();
        self.ledger
            .read(move |conn| {
                conn.query_row(
                    "SELECT state, last_poll_at_ms FROM account WHERE id = ?1",
                    [account.as_str()],
                    |row| {
                        let state: Option<String> = row.get(0)?;
                        let state = state.and_then(|json| serde_json::from_str(&json).ok());
                        Ok(Snapshot {
                            state: state.unwrap_or(AccountState::Stopped),
                            last_poll_at_ms: row.get(1)?,
                        })
                    },
                )
                .optional()
            })
            .await
    }

    /// Ends the writer after what was handed over.
    pub(crate) async fn close(&self) {
        self.ledger.close().await;
    }
}

/// The word in the table for a language.
fn language_word(language: Option<Language>) -> Option<&'static str> {
    language.map(|language| match language {
        Language::Zh => "zh",
        Language::En => "en",
    })
}

/// Tells a host that something could not be kept or read.
pub(crate) fn storage(err: impl std::error::Error + Send + Sync + 'static) -> ChannelError {
    ChannelError::Storage(Box::new(err))
}

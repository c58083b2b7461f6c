//! The outbox: each reply until it has left or was given up.

use std::collections::HashSet;

use contract::{AccountId, MediaKind};
use ilink::{ClientId, MessageId, RunId};
use ledger::LedgerError;
use rusqlite::OptionalExtension as _;
use serde::{Deserialize, Serialize};

use super::{Store, Talk};

/// What a row says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Payload {
    /// Text.
    Text(String),
    /// Media; `file` is its copy in the outbox folder, removed once the row is done.
    Media { kind: MediaKind, name: String, file: String },
    /// A tool begins to run.
    ToolStarted { tool: String, call_id: String },
    /// A tool has ended; `status` is the protocol's word.
    ToolEnded { tool: String, call_id: String, status: String },
}

/// Where a reply belongs.
#[derive(Clone, Debug)]
pub(crate) struct ReplySlot {
    pub(crate) talk: Talk,
    /// The inbox row of the turn.
    pub(crate) turn: i64,
    /// The reply's number; `None` for progress.
    pub(crate) number: Option<u32>,
    pub(crate) run_id: RunId,
    pub(crate) client_id: ClientId,
}

/// A reply to send.
#[derive(Clone, Debug)]
pub(crate) struct OutboxRow {
    pub(crate) id: i64,
    /// `None` when another version wrote something that this one cannot read.
    pub(crate) payload: Option<Payload>,
    pub(crate) client_id: ClientId,
    pub(crate) run_id: RunId,
    /// Whether it is progress, which is worth one try.
    pub(crate) is_progress: bool,
    pub(crate) attempts: u32,
    pub(crate) created_at_ms: i64,
}

impl Store {
    /// Stores a reply. Returns false, and stores nothing, when the turn already
    /// has a reply of that number.
    pub(crate) async fn enqueue(
        &self,
        slot: ReplySlot,
        payload: &Payload,
        now_ms: i64,
    ) -> Result<bool, LedgerError> {
        let payload = serde_json::to_string(payload).unwrap_or_default();
        self.ledger
            .write(move |tx| {
                let n = tx
                    .prepare_cached(
                        "INSERT OR IGNORE INTO outbox
                            (account, peer, turn, number, payload, client_id, run_id, created_at_ms)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute((
                        slot.talk.account.as_str(),
                        slot.talk.peer.as_str(),
                        slot.turn,
                        slot.number,
                        payload,
                        slot.client_id.as_str(),
                        slot.run_id.as_str(),
                        now_ms,
                    ))?;
                Ok(n == 1)
            })
            .await
    }

    /// Returns the next reply of a conversation.
    pub(crate) async fn next_reply(&self, talk: &Talk) -> Result<Option<OutboxRow>, LedgerError> {
        let talk = talk.clone();
        self.ledger
            .read(move |conn| {
                conn.prepare_cached(
                    "SELECT id, payload, client_id, run_id, number IS NULL, attempts, created_at_ms
                     FROM outbox WHERE account = ?1 AND peer = ?2 AND state = 0
                     ORDER BY id LIMIT 1",
                )?
                .query_row((talk.account.as_str(), talk.peer.as_str()), |row| {
                    let payload: String = row.get(1)?;
                    Ok(OutboxRow {
                        id: row.get(0)?,
                        payload: serde_json::from_str(&payload).ok(),
                        client_id: ClientId::new(row.get::<_, String>(2)?),
                        run_id: RunId::new(row.get::<_, String>(3)?),
                        is_progress: row.get(4)?,
                        attempts: row.get(5)?,
                        created_at_ms: row.get(6)?,
                    })
                })
                .optional()
            })
            .await
    }

    /// Notes a failed try.
    pub(crate) async fn tried(&self, id: i64) -> Result<(), LedgerError> {
        self.execute("UPDATE outbox SET attempts = attempts + 1 WHERE id = ?1", id).await
    }

    /// Notes that a reply has left.
    pub(crate) async fn sent(
        &self,
        id: i64,
        message_id: Option<MessageId>,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE outbox SET state = 1, attempts = attempts + 1, message_id = ?2,
                                       sent_at_ms = ?3, payload = '{\"text\":\"\"}'
                     WHERE id = ?1",
                )?
                .execute((id, message_id.as_ref().map(MessageId::as_str), now_ms))
                .map(drop)
            })
            .await
    }

    /// Gives a reply up, with the reason.
    pub(crate) async fn park(&self, id: i64, reason: String) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                tx.execute("UPDATE outbox SET state = 2, reason = ?2 WHERE id = ?1", (id, reason))
                    .map(drop)
            })
            .await
    }

    /// Forgets a row: progress that could not be told.
    pub(crate) async fn forget(&self, id: i64) -> Result<(), LedgerError> {
        self.execute("DELETE FROM outbox WHERE id = ?1", id).await
    }

    /// Returns the conversations of an account that have replies to send.
    pub(crate) async fn waiting_outbound(
        &self,
        account: &AccountId,
    ) -> Result<Vec<Talk>, LedgerError> {
        self.talks(account, "SELECT DISTINCT peer FROM outbox WHERE account = ?1 AND state = 0")
            .await
    }

    /// Returns the names of the files that rows still need.
    pub(crate) async fn needed_files(&self) -> Result<HashSet<String>, LedgerError> {
        self.ledger
            .read(|conn| {
                conn.prepare(
                    "SELECT payload ->> '$.media.file' FROM outbox
                     WHERE state <> 1 AND payload ->> '$.media.file' IS NOT NULL",
                )?
                .query_map([], |row| row.get(0))?
                .collect()
            })
            .await
    }

    async fn execute(&self, sql: &'static str, id: i64) -> Result<(), LedgerError> {
        self.ledger.write(move |tx| tx.prepare_cached(sql)?.execute([id]).map(drop)).await
    }
}

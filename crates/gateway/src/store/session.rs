//! Sessions, and the windows that resets open.

use contract::Conversation;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use serde::Serialize;

use super::{Store, StoreError, now_ms};
use crate::SessionKey;

/// How much of a session an agent can remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Turns of this generation that were answered.
    pub(crate) n_turns: u64,
}

/// What is kept of one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionEntry {
    /// Its key.
    pub key: String,
    /// Its id; a reset keeps it.
    pub session_id: String,
    /// The number of the window that is open, from 0; each reset opens one.
    pub window: u32,
    /// When that was opened, in milliseconds since 1970.
    #[serde(rename = "sessionStartedAt")]
    pub started_at_ms: i64,
    /// When the peer was last answered, in milliseconds since 1970.
    #[serde(rename = "lastInteractionAt")]
    pub last_interaction_at_ms: i64,
    /// A name for it.
    pub label: Option<String>,
    /// The agent that the peer has chosen.
    pub agent: Option<String>,
    /// The model that the peer has chosen.
    pub model: Option<String>,
    /// The channel on which it was last spoken.
    pub channel: Option<String>,
    /// The account there.
    pub account_id: Option<String>,
    /// The peer there, as the channel names it.
    pub to: Option<String>,
}

/// Why a window was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetReason {
    /// The peer asked for it.
    Asked,
    /// A new day has begun.
    Daily,
    /// Nobody had said anything for long.
    Idle,
    /// Whoever runs the gateway asked for it.
    Operator,
}

/// What a peer has chosen for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// An agent, or the configured one. Its models are its own, so that the
    /// choice of a model ends with it.
    Agent(Option<String>),
    /// A model, or the agent's own.
    Model(Option<String>),
}

/// The generation of a session, as an expression over the parameter `?1`.
pub(super) const GENERATION: &str = "coalesce((SELECT generation FROM session WHERE key = ?1), 0)";

const ENTRY: &str = "SELECT key, id, generation, started_at, last_interaction_at, label, agent,
     model, channel, account, peer FROM session";

impl ResetReason {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Daily => "daily",
            Self::Idle => "idle",
            Self::Operator => "operator",
        }
    }

    pub(super) fn of_word(word: &str) -> Self {
        let all = [Self::Daily, Self::Idle, Self::Operator];
        all.into_iter().find(|reason| reason.word() == word).unwrap_or(Self::Asked)
    }
}

impl Store {
    /// Begins a session anew: what was said stays stored and is no longer
    /// history. A turn does this once, however often it runs.
    pub(crate) async fn renew(
        &self,
        key: &str,
        by: &str,
        reason: ResetReason,
    ) -> Result<(), StoreError> {
        let (key, by) = (key.to_owned(), by.to_owned());
        Ok(self.ledger.write(move |tx| renew(tx, &key, &by, reason)).await?)
    }

    /// Returns what is kept of a session. Fast.
    pub(crate) fn entry(&self, key: &SessionKey) -> Result<Option<SessionEntry>, StoreError> {
        let find = |conn: &Connection| {
            conn.prepare_cached(&format!("{ENTRY} WHERE key = ?1"))?
                .query_row([key.as_str()], entry)
                .optional()
        };
        Ok(self.ledger.glance(find)?)
    }

    /// Returns all sessions, those that were spoken in last first.
    pub(crate) async fn entries(&self) -> Result<Vec<SessionEntry>, StoreError> {
        let find = |conn: &Connection| {
            let sql = format!("{ENTRY} ORDER BY last_interaction_at DESC, key");
            conn.prepare_cached(&sql)?.query_map((), entry)?.collect()
        };
        Ok(self.ledger.read(find).await?)
    }

    /// Stores what a peer has chosen.
    pub(crate) async fn choose(
        &self,
        key: &SessionKey,
        at: &Conversation,
        choice: Choice,
    ) -> Result<(), StoreError> {
        let (key, at) = (key.to_string(), at.clone());
        let choose = move |tx: &Transaction<'_>| {
            spoken(tx, &key, &at, now_ms())?;
            match choice {
                Choice::Agent(agent) => {
                    let sql = "UPDATE session SET agent = ?2, model = NULL WHERE key = ?1";
                    tx.prepare_cached(sql)?.execute((key, agent)).map(drop)
                }
                Choice::Model(model) => {
                    let sql = "UPDATE session SET model = ?2 WHERE key = ?1";
                    tx.prepare_cached(sql)?.execute((key, model)).map(drop)
                }
            }
        };
        Ok(self.ledger.write(choose).await?)
    }

    /// Says how much a session holds.
    pub(crate) async fn memory(&self, key: &SessionKey) -> Result<Memory, StoreError> {
        let key = key.to_string();
        let count = move |conn: &Connection| {
            conn.prepare_cached(&format!(
                "SELECT count(DISTINCT turn) FROM transcript
                 WHERE session = ?1 AND generation = {GENERATION}"
            ))?
            .query_one([key], |row| row.get(0))
        };
        let n_turns: i64 = self.ledger.read(count).await?;
        Ok(Memory { n_turns: n_turns.unsigned_abs() })
    }
}

/// Notes where and when a session was spoken in, and begins one that is new.
pub(super) fn spoken(
    tx: &Transaction<'_>,
    key: &str,
    at: &Conversation,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let Conversation { channel, account, peer } = at;
    tx.prepare_cached(
        "INSERT INTO session (key, generation, renewed_by, id, started_at, last_interaction_at,
                              channel, account, peer)
         VALUES (?1, 0, '', lower(hex(randomblob(16))), ?2, ?2, ?3, ?4, ?5)
         ON CONFLICT (key) DO UPDATE
         SET last_interaction_at = excluded.last_interaction_at, channel = excluded.channel,
             account = excluded.account, peer = excluded.peer",
    )?
    .execute((key, now_ms, channel.as_str(), account.as_str(), peer.as_str()))
    .map(drop)
}

fn renew(tx: &Transaction<'_>, key: &str, by: &str, reason: ResetReason) -> rusqlite::Result<()> {
    let now_ms = now_ms();
    tx.prepare_cached(
        "INSERT OR IGNORE INTO session_window (session, generation, started_at, ended_at, reason)
         SELECT key, generation, started_at, ?3, ?4 FROM session
         WHERE key = ?1 AND renewed_by <> ?2",
    )?
    .execute((key, by, now_ms, reason.word()))?;
    tx.prepare_cached(
        "INSERT INTO session (key, generation, renewed_by, id, started_at, last_interaction_at)
         VALUES (?1, 1, ?2, lower(hex(randomblob(16))), ?3, ?3)
         ON CONFLICT (key) DO UPDATE
         SET generation = generation + 1, renewed_by = excluded.renewed_by,
             started_at = excluded.started_at, last_interaction_at = excluded.started_at
         WHERE renewed_by <> excluded.renewed_by",
    )?
    .execute((key, by, now_ms))
    .map(drop)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<SessionEntry> {
    Ok(SessionEntry {
        key: row.get(0)?,
        session_id: row.get(1)?,
        window: row.get(2)?,
        started_at_ms: row.get(3)?,
        last_interaction_at_ms: row.get(4)?,
        label: row.get(5)?,
        agent: row.get(6)?,
        model: row.get(7)?,
        channel: row.get(8)?,
        account_id: row.get(9)?,
        to: row.get(10)?,
    })
}

//! Sessions and their generations.

use contract::TurnId;
use rusqlite::Connection;

use super::{Store, StoreError};
use crate::SessionKey;

/// How much of a session an agent can remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Turns of this generation that were answered.
    pub(crate) n_turns: u64,
}

/// The generation of a session, as an expression over the parameter `?1`.
pub(super) const GENERATION: &str = "coalesce((SELECT generation FROM session WHERE key = ?1), 0)";

impl Store {
    /// Begins a session anew: what was said stays stored and is no longer
    /// history. A turn does this once, however often it runs.
    pub(crate) async fn renew(&self, key: &SessionKey, by: &TurnId) -> Result<(), StoreError> {
        let (key, by) = (key.to_string(), by.to_string());
        let renew = move |tx: &rusqlite::Transaction<'_>| {
            tx.prepare_cached(
                "INSERT INTO session (key, generation, renewed_by) VALUES (?1, 1, ?2)
                 ON CONFLICT (key) DO UPDATE
                 SET generation = generation + 1, renewed_by = excluded.renewed_by
                 WHERE renewed_by <> excluded.renewed_by",
            )?
            .execute((key, by))
            .map(drop)
        };
        Ok(self.ledger.write(renew).await?)
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

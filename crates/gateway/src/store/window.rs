//! The windows of a session and what was said in them.

use rusqlite::{Connection, Row, Transaction};
use serde::Serialize;

use super::{ResetReason, Role, Store, StoreError};

/// A window of a session: what was said between two resets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Its number, from 0.
    pub number: u32,
    /// When it was opened, in milliseconds since 1970.
    #[serde(rename = "startedAt")]
    pub started_at_ms: i64,
    /// When it was closed and why; `None` for the one that is open.
    #[serde(flatten)]
    pub closed: Option<Closing>,
}

/// How a window was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Closing {
    /// When, in milliseconds since 1970.
    #[serde(rename = "endedAt")]
    pub ended_at_ms: i64,
    /// Why.
    pub reason: ResetReason,
}

/// One thing said in a session, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The window in which it was said.
    pub window: u32,
    /// The turn to which it belongs.
    pub turn: String,
    /// By whom.
    pub role: Role,
    /// When, in milliseconds since 1970.
    #[serde(rename = "at")]
    pub at_ms: i64,
    /// What.
    pub text: String,
}

impl Store {
    /// Returns the closed windows of a session, the oldest first.
    pub(crate) async fn closed_windows(&self, key: &str) -> Result<Vec<Window>, StoreError> {
        let key = key.to_owned();
        let find = move |conn: &Connection| {
            conn.prepare_cached(
                "SELECT generation, started_at, ended_at, reason FROM session_window
                 WHERE session = ?1 ORDER BY generation",
            )?
            .query_map([key], window)?
            .collect()
        };
        Ok(self.ledger.read(find).await?)
    }

    /// Returns what was said in one window of a session, or in all, in order.
    pub(crate) async fn lines(
        &self,
        key: &str,
        window: Option<u32>,
    ) -> Result<Vec<Line>, StoreError> {
        let key = key.to_owned();
        let find = move |conn: &Connection| {
            conn.prepare_cached(
                "SELECT generation, turn, role, at, text FROM transcript
                 WHERE session = ?1 AND (?2 IS NULL OR generation = ?2)
                 ORDER BY generation, id",
            )?
            .query_map((key, window), line)?
            .collect()
        };
        Ok(self.ledger.read(find).await?)
    }

    /// Forgets windows that were closed before a moment, and what was noted of
    /// turns before it. Returns how many windows that were.
    pub(crate) async fn forget_before(&self, ms: i64) -> Result<usize, StoreError> {
        let forget = move |tx: &Transaction<'_>| {
            tx.prepare_cached(
                "DELETE FROM transcript WHERE EXISTS (SELECT 1 FROM session_window AS old
                 WHERE old.session = transcript.session
                   AND old.generation = transcript.generation AND old.ended_at < ?1)",
            )?
            .execute([ms])?;
            tx.prepare_cached("DELETE FROM session_window WHERE ended_at < ?1")?.execute([ms])
        };
        Ok(self.ledger.write(forget).await?)
    }
}

fn window(row: &Row<'_>) -> rusqlite::Result<Window> {
    let reason: String = row.get(3)?;
    let reason = ResetReason::of_word(&reason);
    let closed = Some(Closing { ended_at_ms: row.get(2)?, reason });
    Ok(Window { number: row.get(0)?, started_at_ms: row.get(1)?, closed })
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    let role: String = row.get(2)?;
    Ok(Line {
        window: row.get(0)?,
        turn: row.get(1)?,
        role: Role::of_word(&role),
        at_ms: row.get(3)?,
        text: row.get(4)?,
    })
}

//! What was said.

use contract::{Conversation, TurnId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use serde::Serialize;

use super::session::{GENERATION, spoken};
use super::{Store, StoreError, now_ms};
use crate::SessionKey;

/// One thing said in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// By whom.
    pub role: Role,
    /// What.
    pub text: String,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The peer.
    User,
    /// The agent.
    Assistant,
}

impl Role {
    pub(super) fn of_word(word: &str) -> Self {
        if word == "user" { Self::User } else { Self::Assistant }
    }
}

/// How much history is given to an agent. The newest is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimit {
    /// Entries at most.
    pub entries: usize,
    /// Characters at most, over all entries.
    pub chars: usize,
}

/// A text that answers a turn.
pub(crate) struct Answer {
    pub(crate) session: SessionKey,
    /// Where it is given.
    pub(crate) conversation: Conversation,
    pub(crate) turn: TurnId,
    /// The reply's number.
    pub(crate) part: u32,
    pub(crate) text: String,
    /// What is answered.
    pub(crate) question: String,
    /// When it was asked, in milliseconds since 1970.
    pub(crate) asked_at_ms: i64,
}

impl Store {
    /// Records an answer with its question and returns the words that stand:
    /// those of an earlier run, if the turn has run before.
    pub(crate) async fn record(&self, answer: Answer) -> Result<String, StoreError> {
        Ok(self.ledger.write(move |tx| record(tx, answer)).await?)
    }

    /// Returns the words that an earlier run recorded.
    pub(crate) async fn recorded(
        &self,
        session: &SessionKey,
        turn: &TurnId,
        part: u32,
    ) -> Result<Option<String>, StoreError> {
        let (session, turn) = (session.to_string(), turn.to_string());
        let find = move |conn: &Connection| {
            conn.prepare_cached(WORDS_OF_PART)?
                .query_row((session, turn, part), |row| row.get(0))
                .optional()
        };
        Ok(self.ledger.read(find).await?)
    }

    /// Returns what the peer last said in any generation of a session.
    pub(crate) async fn last_question(
        &self,
        session: &SessionKey,
    ) -> Result<Option<String>, StoreError> {
        let session = session.to_string();
        let find = move |conn: &Connection| {
            conn.prepare_cached(
                "SELECT text FROM transcript WHERE session = ?1 AND role = 'user'
                 ORDER BY generation DESC, id DESC LIMIT 1",
            )?
            .query_row([session], |row| row.get(0))
            .optional()
        };
        Ok(self.ledger.read(find).await?)
    }

    /// Returns what was said since the session began, oldest first, without
    /// this turn.
    pub(crate) async fn history(
        &self,
        session: &SessionKey,
        but: &TurnId,
        limit: HistoryLimit,
    ) -> Result<Vec<Entry>, StoreError> {
        let (session, but) = (session.to_string(), but.to_string());
        let newest_first = move |conn: &Connection| {
            let sql = format!(
                "SELECT role, text FROM transcript
                 WHERE session = ?1 AND generation = {GENERATION} AND turn <> ?2
                 ORDER BY id DESC LIMIT ?3"
            );
            let most = i64::try_from(limit.entries).unwrap_or(i64::MAX);
            let mut query = conn.prepare_cached(&sql)?;
            let rows = query.query_map((session, but, most), entry)?;
            within(rows, limit.chars)
        };
        let mut entries = self.ledger.read(newest_first).await?;
        entries.reverse();
        Ok(entries)
    }
}

const WORDS_OF_PART: &str = "SELECT text FROM transcript
     WHERE session = ?1 AND turn = ?2 AND role = 'assistant' AND part = ?3";

fn record(tx: &Transaction<'_>, answer: Answer) -> rusqlite::Result<String> {
    let session = answer.session.as_str();
    let turn = answer.turn.as_str();
    spoken(tx, session, &answer.conversation, now_ms())?;
    let mut insert = tx.prepare_cached(&format!(
        "INSERT OR IGNORE INTO transcript (session, generation, turn, role, part, text, at)
         VALUES (?1, {GENERATION}, ?2, ?3, ?4, ?5, ?6)"
    ))?;
    insert.execute((session, turn, "user", 0, &answer.question, answer.asked_at_ms))?;
    let n_new =
        insert.execute((session, turn, "assistant", answer.part, &answer.text, now_ms()))?;
    if n_new == 1 {
        return Ok(answer.text);
    }
    tx.prepare_cached(WORDS_OF_PART)?.query_one((session, turn, answer.part), |row| row.get(0))
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let role: String = row.get(0)?;
    Ok(Entry { role: Role::of_word(&role), text: row.get(1)? })
}

/// Takes entries while they fit.
fn within(
    entries: impl Iterator<Item = rusqlite::Result<Entry>>,
    most_chars: usize,
) -> rusqlite::Result<Vec<Entry>> {
    let mut taken = Vec::new();
    let mut left = most_chars;
    for entry in entries {
        let entry = entry?;
        let Some(rest) = left.checked_sub(entry.text.chars().count()) else {
            break;
        };
        left = rest;
        taken.push(entry);
    }
    Ok(taken)
}

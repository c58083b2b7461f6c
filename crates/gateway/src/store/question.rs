//! What turns have asked their peers; see `approval`.

use contract::{ChannelId, Conversation, TurnId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::{Store, StoreError, now_ms};

/// The name of a question: the reply that asks it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct QuestionId {
    pub(crate) channel: ChannelId,
    pub(crate) turn: TurnId,
    pub(crate) number: u32,
}

/// A question that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) id: QuestionId,
    pub(crate) session: String,
    pub(crate) conversation: Conversation,
    /// What can be answered; empty for yes or no.
    pub(crate) choices: Vec<String>,
    /// In milliseconds since 1970.
    pub(crate) expires_at_ms: i64,
}

/// The answer of a question that nobody answered.
const EXPIRED: i64 = -1;

impl Store {
    /// Notes a question, so that it can be answered whatever happens.
    pub(crate) async fn ask(&self, asked: Asked) -> Result<(), StoreError> {
        let choices =
            serde_json::to_string(&asked.choices).map_err(|err| StoreError(Box::new(err)))?;
        let ask = move |tx: &Transaction<'_>| {
            let Asked { id, session, conversation, expires_at_ms, .. } = &asked;
            let (channel, turn) = (id.channel.as_str(), id.turn.as_str());
            let (account, peer) = (conversation.account.as_str(), conversation.peer.as_str());
            tx.prepare_cached(
                "INSERT INTO question (channel, turn, number, session, account, peer, choices,
                                       expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (channel, turn, number) DO UPDATE
                 SET expires_at = excluded.expires_at",
            )?
            .execute((
                channel,
                turn,
                id.number,
                session.as_str(),
                account,
                peer,
                choices,
                expires_at_ms,
            ))
            .map(drop)
        };
        Ok(self.ledger.write(ask).await?)
    }

    /// Notes what was answered, and in which turn; nothing if nobody answered.
    pub(crate) async fn answered(
        &self,
        id: &QuestionId,
        answer: Option<(usize, TurnId)>,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        let (index, said_in) = match answer {
            Some((index, turn)) => {
                (i64::try_from(index).unwrap_or(EXPIRED), Some(turn.to_string()))
            }
            None => (EXPIRED, None),
        };
        let note = move |tx: &Transaction<'_>| {
            let QuestionId { channel, turn, number } = id;
            tx.prepare_cached(
                "UPDATE question SET answer = ?4, said_in = ?5
                 WHERE channel = ?1 AND turn = ?2 AND number = ?3 AND answer IS NULL",
            )?
            .execute((channel.as_str(), turn.as_str(), number, index, said_in))
            .map(drop)
        };
        Ok(self.ledger.write(note).await?)
    }

    /// Returns what was answered before; `Some(None)` if nobody did. Fast.
    pub(crate) fn answer_to(&self, id: &QuestionId) -> Result<Option<Option<usize>>, StoreError> {
        let find = |conn: &Connection| {
            conn.prepare_cached(
                "SELECT answer FROM question
                 WHERE channel = ?1 AND turn = ?2 AND number = ?3 AND answer IS NOT NULL",
            )?
            .query_row((id.channel.as_str(), id.turn.as_str(), id.number), |row| row.get(0))
            .optional()
        };
        let answer: Option<i64> = self.ledger.glance(find)?;
        Ok(answer.map(|index| usize::try_from(index).ok()))
    }

    /// Says whether a turn was the answer to a question. Fast.
    pub(crate) fn was_answer(
        &self,
        channel: &ChannelId,
        turn: &TurnId,
    ) -> Result<bool, StoreError> {
        let find = |conn: &Connection| {
            conn.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM question WHERE channel = ?1 AND said_in = ?2)",
            )?
            .query_one((channel.as_str(), turn.as_str()), |row| row.get(0))
        };
        Ok(self.ledger.glance(find)?)
    }

    /// Forgets what a turn that has ended asked in vain.
    pub(crate) async fn forget_questions(
        &self,
        channel: &ChannelId,
        turn: &TurnId,
    ) -> Result<(), StoreError> {
        let (channel, turn) = (channel.to_string(), turn.to_string());
        let forget = move |tx: &Transaction<'_>| {
            let sql = "DELETE FROM question WHERE channel = ?1 AND turn = ?2 AND answer IS NULL";
            tx.prepare_cached(sql)?.execute((channel, turn)).map(drop)
        };
        Ok(self.ledger.write(forget).await?)
    }

    /// Returns what was asked before a restart and may still be answered.
    pub(crate) async fn open_questions(&self) -> Result<Vec<Asked>, StoreError> {
        let find = |conn: &Connection| {
            conn.prepare_cached(
                "SELECT channel, turn, number, session, account, peer, choices, expires_at
                 FROM question WHERE answer IS NULL AND expires_at > ?1 ORDER BY rowid",
            )?
            .query_map([now_ms()], asked)?
            .collect()
        };
        Ok(self.ledger.read(find).await?)
    }
}

fn asked(row: &Row<'_>) -> rusqlite::Result<Asked> {
    let text = |at: usize| row.get::<_, String>(at);
    let channel = ChannelId::new(text(0)?);
    let conversation = Conversation {
        channel: channel.clone(),
        account: text(4)?.as_str().into(),
        peer: text(5)?.as_str().into(),
    };
    Ok(Asked {
        id: QuestionId { channel, turn: TurnId::new(text(1)?), number: row.get(2)? },
        session: text(3)?,
        conversation,
        choices: serde_json::from_str(&text(6)?).unwrap_or_default(),
        expires_at_ms: row.get(7)?,
    })
}

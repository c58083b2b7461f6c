//! Turns that are answered together; see `lanes`.

use contract::{ChannelId, Inbound, TurnEnd, TurnId};
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{Store, StoreError, now_ms};

/// What is known of a turn that is answered with others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Joint {
    /// It ends, or has ended, so.
    Ended(TurnEnd),
    /// It answers this for all.
    Leads(Box<Inbound>),
    /// Another answers it.
    Follows,
}

impl Store {
    /// Notes that turns are answered with a lead, and what the joint message is.
    pub(crate) async fn join(
        &self,
        message: &Inbound,
        members: Vec<TurnId>,
    ) -> Result<(), StoreError> {
        let json = serde_json::to_string(message).map_err(|err| StoreError(Box::new(err)))?;
        let (channel, lead) = (message.conversation.channel.clone(), message.turn.clone());
        let join = move |tx: &Transaction<'_>| {
            let (channel, lead) = (channel.as_str(), lead.as_str());
            let mut note = tx.prepare_cached(
                "INSERT INTO joint (channel, turn, lead, inbound, at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (channel, turn) DO UPDATE SET inbound = excluded.inbound",
            )?;
            note.execute((channel, lead, lead, Some(&json), now_ms()))?;
            for member in &members {
                note.execute((channel, member.as_str(), lead, None::<&str>, now_ms()))?;
            }
            Ok(())
        };
        Ok(self.ledger.write(join).await?)
    }

    /// Notes how a lead and all that are answered with it end.
    pub(crate) async fn joint_ended(
        &self,
        channel: &ChannelId,
        lead: &TurnId,
        end: &TurnEnd,
    ) -> Result<(), StoreError> {
        let json = serde_json::to_string(end).map_err(|err| StoreError(Box::new(err)))?;
        let (channel, lead) = (channel.to_string(), lead.to_string());
        let end = move |tx: &Transaction<'_>| {
            let sql = "UPDATE joint SET ended = ?3 WHERE channel = ?1 AND lead = ?2";
            tx.prepare_cached(sql)?.execute((channel, lead, json)).map(drop)
        };
        Ok(self.ledger.write(end).await?)
    }

    /// Says what is known of a turn; `None` if it is answered by itself. Fast.
    pub(crate) fn joint(
        &self,
        channel: &ChannelId,
        turn: &TurnId,
    ) -> Result<Option<Joint>, StoreError> {
        type Found = (Option<String>, Option<String>);
        let find = |conn: &Connection| -> rusqlite::Result<Option<Found>> {
            let sql = "SELECT ended, inbound FROM joint WHERE channel = ?1 AND turn = ?2";
            let ids = (channel.as_str(), turn.as_str());
            let get = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            conn.prepare_cached(sql)?.query_row(ids, get).optional()
        };
        let unreadable = |err: serde_json::Error| StoreError(Box::new(err));
        match self.ledger.glance(find)? {
            None => Ok(None),
            Some((Some(end), _)) => {
                serde_json::from_str(&end).map(|end| Some(Joint::Ended(end))).map_err(unreadable)
            }
            Some((None, Some(message))) => {
                let message = serde_json::from_str(&message).map_err(unreadable)?;
                Ok(Some(Joint::Leads(Box::new(message))))
            }
            Some((None, None)) => Ok(Some(Joint::Follows)),
        }
    }

    /// Forgets what was noted of joint turns and questions before a moment.
    pub(crate) async fn forget_turns_before(&self, ms: i64) -> Result<(), StoreError> {
        let forget = move |tx: &Transaction<'_>| {
            tx.prepare_cached("DELETE FROM joint WHERE at < ?1")?.execute([ms])?;
            tx.prepare_cached("DELETE FROM question WHERE expires_at < ?1")?.execute([ms]).map(drop)
        };
        Ok(self.ledger.write(forget).await?)
    }
}

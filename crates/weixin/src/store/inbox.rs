//! The inbox: each message once, with the cursor behind it.

use contract::AccountId;
use ilink::{Cursor, UserId};
use ledger::LedgerError;
use rusqlite::{OptionalExtension as _, Transaction};

use super::{Store, Talk};
use crate::inbound::Kept;

/// A message to hand over.
#[derive(Clone, Debug)]
pub(crate) struct InboxRow {
    pub(crate) id: i64,
    /// The message as it travels.
    pub(crate) body: String,
    pub(crate) run_id: String,
    /// How often it has been handed over, this time included.
    pub(crate) offers: u32,
    pub(crate) sent_at_ms: i64,
}

/// What a batch brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Messages that were not known before.
    pub(crate) n_new: usize,
    /// Conversations that have something to do now.
    pub(crate) talks: Vec<Talk>,
}

impl Store {
    /// Stores a batch, the newest context tokens and the cursor behind them,
    /// all or nothing. A message that is already known is not stored again,
    /// but the context token that came with its copy is.
    pub(crate) async fn accept(
        &self,
        account: &AccountId,
        batch: Vec<Kept>,
        cursor: Option<Cursor>,
        now_ms: i64,
    ) -> Result<Accepted, LedgerError> {
        let account = account.clone();
        self.ledger
            .write(move |tx| {
                let mut accepted = Accepted::default();
                for kept in &batch {
                    keep_token(tx, &account, kept, now_ms)?;
                    if insert(tx, &account, kept, now_ms)? {
                        accepted.n_new += 1;
                        note(&mut accepted.talks, &account, &kept.peer);
                    }
                }
                if let Some(cursor) = &cursor {
                    set_cursor(tx, &account, cursor)?;
                }
                Ok(accepted)
            })
            .await
    }

    /// Returns where the account's next poll goes on.
    pub(crate) async fn cursor(&self, account: &AccountId) -> Result<Cursor, LedgerError> {
        let account = account.clone();
        let found: Option<String> = self
            .ledger
            .read(move |conn| {
                conn.query_row(
                    "SELECT cursor FROM account WHERE id = ?1",
                    [account.as_str()],
                    |row| row.get(0),
                )
                .optional()
            })
            .await?;
        Ok(found.map(Cursor::new).unwrap_or_default())
    }

    /// Takes the next message of a conversation to hand it over.
    pub(crate) async fn claim(&self, talk: &Talk) -> Result<Option<InboxRow>, LedgerError> {
        let talk = talk.clone();
        self.ledger
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE inbox SET state = 1, offers = offers + 1
                     WHERE id = (SELECT min(id) FROM inbox
                                 WHERE account = ?1 AND peer = ?2 AND state = 0)
                     RETURNING id, coalesce(body, '{}'), run_id, offers, sent_at_ms",
                )?
                .query_row((talk.account.as_str(), talk.peer.as_str()), |row| {
                    Ok(InboxRow {
                        id: row.get(0)?,
                        body: row.get(1)?,
                        run_id: row.get(2)?,
                        offers: row.get(3)?,
                        sent_at_ms: row.get(4)?,
                    })
                })
                .optional()
            })
            .await
    }

    /// Puts a claimed message back, to be claimed again.
    pub(crate) async fn unclaim(&self, id: i64) -> Result<(), LedgerError> {
        self.set_waiting(id).await
    }

    /// Ends a message: its turn has ended, or nobody admits its sender.
    pub(crate) async fn finish(&self, id: i64) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                tx.prepare_cached("UPDATE inbox SET state = 2, body = NULL WHERE id = ?1")?
                    .execute([id])
                    .map(drop)
            })
            .await
    }

    /// Returns the conversations of an account that have messages to hand over.
    pub(crate) async fn waiting_inbound(
        &self,
        account: &AccountId,
    ) -> Result<Vec<Talk>, LedgerError> {
        self.talks(account, "SELECT DISTINCT peer FROM inbox WHERE account = ?1 AND state = 0")
            .await
    }

    pub(super) async fn talks(
        &self,
        account: &AccountId,
        sql: &'static str,
    ) -> Result<Vec<Talk>, LedgerError> {
        let account = account.clone();
        self.ledger
            .read(move |conn| {
                conn.prepare(sql)?
                    .query_map([account.as_str()], |row| {
                        let peer = UserId::new(row.get::<_, String>(0)?);
                        Ok(Talk { account: account.clone(), peer })
                    })?
                    .collect()
            })
            .await
    }

    async fn set_waiting(&self, id: i64) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                tx.execute("UPDATE inbox SET state = 0 WHERE id = ?1 AND state = 1", [id]).map(drop)
            })
            .await
    }
}

fn insert(
    tx: &Transaction<'_>,
    account: &AccountId,
    kept: &Kept,
    now_ms: i64,
) -> rusqlite::Result<bool> {
    let run_id = uuid::Uuid::new_v4().to_string();
    let n = tx
        .prepare_cached(
            "INSERT OR IGNORE INTO inbox
                (account, peer, dedupe, body, run_id, sent_at_ms, received_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            account.as_str(),
            kept.peer.as_str(),
            &kept.dedupe,
            &kept.body,
            run_id,
            kept.sent_at_ms,
            now_ms,
        ))?;
    Ok(n == 1)
}

fn keep_token(
    tx: &Transaction<'_>,
    account: &AccountId,
    kept: &Kept,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let Some(token) = &kept.token else {
        return Ok(());
    };
    tx.prepare_cached(
        "INSERT INTO peer (account, peer, context_token, token_at_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET context_token = excluded.context_token,
                                   token_at_ms = excluded.token_at_ms",
    )?
    .execute((account.as_str(), kept.peer.as_str(), token.expose(), now_ms))
    .map(drop)
}

fn set_cursor(tx: &Transaction<'_>, account: &AccountId, cursor: &Cursor) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO account (id, cursor) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET cursor = excluded.cursor",
    )?
    .execute((account.as_str(), cursor.as_str()))
    .map(drop)
}

fn note(talks: &mut Vec<Talk>, account: &AccountId, peer: &UserId) {
    if !talks.iter().any(|talk| talk.peer == *peer) {
        talks.push(Talk { account: account.clone(), peer: peer.clone() });
    }
}

//! The inbox: each message once, with the cursor behind it.
//!
//! | state | means |
//! |---|---|
//! | 0 | waits |
//! | 1 | is with the host, or on its way there |
//! | 2 | is done; the row remains to recognise copies |
//! | 3 | was set aside after too many failures; the body is kept |

use std::time::Duration;

use contract::AccountId;
use ilink::{Cursor, UserId};
use ledger::LedgerError;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::{Store, Talk, language_word, outbox};
use crate::crashes::{after_crash, is_suspect};
use crate::inbound::{Kept, Kind};
use crate::intake::LaneKey;
use crate::merge::{MergeSettings, Plan, Waiting, plan};

/// How long what was set aside is kept.
const SET_ASIDE_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// A message to hand over.
#[derive(Clone, Debug)]
pub(crate) struct InboxRow {
    pub(crate) id: i64,
    /// The message as it travels.
    pub(crate) body: String,
    pub(crate) run_id: String,
    /// How often it has been handed over, this time included.
    pub(crate) offers: u32,
    /// How often a crash or a failure of ours has cut it.
    pub(crate) failures: u32,
    pub(crate) sent_at_ms: i64,
    pub(crate) received_at_ms: i64,
}

/// What there is to do in a conversation.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// These messages make a turn, named after the first; never empty.
    Turn(Vec<InboxRow>),
    /// Words may follow the media that wait.
    Later(Duration),
    /// It may be the reason of crashes, and another turn that may be is in work.
    Held,
    /// Messages that failed too often are out of the way.
    SetAside {
        /// The turn that they made.
        turn: i64,
    },
    Nothing,
}

/// What a batch brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Messages that were not known before.
    pub(crate) n_new: usize,
    /// Lanes that have something to do now.
    pub(crate) lanes: Vec<LaneKey>,
}

impl Store {
    /// Stores a batch, the newest context tokens and the cursor behind them,
    /// all or nothing. A message that is already known is not stored again,
    /// but the context token that came with its copy is, unless a message that
    /// was said later has brought one.
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
                    let came = accept_one(tx, &account, kept, now_ms)?;
                    if came == Came::Copy {
                        continue;
                    }
                    accepted.n_new += usize::from(came == Came::New);
                    let lane = LaneKey::of(kept);
                    if !accepted.lanes.contains(&lane) {
                        accepted.lanes.push(lane);
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

    /// Takes the messages of a conversation's next turn to hand them over. That
    /// they belong together is on disk when it returns.
    pub(crate) async fn claim(
        &self,
        talk: &Talk,
        merge: &MergeSettings,
        most_failures: u32,
        now_ms: i64,
    ) -> Result<Claimed, LedgerError> {
        let (talk, merge) = (talk.clone(), merge.clone());
        self.ledger
            .write(move |tx| {
                let waiting = waiting(tx, &talk, merge.most)?;
                let n = match plan(&waiting.rows, &merge, now_ms) {
                    Plan::Nothing => return Ok(Claimed::Nothing),
                    Plan::Later(wait) => return Ok(Claimed::Later(wait)),
                    Plan::Take(n) => n,
                };
                let failures = waiting.failures[..n].iter().max().copied().unwrap_or_default();
                claim_rows(tx, &waiting.ids[..n], failures, most_failures)
            })
            .await
    }

    /// Returns the next message that overtakes the conversation, unclaimed.
    pub(crate) fn peek_aside(&self, talk: &Talk) -> Result<Option<InboxRow>, LedgerError> {
        self.ledger.glance(|conn| {
            conn.prepare_cached(
                "SELECT id, coalesce(body, '{}'), run_id, offers, failures, sent_at_ms,
                        received_at_ms
                 FROM inbox WHERE account = ?1 AND peer = ?2 AND state = 0 AND kind = 3
                 ORDER BY id LIMIT 1",
            )?
            .query_row((talk.account.as_str(), talk.peer.as_str()), inbox_row)
            .optional()
        })
    }

    /// Says whether a conversation has messages to hand over, apart from those
    /// that overtake it.
    pub(crate) fn has_waiting(&self, talk: &Talk) -> Result<bool, LedgerError> {
        self.ledger.glance(|conn| {
            conn.prepare_cached(
                "SELECT 1 FROM inbox WHERE account = ?1 AND peer = ?2 AND state = 0 AND kind <> 3
                 LIMIT 1",
            )?
            .exists((talk.account.as_str(), talk.peer.as_str()))
        })
    }

    /// Takes one message to hand it over by itself.
    pub(crate) async fn claim_one(
        &self,
        id: i64,
        most_failures: u32,
    ) -> Result<Claimed, LedgerError> {
        self.ledger
            .write(move |tx| {
                let failures: Option<u32> = tx
                    .prepare_cached("SELECT failures FROM inbox WHERE id = ?1 AND state = 0")?
                    .query_row([id], |row| row.get(0))
                    .optional()?;
                match failures {
                    Some(failures) => claim_rows(tx, &[id], failures, most_failures),
                    None => Ok(Claimed::Nothing),
                }
            })
            .await
    }

    /// Puts a claimed turn back as if it had not been claimed: the host could
    /// not take it.
    pub(crate) async fn unclaim(&self, turn: i64) -> Result<(), LedgerError> {
        self.set(
            turn,
            "UPDATE inbox SET state = 0, offers = offers - 1 WHERE turn = ?1 AND state = 1",
        )
        .await
    }

    /// Puts a turn back that failed by itself, and counts that.
    pub(crate) async fn failed(&self, turn: i64) -> Result<(), LedgerError> {
        self.set(
            turn,
            "UPDATE inbox SET state = 0, failures = failures + 1
             WHERE (id = ?1 OR turn = ?1) AND state < 2",
        )
        .await
    }

    /// Ends all messages of a turn, or one that made none.
    pub(crate) async fn finish(&self, turn: i64) -> Result<(), LedgerError> {
        self.set(
            turn,
            "UPDATE inbox SET state = 2, body = NULL WHERE (id = ?1 OR turn = ?1) AND state < 2",
        )
        .await
    }

    /// Puts the claimed messages of an account back, except those of turns that
    /// a host still works on. That they were cut is nobody's failure.
    pub(crate) async fn release(
        &self,
        account: &AccountId,
        open: Vec<i64>,
    ) -> Result<(), LedgerError> {
        let account = account.clone();
        self.ledger
            .write(move |tx| {
                let claimed: Vec<(i64, Option<i64>)> = tx
                    .prepare_cached(
                        "SELECT id, turn FROM inbox
                         WHERE account = ?1 AND state = 1 AND state <> 2",
                    )?
                    .query_map([account.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<Result<_, _>>()?;
                let cut = claimed.iter().filter(|(id, turn)| !open.contains(&turn.unwrap_or(*id)));
                for (id, _) in cut {
                    tx.prepare_cached("UPDATE inbox SET state = 0 WHERE id = ?1")?.execute([id])?;
                }
                Ok(())
            })
            .await
    }

    /// Returns the lanes of an account that have messages to hand over.
    pub(crate) async fn waiting_inbound(
        &self,
        account: &AccountId,
    ) -> Result<Vec<LaneKey>, LedgerError> {
        let account = account.clone();
        self.ledger
            .read(move |conn| {
                conn.prepare(
                    "SELECT DISTINCT peer, kind = 3 FROM inbox WHERE account = ?1 AND state = 0",
                )?
                .query_map([account.as_str()], |row| {
                    Ok(LaneKey { peer: UserId::new(row.get::<_, String>(0)?), aside: row.get(1)? })
                })?
                .collect()
            })
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

    async fn set(&self, turn: i64, sql: &'static str) -> Result<(), LedgerError> {
        self.ledger.write(move |tx| tx.prepare_cached(sql)?.execute([turn]).map(drop)).await
    }
}

/// Makes ready what a crash left: turns that were cut are offered again, and the
/// crash counts against those that may be its reason.
pub(super) fn recover(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let (turns, failures): (Vec<i64>, Vec<u32>) = tx
        .prepare(
            "SELECT coalesce(turn, id), max(failures) FROM inbox
             WHERE state = 1 AND state <> 2 GROUP BY coalesce(turn, id)",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, u32)>>>()?
        .into_iter()
        .unzip();
    let mut put_back = tx.prepare(
        "UPDATE inbox SET state = 0, failures = ?2
         WHERE state = 1 AND state <> 2 AND coalesce(turn, id) = ?1",
    )?;
    for (turn, failures) in turns.iter().zip(after_crash(&failures)) {
        put_back.execute((turn, failures))?;
    }
    Ok(())
}

/// Forgets messages that are done, or were set aside long ago.
pub(super) fn prune(
    tx: &Transaction<'_>,
    done_before_ms: i64,
    now_ms: i64,
) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM inbox WHERE state = 2 AND received_at_ms < ?1", [done_before_ms])?;
    let aside_before_ms = now_ms - SET_ASIDE_MS;
    tx.execute("DELETE FROM inbox WHERE state = 3 AND received_at_ms < ?1", [aside_before_ms])
        .map(drop)
}

/// Stores one message, or returns false because it is known.
fn accept_one(
    tx: &Transaction<'_>,
    account: &AccountId,
    kept: &Kept,
    now_ms: i64,
) -> rusqlite::Result<Came> {
    let said_at_ms = if kept.sent_at_ms > 0 { kept.sent_at_ms.min(now_ms) } else { now_ms };
    if let Some(known) = known(tx, account, kept)? {
        keep_keys(tx, account, kept, known.id)?;
        let is_renewed = keep_token(tx, account, kept, known.said_at_ms)?;
        let may_leave = is_renewed && outbox::context_renewed(tx, account, &kept.peer)?;
        return Ok(if may_leave { Came::NewContext } else { Came::Copy });
    }
    let id = insert(tx, account, kept, now_ms)?;
    keep_keys(tx, account, kept, id)?;
    note_peer(tx, account, kept, now_ms)?;
    outbox::peer_wrote(tx, account, &kept.peer)?;
    keep_token(tx, account, kept, said_at_ms)?;
    Ok(Came::New)
}

/// What a message of a batch is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    New,
    Copy,
    /// A copy, with a newer context token that something waited for.
    NewContext,
}

/// A message that a copy was found of.
struct Known {
    id: i64,
    said_at_ms: i64,
}

/// Finds the message that this is a copy of: one with the same id of the
/// strongest kind that both carry.
fn known(
    tx: &Transaction<'_>,
    account: &AccountId,
    kept: &Kept,
) -> rusqlite::Result<Option<Known>> {
    for key in &kept.keys {
        let row: Option<i64> = tx
            .prepare_cached("SELECT row FROM inbox_key WHERE account = ?1 AND key = ?2")?
            .query_row((account.as_str(), &key.text), |row| row.get(0))
            .optional()?;
        let Some(id) = row else { continue };
        if differs(tx, id, kept, key.rank)? {
            continue;
        }
        return tx
            .prepare_cached("SELECT sent_at_ms, received_at_ms FROM inbox WHERE id = ?1")?
            .query_row([id], |row| {
                let (sent, received): (i64, i64) = (row.get(0)?, row.get(1)?);
                let said_at_ms = if sent > 0 { sent.min(received) } else { received };
                Ok(Some(Known { id, said_at_ms }))
            });
    }
    Ok(None)
}

/// Says whether a stored message has another id of a kind stronger than `rank`
/// that this one carries, too. None of those was found, so any is another.
fn differs(tx: &Transaction<'_>, id: i64, kept: &Kept, rank: u8) -> rusqlite::Result<bool> {
    let ranks: Vec<u8> = tx
        .prepare_cached("SELECT rank FROM inbox_key WHERE row = ?1 AND rank < ?2")?
        .query_map((id, rank), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(kept.keys.iter().any(|key| ranks.contains(&key.rank)))
}

fn insert(
    tx: &Transaction<'_>,
    account: &AccountId,
    kept: &Kept,
    now_ms: i64,
) -> rusqlite::Result<i64> {
    let run_id = uuid::Uuid::new_v4().to_string();
    tx.prepare_cached(
        "INSERT INTO inbox
            (account, peer, dedupe, body, run_id, sent_at_ms, received_at_ms, kind)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .insert((
        account.as_str(),
        kept.peer.as_str(),
        kept.keys.first().map(|key| &key.text),
        &kept.body,
        run_id,
        kept.sent_at_ms,
        now_ms,
        kept.kind as u8,
    ))
}

fn keep_keys(
    tx: &Transaction<'_>,
    account: &AccountId,
    kept: &Kept,
    row: i64,
) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT OR IGNORE INTO inbox_key (account, key, rank, row) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for key in &kept.keys {
        insert.execute((account.as_str(), &key.text, key.rank, row))?;
    }
    Ok(())
}

/// Notes that a peer has written. A peer without a token so far has an empty one.
fn note_peer(
    tx: &Transaction<'_>,
    account: &AccountId,
    kept: &Kept,
    now_ms: i64,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO peer (account, peer, context_token, token_at_ms, last_inbound_at_ms, language)
         VALUES (?1, ?2, '', 0, ?3, ?4)
         ON CONFLICT DO UPDATE SET last_inbound_at_ms = excluded.last_inbound_at_ms,
             language = coalesce(excluded.language, language)",
    )?
    .execute((account.as_str(), kept.peer.as_str(), now_ms, language_word(kept.language)))
    .map(drop)
}

/// Keeps the context token that came with a message, unless a message that was
/// said later has brought one. Says whether the peer has another one now.
fn keep_token(
    tx: &Transaction<'_>,
    account: &AccountId,
    kept: &Kept,
    said_at_ms: i64,
) -> rusqlite::Result<bool> {
    let Some(token) = &kept.token else {
        return Ok(false);
    };
    let at = (account.as_str(), kept.peer.as_str());
    let is_other = tx
        .prepare_cached("SELECT context_token <> ?3 FROM peer WHERE account = ?1 AND peer = ?2")?
        .query_row((at.0, at.1, token.expose()), |row| row.get::<_, bool>(0))
        .optional()?;
    let n = tx
        .prepare_cached(
            "UPDATE peer SET context_token = ?3, token_at_ms = ?4
         WHERE account = ?1 AND peer = ?2 AND token_at_ms <= ?4",
        )?
        .execute((at.0, at.1, token.expose(), said_at_ms))?;
    Ok(n > 0 && is_other == Some(true))
}

fn set_cursor(tx: &Transaction<'_>, account: &AccountId, cursor: &Cursor) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO account (id, cursor) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET cursor = excluded.cursor",
    )?
    .execute((account.as_str(), cursor.as_str()))
    .map(drop)
}

/// What waits at the front of a conversation.
#[derive(Default)]
struct Front {
    ids: Vec<i64>,
    rows: Vec<Waiting>,
    failures: Vec<u32>,
}

fn waiting(tx: &Transaction<'_>, talk: &Talk, most: usize) -> rusqlite::Result<Front> {
    let mut front = Front::default();
    // Some more than may be merged now: a turn that was cut is to be taken whole.
    let mut statement = tx.prepare_cached(
        "SELECT id, kind, turn, received_at_ms, octet_length(body), failures FROM inbox
         WHERE account = ?1 AND peer = ?2 AND state = 0 AND kind <> 3
         ORDER BY id LIMIT max(?3, 32)",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = statement.query((talk.account.as_str(), talk.peer.as_str(), most))?;
    while let Some(row) = rows.next()? {
        front.ids.push(row.get(0)?);
        front.rows.push(Waiting {
            kind: row.get(1)?,
            turn: row.get(2)?,
            received_at_ms: row.get(3)?,
            bytes: row.get::<_, Option<i64>>(4)?.unwrap_or_default(),
        });
        front.failures.push(row.get(5)?);
    }
    Ok(front)
}

fn claim_rows(
    tx: &Transaction<'_>,
    ids: &[i64],
    failures: u32,
    most_failures: u32,
) -> rusqlite::Result<Claimed> {
    let Some(&turn) = ids.first() else {
        return Ok(Claimed::Nothing);
    };
    if failures < most_failures && is_suspect(failures) && is_suspect_in_work(tx)? {
        return Ok(Claimed::Held);
    }
    if failures >= most_failures {
        let mut set_aside = tx.prepare_cached(
            "UPDATE inbox SET state = 3, reason = 'failed too often', turn = ?2 WHERE id = ?1",
        )?;
        for id in ids {
            set_aside.execute((id, turn))?;
        }
        return Ok(Claimed::SetAside { turn });
    }
    let mut claim = tx.prepare_cached(
        "UPDATE inbox SET state = 1, offers = offers + 1, turn = ?2 WHERE id = ?1
         RETURNING id, coalesce(body, '{}'), run_id, offers, failures, sent_at_ms, received_at_ms",
    )?;
    let claimed = ids.iter().map(|id| claim.query_row((id, turn), inbox_row));
    Ok(Claimed::Turn(claimed.collect::<Result<_, _>>()?))
}

/// Says whether any turn is in work that may be the reason of crashes, whoever
/// said it: they all share the process.
fn is_suspect_in_work(tx: &Transaction<'_>) -> rusqlite::Result<bool> {
    let worst: Option<u32> = tx
        .prepare_cached("SELECT max(failures) FROM inbox WHERE state = 1 AND state <> 2")?
        .query_row([], |row| row.get(0))?;
    Ok(worst.is_some_and(is_suspect))
}

fn inbox_row(row: &Row<'_>) -> rusqlite::Result<InboxRow> {
    Ok(InboxRow {
        id: row.get(0)?,
        body: row.get(1)?,
        run_id: row.get(2)?,
        offers: row.get(3)?,
        failures: row.get(4)?,
        sent_at_ms: row.get(5)?,
        received_at_ms: row.get(6)?,
    })
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Words),
            1 => Ok(Self::Media),
            2 => Ok(Self::Alone),
            3 => Ok(Self::Aside),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

#[cfg(test)]
mod tests;

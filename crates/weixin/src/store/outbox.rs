//! The outbox: each message until it has left or was given up.
//!
//! What a host says is one or more rows; a long text is laid out into parts
//! just before it leaves, when it is known how many sends are left. All rows
//! of one saying share its `place`, so they keep its place in the order.

use std::collections::HashSet;

use contract::{AccountId, MediaKind, ReplyClass, SendClass};
use ilink::wire::Item;
use ilink::{ClientId, ContextToken, MessageId, RunId, UserId};
use ledger::LedgerError;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::budgets::{Records, change_budget, keep};
use super::quotes::{Remembered, remember};
use super::{Store, Talk};
use crate::budget::Budget;
use crate::governor::{Begun, Parked};
use crate::outcome::Outcome;

/// How many rows behind one are counted at most.
const MOST_COUNTED: u32 = 1_000;

/// What a row says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Payload {
    /// Markdown as the agent gave it, of any length.
    Markdown(String),
    /// Text as it goes over the wire.
    Text(String),
    /// Media; `file` is its copy in the outbox folder, removed once the row is done.
    Media { kind: Option<MediaKind>, name: String, file: String, as_file: bool },
    /// Media at a public address, and what is said instead if it cannot be had.
    Remote {
        kind: Option<MediaKind>,
        name: Option<String>,
        url: String,
        as_file: bool,
        instead: String,
    },
    /// A tool begins to run.
    ToolStarted { tool: String, call_id: String },
    /// A tool has ended; `status` is the protocol's word.
    ToolEnded { tool: String, call_id: String, status: String },
}

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Class {
    Answer,
    Question,
    Notice,
    Progress,
    Reminder,
    Report,
}

impl Class {
    /// The word in the table and in lists.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Question => "question",
            Self::Notice => "notice",
            Self::Progress => "progress",
            Self::Reminder => "reminder",
            Self::Report => "report",
        }
    }

    fn of_word(word: &str) -> Self {
        let all = [Self::Question, Self::Notice, Self::Progress, Self::Reminder, Self::Report];
        all.into_iter().find(|class| class.word() == word).unwrap_or(Self::Answer)
    }
}

impl From<ReplyClass> for Class {
    fn from(class: ReplyClass) -> Self {
        match class {
            ReplyClass::Answer => Self::Answer,
            ReplyClass::Question => Self::Question,
            ReplyClass::Notice => Self::Notice,
        }
    }
}

impl From<SendClass> for Class {
    fn from(class: SendClass) -> Self {
        match class {
            SendClass::Notice => Self::Notice,
            SendClass::Reminder => Self::Reminder,
            SendClass::Report => Self::Report,
        }
    }
}

/// One saying to store.
#[derive(Clone, Debug)]
pub(crate) struct Saying {
    pub(crate) talk: Talk,
    /// The inbox row of the turn, if it belongs to one.
    pub(crate) turn: Option<i64>,
    /// The reply's number; none for progress and outside a turn.
    pub(crate) number: Option<u32>,
    /// Outside a turn: said once per key.
    pub(crate) key: Option<String>,
    pub(crate) run_id: Option<RunId>,
    pub(crate) class: Class,
    /// Its messages, in order, each with the id of all its tries.
    pub(crate) messages: Vec<(Payload, ClientId)>,
    pub(crate) created_at_ms: i64,
    pub(crate) expires_at_ms: i64,
}

/// What became of a saying that was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is new, at this place.
    New(i64),
    /// It was said before, at this place.
    Before(i64),
}

/// A row to send.
#[derive(Clone, Debug)]
pub(crate) struct OutboxRow {
    pub(crate) id: i64,
    pub(crate) place: i64,
    /// The inbox row of the turn, if it belongs to one.
    pub(crate) turn: Option<i64>,
    pub(crate) class: Class,
    /// `None` when another version wrote something that this one cannot read.
    pub(crate) payload: Option<Payload>,
    /// What was uploaded for it by an earlier try.
    pub(crate) item: Option<Item>,
    pub(crate) client_id: ClientId,
    pub(crate) run_id: Option<RunId>,
    pub(crate) attempts: u32,
    pub(crate) created_at_ms: i64,
    pub(crate) expires_at_ms: i64,
    pub(crate) not_before_ms: i64,
    /// The try before, if its outcome is not known.
    pub(crate) earlier: Option<Begun>,
}

/// A row to send, and what the governor has to know about its conversation.
#[derive(Clone, Debug)]
pub(crate) struct Next {
    pub(crate) row: OutboxRow,
    pub(crate) token: Option<ContextToken>,
    pub(crate) last_inbound_at_ms: Option<i64>,
    /// The governor's own record of the peer.
    pub(crate) budget: Option<String>,
    /// Rows that wait behind this one, parked ones too. Progress is not counted,
    /// nor, behind what belongs to a turn, what was said unasked.
    pub(crate) behind: u32,
}

impl Store {
    /// Stores a saying, all of its messages or none. One with the same turn and
    /// number, or the same peer and key, is not stored again. `None` when its
    /// turn is gone: the account was removed while a host worked on it.
    pub(crate) async fn say(&self, saying: Saying) -> Result<Option<Stored>, LedgerError> {
        self.ledger
            .write(move |tx| {
                if is_orphan(tx, &saying)? {
                    return Ok(None);
                }
                Ok(Some(match said_before(tx, &saying)? {
                    Some(place) => Stored::Before(place),
                    None => Stored::New(insert(tx, &saying)?),
                }))
            })
            .await
    }

    /// Replaces a row by the messages that it has been laid out into. They take
    /// its place in the order, and its turn, number and key; what comes behind
    /// it in the same saying moves on.
    pub(crate) async fn lay_out(
        &self,
        id: i64,
        messages: Vec<(Payload, ClientId)>,
    ) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                make_room(tx, id, messages.len())?;
                let mut copy = tx.prepare_cached(
                    "INSERT INTO outbox (account, peer, place, part, turn, number, key, class,
                        payload, client_id, run_id, state, created_at_ms, expires_at_ms)
                     SELECT account, peer, place, part + ?2, turn, number, key, class,
                        ?3, ?4, run_id, 0, created_at_ms, expires_at_ms
                     FROM outbox WHERE id = ?1",
                )?;
                let mut messages = messages.into_iter();
                let Some((first, first_id)) = messages.next() else { return Ok(()) };
                for (n, (payload, client_id)) in (1_i64..).zip(messages) {
                    copy.execute((id, n, json(&payload), client_id.as_str()))?;
                }
                tx.prepare_cached(
                    "UPDATE outbox SET payload = ?2, client_id = ?3, item = NULL, state = 0
                     WHERE id = ?1",
                )?
                .execute((id, json(&first), first_id.as_str()))
                .map(drop)
            })
            .await
    }

    /// Returns what a conversation sends next: what belongs to turns before what
    /// was said unasked, each in order.
    pub(crate) fn next_out(&self, talk: &Talk) -> Result<Option<Next>, LedgerError> {
        self.ledger.glance(|conn| next_out(conn, talk))
    }

    /// Notes a failed try, and when the next one may be.
    pub(crate) async fn tried(&self, id: i64, not_before_ms: i64) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE outbox SET attempts = attempts + 1, not_before_ms = ?2 WHERE id = ?1",
                )?
                .execute((id, not_before_ms))
                .map(drop)
            })
            .await
    }

    /// Notes what was uploaded for a row, so that no later try uploads it again.
    pub(crate) async fn uploaded(&self, id: i64, item: &Item) -> Result<(), LedgerError> {
        let item = serde_json::to_string(item).ok();
        self.ledger
            .write(move |tx| {
                tx.execute("UPDATE outbox SET item = ?2 WHERE id = ?1", (id, item)).map(drop)
            })
            .await
    }

    /// Notes that a row has left, with the governor's records, and remembers
    /// what it said.
    pub(crate) async fn left(
        &self,
        talk: &Talk,
        id: i64,
        message_id: Option<MessageId>,
        records: Records,
        said: Option<Remembered>,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let talk = talk.clone();
        self.ledger
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE outbox SET state = 1, attempts = attempts + 1, message_id = ?2,
                        settled_at_ms = ?3, payload = '{\"text\":\"\"}', item = NULL, code = NULL,
                        reason = NULL, begun = NULL
                     WHERE id = ?1",
                )?
                .execute((
                    id,
                    message_id.as_ref().map(MessageId::as_str),
                    now_ms,
                ))?;
                remember(tx, said.as_slice())?;
                keep(tx, &talk, &records)
            })
            .await
    }

    /// Parks a row until the peer writes, at least until `expires_at_ms`; not if
    /// the peer has written since `heard_at_ms`, which is when the decision heard
    /// of the peer last.
    pub(crate) async fn park(
        &self,
        id: i64,
        code: &'static str,
        heard_at_ms: Option<i64>,
        expires_at_ms: i64,
    ) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE outbox SET state = 2, code = ?2,
                        expires_at_ms = max(expires_at_ms, ?4)
                     WHERE id = ?1 AND ?3 IS (SELECT p.last_inbound_at_ms FROM peer p
                        WHERE p.account = outbox.account AND p.peer = outbox.peer)",
                )?
                .execute((id, code, heard_at_ms, expires_at_ms))
                .map(drop)
            })
            .await
    }

    /// Lets what is parked for a peer for this reason leave.
    pub(crate) async fn unpark(&self, talk: &Talk, code: &'static str) -> Result<(), LedgerError> {
        let talk = talk.clone();
        self.ledger.write(move |tx| unpark(tx, &talk.account, &talk.peer, &[code]).map(drop)).await
    }

    /// Gives a row up after a try, with the reason.
    pub(crate) async fn give_up(
        &self,
        id: i64,
        code: &'static str,
        reason: String,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                tx.execute(
                    "UPDATE outbox SET state = 3, attempts = attempts + 1, code = ?2, reason = ?3,
                        settled_at_ms = ?4
                     WHERE id = ?1",
                    (id, code, reason, now_ms),
                )
                .map(drop)
            })
            .await
    }

    /// Gives up everything that is no longer worth sending. Returns how many
    /// sayings of each account it was.
    pub(crate) async fn expire(
        &self,
        code: &'static str,
        now_ms: i64,
    ) -> Result<Vec<(AccountId, u64)>, LedgerError> {
        self.ledger
            .write(move |tx| {
                let mut counted = tx.prepare(
                    "SELECT account, count(DISTINCT place) FROM outbox
                     WHERE state IN (0, 2) AND expires_at_ms < ?1 AND class <> 'progress'
                     GROUP BY account",
                )?;
                let counted = counted
                    .query_map([now_ms], |row| {
                        let account = AccountId::new(row.get::<_, String>(0)?);
                        Ok((account, row.get::<_, i64>(1)?.unsigned_abs()))
                    })?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                tx.execute(
                    "UPDATE outbox SET state = 3, code = ?2, settled_at_ms = ?1
                     WHERE state IN (0, 2) AND expires_at_ms < ?1",
                    (now_ms, code),
                )?;
                Ok(counted)
            })
            .await
    }

    /// Returns the texts of a saying that have not left and are longer than this.
    pub(crate) async fn longer_texts(
        &self,
        place: i64,
        chars: usize,
    ) -> Result<Vec<(i64, String)>, LedgerError> {
        let chars = i64::try_from(chars).unwrap_or(i64::MAX);
        self.ledger
            .read(move |conn| {
                conn.prepare_cached(
                    "SELECT id, payload ->> '$.text' FROM outbox
                     WHERE place = ?1 AND state = 0 AND length(payload ->> '$.text') > ?2
                     ORDER BY part",
                )?
                .query_map((place, chars), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
            })
            .await
    }

    /// Forgets a row: progress that could not be told.
    pub(crate) async fn forget(&self, id: i64) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                tx.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id]).map(drop)
            })
            .await
    }

    /// Returns the conversations of an account that have something to send, or
    /// something parked.
    pub(crate) async fn waiting_outbound(
        &self,
        account: &AccountId,
    ) -> Result<Vec<Talk>, LedgerError> {
        let sql = "SELECT DISTINCT peer FROM outbox WHERE account = ?1 AND state IN (0, 2)";
        self.talks(account, sql).await
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
}

/// Says whether a saying belongs to a turn that is gone.
fn is_orphan(tx: &Transaction<'_>, saying: &Saying) -> rusqlite::Result<bool> {
    let Some(turn) = saying.turn else { return Ok(false) };
    let mut find = tx.prepare_cached("SELECT 1 FROM inbox WHERE id = ?1 AND account = ?2")?;
    Ok(!find.exists((turn, saying.talk.account.as_str()))?)
}

fn said_before(tx: &Transaction<'_>, saying: &Saying) -> rusqlite::Result<Option<i64>> {
    if let (Some(turn), Some(number)) = (saying.turn, saying.number) {
        return tx
            .prepare_cached("SELECT place FROM outbox WHERE turn = ?1 AND number = ?2 LIMIT 1")?
            .query_row((turn, number), |row| row.get(0))
            .optional();
    }
    let Some(key) = &saying.key else { return Ok(None) };
    let (account, peer) = (saying.talk.account.as_str(), saying.talk.peer.as_str());
    tx.prepare_cached(
        "SELECT place FROM outbox WHERE account = ?1 AND peer = ?2 AND key = ?3 LIMIT 1",
    )?
    .query_row((account, peer, key), |row| row.get(0))
    .optional()
}

fn insert(tx: &Transaction<'_>, saying: &Saying) -> rusqlite::Result<i64> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO outbox (account, peer, place, part, turn, number, key, class, payload,
            client_id, run_id, created_at_ms, expires_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let mut place = 0;
    for (n, (payload, client_id)) in (0_i64..).zip(&saying.messages) {
        statement.execute(rusqlite::params![
            saying.talk.account.as_str(),
            saying.talk.peer.as_str(),
            place,
            n,
            saying.turn,
            saying.number,
            saying.key,
            saying.class.word(),
            json(payload),
            client_id.as_str(),
            saying.run_id.as_ref().map(RunId::as_str),
            saying.created_at_ms,
            saying.expires_at_ms,
        ])?;
        if n == 0 {
            place = tx.last_insert_rowid();
            tx.prepare_cached("UPDATE outbox SET place = id WHERE id = ?1")?.execute([place])?;
        }
    }
    Ok(place)
}

fn next_out(conn: &Connection, talk: &Talk) -> rusqlite::Result<Option<Next>> {
    let at = (talk.account.as_str(), talk.peer.as_str());
    let mut find = conn.prepare_cached(
        "SELECT id, place, class, payload, item, client_id, run_id, attempts, created_at_ms,
            expires_at_ms, not_before_ms, turn, begun
         FROM outbox
         WHERE account = ?1 AND peer = ?2 AND state = 0
           AND (class IN ('reminder', 'report')) = ?3
         ORDER BY place, part LIMIT 1",
    )?;
    let mut first = |unasked| find.query_row((at.0, at.1, unasked), row_of).optional();
    let Some(row) = first(false)?.map_or_else(|| first(true), |row| Ok(Some(row)))? else {
        return Ok(None);
    };
    let known = conn
        .prepare_cached(
            "SELECT context_token, last_inbound_at_ms, budget FROM peer
             WHERE account = ?1 AND peer = ?2",
        )?
        .query_row(at, |row| {
            let token: Option<String> = row.get(0)?;
            let token = token.filter(|token| !token.is_empty());
            Ok((token.map(ContextToken::new), row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let (token, last_inbound_at_ms, budget) = known.unwrap_or((None, None, None));
    // What was said unasked takes no send from what belongs to turns.
    let is_unasked = matches!(row.class, Class::Reminder | Class::Report);
    let behind = conn
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM outbox
             WHERE account = ?1 AND peer = ?2 AND state IN (0, 2) AND class <> 'progress'
               AND (?5 OR class NOT IN ('reminder', 'report')) AND id <> ?3 LIMIT ?4)",
        )?
        .query_row((at.0, at.1, row.id, MOST_COUNTED, is_unasked), |row| row.get(0))?;
    Ok(Some(Next { row, token, last_inbound_at_ms, budget, behind }))
}

/// The peer has written: whatever waited for that is looked at anew.
pub(super) fn peer_wrote(
    tx: &Transaction<'_>,
    account: &AccountId,
    peer: &UserId,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE outbox SET state = 0, code = NULL WHERE account = ?1 AND peer = ?2 AND state = 2",
    )?
    .execute((account.as_str(), peer.as_str()))
    .map(drop)
}

/// A newer context token came with a copy of what the peer wrote: what was
/// refused with the old one may leave. Says whether there is any.
pub(super) fn context_renewed(
    tx: &Transaction<'_>,
    account: &AccountId,
    peer: &UserId,
) -> rusqlite::Result<bool> {
    change_budget(tx, account.as_str(), peer.as_str(), Budget::context_renewed)?;
    unpark(tx, account, peer, &[Outcome::StaleContext.code(), Parked::StaleContext.code()])
}

fn unpark(
    tx: &Transaction<'_>,
    account: &AccountId,
    peer: &UserId,
    codes: &[&str],
) -> rusqlite::Result<bool> {
    let mut statement = tx.prepare_cached(
        "UPDATE outbox SET state = 0, code = NULL
         WHERE account = ?1 AND peer = ?2 AND state = 2 AND code = ?3",
    )?;
    let mut n = 0;
    for code in codes {
        n += statement.execute((account.as_str(), peer.as_str(), code))?;
    }
    Ok(n > 0)
}

/// Moves what comes behind a row in the same saying, so that `n` messages fit
/// in its place. Numbers are unique at each moment, hence the detour.
fn make_room(tx: &Transaction<'_>, id: i64, n: usize) -> rusqlite::Result<()> {
    let more = i64::try_from(n).unwrap_or(i64::MAX) - 1;
    if more < 1 {
        return Ok(());
    }
    tx.prepare_cached(
        "UPDATE outbox SET part = -(part + ?2)
         WHERE place = (SELECT place FROM outbox WHERE id = ?1)
           AND part > (SELECT part FROM outbox WHERE id = ?1)",
    )?
    .execute((id, more))?;
    tx.prepare_cached(
        "UPDATE outbox SET part = -part
         WHERE place = (SELECT place FROM outbox WHERE id = ?1) AND part < 0",
    )?
    .execute([id])
    .map(drop)
}

fn row_of(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let (payload, item): (String, Option<String>) = (row.get(3)?, row.get(4)?);
    let (run_id, begun): (Option<String>, Option<String>) = (row.get(6)?, row.get(12)?);
    Ok(OutboxRow {
        id: row.get(0)?,
        place: row.get(1)?,
        class: Class::of_word(row.get_ref(2)?.as_str()?),
        payload: serde_json::from_str(&payload).ok(),
        item: item.and_then(|item| serde_json::from_str(&item).ok()),
        client_id: ClientId::new(row.get::<_, String>(5)?),
        run_id: run_id.map(RunId::new),
        attempts: row.get(7)?,
        created_at_ms: row.get(8)?,
        expires_at_ms: row.get(9)?,
        not_before_ms: row.get(10)?,
        turn: row.get(11)?,
        earlier: begun.and_then(|begun| serde_json::from_str(&begun).ok()),
    })
}

fn json(payload: &Payload) -> String {
    // Strings and small enums always serialise.
    serde_json::to_string(payload).unwrap_or_default()
}

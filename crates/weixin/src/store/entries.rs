//! The outbox as people see it: one entry for each saying, however many
//! messages it is on the wire.

use contract::{AccountId, ChannelId, Conversation, Delivery, OutboxEntry, PeerId};
use ledger::LedgerError;
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::Store;
use super::budgets::change_budget;
use super::outbox::Payload;
use crate::budget::Budget;
use crate::codes;
use crate::settings::CHANNEL_ID;

/// How much of a text is shown.
const EXCERPT_CHARS: usize = 60;

/// One entry's rows in short: the worst state, and what the first row says.
const ENTRIES: &str = "
    SELECT o.place, o.account, o.peer, p.name, o.class, min(o.part), o.payload,
        max(o.state = 3), max(o.state = 2), max(o.state = 0),
        max(o.state = 1 AND o.message_id IS NULL),
        max(CASE WHEN o.state IN (2, 3) THEN o.code END),
        max(CASE WHEN o.state = 3 THEN o.reason END),
        max(o.attempts), min(o.created_at_ms), max(o.expires_at_ms)
    FROM outbox o LEFT JOIN peer p ON p.account = o.account AND p.peer = o.peer";

impl Store {
    /// Returns what waits, is parked or was given up, the oldest first.
    pub(crate) async fn entries(&self) -> Result<Vec<OutboxEntry>, LedgerError> {
        self.ledger
            .read(|conn| {
                let sql = format!(
                    "{ENTRIES} WHERE o.place IN
                        (SELECT place FROM outbox WHERE state <> 1 AND class <> 'progress')
                     GROUP BY o.place ORDER BY o.place"
                );
                conn.prepare(&sql)?.query_map([], entry)?.collect()
            })
            .await
    }

    /// Returns one entry, whatever became of it.
    pub(crate) async fn entry(&self, place: i64) -> Result<Option<OutboxEntry>, LedgerError> {
        self.ledger
            .read(move |conn| {
                let sql = format!("{ENTRIES} WHERE o.place = ?1 GROUP BY o.place");
                conn.prepare_cached(&sql)?.query_row([place], entry).optional()
            })
            .await
    }

    /// Gives up what has not left of these entries. Returns how many it concerned.
    pub(crate) async fn drop_entries(&self, places: &[i64]) -> Result<usize, LedgerError> {
        let places = places.to_vec();
        self.ledger
            .write(move |tx| {
                let mut n = 0;
                for place in places {
                    // What is dropped stays known, so that its turn does not say it again.
                    let rows = tx.execute(
                        "UPDATE outbox SET state = 1, payload = '{\"text\":\"\"}', item = NULL,
                            code = NULL, settled_at_ms = created_at_ms
                         WHERE place = ?1 AND state <> 1",
                        [place],
                    )?;
                    n += usize::from(rows > 0);
                }
                Ok(n)
            })
            .await
    }

    /// Puts what has not left of these entries back on its way, as fresh as new:
    /// media are uploaded again, and what refusals taught is forgotten.
    pub(crate) async fn retry_entries(
        &self,
        places: &[i64],
        now_ms: i64,
    ) -> Result<usize, LedgerError> {
        let places = places.to_vec();
        self.ledger
            .write(move |tx| {
                let mut n = 0;
                for place in places {
                    let rows = tx.execute(
                        "UPDATE outbox SET state = 0, code = NULL, reason = NULL, attempts = 0,
                            not_before_ms = 0, item = NULL,
                            expires_at_ms = max(expires_at_ms,
                                ?2 + (expires_at_ms - created_at_ms))
                         WHERE place = ?1 AND state <> 1",
                        (place, now_ms),
                    )?;
                    if rows > 0 {
                        n += 1;
                        reopen(tx, place)?;
                    }
                }
                Ok(n)
            })
            .await
    }
}

/// Forgets what refusals taught of an entry's peer.
fn reopen(tx: &Transaction<'_>, place: i64) -> rusqlite::Result<()> {
    let of_place = "SELECT account, peer FROM outbox WHERE place = ?1 LIMIT 1";
    let (account, peer): (String, String) =
        tx.query_row(of_place, [place], |row| Ok((row.get(0)?, row.get(1)?)))?;
    change_budget(tx, &account, &peer, Budget::reopen)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<OutboxEntry> {
    let flag = |index: usize| row.get::<_, bool>(index);
    let (failed, parked, waits, unconfirmed) = (flag(7)?, flag(8)?, flag(9)?, flag(10)?);
    let code: Option<String> = row.get(11)?;
    let code = code.unwrap_or_default();
    let delivery = if failed {
        let reason: Option<String> = row.get(12)?;
        let reason = reason.filter(|reason| !reason.is_empty());
        let reason = reason.unwrap_or_else(|| codes::meaning(&code));
        Delivery::Failed { code, reason }
    } else if parked {
        Delivery::Parked { until: codes::meaning(&code), code }
    } else if waits {
        Delivery::Queued
    } else if unconfirmed {
        Delivery::Unconfirmed
    } else {
        Delivery::Sent
    };
    let payload: String = row.get(6)?;
    Ok(OutboxEntry {
        id: row.get(0)?,
        conversation: Conversation {
            channel: ChannelId::from(CHANNEL_ID),
            account: AccountId::new(row.get::<_, String>(1)?),
            peer: PeerId::new(row.get::<_, String>(2)?),
        },
        peer_name: row.get(3)?,
        class: row.get(4)?,
        excerpt: serde_json::from_str(&payload)
            .map(|payload| excerpt(&payload))
            .unwrap_or_default(),
        delivery,
        attempts: row.get(13)?,
        created_at_ms: row.get(14)?,
        expires_at_ms: row.get(15)?,
    })
}

fn excerpt(payload: &Payload) -> String {
    match payload {
        Payload::Markdown(text) | Payload::Text(text) => {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            match line.char_indices().nth(EXCERPT_CHARS) {
                Some((end, _)) => format!("{}…", &line[..end]),
                None => line,
            }
        }
        Payload::Media { name, .. } => format!("[{name}]"),
        Payload::Remote { name, url, .. } => format!("[{}]", name.as_deref().unwrap_or(url)),
        Payload::ToolStarted { tool, .. } | Payload::ToolEnded { tool, .. } => tool.clone(),
    }
}

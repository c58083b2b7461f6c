//! The people that the channel knows.

use contract::AccountId;
use ilink::UserId;
use ledger::LedgerError;
use rusqlite::Connection;

use super::{Store, Talk};

/// A peer as the store knows them.
#[derive(Clone, Debug)]
pub(crate) struct KnownPeer {
    pub(crate) talk: Talk,
    pub(crate) name: Option<String>,
    pub(crate) last_inbound_at_ms: Option<i64>,
    /// The governor's record.
    pub(crate) budget: Option<String>,
    pub(crate) waiting: u64,
    pub(crate) parked: u64,
}

impl Store {
    /// Returns one peer or all, those who wrote last first.
    pub(crate) async fn known_peers(
        &self,
        only: Option<&Talk>,
    ) -> Result<Vec<KnownPeer>, LedgerError> {
        let only = only.cloned();
        self.ledger
            .read(move |conn| {
                let account = only.as_ref().map(|talk| talk.account.as_str());
                let peer = only.as_ref().map(|talk| talk.peer.as_str());
                conn.prepare(
                    "SELECT p.account, p.peer, p.name, p.last_inbound_at_ms, p.budget,
                        count(*) FILTER (WHERE o.state = 0), count(*) FILTER (WHERE o.state = 2)
                     FROM peer p LEFT JOIN outbox o
                        ON o.account = p.account AND o.peer = p.peer AND o.state IN (0, 2)
                     WHERE (?1 IS NULL OR p.account = ?1) AND (?2 IS NULL OR p.peer = ?2)
                     GROUP BY p.account, p.peer
                     ORDER BY p.last_inbound_at_ms DESC NULLS LAST",
                )?
                .query_map((account, peer), |row| {
                    let count = |index: usize| row.get::<_, i64>(index).map(i64::unsigned_abs);
                    Ok(KnownPeer {
                        talk: Talk {
                            account: AccountId::new(row.get::<_, String>(0)?),
                            peer: UserId::new(row.get::<_, String>(1)?),
                        },
                        name: row.get(2)?,
                        last_inbound_at_ms: row.get(3)?,
                        budget: row.get(4)?,
                        waiting: count(5)?,
                        parked: count(6)?,
                    })
                })?
                .collect()
            })
            .await
    }

    /// Returns the conversations that a word could mean: a peer's name, or id
    /// without regard to case.
    pub(crate) async fn peers_called(&self, word: &str) -> Result<Vec<Talk>, LedgerError> {
        let word = word.to_owned();
        self.ledger
            .read(move |conn| {
                let named = called(conn, "name = ?1 COLLATE NOCASE", &word)?;
                if !named.is_empty() {
                    return Ok(named);
                }
                called(conn, "peer = ?1 COLLATE NOCASE", &word)
            })
            .await
    }

    /// Gives a peer a name, or takes it away. Returns who has the name already.
    pub(crate) async fn name_peer(
        &self,
        talk: &Talk,
        name: Option<&str>,
    ) -> Result<(), LedgerError> {
        let (talk, name) = (talk.clone(), name.map(str::to_owned));
        self.ledger
            .write(move |tx| {
                tx.execute(
                    "INSERT INTO peer (account, peer, context_token, token_at_ms, name)
                     VALUES (?1, ?2, '', 0, ?3)
                     ON CONFLICT DO UPDATE SET name = excluded.name",
                    (talk.account.as_str(), talk.peer.as_str(), name),
                )
                .map(drop)
            })
            .await
    }
}

fn called(conn: &Connection, condition: &str, word: &str) -> rusqlite::Result<Vec<Talk>> {
    let sql = format!("SELECT account, peer FROM peer WHERE {condition} ORDER BY account, peer");
    conn.prepare_cached(&sql)?
        .query_map([word], |row| {
            Ok(Talk {
                account: AccountId::new(row.get::<_, String>(0)?),
                peer: UserId::new(row.get::<_, String>(1)?),
            })
        })?
        .collect()
}

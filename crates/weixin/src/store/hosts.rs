//! What has been learnt of hosts, and where accounts stood last.

use std::time::Duration;

use contract::AccountId;
use ledger::LedgerError;
use rusqlite::OptionalExtension as _;

use super::Store;
use crate::status::Snapshot;

impl Store {
    /// Returns how long polls of a host may last, if that has been learnt.
    pub(crate) async fn hold_limit(&self, host: &str) -> Result<Option<Duration>, LedgerError> {
        let host = host.to_owned();
        let found: Option<i64> = self
            .ledger
            .read(move |conn| {
                conn.query_row("SELECT hold_limit_ms FROM host WHERE name = ?1", [host], |row| {
                    row.get(0)
                })
                .optional()
            })
            .await?;
        Ok(found.map(|ms| Duration::from_millis(ms.unsigned_abs())))
    }

    /// Remembers how long polls of a host may last, or that nothing limits them.
    pub(crate) async fn set_hold_limit(
        &self,
        host: &str,
        limit: Option<Duration>,
    ) -> Result<(), LedgerError> {
        let host = host.to_owned();
        let ms = limit.map(|limit| i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
        self.ledger
            .write(move |tx| match ms {
                None => tx.execute("DELETE FROM host WHERE name = ?1", [host]).map(drop),
                Some(ms) => tx
                    .execute(
                        "INSERT INTO host (name, hold_limit_ms) VALUES (?1, ?2)
                         ON CONFLICT DO UPDATE SET hold_limit_ms = excluded.hold_limit_ms",
                        (host, ms),
                    )
                    .map(drop),
            })
            .await
    }

    /// Notes where accounts stand, for processes that look from outside, all
    /// in one transaction.
    pub(crate) async fn note(&self, states: Vec<(AccountId, Snapshot)>) -> Result<(), LedgerError> {
        self.ledger
            .write(move |tx| {
                let mut statement = tx.prepare_cached(
                    "INSERT INTO account (id, state, last_poll_at_ms) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET state = excluded.state,
                         last_poll_at_ms = coalesce(excluded.last_poll_at_ms, last_poll_at_ms)",
                )?;
                for (account, health) in &states {
                    let state = serde_json::to_string(&health.state).ok();
                    statement.execute((account.as_str(), state, health.last_poll_at_ms))?;
                }
                Ok(())
            })
            .await
    }
}

//! What the governor knows, as it is kept: of each peer, of each account, and of
//! a try whose outcome is not known.

use contract::AccountId;
use ledger::LedgerError;
use rusqlite::{OptionalExtension as _, Transaction};

use super::{Store, Talk};
use crate::budget::Budget;
use crate::governor::Begun;

/// The governor's records of one peer and the account.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    pub(crate) budget: String,
    pub(crate) line: String,
}

impl Store {
    /// Keeps the governor's records around a try: before it, and after one that
    /// did not succeed. `unknown` is the try while its outcome is not known;
    /// after a crash it still counts, and once.
    pub(crate) async fn keep(
        &self,
        talk: &Talk,
        id: i64,
        unknown: Option<Begun>,
        records: Records,
    ) -> Result<(), LedgerError> {
        let talk = talk.clone();
        // Numbers always serialise.
        let begun = unknown.and_then(|begun| serde_json::to_string(&begun).ok());
        self.ledger
            .write(move |tx| {
                tx.prepare_cached("UPDATE outbox SET begun = ?2 WHERE id = ?1")?
                    .execute((id, begun))?;
                keep(tx, &talk, &records)
            })
            .await
    }

    /// Returns the governor's record of an account.
    pub(crate) async fn line(&self, account: &AccountId) -> Result<Option<String>, LedgerError> {
        let account = account.clone();
        self.ledger
            .read(move |conn| {
                let sql = "SELECT line FROM account WHERE id = ?1";
                let found = conn.query_row(sql, [account.as_str()], |row| row.get(0)).optional()?;
                Ok(found.flatten())
            })
            .await
    }

    /// Keeps the governor's record of an account alone.
    pub(crate) async fn keep_line(
        &self,
        account: &AccountId,
        line: String,
    ) -> Result<(), LedgerError> {
        let account = account.clone();
        self.ledger.write(move |tx| keep_line(tx, account.as_str(), &line)).await
    }

    /// Returns the governor's record of a peer.
    pub(crate) fn budget(&self, talk: &Talk) -> Result<Budget, LedgerError> {
        let (account, peer) = (talk.account.as_str(), talk.peer.as_str());
        let found: Option<Option<String>> = self.ledger.glance(|conn| {
            conn.prepare_cached("SELECT budget FROM peer WHERE account = ?1 AND peer = ?2")?
                .query_row((account, peer), |row| row.get(0))
                .optional()
        })?;
        Ok(Budget::read(found.flatten().as_deref()))
    }

    /// Changes the governor's record of a peer, as it is when the change is made.
    pub(crate) async fn change_budget(
        &self,
        talk: &Talk,
        change: impl FnOnce(&mut Budget) + Send + 'static,
    ) -> Result<(), LedgerError> {
        let talk = talk.clone();
        self.ledger
            .write(move |tx| change_budget(tx, talk.account.as_str(), talk.peer.as_str(), change))
            .await
    }
}

pub(super) fn keep(tx: &Transaction<'_>, talk: &Talk, records: &Records) -> rusqlite::Result<()> {
    let (account, peer) = (talk.account.as_str(), talk.peer.as_str());
    tx.prepare_cached("UPDATE peer SET budget = ?3 WHERE account = ?1 AND peer = ?2")?
        .execute((account, peer, &records.budget))?;
    keep_line(tx, account, &records.line)
}

fn keep_line(tx: &Transaction<'_>, account: &str, line: &str) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO account (id, line) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET line = excluded.line",
    )?
    .execute((account, line))
    .map(drop)
}

/// Changes what the governor knows of a peer.
pub(super) fn change_budget(
    tx: &Transaction<'_>,
    account: &str,
    peer: &str,
    change: impl FnOnce(&mut Budget),
) -> rusqlite::Result<()> {
    let known: Option<Option<String>> = tx
        .prepare_cached("SELECT budget FROM peer WHERE account = ?1 AND peer = ?2")?
        .query_row((account, peer), |row| row.get(0))
        .optional()?;
    let mut budget = Budget::read(known.flatten().as_deref());
    change(&mut budget);
    tx.prepare_cached("UPDATE peer SET budget = ?3 WHERE account = ?1 AND peer = ?2")?
        .execute((account, peer, budget.json()))
        .map(drop)
}

//! Forgetting an account: every row of every table that belongs to it.

use contract::AccountId;
use ledger::LedgerError;
use rusqlite::Transaction;

use super::Store;

/// What a wiped account has left on disk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wiped {
    /// Rows that are gone.
    pub(crate) rows: usize,
    /// Names of its copies in the outbox folder.
    pub(crate) outbox_files: Vec<String>,
    /// Names of the media that it kept for quotes.
    pub(crate) quoted_files: Vec<String>,
    /// Its inbox rows, by which received media are named.
    pub(crate) turns: Vec<i64>,
}

impl Store {
    /// Deletes everything that is kept for an account, all or nothing. Tables
    /// belong to accounts by their column `account`, so a new one is included
    /// without a word here.
    pub(crate) async fn wipe_account(&self, account: &AccountId) -> Result<Wiped, LedgerError> {
        let account = account.clone();
        self.ledger.write(move |tx| wipe(tx, account.as_str())).await
    }
}

fn wipe(tx: &Transaction<'_>, account: &str) -> rusqlite::Result<Wiped> {
    let mut wiped = Wiped {
        outbox_files: texts(
            tx,
            "SELECT payload ->> '$.media.file' FROM outbox
             WHERE account = ?1 AND payload ->> '$.media.file' IS NOT NULL",
            account,
        )?,
        quoted_files: texts(
            tx,
            "SELECT media.value ->> '$.file' FROM quote, json_each(quote.media) AS media
             WHERE quote.account = ?1 AND media.value ->> '$.file' IS NOT NULL",
            account,
        )?,
        turns: tx
            .prepare("SELECT id FROM inbox WHERE account = ?1")?
            .query_map([account], |row| row.get(0))?
            .collect::<Result<_, _>>()?,
        rows: tx.execute("DELETE FROM account WHERE id = ?1", [account])?,
    };
    for table in tables_by_account(tx)? {
        let delete = format!("DELETE FROM \"{table}\" WHERE account = ?1");
        wiped.rows += tx.execute(&delete, [account])?;
    }
    Ok(wiped)
}

/// Returns the tables that have a column `account`. Their names come from the
/// schema itself.
pub(super) fn tables_by_account(tx: &Transaction<'_>) -> rusqlite::Result<Vec<String>> {
    tx.prepare(
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND c.name = 'account'",
    )?
    .query_map([], |row| row.get(0))?
    .collect()
}

fn texts(tx: &Transaction<'_>, sql: &str, account: &str) -> rusqlite::Result<Vec<String>> {
    tx.prepare(sql)?.query_map([account], |row| row.get(0))?.collect()
}

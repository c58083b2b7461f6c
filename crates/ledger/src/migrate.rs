//! Brings a file to the newest version.

use rusqlite::{Connection, TransactionBehavior};

use crate::LedgerError;

/// Applies the migrations that the file has not seen, each in a transaction of
/// its own with the new version number.
pub(crate) fn migrate(conn: &mut Connection, migrations: &[&str]) -> Result<(), LedgerError> {
    let found: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = migrations.len();
    let Some(done) = usize::try_from(found).ok().filter(|done| *done <= known) else {
        return Err(LedgerError::Newer { found, known });
    };
    for (index, sql) in migrations.iter().enumerate().skip(done) {
        let number = index + 1;
        apply(conn, number, sql).map_err(|source| LedgerError::Migration { number, source })?;
        tracing::debug!(number, "store migrated");
    }
    Ok(())
}

fn apply(conn: &mut Connection, number: usize, sql: &str) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(sql)?;
    tx.execute_batch(&format!("PRAGMA user_version = {number}"))?;
    tx.commit()
}

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
    }
    Ok(())
}

/// Does one migration, unless another process has done it meanwhile.
fn apply(conn: &mut Connection, number: usize, sql: &str) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if usize::try_from(done).is_ok_and(|done| done >= number) {
        return Ok(());
    }
    tx.execute_batch(sql)?;
    tx.execute_batch(&format!("PRAGMA user_version = {number}"))?;
    tx.commit()?;
    tracing::debug!(number, "store migrated");
    Ok(())
}

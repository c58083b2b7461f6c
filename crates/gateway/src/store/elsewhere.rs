//! Approvals in a store of another program that has the same table.

use std::path::Path;

use contract::{AccountId, ChannelId, Conversation, PeerId};
use rusqlite::{Connection, Row};

use super::StoreError;
use crate::pairing::Elsewhere;

/// What a table must have to be the one that is meant.
const COLUMNS: [&str; 3] = ["account_id", "channel_key", "entry"];

/// Reads a store that others may be writing, and changes nothing there. Blocks.
pub(crate) fn read(path: &Path) -> Result<Elsewhere, StoreError> {
    Ok(ledger::visit(path, |conn| {
        let version = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let approvals = if has_table(conn)? { Some(approvals(conn)?) } else { None };
        Ok(Elsewhere { version, approvals })
    })?)
}

fn has_table(conn: &Connection) -> rusqlite::Result<bool> {
    let mut columns =
        conn.prepare("SELECT name FROM pragma_table_info('channel_pairing_allow_entries')")?;
    let names = columns.query_map([], |row| row.get(0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    Ok(COLUMNS.iter().all(|column| names.iter().any(|name| name == column)))
}

fn approvals(conn: &Connection) -> rusqlite::Result<Vec<Conversation>> {
    let mut found = conn.prepare(
        "SELECT channel_key, account_id, entry FROM channel_pairing_allow_entries
         ORDER BY channel_key, account_id, entry",
    )?;
    let conversation = |row: &Row<'_>| {
        Ok(Conversation {
            channel: ChannelId::new(row.get::<_, String>(0)?),
            account: AccountId::new(row.get::<_, String>(1)?),
            peer: PeerId::new(row.get::<_, String>(2)?),
        })
    };
    found.query_map([], conversation)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_the_columns_is_read_whatever_the_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.sqlite");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "PRAGMA user_version = 99;
             CREATE TABLE channel_pairing_allow_entries (later TEXT, channel_key TEXT,
                account_id TEXT, entry TEXT);
             INSERT INTO channel_pairing_allow_entries VALUES ('x', 'post', 'bot', 'u2')",
        )
        .unwrap();
        let found =
            Conversation { channel: "post".into(), account: "bot".into(), peer: "u2".into() };
        let expected = Elsewhere { version: 99, approvals: Some(vec![found]) };
        assert_eq!(read(&path).unwrap(), expected);

        conn.execute_batch("ALTER TABLE channel_pairing_allow_entries RENAME entry TO peer")
            .unwrap();
        assert_eq!(read(&path).unwrap(), Elsewhere { version: 99, approvals: None });
        assert!(read(&dir.path().join("missing.sqlite")).is_err());
    }
}

//! What of an account is carried to another machine or to the official plugin,
//! and taken from there: how far it was read, the context tokens, the names.

use std::collections::BTreeMap;

use contract::AccountId;
use ilink::{ContextToken, Cursor, UserId};
use ledger::LedgerError;
use rusqlite::Transaction;
use rusqlite::types::{Value as Cell, ValueRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Store;

/// Tables whose rows are carried, all of whose columns but `account` are, so
/// that one written by another version fits as far as it can.
const CARRIED: [&str; 1] = ["peer"];

/// What is carried of one account. Holds context tokens, so it has no `Debug`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Carried {
    /// How far the account was read.
    #[serde(default)]
    pub(crate) cursor: String,
    /// Rows by table, each a value per column.
    #[serde(default)]
    pub(crate) tables: BTreeMap<String, Vec<Row>>,
}

/// One row.
type Row = BTreeMap<String, Value>;

/// What another program has kept of an account. Times are in milliseconds
/// since 1970.
pub(crate) struct Foreign {
    /// How far it has read, and when that was written.
    pub(crate) cursor: Option<(Cursor, i64)>,
    /// The context tokens of peers, and when these were written.
    pub(crate) tokens: (BTreeMap<UserId, ContextToken>, i64),
}

/// What was taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Adopted {
    pub(crate) cursor: bool,
    pub(crate) tokens: usize,
}

impl Store {
    /// Returns what an account takes along to another machine.
    pub(crate) async fn carried(&self, account: &AccountId) -> Result<Carried, LedgerError> {
        let cursor = self.cursor(account).await?;
        let account = account.clone();
        let tables = self
            .ledger
            .read(move |conn| {
                let rows = |table: &str| rows(conn, table, account.as_str());
                CARRIED.iter().map(|table| Ok(((*table).to_owned(), rows(table)?))).collect()
            })
            .await?;
        Ok(Carried { cursor: cursor.as_str().to_owned(), tables })
    }

    /// Takes what another machine has kept of an account, where nothing is known
    /// here yet. Tables and columns that this version does not have are left out.
    pub(crate) async fn bring(
        &self,
        account: &AccountId,
        carried: Carried,
    ) -> Result<(), LedgerError> {
        let account = account.clone();
        self.ledger
            .write(move |tx| {
                set_cursor(tx, account.as_str(), &carried.cursor, "cursor = ''")?;
                for table in CARRIED {
                    for row in carried.tables.get(table).into_iter().flatten() {
                        insert(tx, table, account.as_str(), row)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// Takes what the official plugin has kept, as far as it is newer than what
    /// is known here: a cursor by the last poll, a token by when it came.
    pub(crate) async fn adopt(
        &self,
        account: &AccountId,
        foreign: Foreign,
    ) -> Result<Adopted, LedgerError> {
        let account = account.clone();
        self.ledger.write(move |tx| adopt(tx, account.as_str(), foreign)).await
    }

    /// Says what would be taken of what the official plugin has kept.
    pub(crate) async fn would_adopt(
        &self,
        account: &AccountId,
        foreign: Foreign,
    ) -> Result<Adopted, LedgerError> {
        let account = account.clone();
        self.ledger
            .write(move |tx| {
                tx.execute_batch("SAVEPOINT trial")?;
                let adopted = adopt(tx, account.as_str(), foreign);
                tx.execute_batch("ROLLBACK TO trial; RELEASE trial")?;
                adopted
            })
            .await
    }

    /// Returns the newest context tokens of all peers of an account.
    pub(crate) async fn context_tokens(
        &self,
        account: &AccountId,
    ) -> Result<BTreeMap<UserId, ContextToken>, LedgerError> {
        let account = account.clone();
        self.ledger
            .read(move |conn| {
                conn.prepare("SELECT peer, context_token FROM peer WHERE account = ?1")?
                    .query_map([account.as_str()], |row| {
                        let peer = UserId::new(row.get::<_, String>(0)?);
                        Ok((peer, ContextToken::new(row.get::<_, String>(1)?)))
                    })?
                    .collect()
            })
            .await
    }
}

fn adopt(tx: &Transaction<'_>, account: &str, foreign: Foreign) -> rusqlite::Result<Adopted> {
    let mut adopted = Adopted::default();
    if let Some((cursor, at_ms)) = foreign.cursor {
        let older = "cursor <> excluded.cursor AND coalesce(last_poll_at_ms, 0) < ";
        let older = format!("{older}{at_ms}");
        adopted.cursor = set_cursor(tx, account, cursor.as_str(), &older)?;
    }
    let (tokens, at_ms) = foreign.tokens;
    for (peer, token) in tokens {
        adopted.tokens += tx
            .prepare_cached(
                "INSERT INTO peer (account, peer, context_token, token_at_ms)
                 VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET context_token = excluded.context_token,
                                           token_at_ms = excluded.token_at_ms
                 WHERE context_token <> excluded.context_token
                       AND token_at_ms < excluded.token_at_ms",
            )?
            .execute((account, peer.as_str(), token.expose(), at_ms))?;
    }
    Ok(adopted)
}

/// Sets a cursor where there is none, or where `unless_kept` holds.
fn set_cursor(
    tx: &Transaction<'_>,
    account: &str,
    cursor: &str,
    replaces: &str,
) -> rusqlite::Result<bool> {
    if cursor.is_empty() {
        return Ok(false);
    }
    let n = tx.execute(
        &format!(
            "INSERT INTO account (id, cursor) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET cursor = excluded.cursor WHERE {replaces}"
        ),
        (account, cursor),
    )?;
    Ok(n > 0)
}

fn rows(conn: &rusqlite::Connection, table: &str, account: &str) -> rusqlite::Result<Vec<Row>> {
    let mut select = conn.prepare(&format!("SELECT * FROM \"{table}\" WHERE account = ?1"))?;
    let columns: Vec<_> = select.column_names().map(str::to_owned).collect();
    let rows = select.query_map([account], |row| {
        let mut values = Row::new();
        for (at, column) in columns.iter().enumerate() {
            if column != "account" {
                values.insert(column.clone(), json(row.get_ref(at)?));
            }
        }
        Ok(values)
    })?;
    rows.collect()
}

/// No table that is carried has bytes; they would be left out.
fn json(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Integer(n) => n.into(),
        ValueRef::Real(x) => x.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Number(n) => match n.as_i64() {
            Some(n) => Cell::Integer(n),
            None => Cell::Real(n.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Cell::Text(text.clone()),
        Value::Bool(flag) => Cell::Integer(i64::from(*flag)),
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Null,
    }
}

fn insert(tx: &Transaction<'_>, table: &str, account: &str, row: &Row) -> rusqlite::Result<()> {
    let known: Vec<String> = tx
        .prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let known: Vec<_> = row.iter().filter(|(column, _)| known.contains(column)).collect();
    let columns: String = known.iter().map(|(column, _)| format!(", \"{column}\"")).collect();
    let marks: String = (0..known.len()).map(|n| format!(", ?{}", n + 2)).collect();
    let sql = format!("INSERT OR IGNORE INTO \"{table}\" (account{columns}) VALUES (?1{marks})");
    let cells = std::iter::once(Cell::Text(account.to_owned()));
    let cells = cells.chain(known.iter().map(|(_, value)| cell(value)));
    tx.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(cells)).map(drop)
}

//! QR logins.

use ilink::{BotId, QrCodeId};
use ledger::LedgerError;
use rusqlite::{OptionalExtension as _, Row, Transaction};

use super::{Binding, Store};
use crate::login::Login;

/// A QR login as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LoginRow {
    pub(crate) qrcode: QrCodeId,
    pub(crate) created_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) state: Login,
    /// Bots whose tokens the asking machine has.
    pub(crate) local_bots: Vec<BotId>,
    /// The address that the asking machine used.
    pub(crate) base: String,
}

/// What a step of a login led to.
#[derive(Debug)]
pub(crate) struct Stepped<T> {
    pub(crate) login: LoginRow,
    /// What the step returned.
    pub(crate) told: T,
    /// What was bound.
    pub(crate) binding: Option<Binding>,
    /// The user's bots that are stale because of it.
    pub(crate) older: Vec<BotId>,
}

impl Store {
    /// Adds a login, unless `most` are open.
    pub(crate) async fn add_login(&self, login: &LoginRow, most: u64) -> Result<bool, LedgerError> {
        const SQL: &str =
            "INSERT INTO logins (qrcode, created_at, expires_at, state, local_bots, base)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6
            WHERE (SELECT count(*) FROM logins WHERE expires_at > ?2) < ?7";
        let login = login.clone();
        self.ledger
            .write(move |tx| {
                let row = rusqlite::params![
                    login.qrcode.as_str(),
                    login.created_at,
                    login.expires_at,
                    serde_json::to_string(&login.state).unwrap_or_default(),
                    serde_json::to_string(&login.local_bots).unwrap_or_default(),
                    login.base,
                    most,
                ];
                Ok(tx.prepare_cached(SQL)?.execute(row)? == 1)
            })
            .await
    }

    pub(crate) async fn login(&self, qrcode: &QrCodeId) -> Result<Option<LoginRow>, LedgerError> {
        let qrcode = qrcode.clone();
        self.ledger
            .read(move |conn| {
                conn.prepare_cached(SELECT)?.query_row([qrcode.as_str()], login).optional()
            })
            .await
    }

    /// Changes a login's state by a pure step and binds the bot that the step
    /// asks for, in one transaction.
    pub(crate) async fn step_login<T, S>(
        &self,
        qrcode: &QrCodeId,
        step: S,
    ) -> Result<Option<Stepped<T>>, LedgerError>
    where
        T: Send + 'static,
        S: FnOnce(&mut LoginRow) -> (T, Option<Binding>) + Send + 'static,
    {
        let qrcode = qrcode.clone();
        self.ledger
            .write(move |tx| {
                let found =
                    tx.prepare_cached(SELECT)?.query_row([qrcode.as_str()], login).optional()?;
                let Some(mut row) = found else {
                    return Ok(None);
                };
                let before = row.state.clone();
                let (told, binding) = step(&mut row);
                if row.state != before {
                    save(tx, &row)?;
                }
                let older = match &binding {
                    Some(new) => super::bots::bind(tx, new)?,
                    None => Vec::new(),
                };
                Ok(Some(Stepped { login: row, told, binding, older }))
            })
            .await
    }

    /// Forgets logins that expired before a moment.
    pub(crate) async fn forget_logins(&self, before: u64) -> Result<(), LedgerError> {
        const SQL: &str = "DELETE FROM logins WHERE expires_at < ?1";
        self.ledger.write(move |tx| tx.prepare_cached(SQL)?.execute([before]).map(drop)).await
    }
}

const SELECT: &str = "SELECT qrcode, created_at, expires_at, state, local_bots, base FROM logins
    WHERE qrcode = ?1";

fn save(tx: &Transaction<'_>, row: &LoginRow) -> rusqlite::Result<()> {
    let state = serde_json::to_string(&row.state).unwrap_or_default();
    tx.prepare_cached("UPDATE logins SET state = ?2 WHERE qrcode = ?1")?
        .execute((row.qrcode.as_str(), state))
        .map(drop)
}

fn login(row: &Row<'_>) -> rusqlite::Result<LoginRow> {
    let (state, local_bots): (String, String) = (row.get(3)?, row.get(4)?);
    Ok(LoginRow {
        qrcode: QrCodeId::new(row.get::<_, String>(0)?),
        created_at: row.get(1)?,
        expires_at: row.get(2)?,
        state: serde_json::from_str(&state).unwrap_or_default(),
        local_bots: serde_json::from_str(&local_bots).unwrap_or_default(),
        base: row.get(5)?,
    })
}

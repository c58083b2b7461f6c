//! What survives: one SQLite file, a key file and a folder of media.
//!
//! Only this file and those under `store/` contain SQL. Every method that
//! changes something returns when the change is on disk.

use std::path::{Path, PathBuf};

use ledger::{Ledger, LedgerError};
use rusqlite::{Connection, OptionalExtension as _};

use crate::ident::MessageIds;

mod users;
mod bots;
mod chats;
mod messages;
mod deliveries;
mod logins;
mod media;

pub(crate) use self::bots::{Binding, Bot, Contact};
pub(crate) use self::deliveries::{Batch, Delivery};
pub(crate) use self::logins::{LoginRow, Stepped};
pub(crate) use self::media::{MediaFile, Ticket};
pub(crate) use self::messages::{ChatState, NewSend, NewWord, Note, Outcome, Said, Stored};
pub(crate) use self::users::Person;

const MIGRATIONS: [&str; 1] = [include_str!("store/schema.sql")];

/// The store of one backend. Clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    ledger: Ledger,
    ids: std::sync::Arc<MessageIds>,
    media: PathBuf,
}

impl Store {
    /// Opens the store in a folder that exists.
    pub(crate) async fn open(dir: &Path) -> Result<Self, LedgerError> {
        let file = dir.join("backend.sqlite");
        let opened = tokio::task::spawn_blocking(move || Ledger::open(&file, &MIGRATIONS)).await;
        let ledger = opened.unwrap_or(Err(LedgerError::Closed))?;
        let newest = ledger.read(newest_message).await?;
        Ok(Self {
            ledger,
            ids: std::sync::Arc::new(MessageIds::after(newest)),
            media: dir.join("media"),
        })
    }

    /// Ends the writer after what was handed over.
    pub(crate) async fn close(&self) {
        self.ledger.close().await;
    }

    /// Counts rows, for the statistics.
    pub(crate) async fn counts(&self) -> Result<Counts, LedgerError> {
        self.ledger
            .read(|conn| {
                let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u64>(0));
                Ok(Counts {
                    users: count("SELECT count(*) FROM users")?,
                    bots: count("SELECT count(*) FROM bots")?,
                    messages: count("SELECT count(*) FROM messages")?,
                    media: count("SELECT count(*) FROM media")?,
                    media_bytes: count("SELECT coalesce(sum(size), 0) FROM media")?,
                })
            })
            .await
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Counts {
    pub(crate) users: u64,
    pub(crate) bots: u64,
    pub(crate) messages: u64,
    pub(crate) media: u64,
    pub(crate) media_bytes: u64,
}

fn newest_message(conn: &Connection) -> rusqlite::Result<u64> {
    let newest = conn
        .query_row("SELECT max(id) FROM messages", [], |row| row.get::<_, Option<u64>>(0))
        .optional()?;
    Ok(newest.flatten().unwrap_or(0))
}

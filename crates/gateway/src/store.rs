//! What the gateway keeps: who may speak, sessions and what was said in each,
//! which turns belong together, and what turns have asked.
//!
//! One SQLite file, written through a [`Ledger`]: when a call that stores
//! something returns, it is on disk. SQL stands only in the files of `store/`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ledger::{Ledger, LedgerError};

pub(crate) mod elsewhere;
mod joint;
mod pairing;
mod question;
mod session;
mod transcript;
mod window;

pub(crate) use self::joint::Joint;
pub(crate) use self::question::{Asked, QuestionId};
pub(crate) use self::session::{Choice, Memory};
pub use self::session::{ResetReason, SessionEntry};
pub(crate) use self::transcript::Answer;
pub use self::transcript::{Entry, HistoryLimit, Role};
pub use self::window::{Closing, Line, Window};

const MIGRATIONS: [&str; 3] = [
    include_str!("store/0001-transcript.sql"),
    include_str!("store/0002-pairing.sql"),
    include_str!("store/0003-sessions.sql"),
];

/// The gateway's store. Clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    ledger: Ledger,
}

/// The gateway's store failed.
#[derive(Debug, thiserror::Error)]
#[error("the gateway's store failed")]
pub struct StoreError(#[source] pub(crate) Box<dyn std::error::Error + Send + Sync>);

impl Store {
    /// Opens the file and brings it to the newest version; creates it and its
    /// folder, both for the user alone.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let open = move || {
            create_folder(&path).map_err(|err| StoreError(Box::new(err)))?;
            let ledger = Ledger::open(&path, &MIGRATIONS)?;
            Ok(Self { ledger })
        };
        let opened = tokio::task::spawn_blocking(open).await;
        opened.unwrap_or_else(|err| Err(StoreError(Box::new(err))))
    }

    /// Ends the writer, after what has been handed to it.
    pub(crate) async fn close(&self) {
        self.ledger.close().await;
    }
}

impl From<LedgerError> for StoreError {
    fn from(err: LedgerError) -> Self {
        Self(Box::new(err))
    }
}

fn create_folder(file: &Path) -> std::io::Result<()> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

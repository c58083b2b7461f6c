//! The handle and its readers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction};
use tokio::sync::Semaphore;

use crate::migrate::migrate;
use crate::writer::Writer;

/// How many pages the log may hold before they are written into the file: 16 MB. A
/// busy page is written back once in that time, however often it changed.
const CHECKPOINT_PAGES: u32 = 4_000;
/// How long a statement waits for a lock that another process holds.
const BUSY: Duration = Duration::from_secs(5);
/// How many long queries run side by side; more wait. Each has a thread and a
/// connection, whose opening costs more than most queries.
const MOST_READS: usize = 4;
/// How many idle read connections are kept: for those, and for glances.
const MOST_READERS: usize = 2 * MOST_READS;

/// One SQLite file. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    writer: Writer,
    reads: Semaphore,
    // Held to take or put back a connection, never across an await.
    readers: Mutex<Vec<Connection>>,
}

/// What can go wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be opened.
    #[error("the store {} cannot be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A migration failed; the file is as it was before it.
    #[error("migration {number} of the store failed")]
    Migration {
        /// Which one, from 1.
        number: usize,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The file was written by a newer version.
    #[error(
        "the store is of version {found}, but this program knows versions up to {known}; use a newer program"
    )]
    Newer {
        /// The file's version.
        found: i64,
        /// The newest version known here.
        known: usize,
    },
    /// A statement failed; its job changed nothing.
    #[error("the store refused a statement")]
    Statement(#[from] rusqlite::Error),
    /// The commit failed; nothing of the group is stored.
    #[error("the store could not commit: {0}")]
    Commit(String),
    /// The writer has ended, or a job panicked.
    #[error("the store is closed")]
    Closed,
}

impl Ledger {
    /// Opens the file, creates it if need be (mode 0600), and brings it to the
    /// newest version. Blocks for as long as the migrations take.
    ///
    /// `migrations` are SQL scripts, numbered from 1 by position; one that has
    /// been released is never edited.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or migrated, or is newer than this program.
    pub fn open(path: &Path, migrations: &[&str]) -> Result<Self, LedgerError> {
        create_private(path).map_err(|err| LedgerError::Open {
            path: path.to_owned(),
            source: rusqlite::Error::ToSqlConversionFailure(Box::new(err)),
        })?;
        let opened = |source| LedgerError::Open { path: path.to_owned(), source };
        let mut conn = Connection::open(path).map_err(opened)?;
        configure(&conn).map_err(opened)?;
        migrate(&mut conn, migrations)?;
        let shared = Shared {
            path: path.to_owned(),
            writer: Writer::start(conn),
            reads: Semaphore::new(MOST_READS),
            readers: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs a job in a transaction and returns when it is on disk.
    ///
    /// An error of the job undoes the job, and only it. Jobs run in the order
    /// of their calls. Dropping the future does not undo a job that was handed
    /// over: it runs, and nobody hears of it.
    ///
    /// # Errors
    ///
    /// When the job or the commit fails; then nothing of the job is stored.
    pub async fn write<T, F>(&self, job: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.shared.writer.submit(job).await
    }

    /// Runs a query on a read-only connection, beside writes and other reads.
    /// Sees every write that has returned.
    ///
    /// # Errors
    ///
    /// When the query fails.
    pub async fn read<T, F>(&self, query: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let _turn = self.shared.reads.acquire().await.map_err(|_| LedgerError::Closed)?;
        let run = move || shared.query(query);
        tokio::task::spawn_blocking(run).await.unwrap_or(Err(LedgerError::Closed))
    }

    /// Runs a query like [`read`](Self::read), on the calling thread. Only for
    /// look-ups of a few rows by an index: they take some microseconds, and the
    /// way to another thread and back takes more.
    ///
    /// # Errors
    ///
    /// When the query fails.
    pub fn glance<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        self.shared.query(query)
    }

    /// Ends the writer after the jobs handed over so far. Later writes fail
    /// with [`LedgerError::Closed`]. Not needed for safety: every write that
    /// has returned is on disk.
    pub async fn close(&self) {
        self.shared.writer.close().await;
    }
}

impl Shared {
    fn query<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let conn = self.take_reader()?;
        let found = query(&conn);
        self.put_back(conn);
        found.map_err(LedgerError::Statement)
    }

    fn take_reader(&self) -> Result<Connection, LedgerError> {
        if let Some(conn) = self.readers.lock().pop() {
            return Ok(conn);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = |source| LedgerError::Open { path: self.path.clone(), source };
        let conn = Connection::open_with_flags(&self.path, flags).map_err(opened)?;
        conn.busy_timeout(BUSY).map_err(opened)?;
        steady(&conn).map_err(opened)?;
        Ok(conn)
    }

    fn put_back(&self, conn: Connection) {
        let mut readers = self.readers.lock();
        if readers.len() < MOST_READERS {
            readers.push(conn);
        }
    }
}

/// SQLite creates files by the umask; chats must be private from the first byte.
pub(crate) fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // What undoes a savepoint is else written to a file in the system's folder for
    // such files, page by page: a third of all writes, and it holds chats.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    steady(conn)
}

/// Prepares each statement once. Without the guarantee, SQLite plans a statement
/// anew whenever a value is bound that the plan could depend on, such as a limit;
/// that takes longer than all look-ups here.
fn steady(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(64);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

//! A look at a file of anybody's, and a copy of it, beside whoever writes it.
//!
//! | what lies beside the file | how it is opened |
//! |---|---|
//! | no `-wal`: nobody has it open, or it has another journal | as one that does not change |
//! | `-wal` and `-shm`: it is in use, or its user has died | as another reader |
//! | `-wal` alone, as a copied folder has it | a copy of both |
//!
//! So nothing is made beside a file that is looked at.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::LedgerError;
use crate::ledger::create_private;

/// How long a look waits for a lock that another process holds.
const BUSY: Duration = Duration::from_secs(5);
/// What a header says of a file that has a write-ahead log, and where.
const WAL: (usize, u8) = (18, 2);

/// Runs a query on a file that others may be writing, and changes nothing
/// there. The query runs again if somebody begins to write meanwhile. Blocks.
///
/// # Errors
///
/// When the file is none of SQLite, cannot be opened, or the query fails.
pub fn visit<T>(
    path: &Path,
    query: impl Fn(&Connection) -> rusqlite::Result<T>,
) -> Result<T, LedgerError> {
    let opened = |source| LedgerError::Open { path: path.to_owned(), source };
    let log = beside(path, "-wal");
    if has_log(path)? && !log.exists() {
        let found = query(&still(path).map_err(opened)?);
        if !log.exists() {
            return Ok(found?);
        }
    }
    if log.exists() && !beside(path, "-shm").exists() {
        let copy = copied(path, &log)?;
        return Ok(query(&shared(&copy.path().join(NAME)).map_err(opened)?)?);
    }
    Ok(query(&shared(path).map_err(opened)?)?)
}

/// Copies a file as it is at one moment into a new one (mode 0600), while
/// others may be writing it, and returns its version. Blocks.
///
/// # Errors
///
/// When one of them cannot be used.
pub fn copy(from: &Path, to: &Path) -> Result<i64, LedgerError> {
    visit(from, |conn| {
        create_private(to).map_err(refused)?;
        let mut copy = Connection::open(to)?;
        let step = Backup::new(conn, &mut copy)?.step(-1)?;
        if step != StepResult::Done {
            return Err(refused(std::io::Error::other("another process does not let go of it")));
        }
        // The copy is whole without files beside it.
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        copy.query_row("PRAGMA user_version", [], |row| row.get(0))
    })
}

/// The name of a file in the folder it was copied to.
const NAME: &str = "copy.sqlite";

fn copied(path: &Path, log: &Path) -> Result<TempDir, LedgerError> {
    let copying = || {
        let dir = tempfile::tempdir()?;
        std::fs::copy(path, dir.path().join(NAME))?;
        std::fs::copy(log, dir.path().join(format!("{NAME}-wal")))?;
        Ok(dir)
    };
    copying().map_err(|err| unreadable(path, err))
}

fn shared(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    Ok(conn)
}

fn still(path: &Path) -> rusqlite::Result<Connection> {
    let escaped =
        path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
}

fn has_log(path: &Path) -> Result<bool, LedgerError> {
    let mut header = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(20).read_to_end(&mut header));
    read.map_err(|err| unreadable(path, err))?;
    Ok(header.get(WAL.0) == Some(&WAL.1))
}

fn unreadable(path: &Path, err: std::io::Error) -> LedgerError {
    LedgerError::Open { path: path.to_owned(), source: refused(err) }
}

fn refused(err: std::io::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(err))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A file with a write-ahead log that is open, and its folder.
    fn written() -> (TempDir, PathBuf, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a b%20?#.sqlite");
        let conn = Connection::open(&path).unwrap();
        conn.pragma_update(None, "journal_mode", "WAL").unwrap();
        conn.execute_batch("PRAGMA user_version = 7; CREATE TABLE t (n); INSERT INTO t VALUES (1)")
            .unwrap();
        (dir, path, conn)
    }

    fn count(path: &Path) -> i64 {
        visit(path, |conn| conn.query_row("SELECT count(*) FROM t", [], |row| row.get(0))).unwrap()
    }

    fn files(dir: &Path) -> BTreeMap<OsString, Vec<u8>> {
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
        entries.map(|it| (it.file_name(), std::fs::read(it.path()).unwrap())).collect()
    }

    #[test]
    fn a_look_sees_what_is_written_and_leaves_nothing_behind() {
        let (dir, path, conn) = written();
        assert_eq!(count(&path), 1, "in use");
        conn.execute("INSERT INTO t VALUES (2)", []).unwrap();
        assert_eq!(count(&path), 2);

        let carried = tempfile::tempdir().unwrap();
        let moved = carried.path().join("moved.sqlite");
        std::fs::copy(&path, &moved).unwrap();
        std::fs::copy(beside(&path, "-wal"), beside(&moved, "-wal")).unwrap();
        let before = files(carried.path());
        assert_eq!(count(&moved), 2, "copied with its log");
        assert_eq!(files(carried.path()), before);

        drop(conn);
        let before = files(dir.path());
        assert_eq!(before.len(), 1, "closed in order");
        assert_eq!(count(&path), 2);
        assert_eq!(files(dir.path()), before);
    }

    #[test]
    fn a_copy_is_whole_by_itself() {
        let (dir, path, conn) = written();
        let to = dir.path().join("copy.sqlite");
        assert_eq!(copy(&path, &to).unwrap(), 7);
        conn.execute("INSERT INTO t VALUES (2)", []).unwrap();
        assert_eq!((count(&to), beside(&to, "-wal").exists()), (1, false));
    }

    #[test]
    fn what_is_no_store_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let look = || visit(&path, |conn| conn.query_row("SELECT 1 FROM t", [], |_| Ok(())));
        assert!(look().is_err());
        std::fs::write(&path, "not a store, but longer than a header of one is").unwrap();
        assert!(look().is_err());
        assert!(copy(&path, &dir.path().join("y")).is_err());
    }
}

//! What the ledger promises.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use ledger::{Ledger, LedgerError};
use rusqlite::{Connection, Transaction};

const V1: &str = "CREATE TABLE word (text TEXT NOT NULL UNIQUE) STRICT";
const V2: &str = "ALTER TABLE word ADD COLUMN n INTEGER NOT NULL DEFAULT 0";

fn insert(text: &'static str) -> impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()> + Send {
    move |tx| tx.execute("INSERT INTO word (text) VALUES (?1)", [text]).map(drop)
}

async fn words(ledger: &Ledger) -> Vec<String> {
    ledger
        .read(|conn| {
            conn.prepare("SELECT text FROM word ORDER BY text")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_returned_write_is_there_after_reopening_without_a_clean_close() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let ledger = Ledger::open(&path, &[V1]).unwrap();
    ledger.write(insert("kept")).await.unwrap();
    std::mem::forget(ledger);

    let again = Ledger::open(&path, &[V1]).unwrap();
    assert_eq!(words(&again).await, ["kept"]);
}

#[tokio::test]
async fn a_failing_job_changes_nothing_and_does_not_harm_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("s"), &[V1]).unwrap();

    let (a, twice, b) = tokio::join!(
        ledger.write(insert("a")),
        ledger.write(|tx| {
            insert("half")(tx)?;
            insert("half")(tx)
        }),
        ledger.write(insert("b")),
    );

    a.unwrap();
    b.unwrap();
    assert!(matches!(twice, Err(LedgerError::Statement(_))));
    assert_eq!(words(&ledger).await, ["a", "b"]);
}

#[tokio::test]
async fn a_panicking_job_is_undone_and_the_writer_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("s"), &[V1]).unwrap();

    let gone: Result<(), _> = ledger
        .write(|tx| {
            insert("gone")(tx)?;
            panic!("scripted");
        })
        .await;

    assert!(matches!(gone, Err(LedgerError::Closed)));
    ledger.write(insert("after")).await.unwrap();
    assert_eq!(words(&ledger).await, ["after"]);
}

#[tokio::test]
async fn jobs_run_in_the_order_of_their_calls() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("s"), &["CREATE TABLE t (n INTEGER)"]).unwrap();
    let writes = (0..1000).map(|n| {
        let ledger = ledger.clone();
        async move { ledger.write(move |tx| tx.execute("INSERT INTO t VALUES (?1)", [n])).await }
    });

    let set: tokio::task::JoinSet<_> = {
        let mut set = tokio::task::JoinSet::new();
        for write in writes {
            // Polled in order on this one-threaded runtime.
            set.spawn(write);
        }
        set
    };
    for done in set.join_all().await {
        done.unwrap();
    }

    let stored: Vec<i64> = ledger
        .read(|conn| {
            conn.prepare("SELECT n FROM t ORDER BY rowid")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
        .await
        .unwrap();
    assert_eq!(stored, (0..1000).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_older_file_is_migrated_and_a_newer_one_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let old = Ledger::open(&path, &[V1]).unwrap();
    old.write(insert("old")).await.unwrap();
    old.close().await;

    let new = Ledger::open(&path, &[V1, V2]).unwrap();
    assert_eq!(words(&new).await, ["old"]);
    new.close().await;

    let refused = Ledger::open(&path, &[V1]);
    assert!(matches!(refused, Err(LedgerError::Newer { found: 2, known: 1 })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn many_who_open_a_new_file_at_once_migrate_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let migrations = ["CREATE TABLE a (n INTEGER)", "CREATE TABLE b (n INTEGER)"];
    let opening = (0..8).map(|_| {
        let path = path.clone();
        tokio::task::spawn_blocking(move || Ledger::open(&path, &migrations).map(drop))
    });
    for opened in opening.collect::<Vec<_>>() {
        opened.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_failing_migration_leaves_the_file_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    drop(Ledger::open(&path, &[V1]).unwrap());

    let failed = Ledger::open(&path, &[V1, "CREATE TABLE half (x); NONSENSE"]);
    assert!(matches!(failed, Err(LedgerError::Migration { number: 2, .. })));

    let fine = Ledger::open(&path, &[V1, "CREATE TABLE half (x)"]);
    assert!(fine.is_ok(), "the half migration was not undone");
}

#[tokio::test]
async fn writes_after_close_fail_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("s"), &[V1]).unwrap();
    ledger.close().await;
    assert!(matches!(ledger.write(insert("late")).await, Err(LedgerError::Closed)));
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_private_from_the_first_byte() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("store"), &[V1]).unwrap();
    ledger.write(insert("secret")).await.unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test]
async fn a_glance_sees_every_write_that_has_returned() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("store.sqlite"), &[V1]).unwrap();
    for (n, word) in (1..).zip(["one", "two", "three"]) {
        ledger.write(insert(word)).await.unwrap();
        let count = |conn: &Connection| -> rusqlite::Result<i64> {
            conn.prepare_cached("SELECT count(*) FROM word")?.query_row([], |row| row.get(0))
        };
        assert_eq!(ledger.glance(count).unwrap(), n);
    }
}

#[tokio::test]
async fn more_reads_than_there_are_connections_all_come_to_their_turn() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("store.sqlite"), &[V1]).unwrap();
    ledger.write(insert("one")).await.unwrap();
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let ledger = ledger.clone();
        reads.spawn(async move { words(&ledger).await });
    }
    assert_eq!(reads.join_all().await, vec![["one"]; 100]);
}

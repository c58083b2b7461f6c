//! What is done with leaves nothing behind.

use std::path::Path;
use std::time::{Duration, SystemTime};

use contract::{Content, Media, MediaKind};

use crate::host::TestHost;
use crate::polling::{brisk_scene, hasty};
use crate::receiving::wait_until;

const TURNS: u32 = 200;
/// Longer than anything is kept.
const RETENTION: Duration = Duration::from_secs(31 * 24 * 60 * 60);

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    ["outbox", "received", "quoted"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(dir.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[cfg(target_os = "linux")]
fn n_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Demand 41: two hundred turns with media in both directions leave the folders
/// empty when their time is over.
#[tokio::test]
async fn media_are_gone_when_their_time_is_over() {
    let scene = brisk_scene().await;
    let dir = scene.dir.path();
    let elsewhere = tempfile::tempdir().unwrap();
    let answer = elsewhere.path().join("answer.txt");
    std::fs::write(&answer, "an answer").unwrap();
    let mut settings = hasty(dir);
    settings.intake.merge = weixin::MergeSettings::off();
    settings.sending.limits.burst = None;
    settings.sending.limits.pace = Duration::ZERO;
    let host = TestHost::start_on(settings.clone()).await;
    for n in 0..TURNS {
        scene.alice.sends_file(format!("file {n}").as_bytes(), "file.txt").await;
        let turn = host.hears().await;
        let media = Content::Media(Media::file(MediaKind::File, answer.clone(), "answer.txt"));
        host.gives(&turn.turn, 0, media).await;
        host.finishes(&turn.turn).await;
    }
    scene.alice.sees_from_bots(TURNS as usize).await;
    wait_until(&host, |status| status["outbox"] == 0 && status["inbox"] == 0).await;
    host.stops().await;
    // What came in and what may be quoted, in both directions.
    assert_eq!(files(dir).len(), 3 * TURNS as usize);

    let then = SystemTime::now() - RETENTION;
    for file in files(dir) {
        std::fs::File::options().write(true).open(file).unwrap().set_modified(then).unwrap();
    }
    settings.clock.advance(RETENTION);
    let host = TestHost::start_on(settings).await;
    scene.until("empty folders", || files(dir).is_empty()).await;
    host.stops().await;
    let store = rusqlite::Connection::open(dir.join("channel.sqlite")).unwrap();
    for table in ["inbox", "outbox", "quote"] {
        let count = format!("SELECT count(*) FROM {table}");
        let n: i64 = store.query_row(&count, [], |row| row.get(0)).unwrap();
        assert_eq!(n, 0, "{table}");
    }
}

/// Demand 41: neither turns nor restarts leave descriptors open. In a process of
/// its own, since tests beside this one open some, too.
#[cfg(target_os = "linux")]
#[test]
fn no_descriptor_is_left_open() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "bounded::opens_and_closes_for_its_parent"])
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "runs in a child of the test above"]
async fn opens_and_closes_for_its_parent() {
    let scene = brisk_scene().await;
    let mut settings = hasty(scene.dir.path());
    settings.intake.merge = weixin::MergeSettings::off();
    settings.sending.limits.burst = None;
    let mut before = 0;
    for round in 0..6 {
        let host = TestHost::start_on(settings.clone()).await;
        for _ in 0..10 {
            scene.alice.sends_file(b"file", "file.txt").await;
            host.answers("thanks").await;
            assert_eq!(scene.alice.hears().await, "thanks");
        }
        host.stops().await;
        if round == 1 {
            before = n_descriptors();
        }
    }
    // Connections that the client or the backend keeps alive come and go.
    let now = n_descriptors();
    assert!(now <= before + 8, "{before} descriptors became {now}");
}

//! Other versions of the file.

use std::time::Duration;

use config::Watcher;
use tokio::time::{Instant, timeout};

use crate::folder::Folder;

/// Long beyond everything that a watcher waits for.
const LONG: Duration = Duration::from_secs(60);
/// The clock is paused: what takes this long has not happened.
const NEVER: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn a_version_is_told_once_when_it_has_settled() {
    let folder = Folder::with("{n: 1}");
    let mut watcher = Watcher::new(&folder.file().read().unwrap());
    assert!(timeout(NEVER, watcher.changed()).await.is_err(), "nothing has changed");

    folder.write("config.json5", "{n: 22}");
    let begun = Instant::now();
    timeout(LONG, watcher.changed()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
    assert!(timeout(NEVER, watcher.changed()).await.is_err(), "it was told already");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_loses_nothing() {
    let folder = Folder::with("{n: 1}");
    let mut watcher = Watcher::new(&folder.file().read().unwrap());
    folder.write("config.json5", "{n: 22}");
    assert!(timeout(Duration::from_millis(300), watcher.changed()).await.is_err());
    timeout(LONG, watcher.changed()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_changed_before_the_watch_began_is_told() {
    let folder = Folder::with("{n: 1}");
    let loaded = folder.file().read().unwrap();
    folder.write("config.json5", "{n: 22}");
    timeout(LONG, Watcher::new(&loaded).changed()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn includes_are_watched_and_a_file_that_is_gone_is_no_news() {
    let folder = Folder::with("{$include: 'a.json5'}");
    folder.write("a.json5", "{n: 1}");
    let mut watcher = Watcher::new(&folder.file().read().unwrap());
    folder.write("a.json5", "{n: 22}");
    timeout(LONG, watcher.changed()).await.unwrap();
    watcher.follow(&folder.file().read().unwrap());

    std::fs::remove_file(folder.path("config.json5")).unwrap();
    assert!(timeout(NEVER, watcher.changed()).await.is_err());
    folder.write("config.json5", "{}");
    timeout(LONG, watcher.changed()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_not_there_is_seen_when_it_comes() {
    let folder = Folder::empty();
    let mut watcher = Watcher::new(&folder.file().read().unwrap());
    folder.write("config.json5", "{}");
    timeout(LONG, watcher.changed()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_besides_is_watched_on_with_every_version() {
    let folder = Folder::with("{n: 1}");
    let file = folder.path("plugins.json");
    let mut watcher = Watcher::new(&folder.file().read().unwrap()).beside(file);
    for text in ["{}", "{ }"] {
        assert!(timeout(NEVER, watcher.changed()).await.is_err(), "nothing has changed");
        folder.write("plugins.json", text);
        timeout(LONG, watcher.changed()).await.unwrap();
        watcher.follow(&folder.file().read().unwrap());
    }
    folder.write("config.json5", "{n: 22}");
    timeout(LONG, watcher.changed()).await.unwrap();
}

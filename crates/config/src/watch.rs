//! Tells when the file, or one that it includes, has another version.

use std::fs;
use std::path::{Path as FilePath, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use crate::file::Loaded;

/// How often files are looked at when nothing happens.
const LOOK: Duration = Duration::from_millis(500);
/// How often they are looked at while they change.
const LOOK_CLOSELY: Duration = Duration::from_millis(50);
/// How long a file that was written must stay as it is before it counts.
const SETTLED: Duration = Duration::from_millis(200);
/// How long further changes are waited for, after that.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// Tells one version of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    /// Which file it is: another one after a rename.
    number: u64,
}

impl Stamp {
    /// Looks at a file; `None` when there is none.
    #[must_use]
    pub fn of(path: &FilePath) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self { modified: found.modified().ok(), len: found.len(), number: number(&found) })
    }
}

#[cfg(unix)]
fn number(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> u64 {
    0
}

/// Watches the files of a configuration.
///
/// A file that has gone is no news: it is perhaps about to be replaced.
#[derive(Debug)]
pub struct Watcher {
    /// The configuration's own, and behind them those that are watched besides.
    files: Vec<PathBuf>,
    /// As they were when they were read, and with each version that was told.
    told: Vec<Option<Stamp>>,
    /// How many are the configuration's own.
    n_own: usize,
}

impl Watcher {
    /// Watches the files that were read, from that moment on.
    #[must_use]
    pub fn new(loaded: &Loaded) -> Self {
        let mut watcher = Self { files: Vec::new(), told: Vec::new(), n_own: 0 };
        watcher.follow(loaded);
        watcher
    }

    /// Watches a file besides that is read together with the configuration.
    #[must_use]
    pub fn beside(mut self, file: PathBuf) -> Self {
        self.told.push(Stamp::of(&file));
        self.files.push(file);
        self
    }

    /// Watches the files of another version from now on. To be called with what
    /// was read after [`changed`](Self::changed); what cannot be read is
    /// watched on as it was.
    pub fn follow(&mut self, loaded: &Loaded) {
        let files = loaded.sources.iter().map(|source| source.path.clone());
        let told = loaded.sources.iter().map(|source| source.stamp);
        self.files.splice(..self.n_own, files);
        self.told.splice(..self.n_own, told);
        self.n_own = loaded.sources.len();
    }

    /// Waits for another version that has settled: unchanged for 200 ms, and
    /// then for 300 ms more.
    ///
    /// Cancel safe: nothing is lost, a version that was not told is told next.
    pub async fn changed(&mut self) {
        loop {
            let seen = self.settled().await;
            if self.is_news(&seen) {
                self.told = seen;
                return;
            }
            sleep(LOOK).await;
        }
    }

    /// Returns what is there once it has stopped changing.
    async fn settled(&self) -> Vec<Option<Stamp>> {
        let mut seen = self.look();
        if !self.is_news(&seen) {
            return seen;
        }
        let mut since = Instant::now();
        while since.elapsed() < SETTLED + DEBOUNCE {
            sleep(LOOK_CLOSELY).await;
            let now = self.look();
            if now != seen {
                seen = now;
                since = Instant::now();
            }
        }
        seen
    }

    fn look(&self) -> Vec<Option<Stamp>> {
        self.files.iter().map(|path| Stamp::of(path)).collect()
    }

    fn is_news(&self, seen: &[Option<Stamp>]) -> bool {
        seen.iter().zip(&self.told).any(|(seen, told)| seen.is_some() && seen != told)
    }
}

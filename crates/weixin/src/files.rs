//! The channel's own copies of media: what waits to leave, what came in.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::store::Store;

/// How long received media stay for the agents that were given their paths.
const RECEIVED_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Takes a copy of a host's file into the outbox folder; on disk when it returns.
pub(crate) async fn adopt(from: &Path, files: &Path, name: &str) -> std::io::Result<()> {
    let from = tokio::fs::File::open(from).await?;
    adopt_open(from.into_std().await, files, name).await
}

/// Takes a copy of an open file, whatever its path leads to by now.
pub(crate) async fn adopt_open(mut from: File, files: &Path, name: &str) -> std::io::Result<()> {
    let to = files.join(name);
    let copying = tokio::task::spawn_blocking(move || {
        let mut to = create_private(&to)?;
        std::io::copy(&mut from, &mut to)?;
        to.sync_all()
    });
    copying.await.unwrap_or_else(|err| Err(std::io::Error::other(err)))
}

/// Writes a file of our own; on disk when it returns.
pub(crate) async fn write_new(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let (path, content) = (path.to_owned(), content.to_owned());
    let writing = tokio::task::spawn_blocking(move || {
        let mut file = create_private(&path)?;
        file.write_all(&content)?;
        file.sync_all()
    });
    writing.await.unwrap_or_else(|err| Err(std::io::Error::other(err)))
}

/// Creates a file that is not there yet, readable by its owner alone, whoever
/// may read what is copied into it.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Removes copies that no row of the outbox needs. Those younger than `age` are
/// left alone: their row may be about to be written.
pub(crate) async fn sweep_outbox(files: &Path, store: &Store, age: Duration) {
    match store.needed_files().await {
        Ok(needed) => sweep(files, &needed, age).await,
        Err(err) => tracing::warn!(error = %err, "the outbox folder was not swept"),
    }
}

/// Removes received media that are old.
pub(crate) async fn sweep_received(files: &Path) {
    sweep(files, &HashSet::new(), RECEIVED_LIFE).await;
}

/// Removes files that are not needed and not younger than `age`.
pub(crate) async fn sweep(files: &Path, needed: &HashSet<String>, age: Duration) {
    if let Err(err) = try_sweep(files, needed, age).await {
        tracing::warn!(folder = %files.display(), error = %err, "old files not removed");
    }
}

async fn try_sweep(files: &Path, needed: &HashSet<String>, age: Duration) -> std::io::Result<()> {
    let mut entries = tokio::fs::read_dir(files).await?;
    while let Some(entry) = entries.next_entry().await? {
        let is_needed = entry.file_name().to_str().is_some_and(|name| needed.contains(name));
        let modified = entry.metadata().await?.modified()?;
        if !is_needed && modified.elapsed().unwrap_or_default() >= age {
            tokio::fs::remove_file(entry.path()).await?;
        }
    }
    Ok(())
}

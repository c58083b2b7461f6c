//! The channel's own copies of media: what waits to leave, what came in.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use crate::store::Store;

/// How long received media stay for the agents that were given their paths.
const RECEIVED_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Takes a copy of a host's file into the outbox folder; on disk when it returns.
pub(crate) async fn adopt(from: &Path, files: &Path, name: &str) -> std::io::Result<()> {
    let to = files.join(name);
    tokio::fs::copy(from, &to).await?;
    tokio::fs::File::open(&to).await?.sync_all().await
}

/// Takes a copy of an open file, whatever its path leads to by now.
pub(crate) async fn adopt_open(from: File, files: &Path, name: &str) -> std::io::Result<()> {
    let mut from = tokio::fs::File::from_std(from);
    let mut to = tokio::fs::File::create_new(files.join(name)).await?;
    tokio::io::copy(&mut from, &mut to).await?;
    to.sync_all().await
}

/// Writes a file of our own; on disk when it returns.
pub(crate) async fn write_new(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = tokio::fs::File::create_new(path).await?;
    file.write_all(content).await?;
    file.sync_all().await
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

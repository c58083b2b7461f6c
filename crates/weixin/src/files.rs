//! The channel's own copies of media: what waits to leave, what came in.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use crate::store::Store;

/// How long received media stay for the agents that were given their paths.
const RECEIVED_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Takes a copy of a host's file into the outbox folder; on disk when it returns.
pub(crate) async fn adopt(from: &Path, files: &Path, name: &str) -> std::io::Result<()> {
    let to = files.join(name);
    tokio::fs::copy(from, &to).await?;
    tokio::fs::File::open(&to).await?.sync_all().await
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

async fn sweep(files: &Path, needed: &HashSet<String>, age: Duration) {
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

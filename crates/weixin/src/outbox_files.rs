//! The channel's own copies of media that wait to leave.

use std::path::Path;
use std::time::Duration;

use crate::store::Store;

/// Takes a copy of a host's file into the folder; on disk when it returns.
pub(crate) async fn adopt(from: &Path, files: &Path, name: &str) -> std::io::Result<()> {
    let to = files.join(name);
    tokio::fs::copy(from, &to).await?;
    tokio::fs::File::open(&to).await?.sync_all().await
}

/// Removes copies that no row needs. Those younger than `age` are left alone:
/// their row may be about to be written.
pub(crate) async fn sweep(files: &Path, store: &Store, age: Duration) {
    if let Err(err) = try_sweep(files, store, age).await {
        tracing::warn!(error = %err, "unneeded copies of media not removed");
    }
}

async fn try_sweep(files: &Path, store: &Store, age: Duration) -> std::io::Result<()> {
    let needed = store.needed_files().await.map_err(std::io::Error::other)?;
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

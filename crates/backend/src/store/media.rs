//! Upload tickets and media: rows here, bytes in files.

use std::path::PathBuf;

use ilink::{BotId, UserId};
use ledger::LedgerError;
use rusqlite::{OptionalExtension as _, Row};

use super::Store;

/// Permission to put one media on the CDN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) hash: String,
    pub(crate) bot: BotId,
    pub(crate) user: UserId,
    pub(crate) filekey: String,
    pub(crate) raw_size: u64,
    /// Size of the cipher text.
    pub(crate) size: u64,
    pub(crate) expires_at: u64,
}

/// Bytes on the CDN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaFile {
    pub(crate) hash: String,
    pub(crate) bot: BotId,
    pub(crate) user: UserId,
    pub(crate) raw_size: u64,
    /// Size of the cipher text.
    pub(crate) size: u64,
    pub(crate) created_at: u64,
}

impl Store {
    /// Returns the folder of the media files.
    pub(crate) fn media_dir(&self) -> &std::path::Path {
        &self.media
    }

    /// Returns the file of a media. The hash is ours, so no name leaves the folder.
    pub(crate) fn media_path(&self, hash: &str) -> PathBuf {
        self.media.join(hash)
    }

    pub(crate) async fn add_tickets(&self, tickets: Vec<Ticket>) -> Result<(), LedgerError> {
        const SQL: &str =
            "INSERT INTO tickets (hash, bot, user, filekey, raw_size, size, expires_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.ledger
            .write(move |tx| {
                for it in &tickets {
                    let row = (
                        &it.hash,
                        it.bot.as_str(),
                        it.user.as_str(),
                        &it.filekey,
                        it.raw_size,
                        it.size,
                        it.expires_at,
                    );
                    tx.prepare_cached(SQL)?.execute(row)?;
                }
                Ok(())
            })
            .await
    }

    pub(crate) async fn ticket(&self, hash: String) -> Result<Option<Ticket>, LedgerError> {
        const SQL: &str = "SELECT hash, bot, user, filekey, raw_size, size, expires_at
            FROM tickets WHERE hash = ?1";
        self.ledger
            .read(move |conn| conn.prepare_cached(SQL)?.query_row([hash], ticket).optional())
            .await
    }

    /// Adds a media whose file is on disk, unless all media would exceed `most` bytes.
    pub(crate) async fn add_media(&self, media: MediaFile, most: u64) -> Result<bool, LedgerError> {
        const SQL: &str = "INSERT INTO media (hash, bot, user, raw_size, size, created_at)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6
            WHERE (SELECT coalesce(sum(size), 0) FROM media) + ?5 <= ?7";
        self.ledger
            .write(move |tx| {
                let row = (
                    &media.hash,
                    media.bot.as_str(),
                    media.user.as_str(),
                    media.raw_size,
                    media.size,
                    media.created_at,
                    most,
                );
                Ok(tx.prepare_cached(SQL)?.execute(row)? == 1)
            })
            .await
    }

    pub(crate) async fn media(&self, hash: String) -> Result<Option<MediaFile>, LedgerError> {
        const SQL: &str = "SELECT hash, bot, user, raw_size, size, created_at FROM media
            WHERE hash = ?1";
        self.ledger
            .read(move |conn| conn.prepare_cached(SQL)?.query_row([hash], media_file).optional())
            .await
    }

    /// Forgets tickets that expired before `now_ms`, and media older than
    /// `media_before`. Returns the names of the files to remove.
    pub(crate) async fn forget_media(
        &self,
        now_ms: u64,
        media_before: Option<u64>,
    ) -> Result<Vec<String>, LedgerError> {
        const MEDIA: &str = "DELETE FROM media WHERE created_at < ?1 RETURNING hash";
        self.ledger
            .write(move |tx| {
                tx.prepare_cached("DELETE FROM tickets WHERE expires_at < ?1")?
                    .execute([now_ms])?;
                let mut query = tx.prepare_cached(MEDIA)?;
                query.query_map([media_before.unwrap_or(0)], |row| row.get(0))?.collect()
            })
            .await
    }
}

fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    Ok(Ticket {
        hash: row.get(0)?,
        bot: BotId::new(row.get::<_, String>(1)?),
        user: UserId::new(row.get::<_, String>(2)?),
        filekey: row.get(3)?,
        raw_size: row.get(4)?,
        size: row.get(5)?,
        expires_at: row.get(6)?,
    })
}

fn media_file(row: &Row<'_>) -> rusqlite::Result<MediaFile> {
    Ok(MediaFile {
        hash: row.get(0)?,
        bot: BotId::new(row.get::<_, String>(1)?),
        user: UserId::new(row.get::<_, String>(2)?),
        raw_size: row.get(3)?,
        size: row.get(4)?,
        created_at: row.get(5)?,
    })
}

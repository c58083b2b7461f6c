//! What was said before, kept for messages that refer to it.
//!
//! Newer phones quote by the backend's id alone. So each message that an
//! admitted peer says, and each that we say, is remembered by that id, with its
//! media, within a budget. A quote that cannot be resolved never costs the
//! message that carries it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::{AccountId, Attachment, Author, MediaKind, Quote};
use ilink::MessageId;
use ilink::wire::RefMsg;
use ledger::LedgerError;
use serde::{Deserialize, Serialize};

use crate::credentials::files::create_private_dir;
use crate::inbound::text_of_item;
use crate::received_files::mime_of;
use crate::settings::LiveSettings;
use crate::store::{KeptMedia, OfficialQuote, Remembered, Store, Talk, read_official};

mod partial;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest text that is remembered, in bytes.
const LONGEST_TEXT: usize = 64 << 10;

/// What is kept for quotes: the official plugin's `quoteCache`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct QuoteSettings {
    /// Whether anything is kept and looked up.
    pub enabled: bool,
    /// How long messages are kept.
    #[serde(rename = "retentionDays", with = "days")]
    pub retention: Duration,
    /// How many messages are kept for each account.
    pub max_messages_per_account: u64,
    /// How long their media are kept.
    #[serde(rename = "mediaRetentionDays", with = "days")]
    pub media_retention: Duration,
    /// How many bytes of media are kept for each account.
    pub max_media_bytes_per_account: u64,
    /// The largest media that is kept, in bytes.
    pub max_single_media_bytes: u64,
}

impl Default for QuoteSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            retention: 30 * DAY,
            max_messages_per_account: 10_000,
            media_retention: 7 * DAY,
            max_media_bytes_per_account: 256 << 20,
            max_single_media_bytes: 25 << 20,
        }
    }
}

/// Durations as days, with fractions.
mod days {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::DAY;

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.div_duration_f64(DAY))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let days = f64::deserialize(from)?;
        Duration::try_from_secs_f64(days * DAY.as_secs_f64()).map_err(D::Error::custom)
    }
}

/// Remembers what was said. Clones share the memory.
#[derive(Clone)]
pub(crate) struct Quotes {
    pub(crate) store: Store,
    /// Where media of quoted messages lie.
    pub(crate) dir: PathBuf,
    pub(crate) live: LiveSettings,
}

/// What an import brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Imported {
    /// How many messages were not known before.
    pub(crate) n: usize,
}

/// Why an import failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("the official plugin's store cannot be read")]
    Read(#[source] LedgerError),
    #[error(transparent)]
    Store(#[from] LedgerError),
}

/// How a media gets into our folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// As another name of the same file, if that can be: it is ours.
    Link,
    /// As a file of its own: it is another program's.
    Copy,
}

impl Quotes {
    /// Opens the memory; makes the folder for media.
    pub(crate) fn open(store: Store, live: LiveSettings) -> std::io::Result<Self> {
        let dir = live.now().quoted();
        create_private_dir(&dir)?;
        Ok(Self { store, dir, live })
    }

    fn settings(&self, account: &AccountId) -> QuoteSettings {
        self.live.of(account).receiving.now().quote_cache.clone()
    }

    /// Remembers what an admitted peer said.
    pub(crate) async fn record_inbound(
        &self,
        talk: &Talk,
        message_id: String,
        text: &str,
        media: &[Attachment],
        now_ms: i64,
    ) {
        let said = self.said(talk, message_id, Author::Peer, text, media, now_ms).await;
        let Some(said) = said else { return };
        // It costs a quote at worst.
        if let Err(err) = self.store.remember(vec![said]).await {
            tracing::warn!(error = %err, "a message cannot be quoted later");
        }
    }

    /// Returns what we said, once the backend has given it an id, to be stored
    /// with the note that it has left.
    pub(crate) async fn outbound(
        &self,
        talk: &Talk,
        message_id: &MessageId,
        text: &str,
        media: &[Attachment],
        now_ms: i64,
    ) -> Option<Remembered> {
        self.said(talk, message_id.to_string(), Author::Us, text, media, now_ms).await
    }

    async fn said(
        &self,
        talk: &Talk,
        message_id: String,
        author: Author,
        text: &str,
        media: &[Attachment],
        created_at_ms: i64,
    ) -> Option<Remembered> {
        let settings = self.settings(&talk.account);
        if !settings.enabled {
            return None;
        }
        let mut kept = Vec::new();
        for attachment in media {
            kept.push(self.keep(attachment, &settings, Keep::Link).await);
        }
        let text = text[..text.floor_char_boundary(LONGEST_TEXT)].to_owned();
        let talk = talk.clone();
        Some(Remembered { talk, message_id, author, text, media: kept, created_at_ms })
    }

    /// Keeps a media's bytes under a name of their own, if they are not too large.
    async fn keep(
        &self,
        attachment: &Attachment,
        settings: &QuoteSettings,
        how: Keep,
    ) -> KeptMedia {
        let Attachment { kind, name, mime, path, transcript, problem: _ } = attachment.clone();
        let mut media = KeptMedia { kind, name, mime, file: None, bytes: 0, transcript };
        let Some(path) = path else {
            return media;
        };
        match self.bring(&path, settings.max_single_media_bytes, how).await {
            Ok(Some((file, bytes))) => (media.file, media.bytes) = (Some(file), bytes),
            Ok(None) => {}
            Err(err) => tracing::warn!(error = %err, "a media cannot be quoted later"),
        }
        media
    }

    async fn bring(
        &self,
        path: &Path,
        most: u64,
        how: Keep,
    ) -> std::io::Result<Option<(String, u64)>> {
        let found = tokio::fs::symlink_metadata(path).await?;
        if !found.is_file() || found.len() > most {
            return Ok(None);
        }
        let mut file = uuid::Uuid::new_v4().to_string();
        if let Some(extension) = path.extension().and_then(|text| text.to_str()) {
            file.push('.');
            file.push_str(extension);
        }
        let to = self.dir.join(&file);
        if how == Keep::Copy || tokio::fs::hard_link(path, &to).await.is_err() {
            // Another file system, or one without links.
            crate::files::adopt(path, &self.dir, &file).await?;
        }
        Ok(Some((file, found.len())))
    }

    /// Finds the quoted message in the memory.
    pub(crate) async fn find(&self, talk: &Talk, reference: &RefMsg) -> Option<Quote> {
        let enabled = self.settings(&talk.account).enabled;
        let message_id = id_of(reference).filter(|_| enabled)?;
        let found = self.store.remembered(talk, &message_id).await.unwrap_or_else(|err| {
            tracing::warn!(error = %err, "quotes cannot be looked up");
            None
        })?;
        let attachments = found.media.into_iter().map(|media| self.attachment(media)).collect();
        let text = selected(reference, found.text);
        Some(Quote { message_id: Some(message_id), author: Some(found.author), text, attachments })
    }

    fn attachment(&self, media: KeptMedia) -> Attachment {
        let path = media.file.map(|file| self.dir.join(file)).filter(|path| path.is_file());
        let problem = path.is_none().then(|| "it is no longer kept".to_owned());
        let KeptMedia { kind, name, mime, transcript, .. } = media;
        Attachment { kind, name, mime, path, problem, transcript }
    }

    /// Forgets what is over the budget, and removes files that nothing refers
    /// to. Those younger than `age` are left: their row may be about to be written.
    pub(crate) async fn prune(&self, now_ms: i64, age: std::time::Duration) {
        match self.prune_rows(now_ms).await {
            Ok(needed) => crate::files::sweep(&self.dir, &needed, age).await,
            Err(err) => tracing::warn!(error = %err, "old quotes not forgotten"),
        }
    }

    async fn prune_rows(&self, now_ms: i64) -> Result<HashSet<String>, LedgerError> {
        for account in self.store.quoted_accounts().await? {
            let settings = self.settings(&account);
            self.store.prune_quotes(account, settings, now_ms).await?;
        }
        self.store.quoted_files().await
    }

    /// Takes over what the official plugin has remembered, unless something is
    /// remembered here already. Its store is only read.
    pub(crate) async fn import(&self, path: &Path) -> Result<Imported, ImportError> {
        if !path.exists() || !self.store.remembers_nothing().await? {
            return Ok(Imported { n: 0 });
        }
        let n = self.take(read(path).await?, path, Keep::Link).await?;
        Ok(Imported { n })
    }

    /// Takes over what the official plugin remembers elsewhere and is not
    /// remembered here. Nothing there is touched.
    pub(crate) async fn copy_from(&self, path: &Path) -> Result<usize, ImportError> {
        let unknown = self.store.unknown_of(read(path).await?).await?;
        self.take(unknown, path, Keep::Copy).await
    }

    /// Says how many messages [`Self::copy_from`] would take over.
    pub(crate) async fn would_copy(
        path: &Path,
        store: Option<&Store>,
    ) -> Result<usize, ImportError> {
        let messages = read(path).await?;
        match store {
            Some(store) => Ok(store.unknown_of(messages).await?.len()),
            None => Ok(messages.len()),
        }
    }

    async fn take(
        &self,
        messages: Vec<OfficialQuote>,
        from: &Path,
        how: Keep,
    ) -> Result<usize, ImportError> {
        let mut taken = Vec::new();
        for OfficialQuote { mut message, media_path, media_name, media_mime } in messages {
            if let Some(path) = media_path.map(|path| found(path, from)) {
                let name = media_name.unwrap_or_default();
                let mime = media_mime.or_else(|| mime_of(&path));
                let kind = kind_of(mime.as_deref());
                let (path, problem, transcript) = (Some(path), None, None);
                let media = Attachment { kind, name, mime, path, problem, transcript };
                let settings = self.settings(&message.talk.account);
                message.media.push(self.keep(&media, &settings, how).await);
            }
            taken.push(message);
        }
        Ok(self.store.remember(taken).await?)
    }
}

async fn read(path: &Path) -> Result<Vec<OfficialQuote>, ImportError> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read_official(&path)).await;
    read.unwrap_or(Err(LedgerError::Closed)).map_err(ImportError::Read)
}

/// Returns where a media lies that the official plugin's store names: its
/// folder may have been moved since.
fn found(named: PathBuf, store: &Path) -> PathBuf {
    let folder = store.parent().unwrap_or(Path::new(""));
    let name = folder.file_name().unwrap_or_default();
    let mut parts = named.components();
    while !named.exists() && parts.any(|part| part.as_os_str() == name) {
        let moved = folder.join(parts.as_path());
        if moved.exists() {
            return moved;
        }
    }
    named
}

/// Returns the id of the message that is meant.
pub(crate) fn id_of(reference: &RefMsg) -> Option<String> {
    let item = reference.message_item.as_deref();
    let id = reference.svr_id.as_ref().or_else(|| item?.msg_id.as_ref())?;
    Some(id.to_string())
}

/// Returns what a reference itself says of the quoted message.
pub(crate) fn inline_text(reference: &RefMsg) -> String {
    let item = reference.message_item.as_deref();
    let said = item.filter(|item| item.text_item.is_some()).and_then(text_of_item);
    selected(reference, said.or_else(|| reference.title.clone()).unwrap_or_default())
}

/// Returns the part that was selected, or all of it when that cannot be told.
fn selected(reference: &RefMsg, text: String) -> String {
    let part = reference.partial_text.as_ref().and_then(|it| partial::part(&text, it));
    part.map(str::to_owned).unwrap_or(text)
}

fn kind_of(mime: Option<&str>) -> MediaKind {
    match mime.unwrap_or_default().split('/').next() {
        Some("image") => MediaKind::Image,
        Some("video") => MediaKind::Video,
        Some("audio") => MediaKind::Voice,
        Some(_) | None => MediaKind::File,
    }
}

#[cfg(test)]
mod tests;

//! Media that admitted peers sent, fetched from the CDN.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::{Attachment, MediaKind};
use ilink::cipher::KeyError;
use ilink::media::{self, Limits, MediaError};
use ilink::wire::{CdnMedia, Item, ItemKind};
use ilink::{Backoff, Client, MediaKey, Recovery};
use mediafile::kind::{HEAD, Kind, extension_of};

use crate::codes::Notice;
use crate::intake::IntakeSettings;
use crate::switch::Switch;
use crate::time::pause;

mod voice;

/// How often a media is asked for: its conversation waits meanwhile.
const TRIES: u32 = 5;
const AGAIN: Backoff = Backoff { min: Duration::from_millis(200), max: Duration::from_secs(3) };
/// The longest extension that is taken over from a name.
const LONGEST_EXTENSION: usize = 8;

/// Where received media lie, and how they get there.
pub(crate) struct ReceivedFiles {
    pub(crate) client: Client,
    pub(crate) dir: PathBuf,
    pub(crate) settings: Switch<IntakeSettings>,
}

/// A media item, as far as it came.
pub(crate) struct Received {
    pub(crate) attachment: Attachment,
    /// What to tell its sender if they sent nothing else: nobody can use it.
    pub(crate) loss: Option<Notice>,
}

/// Why a media could not be had.
#[derive(Debug, thiserror::Error)]
enum NotFetched {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Media(#[from] MediaError),
}

impl ReceivedFiles {
    /// Fetches the media of an item, if it is a media item. One that cannot be
    /// had is named without a path: the rest of the message must not wait for it.
    ///
    /// `stem` names the file here; what the sender calls it is only shown.
    pub(crate) async fn fetch(&self, stem: String, item: &Item) -> Option<Received> {
        let (kind, given, media) = described(item)?;
        let extension = given.and_then(safe_extension);
        let mut stored = stem.clone();
        if let Some(extension) = extension {
            stored.push('.');
            stored.push_str(extension);
        }
        let transcript = item.voice_item.as_ref().and_then(|voice| voice.text.clone());
        let transcript = transcript.filter(|text| !text.is_empty());
        let name = given.map(str::to_owned);
        let dest = self.dir.join(stored);
        if let Err(err) = self.download(media, item, &dest).await {
            tracing::warn!(stem, error = %err, "media not fetched");
            let name = name.unwrap_or_else(|| word(kind).to_owned());
            let problem = Some(in_words(&err));
            let attachment = Attachment { kind, name, mime: None, path: None, problem, transcript };
            return Some(Received::new(attachment, Some(loss(&err))));
        }
        let looked_at = tokio::task::spawn_blocking(move || look_at(dest, kind)).await;
        let Ok(Fetched { path, mime }) = looked_at else {
            let (name, problem) = (word(kind).to_owned(), Some("it could not be read".to_owned()));
            let attachment = Attachment { kind, name, mime: None, path: None, problem, transcript };
            return Some(Received::new(attachment, Some(Notice::MediaLost)));
        };
        let name = name.unwrap_or_else(|| name_of(kind, mime.as_deref()));
        let loss = (kind == MediaKind::Voice && !can_be_heard(mime.as_deref()))
            .then_some(Notice::VoiceUnread);
        let attachment =
            Attachment { kind, name, mime, path: Some(path), problem: None, transcript };
        Some(Received::new(attachment, loss))
    }

    async fn download(
        &self,
        media: Option<&CdnMedia>,
        item: &Item,
        dest: &PathBuf,
    ) -> Result<(), NotFetched> {
        let media = media.ok_or(MediaError::NoAddress)?;
        let limits = limits(&self.settings.now());
        if stated_size(item).is_some_and(|bytes| bytes > limits.max_bytes) {
            return Err(MediaError::TooLarge { max: limits.max_bytes }.into());
        }
        let key = key_of(media, item)?;
        let mut tries = 0;
        loop {
            // A crash in the middle of a download leaves a part of it.
            match tokio::fs::remove_file(dest).await {
                Err(err) if err.kind() != ErrorKind::NotFound => {
                    return Err(MediaError::Store(err).into());
                }
                _ => {}
            }
            let fetched = media::download(&self.client, media, key.as_ref(), dest, &limits).await;
            tries += 1;
            match fetched {
                Ok(_) => return Ok(()),
                Err(err) if tries < TRIES && may_pass(&err) => {
                    pause(AGAIN.delay(tries, None)).await;
                }
                Err(err) => return Err(err.into()),
            }
        }
    }
}

impl Received {
    /// A transcript makes up for any loss.
    fn new(attachment: Attachment, loss: Option<Notice>) -> Self {
        let loss = loss.filter(|_| attachment.transcript.is_none());
        Self { attachment, loss }
    }
}

fn limits(settings: &IntakeSettings) -> Limits {
    Limits {
        max_bytes: settings.max_media_bytes,
        other_hosts: settings.media_hosts.clone(),
        ..Limits::default()
    }
}

/// Says whether another try can help: a body that was cut on its way looks like
/// one under another key.
fn may_pass(err: &MediaError) -> bool {
    matches!(err, MediaError::Cipher(_)) || matches!(err.recovery(), Recovery::Retry { .. })
}

/// Returns what a media item is, the name that the sender gave it, and where it lies.
fn described(item: &Item) -> Option<(MediaKind, Option<&str>, Option<&CdnMedia>)> {
    Some(match item.kind? {
        ItemKind::Image => {
            let media = item.image_item.as_ref().and_then(|image| image.media.as_ref());
            (MediaKind::Image, None, media)
        }
        ItemKind::Video => {
            let media = item.video_item.as_ref().and_then(|video| video.media.as_ref());
            (MediaKind::Video, None, media)
        }
        ItemKind::Voice => {
            let media = item.voice_item.as_ref().and_then(|voice| voice.media.as_ref());
            (MediaKind::Voice, None, media)
        }
        ItemKind::File => {
            let file = item.file_item.as_ref();
            let name = file.and_then(|file| file.file_name.as_deref());
            let media = file.and_then(|file| file.media.as_ref());
            (MediaKind::File, name.filter(|name| !name.is_empty()), media)
        }
        ItemKind::Text
        | ItemKind::ToolCallStart
        | ItemKind::ToolCallResult
        | ItemKind::Unknown(_) => return None,
    })
}

/// Returns the plain size that the sender states, where there is one.
fn stated_size(item: &Item) -> Option<u64> {
    item.file_item.as_ref()?.len.map(|len| len.0)
}

fn word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Voice => "voice",
        MediaKind::Video => "video",
        MediaKind::File => "file",
    }
}

/// Names a media that came without a name by what it is.
fn name_of(kind: MediaKind, mime: Option<&str>) -> String {
    match mime.and_then(extension_of) {
        Some(extension) => format!("{}.{extension}", word(kind)),
        None => word(kind).to_owned(),
    }
}

/// Tells what a file is, from its bytes first; nothing of one that cannot be read.
pub(crate) fn mime_of(path: &Path) -> Option<String> {
    let mut head = Vec::with_capacity(HEAD);
    File::open(path).ok()?.take(HEAD as u64).read_to_end(&mut head).ok()?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Some(Kind::of(&head, &name).mime)
}

/// A media that lies here.
struct Fetched {
    path: PathBuf,
    mime: Option<String>,
}

/// Tells what a media is by its bytes, whatever the message calls it, and gives
/// its file the extension that it should have if it has none. A voice message
/// in SILK becomes a WAV file beside it, which agents can hear. Blocks.
fn look_at(path: PathBuf, kind: MediaKind) -> Fetched {
    let mime = mime_of(&path);
    let extension = mime.as_deref().and_then(extension_of).filter(|_| path.extension().is_none());
    let renamed = extension.map(|extension| path.with_extension(extension));
    let path = match renamed {
        Some(renamed) if std::fs::rename(&path, &renamed).is_ok() => renamed,
        Some(_) | None => path,
    };
    if kind == MediaKind::Voice && mime.as_deref() == Some("audio/silk") {
        match voice::to_wav(&path) {
            Ok(wav) => return Fetched { path: wav, mime: Some("audio/wav".to_owned()) },
            // Its transcript, or another decoder, may still do.
            Err(err) => tracing::warn!(error = %err, "a voice message could not be decoded"),
        }
    }
    Fetched { path, mime }
}

/// Says whether agents can listen to a voice message: SILK that was not decoded
/// plays nowhere.
fn can_be_heard(mime: Option<&str>) -> bool {
    mime.is_some_and(|mime| mime.starts_with("audio/") && mime != "audio/silk")
}

/// Says for its sender that a media is missing.
fn loss(err: &NotFetched) -> Notice {
    match err {
        NotFetched::Media(MediaError::TooLarge { max }) => Notice::MediaTooLarge { max: *max },
        NotFetched::Key(_) | NotFetched::Media(_) => Notice::MediaLost,
    }
}

/// Says for an agent why a media is missing.
fn in_words(err: &NotFetched) -> String {
    match err {
        NotFetched::Key(_) | NotFetched::Media(MediaError::Cipher(_)) => {
            "it could not be decrypted".to_owned()
        }
        NotFetched::Media(MediaError::TooLarge { max }) => {
            format!("it is larger than {} MB, the most that is fetched", max >> 20)
        }
        NotFetched::Media(MediaError::HostRefused { .. }) => {
            "it lies on a host that media are not fetched from".to_owned()
        }
        NotFetched::Media(MediaError::NoAddress) => "it came without an address".to_owned(),
        NotFetched::Media(MediaError::Store(_)) => "it could not be stored".to_owned(),
        NotFetched::Media(
            MediaError::Source(_)
            | MediaError::SourceChanged
            | MediaError::Exchange { .. }
            | MediaError::NoTicket
            | MediaError::NoReference,
        ) => "it could not be fetched".to_owned(),
    }
}

fn key_of(media: &CdnMedia, item: &Item) -> Result<Option<MediaKey>, KeyError> {
    match &item.image_item {
        Some(image) => MediaKey::of_image(image),
        None => MediaKey::of_media(media),
    }
}

/// Returns the extension of a name, if it can do no harm in a file name.
fn safe_extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    let harmless = !stem.is_empty()
        && (1..=LONGEST_EXTENSION).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    harmless.then_some(extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_extensions_are_taken_over() {
        let cases = [
            ("报告.pdf", Some("pdf")),
            ("archive.tar.gz", Some("gz")),
            ("no extension", None),
            (".bashrc", None),
            ("trailing.", None),
            ("x.../../etc/passwd", None),
            ("x.%2e", None),
            ("x.muchtoolong", None),
        ];
        for (name, extension) in cases {
            assert_eq!(safe_extension(name), extension, "{name}");
        }
    }
}

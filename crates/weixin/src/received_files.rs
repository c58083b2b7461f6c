//! Media that admitted peers sent, fetched from the CDN.

use std::io::ErrorKind;
use std::path::PathBuf;

use contract::{Attachment, MediaKind};
use ilink::cipher::KeyError;
use ilink::media::{self, Limits, MediaError};
use ilink::wire::{CdnMedia, Item, ItemKind};
use ilink::{Client, MediaKey, Recovery};

/// How often a media is asked for.
const TRIES: u32 = 2;
/// The longest extension that is taken over from a name.
const LONGEST_EXTENSION: usize = 8;

/// Where received media lie, and how they get there.
pub(crate) struct ReceivedFiles {
    pub(crate) client: Client,
    pub(crate) dir: PathBuf,
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
    pub(crate) async fn fetch(&self, row: i64, n: usize, item: &Item) -> Option<Attachment> {
        let (kind, name, media) = described(item)?;
        let mut stored = format!("t{row}-{n}");
        if let Some(extension) = safe_extension(&name) {
            stored.push('.');
            stored.push_str(extension);
        }
        let dest = self.dir.join(stored);
        let path = match self.download(media, item, &dest).await {
            Ok(()) => Some(dest),
            Err(err) => {
                tracing::warn!(row, n, error = %err, "media not fetched");
                None
            }
        };
        let transcript = item.voice_item.as_ref().and_then(|voice| voice.text.clone());
        let problem = path.is_none().then(|| "it could not be fetched".to_owned());
        Some(Attachment { kind, name, mime: None, path, problem, transcript })
    }

    async fn download(
        &self,
        media: Option<&CdnMedia>,
        item: &Item,
        dest: &PathBuf,
    ) -> Result<(), NotFetched> {
        let media = media.ok_or(MediaError::NoAddress)?;
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
            let limits = Limits::default();
            let fetched = media::download(&self.client, media, key.as_ref(), dest, &limits).await;
            tries += 1;
            match fetched {
                Ok(_) => return Ok(()),
                Err(err) if tries < TRIES && matches!(err.recovery(), Recovery::Retry { .. }) => {}
                Err(err) => return Err(err.into()),
            }
        }
    }
}

fn described(item: &Item) -> Option<(MediaKind, String, Option<&CdnMedia>)> {
    Some(match item.kind? {
        ItemKind::Image => {
            let media = item.image_item.as_ref().and_then(|image| image.media.as_ref());
            (MediaKind::Image, "image".to_owned(), media)
        }
        ItemKind::Video => {
            let media = item.video_item.as_ref().and_then(|video| video.media.as_ref());
            (MediaKind::Video, "video".to_owned(), media)
        }
        ItemKind::Voice => {
            let media = item.voice_item.as_ref().and_then(|voice| voice.media.as_ref());
            (MediaKind::Voice, "voice".to_owned(), media)
        }
        ItemKind::File => {
            let file = item.file_item.as_ref();
            let name = file.and_then(|file| file.file_name.clone());
            let media = file.and_then(|file| file.media.as_ref());
            (MediaKind::File, name.unwrap_or_else(|| "file".to_owned()), media)
        }
        ItemKind::Text
        | ItemKind::ToolCallStart
        | ItemKind::ToolCallResult
        | ItemKind::Unknown(_) => return None,
    })
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

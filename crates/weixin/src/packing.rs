//! Brings a message's media to the CDN and makes the item that shows them.

use std::fs::File;
use std::path::{Path, PathBuf};

use contract::MediaKind;
use ilink::media::{self, Limits, Source, Upload, Uploaded, VideoFacts, VoiceFacts};
use ilink::wire::{Item, ItemKind, MediaType, ToolCallItem, VoiceEncoding};
use ilink::{Client, UserId};
use mediafile::facts::{Facts, inspect};
use mediafile::kind::Class;
use mediafile::preview::{Preview, PreviewLimits, preview};
use mediafile::remote::Fetcher;

use crate::outcome::Failed;
use crate::sending::SendSettings;
use crate::store::{Payload, Talk};
use crate::switch::Switch;

/// Packs the messages of one account.
pub(crate) struct Packing {
    pub(crate) client: Client,
    /// Where copies of media lie.
    pub(crate) files: PathBuf,
    pub(crate) fetcher: Switch<Fetcher>,
}

/// What became of a message's media.
pub(crate) enum Packed {
    /// It can be sent.
    Item(Box<Item>),
    /// Its address cannot be used: this is said instead.
    Instead(String),
}

/// A file that is to leave.
struct Parcel<'a> {
    path: &'a Path,
    name: &'a str,
    kind: Option<MediaKind>,
    as_file: bool,
}

impl Packing {
    /// Makes the item of a message; media go up to the CDN first.
    ///
    /// # Errors
    ///
    /// When they cannot be read or do not arrive.
    pub(crate) async fn pack(
        &self,
        talk: &Talk,
        payload: &Payload,
        settings: &SendSettings,
    ) -> Result<Packed, Failed> {
        let item = match payload {
            Payload::Text(text) | Payload::Markdown(text) => Item::text(text),
            Payload::ToolStarted { tool, call_id } => Item {
                tool_call_start_item: Some(tool_call(tool, call_id, None)),
                ..Item::of_kind(ItemKind::ToolCallStart)
            },
            Payload::ToolEnded { tool, call_id, status } => Item {
                tool_call_result_item: Some(tool_call(tool, call_id, Some(status))),
                ..Item::of_kind(ItemKind::ToolCallResult)
            },
            Payload::Media { kind, name, file, as_file } => {
                let path = self.files.join(file);
                let parcel = Parcel { path: &path, name, kind: *kind, as_file: *as_file };
                self.upload(&talk.peer, &parcel, settings).await?
            }
            Payload::Remote { kind, name, url, as_file, instead } => {
                let fetched = match self.fetcher.now().fetch(url, &self.files).await {
                    Ok(fetched) => fetched,
                    Err(err) => {
                        tracing::warn!(account = %talk.account, error = %err, "media not fetched; told instead");
                        return Ok(Packed::Instead(instead.clone()));
                    }
                };
                let name = name.as_deref().or(fetched.name.as_deref()).unwrap_or("file");
                let parcel = Parcel { path: &fetched.path, name, kind: *kind, as_file: *as_file };
                self.upload(&talk.peer, &parcel, settings).await?
            }
        };
        Ok(Packed::Item(Box::new(item)))
    }

    async fn upload(
        &self,
        to: &UserId,
        parcel: &Parcel<'_>,
        settings: &SendSettings,
    ) -> Result<Item, Failed> {
        let (path, name) = (parcel.path.to_owned(), parcel.name.to_owned());
        let looked = tokio::task::spawn_blocking(move || look(&path, &name)).await;
        let (facts, shown) = looked.unwrap_or_default();
        let face = face_of(parcel, facts.as_ref(), settings);
        let thumb = shown.filter(|_| matches!(face, MediaType::Image | MediaType::Video));
        let thumb_size = thumb.as_ref().map(|thumb| (thumb.size.width, thumb.size.height));
        let upload = Upload {
            to: to.clone(),
            kind: face,
            source: Source::File(parcel.path.to_owned()),
            thumb: thumb.map(|thumb| Source::Bytes(thumb.jpeg.into())),
        };
        let limits = Limits { max_bytes: settings.max_media_bytes, ..Limits::default() };
        let uploaded = media::upload(&self.client, &upload, &limits).await?;
        Ok(item(&uploaded, face, facts.as_ref(), thumb_size, parcel.name))
    }
}

/// What a file is and what it looks like; nothing of one that cannot be read.
fn look(path: &Path, name: &str) -> (Option<Facts>, Option<Preview>) {
    let Ok(mut file) = File::open(path) else { return (None, None) };
    let Ok(facts) = inspect(&mut file, name) else { return (None, None) };
    let shown = preview(&mut file, &facts, &PreviewLimits::default()).ok();
    (Some(facts), shown)
}

/// Decides as what a file leaves: as it was asked for, unless it is something
/// else; a recording as a file, because a bot's voice bubble never shows.
fn face_of(parcel: &Parcel<'_>, facts: Option<&Facts>, settings: &SendSettings) -> MediaType {
    if parcel.as_file {
        return MediaType::File;
    }
    let class = facts.map(|facts| facts.kind.class);
    let wanted = parcel.kind.unwrap_or(match class {
        Some(Class::Image) => MediaKind::Image,
        Some(Class::Video) => MediaKind::Video,
        Some(Class::Audio | Class::Other) | None => MediaKind::File,
    });
    match (wanted, class) {
        (MediaKind::Image, Some(Class::Image)) => MediaType::Image,
        (MediaKind::Video, Some(Class::Video)) => MediaType::Video,
        (MediaKind::Voice, Some(Class::Audio)) if settings.voice_bubbles && is_silk(facts) => {
            MediaType::Voice
        }
        _ => MediaType::File,
    }
}

fn is_silk(facts: Option<&Facts>) -> bool {
    facts.is_some_and(|facts| facts.kind.mime == "audio/silk")
}

fn item(
    uploaded: &Uploaded,
    face: MediaType,
    facts: Option<&Facts>,
    thumb_size: Option<(u32, u32)>,
    name: &str,
) -> Item {
    let length = facts.and_then(|facts| facts.duration);
    match face {
        MediaType::Image => uploaded.image_item(thumb_size),
        MediaType::Video => uploaded.video_item(VideoFacts { length, thumb_size }),
        MediaType::Voice => uploaded.voice_item(VoiceFacts {
            encoding: VoiceEncoding::Silk,
            sample_rate: 24_000,
            length: length.unwrap_or_default(),
        }),
        MediaType::File | MediaType::Unknown(_) => uploaded.file_item(named(name, facts)),
    }
}

/// Phones open a file by its extension; one that lacks it gets that of its kind.
fn named(name: &str, facts: Option<&Facts>) -> String {
    let extension = facts.and_then(|facts| facts.kind.extension());
    match extension {
        Some(extension) if Path::new(name).extension().is_none() => format!("{name}.{extension}"),
        _ => name.to_owned(),
    }
}

fn tool_call(tool: &str, call_id: &str, status: Option<&String>) -> ToolCallItem {
    ToolCallItem {
        tool_name: Some(tool.to_owned()),
        tool_call_id: Some(call_id.to_owned()),
        status: status.map(|word| word.as_str().into()),
        ..ToolCallItem::default()
    }
}

//! What an upload leaves behind, and the items that refer to it.

use std::time::Duration;

use crate::MediaKey;
use crate::cipher::Fingerprint;
use crate::wire::{
    CdnMedia, Decimal, FileItem, ImageItem, Item, ItemKind, VideoItem, VoiceEncoding, VoiceItem,
};

/// A media that lies on the CDN. Only messages to the upload's peer may refer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The download reference.
    pub reference: String,
    /// The key that it and its thumbnail are encrypted under.
    pub key: MediaKey,
    /// Size of the ciphertext.
    pub cipher_size: u64,
    /// Size and MD5 of the plain bytes.
    pub plain: Fingerprint,
    /// Its thumbnail.
    pub thumb: Option<UploadedThumb>,
}

/// A thumbnail that lies on the CDN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedThumb {
    /// The download reference.
    pub reference: String,
    /// Size of the ciphertext.
    pub cipher_size: u64,
    /// Size and MD5 of the plain bytes.
    pub plain: Fingerprint,
}

/// What a message may say about a video beside its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoFacts {
    /// How long it plays.
    pub length: Option<Duration>,
    /// Width and height of the thumbnail in pixels.
    pub thumb_size: Option<(u32, u32)>,
}

/// What a message says about a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoiceFacts {
    /// How it is encoded.
    pub encoding: VoiceEncoding,
    /// Samples per second.
    pub sample_rate: u32,
    /// How long it plays.
    pub length: Duration,
}

impl Uploaded {
    /// Makes the item that shows it as a picture. `thumb_size` are width and
    /// height of the thumbnail in pixels.
    #[must_use]
    pub fn image_item(&self, thumb_size: Option<(u32, u32)>) -> Item {
        let image_item = ImageItem {
            media: Some(self.media()),
            thumb_media: self.thumb_media(),
            mid_size: Some(size(self.cipher_size)),
            thumb_size: self.thumb.as_ref().map(|thumb| size(thumb.cipher_size)),
            thumb_width: thumb_size.map(|(width, _)| width.into()),
            thumb_height: thumb_size.map(|(_, height)| height.into()),
            ..ImageItem::default()
        };
        Item { image_item: Some(image_item), ..Item::of_kind(ItemKind::Image) }
    }

    /// Makes the item that offers it as a file.
    #[must_use]
    pub fn file_item(&self, name: impl Into<String>) -> Item {
        let file_item = FileItem {
            media: Some(self.media()),
            file_name: Some(name.into()),
            md5: Some(self.plain.md5_hex()),
            len: Some(Decimal(self.plain.size)),
            ..FileItem::default()
        };
        Item { file_item: Some(file_item), ..Item::of_kind(ItemKind::File) }
    }

    /// Makes the item that plays it as a video.
    #[must_use]
    pub fn video_item(&self, facts: VideoFacts) -> Item {
        let video_item = VideoItem {
            media: Some(self.media()),
            video_size: Some(size(self.cipher_size)),
            play_length: facts.length.map(millis),
            thumb_media: self.thumb_media(),
            thumb_size: self.thumb.as_ref().map(|thumb| size(thumb.cipher_size)),
            thumb_width: facts.thumb_size.map(|(width, _)| width.into()),
            thumb_height: facts.thumb_size.map(|(_, height)| height.into()),
            ..VideoItem::default()
        };
        Item { video_item: Some(video_item), ..Item::of_kind(ItemKind::Video) }
    }

    /// Makes the item that plays it as a voice message. Tencent's servers accept
    /// it from a bot and never show it (several live tests).
    #[must_use]
    pub fn voice_item(&self, facts: VoiceFacts) -> Item {
        let voice_item = VoiceItem {
            media: Some(self.media()),
            encode_type: Some(facts.encoding),
            sample_rate: Some(facts.sample_rate.into()),
            playtime: Some(millis(facts.length)),
            ..VoiceItem::default()
        };
        Item { voice_item: Some(voice_item), ..Item::of_kind(ItemKind::Voice) }
    }

    fn media(&self) -> CdnMedia {
        self.refer(&self.reference)
    }

    fn thumb_media(&self) -> Option<CdnMedia> {
        self.thumb.as_ref().map(|thumb| self.refer(&thumb.reference))
    }

    fn refer(&self, reference: &str) -> CdnMedia {
        // The official plugin's value: thumbnail and middle size are packed in.
        const PACKED: i64 = 1;
        CdnMedia {
            encrypt_query_param: Some(reference.to_owned()),
            aes_key: Some(self.key.to_base64()),
            encrypt_type: Some(PACKED),
            ..CdnMedia::default()
        }
    }
}

/// Sizes are signed on the wire.
fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

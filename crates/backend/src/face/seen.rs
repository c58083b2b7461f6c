//! What a phone shows, for tests.

use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt as _;
use ilink::cipher::{Fingerprint, Fingerprinter};
use ilink::wire::{Item, ItemKind};
use ilink::{BotId, MediaKey, MessageId, RunId};

use crate::core::{Core, Plain, cdn_media};
use crate::store::Stored;

/// One message as a phone shows it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its id.
    pub id: MessageId,
    /// The other end.
    pub bot: BotId,
    /// Whether the user said it.
    pub from_me: bool,
    /// When, by the backend's clock.
    pub at_ms: u64,
    /// Whether the phone shows it. Always true for what a phone shows; false
    /// for what a bot sent in vain.
    pub shown: bool,
    /// Whether the bot has acknowledged it; only for what the user said.
    pub delivered: bool,
    /// The turn that it belongs to.
    pub run_id: Option<RunId>,
    /// What it quotes.
    pub quotes: Option<MessageId>,
    /// Its parts.
    pub items: Vec<SeenItem>,
}

/// One part of a message.
#[derive(Clone, Debug)]
pub enum SeenItem {
    /// Text, cut where the phone cuts it.
    Text(String),
    /// A picture.
    Image(SeenMedia),
    /// A voice message.
    Voice(SeenMedia),
    /// A file.
    File(SeenMedia),
    /// A video.
    Video(SeenMedia),
    /// A tool begins or ends.
    Tool {
        /// Its name.
        name: String,
        /// Ties end to begin.
        call_id: String,
        /// How it ended; `running` at the beginning.
        status: String,
    },
    /// Something that the phone cannot show.
    Unsupported(i64),
}

/// Media in a message. The bytes are read on demand.
#[derive(Clone)]
pub struct SeenMedia {
    /// The name of a file; empty for other media.
    pub name: String,
    /// The download reference.
    reference: String,
    key: Option<MediaKey>,
    core: Arc<Core>,
}

impl Seen {
    pub(crate) fn new(core: &Arc<Core>, stored: &Stored) -> Self {
        let message = stored.message();
        let items = message.item_list.as_deref().map_or(&[][..], Vec::as_slice);
        Self {
            id: stored.id.into(),
            bot: stored.bot.clone(),
            from_me: !stored.from_bot,
            at_ms: stored.at,
            shown: stored.shown,
            delivered: stored.delivered,
            run_id: message.run_id.clone(),
            quotes: stored.quote_id.map(MessageId::from),
            items: items.iter().map(|item| SeenItem::new(core, stored, item)).collect(),
        }
    }

    /// Returns the text of a message that is a text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self.items.first()? {
            SeenItem::Text(text) => Some(text),
            SeenItem::Image(_)
            | SeenItem::Voice(_)
            | SeenItem::File(_)
            | SeenItem::Video(_)
            | SeenItem::Tool { .. }
            | SeenItem::Unsupported(_) => None,
        }
    }

    /// Returns the media of a message that is a media.
    #[must_use]
    pub fn media(&self) -> Option<&SeenMedia> {
        match self.items.first()? {
            SeenItem::Image(media)
            | SeenItem::Voice(media)
            | SeenItem::File(media)
            | SeenItem::Video(media) => Some(media),
            SeenItem::Text(_) | SeenItem::Tool { .. } | SeenItem::Unsupported(_) => None,
        }
    }
}

impl SeenItem {
    fn new(core: &Arc<Core>, stored: &Stored, item: &Item) -> Self {
        let media = || SeenMedia::new(core, item);
        match item.kind {
            Some(ItemKind::Text) => {
                let text = crate::quote::text_of(item).unwrap_or_default();
                let shown = if stored.from_bot {
                    core.policy().shown(text).to_owned()
                } else {
                    text.to_owned()
                };
                Self::Text(shown)
            }
            Some(ItemKind::Image) => Self::Image(media()),
            Some(ItemKind::Voice) => Self::Voice(media()),
            Some(ItemKind::File) => Self::File(media()),
            Some(ItemKind::Video) => Self::Video(media()),
            Some(ItemKind::ToolCallStart | ItemKind::ToolCallResult) => tool(item),
            Some(ItemKind::Unknown(kind)) => Self::Unsupported(kind),
            None => Self::Unsupported(0),
        }
    }
}

fn tool(item: &Item) -> SeenItem {
    let (call, ended) = match &item.tool_call_result_item {
        Some(call) => (Some(call), true),
        None => (item.tool_call_start_item.as_ref(), false),
    };
    let call = call.cloned().unwrap_or_default();
    let status = call.status.as_ref().map_or("unknown", |status| status.as_str());
    SeenItem::Tool {
        name: call.tool_name.clone().unwrap_or_default(),
        call_id: call.tool_call_id.clone().unwrap_or_default(),
        status: if ended { status.to_owned() } else { "running".to_owned() },
    }
}

impl SeenMedia {
    fn new(core: &Arc<Core>, item: &Item) -> Self {
        let name = item.file_item.as_ref().and_then(|file| file.file_name.clone());
        let reference = cdn_media(item).and_then(|media| media.encrypt_query_param.clone());
        Self {
            name: name.unwrap_or_default(),
            reference: reference.unwrap_or_default(),
            key: key_of(item),
            core: Arc::clone(core),
        }
    }

    /// Returns the decrypted bytes.
    ///
    /// # Panics
    ///
    /// When they are not on the CDN or cannot be decrypted.
    pub async fn bytes(&self) -> Vec<u8> {
        let plain = self.plain().await;
        let read = plain.read(0, plain.size).await;
        read.unwrap_or_else(|err| panic!("the media cannot be read: {err}"))
    }

    /// Returns the fingerprint of the decrypted bytes, read piece by piece.
    ///
    /// # Panics
    ///
    /// When they are not on the CDN or cannot be decrypted.
    pub async fn fingerprint(&self) -> Fingerprint {
        let plain = self.plain().await;
        let opened = plain.stream(0, plain.size).await;
        let mut pieces = opened.unwrap_or_else(|err| panic!("the media cannot be read: {err}"));
        let mut passes = Fingerprinter::default();
        while let Some(piece) = pieces.next().await {
            passes.update(&piece.unwrap_or_else(|err| panic!("the media cannot be read: {err}")));
        }
        passes.finish()
    }

    async fn plain(&self) -> Plain {
        let opened = self.core.open_plain(&self.reference, self.key.clone()).await;
        opened.unwrap_or_else(|err| panic!("the media cannot be opened: {err}"))
    }
}

impl fmt::Debug for SeenMedia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenMedia").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Returns the key of an item's media; `None` when it has none that can be read.
pub(crate) fn key_of(item: &Item) -> Option<MediaKey> {
    let key = match &item.image_item {
        Some(image) => MediaKey::of_image(image),
        None => MediaKey::of_media(cdn_media(item)?),
    };
    key.ok().flatten()
}

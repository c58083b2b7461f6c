//! What users say: towards the bots.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ilink::secret::MediaKeyText;
use ilink::wire::{
    self, CdnMedia, Decimal, FileItem, ImageItem, Item, ItemKind, MessageState, MessageType,
    TextItem, VideoItem, VoiceItem,
};
use ilink::{BotId, MediaKey, UserId};

use super::Core;
use super::vault::{Chunks, Ownership, Taken};
use crate::clock::millis;
use crate::phones::News;
use crate::policy::QuoteForm;
use crate::problem::Problem;
use crate::quote;
use crate::sniff;
use crate::store::{NewWord, Note, Said, Stored};

/// The longest text that a phone sends, in bytes.
const LONGEST_TEXT: usize = 256 << 10;
/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 1_024;

/// Something that a user says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Word {
    /// The message. Whatever it leaves open is filled in.
    pub(crate) message: wire::Message,
    /// What the phone knows about each item.
    pub(crate) notes: Vec<Note>,
    /// The phone's own id for it.
    pub(crate) local_id: Option<String>,
    pub(crate) quoting: Option<Quoting>,
}

/// A message that is quoted, or the part of its text that was selected.
#[derive(Clone, Debug)]
pub(crate) struct Quoting {
    pub(crate) message: u64,
    pub(crate) part: Option<String>,
}

/// A media that a user sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upload {
    pub(crate) kind: UploadKind,
    pub(crate) name: String,
    pub(crate) local_id: Option<String>,
    pub(crate) quoting: Option<Quoting>,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) duration_ms: Option<u64>,
    /// What a voice message says, as the backend would transcribe it.
    pub(crate) transcript: Option<String>,
}

/// What kind of media a user sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UploadKind {
    Image,
    Voice,
    #[default]
    File,
    Video,
}

impl Word {
    /// Says a text.
    pub(crate) fn text(text: &str) -> Self {
        Self::item(Item {
            kind: Some(ItemKind::Text),
            text_item: Some(TextItem { text: Some(text.to_owned()), ..TextItem::default() }),
            ..Item::default()
        })
    }

    fn item(item: Item) -> Self {
        let message =
            wire::Message { item_list: Some(vec![item].into()), ..wire::Message::default() };
        Self { message, ..Self::default() }
    }
}

impl Core {
    /// Stores what a user says and puts it into the bot's stream.
    ///
    /// Said again under the same local id, nothing happens and the first
    /// message is returned.
    pub(crate) async fn speak(
        &self,
        user: &UserId,
        bot: &BotId,
        word: Word,
    ) -> Result<Stored, Problem> {
        check_texts(&word.message)?;
        let live = self.registry.get(bot).ok_or(Problem::NotFound("bot"))?;
        let new = self.complete_word(user, bot, word).await?;
        let copies = new.copy.is_some();
        let stored = match self.store.say(new, self.limits.unacknowledged_per_bot).await? {
            Said::Known(stored) => return Ok(stored),
            Said::Full => return Err(Problem::Full("too many messages wait for this bot")),
            Said::Strangers => return Err(Problem::NotFound("contact")),
            Said::New(stored) => stored,
        };
        if copies {
            self.expect_copies(bot);
        }
        live.wake();
        self.phones.tell(user, News::Message { id: stored.id });
        Ok(stored)
    }

    /// Takes a media in, encrypted, and says it.
    pub(crate) async fn speak_media(
        &self,
        user: &UserId,
        bot: &BotId,
        upload: Upload,
        chunks: Chunks,
    ) -> Result<Stored, Problem> {
        if upload.name.len() > LONGEST_NAME {
            return Err(Problem::Invalid(format!("a name has at most {LONGEST_NAME} bytes")));
        }
        if !self.store.has_met(user, bot).await? {
            return Err(Problem::NotFound("contact"));
        }
        let owner = Ownership { bot: bot.clone(), user: user.clone() };
        let taken = self.take_plain(owner, chunks).await?;
        let note = Note {
            size: taken.plain.size,
            width: upload.width,
            height: upload.height,
            duration_ms: upload.duration_ms,
        };
        let item = self.media_item(&upload, &taken);
        let word = Word {
            notes: vec![note],
            local_id: upload.local_id,
            quoting: upload.quoting,
            ..Word::item(item)
        };
        self.speak(user, bot, word).await
    }

    async fn complete_word(
        &self,
        user: &UserId,
        bot: &BotId,
        word: Word,
    ) -> Result<NewWord, Problem> {
        let (now, policy) = (self.now(), self.policy());
        let mut wire = word.message;
        let at = i64::try_from(now).ok();
        wire.from_user_id.get_or_insert_with(|| user.clone());
        wire.to_user_id.get_or_insert_with(|| bot.clone().into());
        wire.create_time_ms = wire.create_time_ms.or(at);
        wire.update_time_ms = wire.update_time_ms.or(at);
        wire.session_id.get_or_insert_with(|| format!("{user}#{bot}"));
        wire.message_type.get_or_insert(MessageType::User);
        wire.message_state.get_or_insert(MessageState::Finish);
        if let Some(quoting) = &word.quoting {
            let quoted = self.message(user, quoting.message).await?;
            let by_id = policy.quotes == QuoteForm::Id;
            let reference = quote::reference(&quoted, quoting.part.as_deref(), by_id)?;
            if let Some(item) = wire.item_list.as_mut().and_then(|items| items.first_mut()) {
                item.ref_msg = Some(Box::new(reference));
            }
        }
        let copy = policy
            .duplicate
            .map(|it| (now.saturating_add(millis(it.after)), u32::from(it.new_context)));
        Ok(NewWord {
            user: user.clone(),
            bot: bot.clone(),
            at: now,
            local_id: word.local_id,
            wire,
            notes: word.notes,
            quote_id: word.quoting.as_ref().map(|it| it.message),
            quote_text: word.quoting.and_then(|it| it.part),
            copy,
            shown: true,
        })
    }

    fn media_item(&self, upload: &Upload, taken: &Taken) -> Item {
        let (size, md5) = (i64::try_from(taken.size).ok(), Some(taken.plain.md5_hex()));
        let duration = upload.duration_ms.and_then(|ms| i64::try_from(ms).ok());
        let by_hex = || self.cdn_media(taken, taken.key.to_base64());
        match upload.kind {
            UploadKind::Image => Item {
                kind: Some(ItemKind::Image),
                image_item: Some(ImageItem {
                    media: Some(self.cdn_media(taken, raw_base64(&taken.key))),
                    aeskey: Some(taken.key.to_hex()),
                    mid_size: size,
                    ..ImageItem::default()
                }),
                ..Item::default()
            },
            UploadKind::Voice => Item {
                kind: Some(ItemKind::Voice),
                voice_item: Some(voice_item(by_hex(), upload, duration, &taken.head)),
                ..Item::default()
            },
            UploadKind::File => Item {
                kind: Some(ItemKind::File),
                file_item: Some(FileItem {
                    media: Some(by_hex()),
                    file_name: Some(upload.name.clone()),
                    md5,
                    len: Some(Decimal(taken.plain.size)),
                    ..FileItem::default()
                }),
                ..Item::default()
            },
            UploadKind::Video => Item {
                kind: Some(ItemKind::Video),
                video_item: Some(VideoItem {
                    media: Some(by_hex()),
                    video_size: size,
                    play_length: duration,
                    video_md5: md5,
                    ..VideoItem::default()
                }),
                ..Item::default()
            },
        }
    }

    fn cdn_media(&self, taken: &Taken, key: MediaKeyText) -> CdnMedia {
        let full_url = self.policy().download_full_url.then(|| {
            let base = self.place.fixed.as_ref().unwrap_or(&self.place.local);
            crate::links::download(base, &taken.reference)
        });
        CdnMedia {
            encrypt_query_param: Some(taken.reference.clone()),
            aes_key: Some(key),
            encrypt_type: Some(0),
            full_url,
            ..CdnMedia::default()
        }
    }
}

/// Pictures carry base64 of the key itself, other media base64 of its hex
/// digits, as on Tencent's servers.
fn raw_base64(key: &MediaKey) -> MediaKeyText {
    MediaKeyText::new(STANDARD.encode(key.expose()))
}

fn voice_item(media: CdnMedia, upload: &Upload, playtime: Option<i64>, head: &[u8]) -> VoiceItem {
    let voice = sniff::voice(head);
    VoiceItem {
        media: Some(media),
        encode_type: Some(voice.encoding),
        bits_per_sample: Some(16),
        sample_rate: voice.sample_rate.map(i64::from),
        playtime,
        text: upload.transcript.clone(),
        ..VoiceItem::default()
    }
}

fn check_texts(message: &wire::Message) -> Result<(), Problem> {
    let items = message.item_list.as_deref().map_or(&[][..], Vec::as_slice);
    let texts = items.iter().filter_map(|item| item.text_item.as_ref()?.text.as_deref());
    if texts.map(str::len).sum::<usize>() > LONGEST_TEXT {
        return Err(Problem::Invalid(format!("a text has at most {LONGEST_TEXT} bytes")));
    }
    Ok(())
}

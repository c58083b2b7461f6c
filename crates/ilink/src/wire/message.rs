//! Messages, their items and their media.

use super::field::{Decimal, List, wire_code, wire_struct, wire_word};
use crate::secret::MediaKeyText;
use crate::{ClientId, ContextToken, MessageId, RunId, UserId};

wire_struct! {
    /// One thing said, in either direction (official name: `WeixinMessage`).
    pub struct Message {
        /// Position in the bot's stream.
        seq: i64,
        /// The backend's id. Absent in requests.
        message_id: MessageId,
        /// Who says it. Empty in a bot's requests.
        from_user_id: UserId,
        /// Who is to hear it.
        to_user_id: UserId,
        /// The sender's id for it, the same in each attempt.
        client_id: ClientId,
        /// When it was said.
        create_time_ms: i64,
        /// When it last changed.
        update_time_ms: i64,
        /// When it was deleted; over zero means deleted.
        delete_time_ms: i64,
        /// The backend's session.
        session_id: String,
        /// The group, where groups exist.
        group_id: String,
        /// A person's or a bot's.
        message_type: MessageType,
        /// Whether it is complete.
        message_state: MessageState,
        /// Its parts. A bot sends exactly one per request.
        item_list: List<Item>,
        /// Proof that the bot may answer; the newest wins.
        context_token: ContextToken,
        /// The turn that it belongs to.
        run_id: RunId,
    }
}

wire_code! {
    /// Who made a message.
    pub enum MessageType {
        /// A person.
        User = 1,
        /// A bot. A bot's own messages can come back to it (several live tests).
        Bot = 2,
    }
}

wire_code! {
    /// How complete a message is.
    pub enum MessageState {
        /// Just made.
        New = 0,
        /// Still being written; to be skipped by readers.
        Generating = 1,
        /// Complete.
        Finish = 2,
    }
}

wire_struct! {
    /// One part of a message. `kind` says which of the `*_item` fields counts.
    pub struct Item {
        /// What kind of part it is.
        kind as "type": ItemKind,
        /// When it was made.
        create_time_ms: i64,
        /// When it last changed.
        update_time_ms: i64,
        /// Whether it is complete.
        is_completed: bool,
        /// The item's own message id.
        msg_id: MessageId,
        /// What it quotes.
        ref_msg: Box<RefMsg>,
        /// Kind 1.
        text_item: TextItem,
        /// Kind 2.
        image_item: ImageItem,
        /// Kind 3.
        voice_item: VoiceItem,
        /// Kind 4.
        file_item: FileItem,
        /// Kind 5.
        video_item: VideoItem,
        /// Kind 11.
        tool_call_start_item: ToolCallItem,
        /// Kind 12.
        tool_call_result_item: ToolCallItem,
    }
}

wire_code! {
    /// What kind of part an item is. 0 and 8 have been seen around quotes.
    pub enum ItemKind {
        /// Text.
        Text = 1,
        /// A picture.
        Image = 2,
        /// A voice message.
        Voice = 3,
        /// A file.
        File = 4,
        /// A video.
        Video = 5,
        /// A tool begins to run.
        ToolCallStart = 11,
        /// A tool has ended.
        ToolCallResult = 12,
    }
}

wire_struct! {
    /// Text.
    pub struct TextItem {
        /// The text, markdown from bots.
        text: String,
    }
}

wire_struct! {
    /// Where bytes lie on the CDN and how to read them (official name: `CDNMedia`).
    pub struct CdnMedia {
        /// The download reference (from the upload's `x-encrypted-param`).
        encrypt_query_param: String,
        /// Base64 of the 16 key bytes, or base64 of their 32 hex digits.
        aes_key: MediaKeyText,
        /// 0 only the file id is packed in, 1 thumbnail and middle size too.
        encrypt_type: i64,
        /// The whole download address; preferred when present.
        full_url: String,
    }
}

wire_struct! {
    /// A picture. Without any key its bytes are plain.
    pub struct ImageItem {
        /// The picture.
        media: CdnMedia,
        /// Its thumbnail.
        thumb_media: CdnMedia,
        /// The key in hex; preferred over the one in `media`.
        aeskey: MediaKeyText,
        /// A plain address.
        url: String,
        /// Cipher size of the picture.
        mid_size: i64,
        /// Cipher size of the thumbnail.
        thumb_size: i64,
        /// Height of the thumbnail in pixels.
        thumb_height: i64,
        /// Width of the thumbnail in pixels.
        thumb_width: i64,
        /// Cipher size of the original.
        hd_size: i64,
    }
}

wire_struct! {
    /// A voice message.
    pub struct VoiceItem {
        /// The recording.
        media: CdnMedia,
        /// The encoding the sender states. SILK has come under 4: look at the bytes.
        encode_type: VoiceEncoding,
        /// Bits per sample.
        bits_per_sample: i64,
        /// Samples per second.
        sample_rate: i64,
        /// Length in milliseconds.
        playtime: i64,
        /// The backend's transcript.
        text: String,
    }
}

wire_code! {
    /// How a voice message is encoded.
    pub enum VoiceEncoding {
        /// Raw samples.
        Pcm = 1,
        /// Adaptive differential PCM.
        Adpcm = 2,
        /// A feature stream.
        Feature = 3,
        /// Speex.
        Speex = 4,
        /// AMR.
        Amr = 5,
        /// SILK v3, what phones record.
        Silk = 6,
        /// MP3.
        Mp3 = 7,
        /// Speex in Ogg.
        OggSpeex = 8,
    }
}

wire_struct! {
    /// A file.
    pub struct FileItem {
        /// The bytes.
        media: CdnMedia,
        /// Its name as the sender gave it.
        file_name: String,
        /// MD5 of the plain bytes in hex.
        md5: String,
        /// Plain size, as text.
        len: Decimal,
    }
}

wire_struct! {
    /// A video.
    pub struct VideoItem {
        /// The video.
        media: CdnMedia,
        /// Cipher size of the video.
        video_size: i64,
        /// Length in milliseconds.
        play_length: i64,
        /// MD5 of the plain bytes in hex.
        video_md5: String,
        /// A picture of it.
        thumb_media: CdnMedia,
        /// Cipher size of the picture.
        thumb_size: i64,
        /// Height of the picture in pixels.
        thumb_height: i64,
        /// Width of the picture in pixels.
        thumb_width: i64,
    }
}

wire_struct! {
    /// The begin (kind 11) or the end (kind 12) of a tool's run.
    pub struct ToolCallItem {
        /// The tool's name.
        tool_name: String,
        /// Ties end to begin.
        tool_call_id: String,
        /// How it ended; only at the end.
        status: ToolStatus,
    }
}

wire_word! {
    /// How a tool's run ended.
    pub enum ToolStatus {
        /// It did its work.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
        /// It was not allowed to run.
        Blocked = "blocked",
        /// Nobody knows.
        Undetermined = "unknown",
    }
}

wire_struct! {
    /// What a message quotes.
    pub struct RefMsg {
        /// A line about it.
        title: String,
        /// The quoted item itself (older clients).
        message_item: Box<Item>,
        /// The quoted message's id (newer clients, which send nothing else).
        svr_id: MessageId,
        /// The part of the text that was selected.
        partial_text: PartialText,
    }
}

wire_struct! {
    /// A selected part of a quoted text: its first and last characters and
    /// which of their occurrences are meant.
    pub struct PartialText {
        /// How the part begins.
        start: String,
        /// How the part ends.
        end: String,
        /// Which occurrence of `start` in the full text, from 0.
        startindex: i64,
        /// Which occurrence of `end`, counted globally or after the start.
        endindex: i64,
        /// MD5 of the part in hex; decides between the two ways of counting.
        quotemd5: String,
    }
}

//! Bodies of requests and answers, endpoint by endpoint.

use super::field::{List, wire_code, wire_struct, wire_word};
use super::message::Message;
use crate::secret::MediaKeyText;
use crate::{
    BotId, BotToken, Code, ContextToken, Cursor, FileKey, MessageId, QrCodeId, TypingTicket,
    UploadTicket, UserId,
};

/// The paths of the endpoints, below the base URL.
pub mod path {
    /// POST (or GET): a new QR code.
    pub const GET_BOT_QRCODE: &str = "ilink/bot/get_bot_qrcode";
    /// GET, held open: what became of a QR code.
    pub const GET_QRCODE_STATUS: &str = "ilink/bot/get_qrcode_status";
    /// POST, held open: the next batch.
    pub const GET_UPDATES: &str = "ilink/bot/getupdates";
    /// POST: say something.
    pub const SEND_MESSAGE: &str = "ilink/bot/sendmessage";
    /// POST: an upload ticket.
    pub const GET_UPLOAD_URL: &str = "ilink/bot/getuploadurl";
    /// POST: a typing ticket.
    pub const GET_CONFIG: &str = "ilink/bot/getconfig";
    /// POST: show or hide "typing…".
    pub const SEND_TYPING: &str = "ilink/bot/sendtyping";
    /// POST: the bot is there.
    pub const NOTIFY_START: &str = "ilink/bot/msg/notifystart";
    /// POST: the bot leaves.
    pub const NOTIFY_STOP: &str = "ilink/bot/msg/notifystop";
    /// POST or PUT below the CDN's URL: bytes up.
    pub const CDN_UPLOAD: &str = "upload";
    /// GET below the CDN's URL: bytes down.
    pub const CDN_DOWNLOAD: &str = "download";
}

/// The headers of the protocol.
pub mod header {
    /// Says what kind of token `Authorization` carries.
    pub const AUTHORIZATION_TYPE: &str = "AuthorizationType";
    /// The only value of [`AUTHORIZATION_TYPE`].
    pub const ILINK_BOT_TOKEN: &str = "ilink_bot_token";
    /// Base64 of the decimal digits of a random uint32, new for each request.
    pub const WECHAT_UIN: &str = "X-WECHAT-UIN";
    /// Always `bot`.
    pub const APP_ID: &str = "iLink-App-Id";
    /// Decimal of `major<<16 | minor<<8 | patch` of the channel version.
    pub const APP_CLIENT_VERSION: &str = "iLink-App-ClientVersion";
    /// A route tag, when one is configured.
    pub const ROUTE_TAG: &str = "SKRouteTag";
    /// The CDN's answer to an upload: the download reference.
    pub const ENCRYPTED_PARAM: &str = "x-encrypted-param";
    /// The CDN's reason for a failure.
    pub const ERROR_MESSAGE: &str = "x-error-message";
}

wire_struct! {
    /// Who calls; part of every POST but the QR's.
    pub struct BaseInfo {
        /// The channel's version, such as `2.4.9`.
        channel_version: String,
        /// What the bot calls itself; see [`BotAgent`](crate::BotAgent).
        bot_agent: String,
    }
}

wire_struct! {
    /// Asks for a QR code.
    pub struct QrCodeRequest {
        /// The newest tokens (at most 10) of accounts that this machine knows,
        /// so that the backend can say "already bound".
        local_token_list: List<BotToken>,
    }
}

wire_struct! {
    /// A QR code to scan.
    pub struct QrCode {
        /// Return code; absent means accepted.
        ret: Code,
        /// Why it was refused.
        errmsg: String,
        /// The id to ask the status with.
        qrcode: QrCodeId,
        /// The text to show as a QR code: an address, not an image.
        qrcode_img_content: String,
    }
}

wire_struct! {
    /// What became of a QR code.
    pub struct QrStatus {
        /// Return code; absent means accepted.
        ret: Code,
        /// Why it was refused.
        errmsg: String,
        /// The state.
        status: LoginStatus,
        /// With `confirmed`: the credential.
        bot_token: BotToken,
        /// With `confirmed`: the bot.
        ilink_bot_id: BotId,
        /// With `confirmed`: the account's base URL.
        baseurl: String,
        /// With `confirmed`: who scanned.
        ilink_user_id: UserId,
        /// With `scaned_but_redirect`: the host to ask from now on.
        redirect_host: String,
    }
}

wire_word! {
    /// The states of a QR login.
    pub enum LoginStatus {
        /// Nobody has scanned yet.
        Wait = "wait",
        /// Scanned, not yet confirmed.
        Scanned = "scaned",
        /// Done.
        Confirmed = "confirmed",
        /// The code is too old.
        Expired = "expired",
        /// Scanned; go on asking at another host.
        ScannedButRedirect = "scaned_but_redirect",
        /// The phone shows digits that must be sent along.
        NeedVerifyCode = "need_verifycode",
        /// Too many wrong digits: a new code is needed.
        VerifyCodeBlocked = "verify_code_blocked",
        /// One of the local tokens is already this bot.
        AlreadyBound = "binded_redirect",
    }
}

wire_struct! {
    /// Asks for the next batch.
    pub struct GetUpdates {
        /// Where to go on; empty at first.
        get_updates_buf: Cursor,
        /// Who calls.
        base_info: BaseInfo,
    }
}

wire_struct! {
    /// A batch.
    pub struct Updates {
        /// Return code; absent means accepted.
        ret: Code,
        /// The older name of the return code.
        errcode: Code,
        /// Why it was refused.
        errmsg: String,
        /// What was said.
        msgs: List<Message>,
        /// The older name of the cursor.
        sync_buf: String,
        /// The cursor behind this batch.
        get_updates_buf: Cursor,
        /// How long the backend will hold the next poll.
        longpolling_timeout_ms: i64,
    }
}

wire_struct! {
    /// Says something.
    pub struct SendMessage {
        /// What to say.
        msg: Message,
        /// Who calls.
        base_info: BaseInfo,
    }
}

wire_struct! {
    /// What became of a message. An empty body counts as accepted.
    pub struct Sent {
        /// Return code; absent means accepted.
        ret: Code,
        /// The older name of the return code.
        errcode: Code,
        /// Why it was refused.
        errmsg: String,
        /// The backend's id: the message is queued. Absent: accepted, and the
        /// peer may never see it.
        message_id: MessageId,
    }
}

wire_struct! {
    /// Asks for an upload ticket.
    pub struct GetUploadUrl {
        /// Names the upload.
        filekey: FileKey,
        /// What kind of media it is.
        media_type: MediaType,
        /// Whom the media is for; the ticket is tied to it.
        to_user_id: UserId,
        /// Plain size.
        rawsize: u64,
        /// MD5 of the plain bytes in hex.
        rawfilemd5: String,
        /// Cipher size.
        filesize: u64,
        /// Plain size of the thumbnail.
        thumb_rawsize: u64,
        /// MD5 of the plain thumbnail in hex.
        thumb_rawfilemd5: String,
        /// Cipher size of the thumbnail.
        thumb_filesize: u64,
        /// True when no thumbnail will follow.
        no_need_thumb: bool,
        /// The key in hex.
        aeskey: MediaKeyText,
        /// Who calls.
        base_info: BaseInfo,
    }
}

wire_code! {
    /// What kind of media an upload is.
    pub enum MediaType {
        /// A picture.
        Image = 1,
        /// A video.
        Video = 2,
        /// A file.
        File = 3,
        /// A voice message.
        Voice = 4,
    }
}

wire_struct! {
    /// An upload ticket.
    pub struct UploadUrl {
        /// Return code; absent means accepted.
        ret: Code,
        /// The older name of the return code.
        errcode: Code,
        /// Why it was refused.
        errmsg: String,
        /// The ticket.
        upload_param: UploadTicket,
        /// The thumbnail's ticket.
        thumb_upload_param: UploadTicket,
        /// The whole upload address; preferred when present.
        upload_full_url: UploadTicket,
    }
}

wire_struct! {
    /// Asks for a typing ticket.
    pub struct GetConfig {
        /// The peer.
        ilink_user_id: UserId,
        /// The newest context token of the peer.
        context_token: ContextToken,
        /// Who calls.
        base_info: BaseInfo,
    }
}

wire_struct! {
    /// A typing ticket.
    pub struct Config {
        /// Return code; absent means accepted.
        ret: Code,
        /// The older name of the return code.
        errcode: Code,
        /// Why it was refused.
        errmsg: String,
        /// The ticket.
        typing_ticket: TypingTicket,
    }
}

wire_struct! {
    /// Shows or hides "typing…".
    pub struct SendTyping {
        /// The peer.
        ilink_user_id: UserId,
        /// The peer's ticket.
        typing_ticket: TypingTicket,
        /// On or off.
        status: TypingStatus,
        /// Who calls.
        base_info: BaseInfo,
    }
}

wire_code! {
    /// Whether "typing…" shows.
    pub enum TypingStatus {
        /// Show it; repeat every 5 seconds.
        Typing = 1,
        /// Hide it.
        Cancel = 2,
    }
}

wire_struct! {
    /// Announces a start or a stop.
    pub struct Notify {
        /// Who calls.
        base_info: BaseInfo,
    }
}

wire_struct! {
    /// An answer that carries nothing but its code.
    pub struct Ack {
        /// Return code; absent means accepted.
        ret: Code,
        /// The older name of the return code.
        errcode: Code,
        /// Why it was refused.
        errmsg: String,
    }
}

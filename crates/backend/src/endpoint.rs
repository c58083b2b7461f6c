//! The endpoints by name, for faults and for the recorder.

use ilink::wire::path;
use serde::{Deserialize, Serialize};

/// One endpoint of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    /// A new QR code.
    #[serde(rename = "get_bot_qrcode")]
    GetBotQrcode,
    /// What became of a QR code (held open).
    #[serde(rename = "get_qrcode_status")]
    GetQrcodeStatus,
    /// The next batch (held open).
    GetUpdates,
    /// A message of the bot.
    SendMessage,
    /// An upload ticket.
    GetUploadUrl,
    /// A typing ticket.
    GetConfig,
    /// "Typing…" on or off.
    SendTyping,
    /// The bot is there.
    NotifyStart,
    /// The bot leaves.
    NotifyStop,
    /// Bytes up to the CDN.
    #[serde(rename = "cdn_upload")]
    CdnUpload,
    /// Bytes down from the CDN.
    #[serde(rename = "cdn_download")]
    CdnDownload,
}

impl Endpoint {
    /// Returns the endpoint that a path of the iLink API names.
    pub(crate) fn of_path(below_root: &str) -> Option<Self> {
        Some(match below_root {
            path::GET_BOT_QRCODE => Self::GetBotQrcode,
            path::GET_QRCODE_STATUS => Self::GetQrcodeStatus,
            path::GET_UPDATES => Self::GetUpdates,
            path::SEND_MESSAGE => Self::SendMessage,
            path::GET_UPLOAD_URL => Self::GetUploadUrl,
            path::GET_CONFIG => Self::GetConfig,
            path::SEND_TYPING => Self::SendTyping,
            path::NOTIFY_START => Self::NotifyStart,
            path::NOTIFY_STOP => Self::NotifyStop,
            CDN_UPLOAD => Self::CdnUpload,
            CDN_DOWNLOAD => Self::CdnDownload,
            _ => return None,
        })
    }

    /// Says whether the backend may hold the answer back until there is news.
    pub(crate) fn is_held(self) -> bool {
        matches!(self, Self::GetUpdates | Self::GetQrcodeStatus)
    }

    /// Says whether bodies are media and travel as streams.
    pub(crate) fn is_cdn(self) -> bool {
        matches!(self, Self::CdnUpload | Self::CdnDownload)
    }
}

/// Where the CDN lies below the backend's root.
pub(crate) const CDN: &str = "c2c";
const CDN_UPLOAD: &str = "c2c/upload";
const CDN_DOWNLOAD: &str = "c2c/download";

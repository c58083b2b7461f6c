//! Media up to and down from the CDN, streamed in constant memory.
//!
//! ```text
//! up     source → fingerprint → upload ticket → (read → encrypt → POST) → Uploaded
//! down   CdnMedia → address → GET → (decrypt → write) → Downloaded
//! ```
//!
//! Both are safe to drop: an upload that was cut leaves nothing that a message
//! refers to, a download removes its file.

use std::io;
use std::time::Duration;

use tokio::sync::watch;

use crate::backoff::Backoff;
use crate::cipher::CipherError;
use crate::client::{Cause, ClientError, Recovery};

mod source;
mod upload;
mod uploaded;
mod download;

pub use self::download::{Downloaded, download};
pub use self::source::Source;
pub use self::upload::{Upload, upload};
pub use self::uploaded::{Uploaded, UploadedThumb, VideoFacts, VoiceFacts};

/// How large a transfer may be, how long it may take and where it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest media, in plain bytes.
    pub max_bytes: u64,
    /// What every transfer may take, however small.
    pub least_time: Duration,
    /// The slowest rate that is waited for, in bytes per second. The deadline
    /// of a transfer is its least time plus its size at this rate.
    pub least_rate: u64,
    /// How long a transfer may stand still, the wait for the answer included.
    pub stall: Duration,
    /// How often an upload is tried, each time with a new ticket.
    pub tries: u32,
    /// The pauses between the tries.
    pub backoff: Backoff,
    /// Hosts beside the CDN's own that a message may send us to for a
    /// download. A leading dot stands for any subdomain.
    pub other_hosts: Vec<String>,
}

impl Limits {
    /// Returns the time that a transfer of this size may take.
    #[must_use]
    pub fn deadline(&self, bytes: u64) -> Duration {
        self.least_time + Duration::from_secs(bytes / self.least_rate.max(1))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 100 << 20,
            least_time: Duration::from_secs(30),
            least_rate: 64 << 10,
            stall: Duration::from_secs(30),
            tries: 3,
            backoff: Backoff { min: Duration::from_millis(500), max: Duration::from_secs(5) },
            other_hosts: Vec::new(),
        }
    }
}

/// A media that could not be moved.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// More plain bytes than allowed, stated or counted.
    #[error("the media is larger than {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// The source could not be read.
    #[error("the media could not be read: {0}")]
    Source(#[source] io::Error),
    /// The source was another when it was read again to be sent.
    #[error("the media changed while it was being uploaded")]
    SourceChanged,
    /// The exchange for the ticket or with the CDN did not succeed.
    #[error("{error}{}", describe(reason))]
    Exchange {
        /// What happened.
        #[source]
        error: ClientError,
        /// The CDN's words; may be empty.
        reason: String,
    },
    /// The backend granted an upload without saying where to.
    #[error("the upload ticket is missing from the answer")]
    NoTicket,
    /// The CDN took the bytes and did not say how to refer to them.
    #[error("the CDN gave no reference to what it took")]
    NoReference,
    /// A media without any usable address.
    #[error("the media has no usable address")]
    NoAddress,
    /// A media on a host that we do not go to.
    #[error("media from {host} is not allowed")]
    HostRefused {
        /// The host.
        host: String,
    },
    /// The bytes do not decrypt.
    #[error("the media could not be decrypted: {0}")]
    Cipher(#[from] CipherError),
    /// The file could not be made or written.
    #[error("the media could not be stored: {0}")]
    Store(#[source] io::Error),
}

fn describe(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

impl MediaError {
    /// Returns what to do about it.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Exchange { error, .. } => error.recovery(),
            // A new ticket, or a source that has come to rest, may do.
            Self::NoTicket | Self::NoReference | Self::SourceChanged => {
                Recovery::Retry { after: None }
            }
            Self::TooLarge { .. }
            | Self::Source(_)
            | Self::NoAddress
            | Self::HostRefused { .. }
            | Self::Cipher(_)
            | Self::Store(_) => Recovery::GiveUp,
        }
    }

    fn cdn(endpoint: &'static str, cause: Cause) -> Self {
        Self::Exchange { error: ClientError { endpoint, cause }, reason: String::new() }
    }

    /// An answer of the CDN outside 2xx, with its reason if it gives one.
    fn status(endpoint: &'static str, response: &reqwest::Response) -> Self {
        let cause = Cause::Status {
            status: response.status().as_u16(),
            retry_after: crate::client::retry_after(response.headers()),
        };
        let reason = response.headers().get(crate::wire::header::ERROR_MESSAGE);
        let reason = reason.and_then(|text| text.to_str().ok()).unwrap_or_default();
        let reason = reason.chars().take(LONGEST_REASON).collect();
        Self::Exchange { error: ClientError { endpoint, cause }, reason }
    }
}

/// A reason is a line, not a page.
const LONGEST_REASON: usize = 200;

/// Returns when nothing has moved for `patience`.
async fn stalled(mut moves: watch::Receiver<()>, patience: Duration) {
    while let Ok(Ok(())) = tokio::time::timeout(patience, moves.changed()).await {}
}

//! What can go wrong when someone uses a phone or the admin API.

use ledger::LedgerError;

use crate::login::LoginProblem;

/// Why something was not done. Nothing of it has happened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// There is no such thing.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It does not fit the present state.
    #[error("{0}")]
    Conflict(String),
    /// A limit of this backend is reached.
    #[error("{0}")]
    Full(&'static str),
    /// The media is larger than this backend takes.
    #[error("the media is larger than {cap} bytes")]
    TooLarge {
        /// The limit.
        cap: u64,
    },
    /// The sender gave up in the middle.
    #[error("the upload broke off: {0}")]
    BrokenOff(String),
    /// The bytes on the CDN are not what the message says.
    #[error("the media cannot be decrypted")]
    Undecipherable,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] LedgerError),
    /// A file could not be read or written.
    #[error("a media file failed")]
    File(#[from] std::io::Error),
}

impl From<LoginProblem> for Problem {
    fn from(problem: LoginProblem) -> Self {
        Self::Conflict(problem.to_string())
    }
}

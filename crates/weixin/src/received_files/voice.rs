//! Voice messages as agents can hear them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use silk::{DecodeError, Limits, Rate};

/// The largest voice message that is decoded, in bytes: minutes of speech take
/// less than one.
const LARGEST: u64 = 8 << 20;

/// Why a voice message could not be decoded.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotDecoded {
    #[error("it is larger than {LARGEST} bytes")]
    TooLarge,
    #[error(transparent)]
    Silk(#[from] DecodeError),
    #[error("the recording could not be read or written: {0}")]
    File(#[from] std::io::Error),
}

/// Decodes a SILK file into a WAV file beside it and returns where that lies. Blocks.
pub(super) fn to_wav(path: &Path) -> Result<PathBuf, NotDecoded> {
    if std::fs::metadata(path)?.len() > LARGEST {
        return Err(NotDecoded::TooLarge);
    }
    let decoded = silk::decode(&std::fs::read(path)?, Rate::Hz24000, &Limits::default())?;
    if !decoded.is_complete() {
        tracing::info!(damaged = decoded.n_damaged, ending = ?decoded.ending, "a voice message is not whole");
    }
    let wav = path.with_extension("wav");
    // Only its owner may read it; one of an earlier run is replaced.
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(&decoded.to_wav())?;
    file.persist(&wav).map_err(|err| err.error)?;
    Ok(wav)
}

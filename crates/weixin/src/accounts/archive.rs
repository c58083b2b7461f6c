//! The archive in which accounts travel: one file, sealed by a passphrase.
//!
//! ```json
//! {"hongyan": "accounts", "version": 1, "rounds": 600000, "salt": "…", "mark": "…",
//!  "sealed": {"nonce": "…", "content": "…"}, "checksum": "…"}
//! ```
//!
//! PBKDF2-HMAC-SHA256 makes the AES-256-GCM key and the mark by which a wrong
//! passphrase is recognised. Everything before the box is its label, so it cannot
//! be changed either. The checksum tells damage from a wrong passphrase; it
//! protects nothing.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::seal::{Key, SealedBox, base64_text};

/// The version that is written, and the newest that can be read.
const VERSION: u32 = 1;
/// How often the passphrase is stirred: about a tenth of a second.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).expect("it is not zero");
/// The most rounds of an archive that is read, so that none can stall us.
const MOST_ROUNDS: u32 = 10_000_000;
/// The fewest characters of a passphrase.
pub const LEAST_PASSPHRASE: usize = 8;

/// An archive cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file is something else.
    #[error("this is no archive of accounts")]
    NotAnArchive,
    /// A newer version has written it.
    #[error(
        "the archive is of version {found}, but this program knows versions up to {VERSION}; \
         use a newer program"
    )]
    Newer {
        /// The archive's version.
        found: u32,
    },
    /// It is not as it was written.
    #[error("the archive is damaged; copy it again from where it was made")]
    Damaged,
    /// The passphrase is another.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The passphrase protects nothing.
    #[error("the passphrase must have at least {LEAST_PASSPHRASE} characters")]
    ShortPassphrase,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Archive {
    #[serde(flatten)]
    header: Header,
    sealed: SealedBox,
    #[serde(with = "base64_text")]
    checksum: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    hongyan: String,
    version: u32,
    rounds: NonZeroU32,
    #[serde(with = "base64_text")]
    salt: Vec<u8>,
    #[serde(with = "base64_text")]
    mark: Vec<u8>,
}

/// What every version begins with.
#[derive(Deserialize)]
struct Kind {
    hongyan: String,
    version: u32,
}

/// Writes an archive. Blocks for a noticeable part of a second.
pub(super) fn seal(content: Vec<u8>, passphrase: &str) -> Result<Vec<u8>, ArchiveError> {
    seal_with(ROUNDS, content, passphrase)
}

fn seal_with(
    rounds: NonZeroU32,
    content: Vec<u8>,
    passphrase: &str,
) -> Result<Vec<u8>, ArchiveError> {
    if passphrase.chars().count() < LEAST_PASSPHRASE {
        return Err(ArchiveError::ShortPassphrase);
    }
    let salt: [u8; 16] = rand::random();
    let (key, mark) = Key::from_passphrase(passphrase, &salt, rounds);
    let header = Header {
        hongyan: KIND.to_owned(),
        version: VERSION,
        rounds,
        salt: salt.to_vec(),
        mark: mark.to_vec(),
    };
    let sealed = key.seal(&label(&header)?, content);
    let checksum = checksum(&header, &sealed)?;
    let archive = Archive { header, sealed, checksum };
    serde_json::to_vec_pretty(&archive).map_err(|_| ArchiveError::Damaged)
}

/// Reads an archive. Blocks for a noticeable part of a second.
pub(super) fn open(archive: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
    let kind = serde_json::from_slice::<Kind>(archive);
    let kind = kind.map_err(|_| match looks_like_one(archive) {
        true => ArchiveError::Damaged,
        false => ArchiveError::NotAnArchive,
    })?;
    if kind.hongyan != KIND {
        return Err(ArchiveError::NotAnArchive);
    }
    if kind.version > VERSION {
        return Err(ArchiveError::Newer { found: kind.version });
    }
    let Archive { header, sealed, checksum: written } =
        serde_json::from_slice(archive).map_err(|_| ArchiveError::Damaged)?;
    if checksum(&header, &sealed)? != written || header.rounds.get() > MOST_ROUNDS {
        return Err(ArchiveError::Damaged);
    }
    let (key, mark) = Key::from_passphrase(passphrase, &header.salt, header.rounds);
    if mark.as_slice() != header.mark {
        return Err(ArchiveError::WrongPassphrase);
    }
    key.open(&label(&header)?, &sealed).ok_or(ArchiveError::Damaged)
}

const KIND: &str = "accounts";

/// A truncated archive is no JSON, but begins like one.
fn looks_like_one(archive: &[u8]) -> bool {
    let start = archive.get(..200).unwrap_or(archive);
    String::from_utf8_lossy(start).contains("\"hongyan\"")
}

fn label(header: &Header) -> Result<Vec<u8>, ArchiveError> {
    serde_json::to_vec(header).map_err(|_| ArchiveError::Damaged)
}

fn checksum(header: &Header, sealed: &SealedBox) -> Result<Vec<u8>, ArchiveError> {
    let mut hash = Sha256::new();
    hash.update(label(header)?);
    hash.update(serde_json::to_vec(sealed).map_err(|_| ArchiveError::Damaged)?);
    Ok(hash.finalize().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "correct horse";

    fn archive() -> Vec<u8> {
        seal_with(NonZeroU32::MIN, b"canary".to_vec(), PASSPHRASE).unwrap()
    }

    fn edited(edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let mut json = serde_json::from_slice(&archive()).unwrap();
        edit(&mut json);
        serde_json::to_vec(&json).unwrap()
    }

    #[test]
    fn it_opens_with_its_passphrase_only() {
        let archive = archive();
        assert_eq!(open(&archive, PASSPHRASE).unwrap().as_slice(), b"canary");
        assert!(matches!(open(&archive, "incorrect"), Err(ArchiveError::WrongPassphrase)));
        assert!(!archive.windows(6).any(|window| window == b"canary"));
        assert!(matches!(seal(Vec::new(), "short"), Err(ArchiveError::ShortPassphrase)));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_apart() {
        let newer = edited(|json| json["version"] = 2.into());
        assert!(matches!(open(&newer, PASSPHRASE), Err(ArchiveError::Newer { found: 2 })));
        let costly = edited(|json| json["rounds"] = u32::MAX.into());
        assert!(matches!(open(&costly, PASSPHRASE), Err(ArchiveError::Damaged)));
        let other = edited(|json| json["salt"] = "AAAA".into());
        assert!(matches!(open(&other, PASSPHRASE), Err(ArchiveError::Damaged)));
        let cut = &archive()[..150];
        assert!(matches!(open(cut, PASSPHRASE), Err(ArchiveError::Damaged)));
        for strange in [&b""[..], b"{}", b"PK\x03\x04", b"{\"hongyan\":\"other\",\"version\":1}"] {
            assert!(matches!(open(strange, PASSPHRASE), Err(ArchiveError::NotAnArchive)));
        }
    }
}

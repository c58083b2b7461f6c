//! What lies on a disk and only its owner may read: AES-256-GCM under a key
//! that comes from a key file or from a passphrase.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, pbkdf2};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub(crate) mod pieces;

/// The fewest bytes of a key file: what `openssl rand -hex 32` prints has 64.
const LEAST_KEY: usize = 32;
/// The most bytes that are read of a key file.
const MOST_KEY: u64 = 64 * 1024;
/// Sets keys from key files apart from everything else that is derived.
const PURPOSE: &[u8] = b"hongyan credentials 1";

/// The key under which credentials lie on disk. Clones share it; it cannot be
/// printed.
#[derive(Clone)]
pub struct StoreKey(Arc<Key>);

/// A key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("the key file {} cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is too short to protect anything.
    #[error(
        "the key file {} has fewer than {LEAST_KEY} bytes; make one with: openssl rand -hex 32",
        path.display()
    )]
    Short {
        /// The file.
        path: PathBuf,
    },
}

impl StoreKey {
    /// Reads a key file, once: it may be a pipe, such as what a keyring prints.
    /// White space at either end does not count.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is too short.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        use std::io::Read as _;

        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        let mut content = Zeroizing::new(Vec::new());
        let file = std::fs::File::open(path).map_err(io)?;
        file.take(MOST_KEY).read_to_end(&mut content).map_err(io)?;
        let secret = content.trim_ascii();
        if secret.len() < LEAST_KEY {
            return Err(KeyFileError::Short { path: path.to_owned() });
        }
        let mut key = Zeroizing::new([0; 32]);
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret);
        derived
            .expand(&[PURPOSE], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(key.as_mut()))
            .expect("32 bytes are what one round of HKDF-SHA256 gives");
        Ok(Self(Arc::new(Key(key))))
    }

    pub(crate) fn key(&self) -> &Key {
        &self.0
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(…)")
    }
}

/// 256 bits that open a box. Wiped from memory when dropped.
pub(crate) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// Derives a key and a mark by which a wrong passphrase is told from a
    /// damaged box. Takes a noticeable part of a second, which is the point.
    pub(crate) fn from_passphrase(
        passphrase: &str,
        salt: &[u8],
        rounds: std::num::NonZeroU32,
    ) -> (Self, [u8; 16]) {
        let mut derived = Zeroizing::new([0; 48]);
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, rounds, salt, passphrase.as_bytes(), derived.as_mut());
        let (mut key, mut mark) = (Zeroizing::new([0; 32]), [0; 16]);
        key.copy_from_slice(&derived[..32]);
        mark.copy_from_slice(&derived[32..]);
        (Self(key), mark)
    }

    /// Closes a box. `label` stays readable beside it and cannot be changed
    /// without breaking it.
    pub(crate) fn seal(&self, label: &[u8], mut content: Vec<u8>) -> SealedBox {
        let nonce: [u8; NONCE_LEN] = rand::random();
        self.cipher()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(label),
                &mut content,
            )
            .expect("AES-GCM takes gigabytes, and this is kilobytes");
        SealedBox { nonce: nonce.to_vec(), content }
    }

    /// Opens a box; `None` when the key is another, or a bit has changed.
    pub(crate) fn open(&self, label: &[u8], sealed: &SealedBox) -> Option<Zeroizing<Vec<u8>>> {
        let nonce: [u8; NONCE_LEN] = sealed.nonce.as_slice().try_into().ok()?;
        let mut content = Zeroizing::new(sealed.content.clone());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.cipher().open_in_place(nonce, Aad::from(label), &mut content).ok()?;
        let n = opened.len();
        content.truncate(n);
        Some(content)
    }

    /// Closes one of many pieces, each of which has a number of its own.
    pub(crate) fn seal_piece(&self, number: [u8; NONCE_LEN], label: &[u8], piece: &mut Vec<u8>) {
        let nonce = Nonce::assume_unique_for_key(number);
        self.cipher()
            .seal_in_place_append_tag(nonce, Aad::from(label), piece)
            .expect("AES-GCM takes gigabytes, and a piece is a megabyte");
    }

    /// Opens a piece in place and says whether it was this one.
    pub(crate) fn open_piece(
        &self,
        number: [u8; NONCE_LEN],
        label: &[u8],
        piece: &mut Vec<u8>,
    ) -> bool {
        let nonce = Nonce::assume_unique_for_key(number);
        let opened = self.cipher().open_in_place(nonce, Aad::from(label), piece);
        let n = opened.map(|opened| opened.len());
        n.map(|n| piece.truncate(n)).is_ok()
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, self.0.as_ref());
        LessSafeKey::new(key.expect("the key has the 32 bytes that the cipher takes"))
    }
}

/// What a key has closed, as it stands in JSON.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedBox {
    #[serde(with = "base64_text")]
    nonce: Vec<u8>,
    #[serde(with = "base64_text")]
    content: Vec<u8>,
}

/// Bytes as base64 text.
pub(crate) mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(passphrase: &str) -> Key {
        Key::from_passphrase(passphrase, b"salt", std::num::NonZeroU32::MIN).0
    }

    #[test]
    fn a_box_opens_with_its_key_and_label_only() {
        let sealed = key("right").seal(b"label", b"token".to_vec());
        assert_eq!(key("right").open(b"label", &sealed).unwrap().as_slice(), b"token");
        assert!(key("wrong").open(b"label", &sealed).is_none());
        assert!(key("right").open(b"other", &sealed).is_none());
        let mut broken = sealed.clone();
        broken.content[0] ^= 1;
        assert!(key("right").open(b"label", &broken).is_none());
    }

    #[test]
    fn a_short_key_file_is_refused_with_the_way_to_a_longer_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "  hunter2\n").unwrap();
        let err = StoreKey::read(file.path()).unwrap_err().to_string();
        assert!(err.contains("openssl rand -hex 32"), "{err}");
        std::fs::write(file.path(), "0123456789abcdef0123456789abcdef\n").unwrap();
        assert_eq!(format!("{:?}", StoreKey::read(file.path()).unwrap()), "StoreKey(…)");
    }
}

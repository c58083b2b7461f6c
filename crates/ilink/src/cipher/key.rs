//! The forms in which a media key travels.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use zeroize::Zeroizing;

use crate::MediaKey;
use crate::secret::MediaKeyText;
use crate::wire;

/// A media key that cannot be read. Says nothing of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither base64 of 16 bytes nor base64 of 32 hex digits.
    #[error("the media key is neither base64 of 16 bytes nor of 32 hex digits")]
    Base64,
    /// Not 32 hex digits.
    #[error("the media key is not 32 hex digits")]
    Hex,
}

impl MediaKey {
    /// Reads the key of a [`wire::CdnMedia`]: base64 of the 16 bytes, or base64
    /// of their 32 hex digits (both are in use). Padding may be missing.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn from_base64(text: &MediaKeyText) -> Result<Self, KeyError> {
        let bytes = LENIENT.decode(text.expose().trim()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| KeyError::Base64)?;
        if let Ok(raw) = <[u8; 16]>::try_from(bytes.as_slice()) {
            return Ok(Self::new(raw));
        }
        from_hex(&bytes).ok_or(KeyError::Base64)
    }

    /// Reads the key of a [`wire::ImageItem`] or of an upload: 32 hex digits.
    ///
    /// # Errors
    ///
    /// When it is anything else.
    pub fn from_hex(text: &MediaKeyText) -> Result<Self, KeyError> {
        from_hex(text.expose().trim().as_bytes()).ok_or(KeyError::Hex)
    }

    /// Writes the key as messages carry it outbound: base64 of the hex digits.
    #[must_use]
    pub fn to_base64(&self) -> MediaKeyText {
        MediaKeyText::new(STANDARD.encode(self.to_hex().expose()))
    }

    /// Writes the key as an upload ticket asks for it: lowercase hex.
    #[must_use]
    pub fn to_hex(&self) -> MediaKeyText {
        MediaKeyText::new(hex::encode(self.expose()))
    }

    /// Returns the key of a media, `None` when it carries none.
    ///
    /// # Errors
    ///
    /// When it carries one that cannot be read.
    pub fn of_media(media: &wire::CdnMedia) -> Result<Option<Self>, KeyError> {
        let text = media.aes_key.as_ref().filter(|text| !text.is_empty());
        text.map(Self::from_base64).transpose()
    }

    /// Returns the key of a picture: its own hex key if it has one, else that
    /// of its media. A picture without any key is plain.
    ///
    /// # Errors
    ///
    /// When the key cannot be read.
    pub fn of_image(image: &wire::ImageItem) -> Result<Option<Self>, KeyError> {
        if let Some(text) = image.aeskey.as_ref().filter(|text| !text.is_empty()) {
            return Self::from_hex(text).map(Some);
        }
        image.media.as_ref().map_or(Ok(None), Self::of_media)
    }
}

/// The official client reads base64 with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn from_hex(digits: &[u8]) -> Option<MediaKey> {
    let mut bytes = Zeroizing::new([0; 16]);
    hex::decode_to_slice(digits, bytes.as_mut_slice()).ok()?;
    Some(MediaKey::new(*bytes))
}

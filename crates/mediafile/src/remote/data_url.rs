//! Files that are a part of their URL (RFC 2397).

use std::path::Path;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use tokio::io::AsyncWriteExt as _;
use url::Url;

use super::{FetchError, Fetched, mime_in};

/// The longest URL that is unpacked; larger files come by other ways.
const LONGEST: u64 = 16 << 20;

/// Writes the bytes of a `data:` URL into a new file.
pub(super) async fn unpack(
    url: &Url,
    into_dir: &Path,
    max_bytes: u64,
) -> Result<Fetched, FetchError> {
    if url.as_str().len() as u64 > LONGEST {
        return Err(FetchError::TooLarge { limit: LONGEST.min(max_bytes) });
    }
    let (mime, bytes) = content(url.path()).ok_or(FetchError::BrokenData)?;
    let len = bytes.len() as u64;
    if len > max_bytes {
        return Err(FetchError::TooLarge { limit: max_bytes });
    }
    let (file, path) = tempfile::NamedTempFile::new_in(into_dir)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    file.write_all(&bytes).await?;
    file.flush().await?;
    Ok(Fetched { path, len, name: None, mime })
}

/// Reads `image/png;base64,…` or `text/plain,…`.
fn content(path: &str) -> Option<(Option<String>, Vec<u8>)> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let (head, body) = path.split_once(',')?;
    let bytes: Vec<u8> = percent_decode_str(body).collect();
    let is_base64 = head.rsplit(';').next()?.trim().eq_ignore_ascii_case("base64");
    let bytes = if is_base64 {
        let letters: Vec<u8> =
            bytes.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
        LENIENT.decode(letters).ok()?
    } else {
        bytes
    };
    Some((mime_in(head.as_bytes()), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_in_the_url() {
        let check = |path: &str, expected: Option<(Option<&str>, &[u8])>| {
            let expected = expected.map(|(mime, bytes)| (mime.map(str::to_owned), bytes.to_vec()));
            assert_eq!(content(path), expected, "{path}");
        };
        check("image/png;base64,iVBORw==", Some((Some("image/png"), b"\x89PNG")));
        check("image/png;base64,iVBORw", Some((Some("image/png"), b"\x89PNG")));
        check("text/plain;charset=utf-8,a%20b", Some((Some("text/plain"), b"a b")));
        check(",a", Some((None, b"a")));
        check("image/png;base64,***", None);
        check("image/png", None);
    }
}

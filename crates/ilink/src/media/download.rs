//! One media, down from the CDN into a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Response};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::{Limits, MediaError};
use crate::MediaKey;
use crate::cipher::{
    BLOCK, CHUNK, CipherError, Decryptor, Fingerprint, Fingerprinter, cipher_size,
};
use crate::client::{Cause, Client, join, redact_url, with_query};
use crate::wire::{self, path};

/// A media that was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Size and MD5 of the plain bytes, as they were written.
    pub plain: Fingerprint,
}

/// Downloads a media into a new file that only its owner may read, decrypting
/// it on the way. Without a key the bytes are taken as they are.
///
/// `dest` must not exist. It exists afterwards only on success; it is not
/// synced to disk.
///
/// # Errors
///
/// See [`MediaError`]; nothing is retried.
pub async fn download(
    client: &Client,
    media: &wire::CdnMedia,
    key: Option<&MediaKey>,
    dest: &Path,
    limits: &Limits,
) -> Result<Downloaded, MediaError> {
    let started_at = Instant::now();
    let url = address(&client.endpoints().cdn, media, limits)?;
    tracing::debug!(url = %redact_url(url.as_str()), "download starts");
    let request = client.http().request(Method::GET, url).send();
    let response = timeout(limits.stall, request).await.map_err(|_| too_slow(limits.stall))?;
    let response = response.map_err(|err| cdn(Cause::of_transport(err)))?;
    if !response.status().is_success() {
        return Err(MediaError::status(ENDPOINT, &response));
    }
    let most = key.map_or(limits.max_bytes, |_| cipher_size(limits.max_bytes));
    let expected = response.content_length().unwrap_or(most);
    if expected > most {
        return Err(MediaError::TooLarge { max: limits.max_bytes });
    }
    let deadline = limits.deadline(expected);
    let receiving = receive(response, key, dest, limits);
    let received = timeout_at(started_at + deadline, receiving).await;
    received.unwrap_or_else(|_| Err(too_slow(deadline)))
}

async fn receive(
    mut response: Response,
    key: Option<&MediaKey>,
    dest: &Path,
    limits: &Limits,
) -> Result<Downloaded, MediaError> {
    let mut sink = Sink::create(dest, limits.max_bytes)?;
    let mut opening = Opening::new(key);
    let mut plain = Vec::with_capacity(CHUNK + BLOCK);
    while let Some(bytes) = next(&mut response, limits.stall).await? {
        plain.clear();
        opening.update(&bytes, &mut plain);
        sink.write(&plain).await?;
    }
    plain.clear();
    opening.finish(&mut plain)?;
    sink.write(&plain).await?;
    sink.keep().await
}

async fn next(response: &mut Response, patience: Duration) -> Result<Option<Bytes>, MediaError> {
    let chunk = timeout(patience, response.chunk()).await.map_err(|_| too_slow(patience))?;
    chunk.map_err(|err| cdn(Cause::of_transport(err)))
}

const ENDPOINT: &str = "cdn download";

fn cdn(cause: Cause) -> MediaError {
    MediaError::cdn(ENDPOINT, cause)
}

fn too_slow(after: Duration) -> MediaError {
    cdn(Cause::Timeout { after })
}

/// How the bytes of the CDN become plain.
enum Opening {
    Plain,
    Cipher(Box<Decryptor>),
}

impl Opening {
    fn new(key: Option<&MediaKey>) -> Self {
        match key {
            Some(key) => Self::Cipher(Box::new(Decryptor::new(key))),
            None => Self::Plain,
        }
    }

    fn update(&mut self, bytes: &[u8], plain: &mut Vec<u8>) {
        match self {
            Self::Cipher(decryptor) => decryptor.update(bytes, plain),
            Self::Plain => plain.extend_from_slice(bytes),
        }
    }

    fn finish(self, plain: &mut Vec<u8>) -> Result<(), CipherError> {
        match self {
            Self::Cipher(decryptor) => decryptor.finish(plain),
            Self::Plain => Ok(()),
        }
    }
}

/// Where the plain bytes go: counted, measured, and gone again unless kept.
struct Sink {
    file: File,
    path: PathBuf,
    passed: Fingerprinter,
    max_bytes: u64,
    kept: bool,
}

impl Sink {
    fn create(path: &Path, max_bytes: u64) -> Result<Self, MediaError> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Opened here and not on a thread of the pool: a future that is dropped
        // while the pool works would leave the file behind.
        let file = File::from_std(options.open(path).map_err(MediaError::Store)?);
        let passed = Fingerprinter::default();
        Ok(Self { file, path: path.to_owned(), passed, max_bytes, kept: false })
    }

    async fn write(&mut self, plain: &[u8]) -> Result<(), MediaError> {
        self.passed.update(plain);
        if self.passed.size() > self.max_bytes {
            return Err(MediaError::TooLarge { max: self.max_bytes });
        }
        self.file.write_all(plain).await.map_err(MediaError::Store)
    }

    async fn keep(mut self) -> Result<Downloaded, MediaError> {
        self.file.flush().await.map_err(MediaError::Store)?;
        self.kept = true;
        Ok(Downloaded { plain: self.passed.clone().finish() })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.kept
            && let Err(err) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), error = %err, "could not remove a partial download");
        }
    }
}

/// Returns where a media lies: its whole address if it has one and if that is
/// allowed, else its reference below our CDN.
fn address(cdn: &Url, media: &wire::CdnMedia, limits: &Limits) -> Result<Url, MediaError> {
    if let Some(full) = media.full_url.as_deref().filter(|url| !url.is_empty()) {
        let url = Url::parse(full).map_err(|_| MediaError::NoAddress)?;
        return allowed(cdn, url, limits);
    }
    let reference = media.encrypt_query_param.as_deref().filter(|text| !text.is_empty());
    let reference = reference.ok_or(MediaError::NoAddress)?;
    Ok(with_query(join(cdn, path::CDN_DOWNLOAD), &[("encrypted_query_param", reference)]))
}

/// Lets through our CDN's origin and the other hosts that were configured,
/// these never over a weaker scheme than the CDN's. A message must not send us
/// into a private network.
fn allowed(cdn: &Url, url: Url, limits: &Limits) -> Result<Url, MediaError> {
    let host = url.host_str().unwrap_or_default();
    let ours = url.origin() == cdn.origin();
    let named = limits.other_hosts.iter().any(|name| match name.strip_prefix('.') {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => name == host,
    });
    let scheme_fits = url.scheme() == "https" || url.scheme() == cdn.scheme();
    if ours || (named && scheme_fits) {
        return Ok(url);
    }
    Err(MediaError::HostRefused { host: host.to_owned() })
}

//! What is uploaded, read twice: once to measure, once to send.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::{fmt, io};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::watch;

use super::{Limits, MediaError};
use crate::MediaKey;
use crate::cipher::{BLOCK, CHUNK, Encryptor, Fingerprint, Fingerprinter};

/// Where the bytes of an upload come from.
#[derive(Clone)]
pub enum Source {
    /// A file, opened anew for each reading.
    File(PathBuf),
    /// Bytes that are in memory already, such as a thumbnail.
    Bytes(Bytes),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
        }
    }
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;

impl Source {
    async fn open(&self) -> io::Result<Reader> {
        Ok(match self {
            Self::File(path) => Box::new(tokio::fs::File::open(path).await?),
            Self::Bytes(bytes) => Box::new(io::Cursor::new(bytes.clone())),
        })
    }

    /// The first reading. Stops as soon as the limit is passed.
    pub(super) async fn measure(&self, limits: &Limits) -> Result<Fingerprint, MediaError> {
        let mut reader = self.open().await.map_err(MediaError::Source)?;
        let mut passed = Fingerprinter::default();
        let mut chunk = vec![0; CHUNK];
        loop {
            let n = fill(&mut reader, &mut chunk).await.map_err(MediaError::Source)?;
            passed.update(&chunk[..n]);
            if passed.size() > limits.max_bytes {
                return Err(MediaError::TooLarge { max: limits.max_bytes });
            }
            if n < CHUNK {
                return Ok(passed.finish());
            }
        }
    }

    /// The second reading, as ciphertext. Its last chunk leaves only when all
    /// bytes are those that were measured, so that a source that changed meanwhile
    /// never becomes a complete upload.
    pub(super) async fn encrypted(
        &self,
        key: &MediaKey,
        measured: Fingerprint,
        progress: Progress,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>, MediaError> {
        let sending = Sending {
            reader: self.open().await.map_err(MediaError::Source)?,
            encryptor: Some(Encryptor::new(key)),
            passed: Fingerprinter::default(),
            measured,
            progress,
        };
        Ok(stream::try_unfold(sending, |mut sending| async move {
            match sending.next().await {
                Ok(chunk) => Ok(chunk.map(|chunk| (chunk, sending))),
                Err(err) => Err(sending.progress.fail(err)),
            }
        }))
    }
}

/// The state of a second reading.
struct Sending {
    reader: Reader,
    /// Taken by the last chunk.
    encryptor: Option<Encryptor>,
    passed: Fingerprinter,
    measured: Fingerprint,
    progress: Progress,
}

impl Sending {
    async fn next(&mut self) -> Result<Option<Bytes>, MediaError> {
        let Some(encryptor) = &mut self.encryptor else {
            return Ok(None);
        };
        // Leaves with the request, so each chunk is a new one.
        let mut chunk = Vec::with_capacity(CHUNK + BLOCK);
        chunk.resize(CHUNK, 0);
        let n = fill(&mut self.reader, &mut chunk).await.map_err(MediaError::Source)?;
        chunk.truncate(n);
        self.passed.update(&chunk);
        encryptor.update_in_place(&mut chunk);
        let at_end = n < CHUNK;
        let grew = self.passed.size() > self.measured.size;
        if grew || at_end && self.passed.clone().finish() != self.measured {
            return Err(MediaError::SourceChanged);
        }
        if at_end && let Some(encryptor) = self.encryptor.take() {
            encryptor.finish(&mut chunk);
        }
        self.progress.moved();
        Ok(Some(chunk.into()))
    }
}

/// What the sender of a body tells to those who wait for the answer.
#[derive(Clone)]
pub(super) struct Progress {
    moves: watch::Sender<()>,
    // Held to put or take the value, never across an await.
    failure: Arc<Mutex<Option<MediaError>>>,
}

impl Progress {
    pub(super) fn new() -> (Self, watch::Receiver<()>) {
        let (moves, moved) = watch::channel(());
        (Self { moves, failure: Arc::default() }, moved)
    }

    fn moved(&self) {
        self.moves.send_replace(());
    }

    /// Keeps the reason and returns what ends the body.
    fn fail(&self, err: MediaError) -> io::Error {
        let ends = io::Error::other(err.to_string());
        *self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(err);
        ends
    }

    /// Returns why the body ended early, if it did.
    pub(super) fn failure(&self) -> Option<MediaError> {
        self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

/// Reads until the chunk is full or the source ends.
async fn fill(reader: &mut Reader, chunk: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < chunk.len() {
        match reader.read(&mut chunk[n..]).await? {
            0 => break,
            read => n += read,
        }
    }
    Ok(n)
}

//! Media: bytes in, encrypted, as files; and out again, decrypted, in parts.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::try_unfold;
use futures_util::{Stream, StreamExt as _};
use ilink::cipher::{BLOCK, CHUNK, Decryptor, Encryptor, Fingerprint, Fingerprinter};
use ilink::{BotId, MediaKey, UserId};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use super::Core;
use crate::problem::Problem;
use crate::secret::{draw, fingerprint};
use crate::sniff;
use crate::store::MediaFile;

/// Bytes that arrive piece by piece.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// How long a sender may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// How much is collected before it is written.
const WRITE_BUFFER: usize = 256 << 10;

/// Whose media it is.
#[derive(Clone, Debug)]
pub(crate) struct Ownership {
    pub(crate) bot: BotId,
    pub(crate) user: UserId,
}

/// A media that was taken in plain.
pub(crate) struct Taken {
    /// The download reference.
    pub(crate) reference: String,
    pub(crate) key: MediaKey,
    pub(crate) plain: Fingerprint,
    /// Size of the cipher text.
    pub(crate) size: u64,
    /// The first bytes.
    pub(crate) head: Vec<u8>,
}

impl Core {
    /// Takes cipher text in, of exactly this size, and returns its download
    /// reference when the bytes are on disk.
    pub(crate) async fn take_cipher(
        &self,
        owner: Ownership,
        raw_size: u64,
        size: u64,
        mut chunks: Chunks,
    ) -> Result<String, Problem> {
        let mut draft = Draft::begin(self.store.media_dir()).await?;
        while let Some(chunk) = next(&mut chunks).await? {
            draft.write(&chunk).await?;
            if draft.size > size {
                break;
            }
        }
        if draft.size != size {
            let got = draft.size;
            return Err(Problem::Invalid(format!("the ticket is for {size} bytes, not {got}")));
        }
        self.keep(draft, owner, raw_size).await
    }

    /// Takes plain bytes in and encrypts them under a new key.
    pub(crate) async fn take_plain(
        &self,
        owner: Ownership,
        mut chunks: Chunks,
    ) -> Result<Taken, Problem> {
        let key = MediaKey::random();
        let mut draft = Draft::begin(self.store.media_dir()).await?;
        let (mut encryptor, mut prints) = (Encryptor::new(&key), Fingerprinter::default());
        let (mut cipher, mut head, mut n) = (Vec::new(), Vec::new(), 0_u64);
        while let Some(chunk) = next(&mut chunks).await? {
            n += chunk.len() as u64;
            if n > self.limits.media_size {
                return Err(Problem::TooLarge { cap: self.limits.media_size });
            }
            let missing = sniff::ENOUGH.saturating_sub(head.len()).min(chunk.len());
            head.extend_from_slice(&chunk[..missing]);
            prints.update(&chunk);
            encryptor.update(&chunk, &mut cipher);
            draft.write(&cipher).await?;
            cipher.clear();
        }
        encryptor.finish(&mut cipher);
        draft.write(&cipher).await?;
        let (plain, size) = (prints.finish(), draft.size);
        let reference = self.keep(draft, owner, plain.size).await?;
        Ok(Taken { reference, key, plain, size, head })
    }

    async fn keep(&self, draft: Draft, owner: Ownership, raw_size: u64) -> Result<String, Problem> {
        let reference = draw();
        let media = MediaFile {
            hash: fingerprint(&reference),
            bot: owner.bot,
            user: owner.user,
            raw_size,
            size: draft.size,
            created_at: self.now(),
        };
        let path = self.store.media_path(&media.hash);
        draft.keep_as(path.clone()).await?;
        if !self.store.add_media(media, self.limits.all_media).await? {
            tokio::fs::remove_file(&path).await?;
            return Err(Problem::Full("the media store is full"));
        }
        Ok(reference)
    }

    /// Finds the file of a media that has not expired.
    pub(crate) async fn media(&self, reference: &str) -> Result<(MediaFile, PathBuf), Problem> {
        let found = self.store.media(fingerprint(reference)).await?;
        let media = found.ok_or(Problem::NotFound("media"))?;
        let life = self.policy().media_life.map(crate::clock::millis);
        if life.is_some_and(|life| self.now() >= media.created_at.saturating_add(life)) {
            return Err(Problem::NotFound("media"));
        }
        let path = self.store.media_path(&media.hash);
        Ok((media, path))
    }

    /// Opens a media for reading in plain.
    pub(crate) async fn open_plain(
        &self,
        reference: &str,
        key: Option<MediaKey>,
    ) -> Result<Plain, Problem> {
        let (media, path) = self.media(reference).await?;
        Plain::open(path, media.size, key).await
    }

    /// Removes files that no row knows: uploads that a crash cut off.
    pub(super) async fn sweep_media_folder(&self) -> Result<(), super::OpenError> {
        let dir = self.store.media_dir();
        tokio::fs::create_dir_all(dir).await?;
        let mut files = tokio::fs::read_dir(dir).await?;
        while let Some(file) = files.next_entry().await? {
            let name = file.file_name().to_string_lossy().into_owned();
            if self.store.media(name).await?.is_none() {
                tokio::fs::remove_file(file.path()).await?;
            }
        }
        Ok(())
    }
}

/// Waits for the next piece, but not for ever.
async fn next(chunks: &mut Chunks) -> Result<Option<Bytes>, Problem> {
    let Ok(chunk) = tokio::time::timeout(SILENCE, chunks.next()).await else {
        return Err(Problem::BrokenOff(format!("nothing came for {SILENCE:?}")));
    };
    chunk.transpose().map_err(|err| Problem::BrokenOff(err.to_string()))
}

/// A file that is not there yet. Dropped, it was never there.
struct Draft {
    file: tokio::io::BufWriter<File>,
    path: tempfile::TempPath,
    size: u64,
}

impl Draft {
    async fn begin(dir: &std::path::Path) -> Result<Self, Problem> {
        let dir = dir.to_owned();
        // Created with mode 0600.
        let made = blocking(move || tempfile::NamedTempFile::new_in(dir)).await?;
        let (file, path) = made.into_parts();
        let file = tokio::io::BufWriter::with_capacity(WRITE_BUFFER, File::from_std(file));
        Ok(Self { file, path, size: 0 })
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.size += bytes.len() as u64;
        Ok(self.file.write_all(bytes).await?)
    }

    /// Gives the file its name when its bytes are on disk.
    async fn keep_as(mut self, path: PathBuf) -> Result<(), Problem> {
        self.file.flush().await?;
        self.file.into_inner().sync_all().await?;
        let draft = self.path;
        let rename = move || {
            draft.persist(&path)?;
            let dir = path.parent().unwrap_or(std::path::Path::new("."));
            std::fs::File::open(dir)?.sync_all()
        };
        Ok(blocking(rename).await?)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|err| Err(io::Error::other(err)))
}

/// A media that can be read in plain, in parts.
#[derive(Debug)]
pub(crate) struct Plain {
    path: PathBuf,
    key: Option<MediaKey>,
    /// Size of the plain bytes.
    pub(crate) size: u64,
}

impl Plain {
    async fn open(path: PathBuf, stored: u64, key: Option<MediaKey>) -> Result<Self, Problem> {
        let Some(key) = key else {
            return Ok(Self { path, key: None, size: stored });
        };
        let before_last =
            stored.checked_sub(BLOCK as u64).filter(|at| at.is_multiple_of(BLOCK as u64));
        let before_last = before_last.ok_or(Problem::Undecipherable)?;
        let mut file = File::open(&path).await?;
        file.seek(io::SeekFrom::Start(before_last)).await?;
        let mut last = [0; BLOCK];
        file.read_exact(&mut last).await?;
        let rest = ilink::cipher::decrypt(&key, &last).map_err(|_| Problem::Undecipherable)?;
        Ok(Self { path, key: Some(key), size: before_last + rest.len() as u64 })
    }

    /// Reads all of it into memory: for tests, and for beginnings.
    pub(crate) async fn read(&self, from: u64, n: u64) -> io::Result<Vec<u8>> {
        let mut chunks = self.stream(from, n).await?;
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }

    /// Reads `n` bytes from a place on, as a stream.
    pub(crate) async fn stream(&self, from: u64, n: u64) -> io::Result<Chunks> {
        let block = BLOCK as u64;
        // Every block stands for itself, so that reading can begin anywhere.
        let begin = if self.key.is_some() { from / block * block } else { from };
        let mut file = File::open(&self.path).await?;
        file.seek(io::SeekFrom::Start(begin)).await?;
        let skip = usize::try_from(from - begin).unwrap_or(0);
        let decryptor = self.key.as_ref().map(Decryptor::new);
        let reader = Reader { file, decryptor, skip, left: n };
        Ok(Box::pin(try_unfold(reader, Reader::next)))
    }
}

struct Reader {
    file: File,
    decryptor: Option<Decryptor>,
    /// Plain bytes to leave out at the beginning.
    skip: usize,
    left: u64,
}

impl Reader {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let mut chunk = vec![0; CHUNK];
        while self.left > 0 {
            let n = self.file.read(&mut chunk).await?;
            let mut plain = Vec::with_capacity(n + BLOCK);
            match self.decryptor.as_mut() {
                None => plain.extend_from_slice(&chunk[..n]),
                Some(decryptor) if n > 0 => decryptor.update(&chunk[..n], &mut plain),
                Some(_) => self.finish(&mut plain)?,
            }
            if n == 0 && plain.is_empty() {
                return Ok(None);
            }
            let skipped = self.skip.min(plain.len());
            self.skip -= skipped;
            plain.drain(..skipped);
            plain.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            if !plain.is_empty() {
                self.left -= plain.len() as u64;
                return Ok(Some((Bytes::from(plain), self)));
            }
        }
        Ok(None)
    }

    /// Decrypts the last block, once.
    fn finish(&mut self, plain: &mut Vec<u8>) -> io::Result<()> {
        let Some(decryptor) = self.decryptor.take() else {
            return Ok(());
        };
        decryptor.finish(plain).map_err(|err| io::Error::new(io::ErrorKind::InvalidData, err))
    }
}

//! A file of any length, sealed by a passphrase in pieces.
//!
//! ```text
//! {"hongyan": "…", "version": 1, "rounds": 600000, "salt": "…", "mark": "…"}⏎
//! piece · piece · … · the last piece
//! ```
//!
//! PBKDF2-HMAC-SHA256 makes the AES-256-GCM key, which is this file's alone, and
//! the mark by which a wrong passphrase is recognised. The first line labels
//! every piece. The number of a piece, and whether it is the last, are its
//! nonce: none can be changed, moved, left out or added.

use std::io::{self, BufRead, Read, Write};
use std::num::NonZeroU32;

use aws_lc_rs::aead::NONCE_LEN;
use serde::{Deserialize, Serialize};

use super::{Key, base64_text};
use crate::accounts::LEAST_PASSPHRASE;

/// The version that is written, and the newest that can be read.
const VERSION: u32 = 1;
/// How often the passphrase is stirred: about a tenth of a second.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).expect("it is not zero");
/// The most rounds of a file that is read, so that none can stall us.
const MOST_ROUNDS: u32 = 10_000_000;
/// The longest first line.
const MOST_HEADER: u64 = 4_096;
/// How many bytes a piece holds; the last one may hold fewer, or none.
const PIECE: usize = 1 << 20;
/// How much longer a piece is when it is closed.
const TAG: usize = 16;

/// A sealed file cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Sealed {
    /// The file is something else.
    #[error("this is no sealed file of that kind")]
    Other,
    /// A newer version has written it.
    #[error("it is sealed in version {found}, but this program knows versions up to {VERSION}")]
    Newer {
        /// The file's version.
        found: u32,
    },
    /// It is not as it was written.
    #[error("the file is damaged")]
    Damaged,
    /// The passphrase is another.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The passphrase protects nothing.
    #[error("the passphrase must have at least {LEAST_PASSPHRASE} characters")]
    ShortPassphrase,
    /// The disk refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
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

/// Seals what is written to it. What was not [finished](Self::finish) cannot be
/// read.
pub struct SealedWriter<W: Write> {
    to: W,
    key: Key,
    label: Vec<u8>,
    number: u64,
    piece: Vec<u8>,
}

impl<W: Write> SealedWriter<W> {
    /// Begins a file of a kind. Blocks for a noticeable part of a second.
    ///
    /// # Errors
    ///
    /// When the passphrase is too short, or nothing can be written.
    pub fn new(to: W, kind: &str, passphrase: &str) -> Result<Self, Sealed> {
        Self::with_rounds(ROUNDS, to, kind, passphrase)
    }

    fn with_rounds(
        rounds: NonZeroU32,
        mut to: W,
        kind: &str,
        passphrase: &str,
    ) -> Result<Self, Sealed> {
        if passphrase.chars().count() < LEAST_PASSPHRASE {
            return Err(Sealed::ShortPassphrase);
        }
        let salt: [u8; 16] = rand::random();
        let (key, mark) = Key::from_passphrase(passphrase, &salt, rounds);
        let (salt, mark) = (salt.to_vec(), mark.to_vec());
        let header = Header { hongyan: kind.to_owned(), version: VERSION, rounds, salt, mark };
        let mut label = serde_json::to_vec(&header).map_err(io::Error::from)?;
        label.push(b'\n');
        to.write_all(&label)?;
        Ok(Self { to, key, label, number: 0, piece: Vec::new() })
    }

    /// Writes what is left and returns where it went. It is not synced.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.close_piece(true)?;
        Ok(self.to)
    }

    fn close_piece(&mut self, is_last: bool) -> io::Result<()> {
        self.key.seal_piece(nonce(self.number, is_last), &self.label, &mut self.piece);
        self.to.write_all(&self.piece)?;
        self.piece.clear();
        self.number += 1;
        Ok(())
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece waits: it may turn out to be the last.
        if self.piece.len() == PIECE {
            self.close_piece(false)?;
        }
        let n = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    /// Pieces that are not full stay.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads what was sealed. Nothing of a piece is given out that was changed; an
/// error with a [`Sealed`] in it says so, also where the file ends too early.
pub struct SealedReader<R: BufRead> {
    from: R,
    key: Key,
    label: Vec<u8>,
    number: u64,
    /// What was read and not opened yet: a piece, and one byte that tells
    /// whether another follows.
    ahead: Vec<u8>,
    piece: Vec<u8>,
    given: usize,
    is_over: bool,
}

impl<R: BufRead> SealedReader<R> {
    /// Opens a file of a kind. Blocks for a noticeable part of a second.
    ///
    /// # Errors
    ///
    /// When it is something else, or the passphrase is wrong.
    pub fn new(mut from: R, kind: &str, passphrase: &str) -> Result<Self, Sealed> {
        let label = first_line(&mut from)?.ok_or(Sealed::Other)?;
        let header = serde_json::from_slice::<Header>(&label).map_err(|_| Sealed::Other)?;
        if header.hongyan != kind {
            return Err(Sealed::Other);
        }
        if header.version > VERSION {
            return Err(Sealed::Newer { found: header.version });
        }
        if header.rounds.get() > MOST_ROUNDS {
            return Err(Sealed::Damaged);
        }
        let (key, mark) = Key::from_passphrase(passphrase, &header.salt, header.rounds);
        if mark.as_slice() != header.mark {
            return Err(Sealed::WrongPassphrase);
        }
        let (ahead, piece) = (Vec::new(), Vec::new());
        Ok(Self { from, key, label, number: 0, ahead, piece, given: 0, is_over: false })
    }

    fn open_piece(&mut self) -> io::Result<()> {
        let wanted = PIECE + TAG + 1;
        let missing = (wanted - self.ahead.len()) as u64;
        self.from.by_ref().take(missing).read_to_end(&mut self.ahead)?;
        let is_last = self.ahead.len() < wanted;
        let rest = self.ahead.split_off(self.ahead.len().min(wanted - 1));
        self.piece = std::mem::replace(&mut self.ahead, rest);
        let number = nonce(self.number, is_last);
        if !self.key.open_piece(number, &self.label, &mut self.piece) {
            self.piece.clear();
            return Err(io::Error::other(Sealed::Damaged));
        }
        (self.given, self.is_over) = (0, is_last);
        self.number += 1;
        Ok(())
    }
}

impl<R: BufRead> Read for SealedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.piece.len() && !self.is_over {
            self.open_piece()?;
        }
        let n = buffer.len().min(self.piece.len() - self.given);
        buffer[..n].copy_from_slice(&self.piece[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

/// Reads up to the first line feed; none where there is none for long.
fn first_line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.take(MOST_HEADER).read_until(b'\n', &mut line)?;
    Ok(line.ends_with(b"\n").then_some(line))
}

/// The key is one file's alone, so numbers are enough.
fn nonce(number: u64, is_last: bool) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    nonce[NONCE_LEN - 1] = u8::from(is_last);
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "correct horse";

    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut writer =
            SealedWriter::with_rounds(NonZeroU32::MIN, Vec::new(), "test", PASSPHRASE).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap()
    }

    fn opened(file: &[u8]) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        SealedReader::new(file, "test", PASSPHRASE).ok()?.read_to_end(&mut content).ok()?;
        Some(content)
    }

    fn header(file: &[u8]) -> usize {
        file.iter().position(|byte| *byte == b'\n').unwrap() + 1
    }

    #[test]
    fn every_length_comes_back() {
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 7] {
            let content: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            assert!(opened(&sealed(&content)) == Some(content), "{len}");
        }
    }

    #[test]
    fn no_piece_can_be_changed_moved_left_out_or_added() {
        let file = sealed(&vec![7; 2 * PIECE + 7]);
        let begin = header(&file);
        let (one, two) = (begin + PIECE + TAG, begin + 2 * (PIECE + TAG));
        let mut changed = file.clone();
        changed[one + 5] ^= 1;
        assert_eq!(opened(&changed), None);
        for cut in [begin, begin + 1, one, two, file.len() - 1] {
            assert_eq!(opened(&file[..cut]), None, "{cut}");
        }
        let moved = [&file[..begin], &file[one..two], &file[begin..one], &file[two..]].concat();
        assert_eq!(opened(&moved), None);
        assert_eq!(opened(&[&file[..], b"x"].concat()), None);
        assert!(!file.windows(8).any(|window| window == [7; 8]));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let file = sealed(b"canary");
        let open = |file: &[u8], kind, passphrase| SealedReader::new(file, kind, passphrase).err();
        assert!(open(&file, "test", PASSPHRASE).is_none());
        assert!(matches!(open(&file, "test", "incorrect"), Some(Sealed::WrongPassphrase)));
        assert!(matches!(open(&file, "other", PASSPHRASE), Some(Sealed::Other)));
        for strange in [&b""[..], b"{}\n", b"\x1f\x8b", &[b'x'; 9_000]] {
            assert!(matches!(open(strange, "test", PASSPHRASE), Some(Sealed::Other)));
        }
        let text = String::from_utf8(file[..header(&file)].to_vec()).unwrap();
        let newer = text.replace("\"version\":1", "\"version\":2");
        assert!(matches!(
            open(newer.as_bytes(), "test", PASSPHRASE),
            Some(Sealed::Newer { found: 2 })
        ));
        let costly = text.replace("\"rounds\":1", "\"rounds\":99000000");
        assert!(matches!(open(costly.as_bytes(), "test", PASSPHRASE), Some(Sealed::Damaged)));
        let short = SealedWriter::new(Vec::new(), "test", "short").err();
        assert!(matches!(short, Some(Sealed::ShortPassphrase)));
    }
}

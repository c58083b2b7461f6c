//! AES-128-ECB with PKCS#7 over media of any size, in constant memory.
//!
//! The protocol encrypts each media under a key of its own. ECB hides little
//! and authenticates nothing: what is decrypted must be treated as bytes from
//! a stranger.
//!
//! Nothing here is generic, so that all cipher code is instantiated in this
//! crate, which is built as one codegen unit (see the root `Cargo.toml`).

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Dec, Aes128Enc, Block};

use crate::MediaKey;

mod fingerprint;
mod key;

pub use self::fingerprint::{Fingerprint, Fingerprinter};
pub use self::key::KeyError;

/// The cipher's block, in bytes.
pub const BLOCK: usize = 16;

/// How much is read, encrypted and sent at a time: it fits the processor's
/// cache and keeps one transfer's memory small.
pub const CHUNK: usize = 64 << 10;

/// Returns the size of the ciphertext of `plain` bytes: padding always adds
/// one to sixteen. A size that no number holds becomes the largest one.
#[must_use]
pub const fn cipher_size(plain: u64) -> u64 {
    (plain / BLOCK as u64 + 1).saturating_mul(BLOCK as u64)
}

/// Encrypts a whole media that is already in memory.
#[must_use]
pub fn encrypt(key: &MediaKey, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + BLOCK);
    let mut encryptor = Encryptor::new(key);
    encryptor.update(plain, &mut out);
    encryptor.finish(&mut out);
    out
}

/// Decrypts a whole media that is already in memory.
///
/// # Errors
///
/// When the ciphertext is cut or was made under another key.
pub fn decrypt(key: &MediaKey, cipher: &[u8]) -> Result<Vec<u8>, CipherError> {
    let mut out = Vec::with_capacity(cipher.len());
    let mut decryptor = Decryptor::new(key);
    decryptor.update(cipher, &mut out);
    decryptor.finish(&mut out)?;
    Ok(out)
}

/// Encrypts a stream, chunk by chunk; chunks may have any size.
///
/// Holds back at most 15 bytes between chunks.
pub struct Encryptor {
    cipher: Aes128Enc,
    carry: Carry,
}

impl Encryptor {
    /// Starts a stream under this key.
    #[must_use]
    pub fn new(key: &MediaKey) -> Self {
        Self { cipher: Aes128Enc::new(key.expose().into()), carry: Carry::default() }
    }

    /// Takes the next plain bytes and appends the ciphertext that is ready.
    pub fn update(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        let plain = self.carry.fill(plain);
        if self.carry.n < BLOCK {
            return;
        }
        encrypt_chunk(&self.cipher, &[self.carry.take()], out);
        let (blocks, rest) = Block::slice_as_chunks(plain);
        encrypt_chunk(&self.cipher, blocks, out);
        self.carry.fill(rest);
    }

    /// Replaces the next plain bytes by the ciphertext that is ready. Nothing is
    /// copied as long as all chunks are whole blocks, as [`CHUNK`] is.
    pub fn update_in_place(&mut self, chunk: &mut Vec<u8>) {
        if self.carry.n > 0 {
            let plain = std::mem::take(chunk);
            return self.update(&plain, chunk);
        }
        let (blocks, rest) = Block::slice_as_chunks_mut(chunk);
        self.cipher.encrypt_blocks(blocks);
        self.carry.fill(rest);
        chunk.truncate(chunk.len() - self.carry.n);
    }

    /// Appends the last block, which carries the padding.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let n_pad = BLOCK - self.carry.n;
        // At most 16, so the cast cannot cut.
        let padding = [n_pad as u8; BLOCK];
        self.update(&padding[..n_pad], out);
    }
}

/// Decrypts a stream, chunk by chunk; chunks may have any size.
///
/// Holds back at most 16 bytes between chunks, because any block may turn out
/// to be the last, which carries the padding.
pub struct Decryptor {
    cipher: Aes128Dec,
    carry: Carry,
    n_taken: u64,
}

impl Decryptor {
    /// Starts a stream under this key.
    #[must_use]
    pub fn new(key: &MediaKey) -> Self {
        let cipher = Aes128Dec::new(key.expose().into());
        Self { cipher, carry: Carry::default(), n_taken: 0 }
    }

    /// Takes the next ciphertext and appends the plain bytes that are ready.
    pub fn update(&mut self, cipher: &[u8], out: &mut Vec<u8>) {
        self.n_taken += cipher.len() as u64;
        let cipher = self.carry.fill(cipher);
        // What is left of the chunk, if anything, tells that the block is not the last.
        let Some(n_more) = cipher.len().checked_sub(1) else {
            return;
        };
        decrypt_chunk(&self.cipher, &[self.carry.take()], out);
        let (ready, rest) = cipher.split_at(n_more / BLOCK * BLOCK);
        decrypt_chunk(&self.cipher, Block::slice_as_chunks(ready).0, out);
        self.carry.fill(rest);
    }

    /// Appends what the last block holds before its padding.
    ///
    /// # Errors
    ///
    /// When the stream was cut, or is not what this key encrypts to.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), CipherError> {
        if self.carry.n != BLOCK {
            return Err(CipherError::Length { n: self.n_taken });
        }
        let mut last = self.carry.take();
        self.cipher.decrypt_block(&mut last);
        let n_pad = usize::from(last[BLOCK - 1]);
        if !(1..=BLOCK).contains(&n_pad) {
            return Err(CipherError::Padding);
        }
        let (plain, padding) = last.split_at(BLOCK - n_pad);
        if padding.iter().any(|byte| usize::from(*byte) != n_pad) {
            return Err(CipherError::Padding);
        }
        out.extend_from_slice(plain);
        Ok(())
    }
}

/// A ciphertext that cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// The length is no positive multiple of sixteen: the media was cut.
    #[error("{n} bytes are no whole ciphertext")]
    Length {
        /// How many bytes there were.
        n: u64,
    },
    /// The padding is wrong: another key, or no ciphertext at all.
    #[error("the padding is wrong: not encrypted under this key")]
    Padding,
}

/// A block that is not complete or must not leave yet.
#[derive(Default)]
struct Carry {
    block: Block,
    n: usize,
}

impl Carry {
    /// Takes in as much as there is room for and returns the rest.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(BLOCK - self.n));
        self.block[self.n..self.n + taken.len()].copy_from_slice(taken);
        self.n += taken.len();
        rest
    }

    fn take(&mut self) -> Block {
        self.n = 0;
        self.block
    }
}

/// Encrypts whole blocks onto the end of `out`.
fn encrypt_chunk(cipher: &Aes128Enc, plain: &[Block], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + size_of_val(plain), 0);
    let (room, _) = Block::slice_as_chunks_mut(&mut out[start..]);
    cipher.encrypt_blocks_b2b(plain, room).expect("as much room as there are blocks");
}

/// Decrypts whole blocks onto the end of `out`.
fn decrypt_chunk(cipher: &Aes128Dec, encrypted: &[Block], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + size_of_val(encrypted), 0);
    let (room, _) = Block::slice_as_chunks_mut(&mut out[start..]);
    cipher.decrypt_blocks_b2b(encrypted, room).expect("as much room as there are blocks");
}

//! Size and MD5 of a media, as an upload ticket asks for them.

use std::io::{self, Read};

use md5::{Digest, Md5};

use super::CHUNK;

/// What identifies a media's plain bytes on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// How many bytes.
    pub size: u64,
    /// Their MD5.
    pub md5: [u8; 16],
}

impl Fingerprint {
    /// Reads everything, in constant memory.
    ///
    /// # Errors
    ///
    /// When reading fails.
    pub fn of(mut reader: impl Read) -> io::Result<Self> {
        let mut passes = Fingerprinter::default();
        let mut chunk = vec![0; CHUNK];
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => return Ok(passes.finish()),
                Ok(n) => passes.update(&chunk[..n]),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
    }

    /// Returns the MD5 as it travels, in lowercase hex.
    #[must_use]
    pub fn md5_hex(&self) -> String {
        hex::encode(self.md5)
    }
}

/// Takes a fingerprint of bytes that pass by.
#[derive(Clone, Default)]
pub struct Fingerprinter {
    md5: Md5,
    size: u64,
}

impl Fingerprinter {
    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// Returns how many bytes have passed.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the fingerprint of all that passed.
    #[must_use]
    pub fn finish(self) -> Fingerprint {
        Fingerprint { size: self.size, md5: self.md5.finalize().into() }
    }
}

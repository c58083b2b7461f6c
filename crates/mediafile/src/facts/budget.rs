//! A reader that ends before it has read too much.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// How much of a file its facts may cost.
const MOST: u64 = 4 << 20;

/// Hops between headers are far apart; a small buffer wastes little at each.
const BUFFER: usize = 1 << 10;

/// Reads from a file, and fails when the budget is spent: a file whose headers
/// lead around in circles, or through all of it, costs no more than that.
pub(super) struct Budget<F> {
    file: F,
    left: u64,
}

impl<F: Read + Seek> Budget<F> {
    pub(super) fn reader(file: F) -> BufReader<Self> {
        BufReader::with_capacity(BUFFER, Self { file, left: MOST })
    }
}

impl<F: Read> Read for Budget<F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("the headers are too long"));
        }
        let most = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let n = self.file.read(&mut buf[..most])?;
        self.left -= n as u64;
        Ok(n)
    }
}

impl<F: Seek> Seek for Budget<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

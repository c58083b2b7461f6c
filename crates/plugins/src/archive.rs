//! Unpacks archives that strangers have made.
//!
//! archive → `tar` or `zip` → `Member` → `Stage`
//!
//! Nothing is written outside the folder, and nothing that is not a file, a
//! folder or a link within it. Owners, times and all of the mode but the bit
//! that makes a program are left behind.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::GzDecoder;

use crate::member::{BadMember, Member};
use crate::stage::{Limits, Stage, UnpackError};

mod tar;
mod zip;

/// Longer names are not shown in full.
const SHOWN: usize = 120;
/// What headers and padding of one member may take besides its content.
const OVERHEAD: u64 = 4 << 10;

/// Unpacks a `.tgz`, `.tar` or `.zip`, told apart by their content, into a
/// folder that does not exist yet.
///
/// # Errors
///
/// The archive is damaged, dangerous or beyond the limits. What has been
/// unpacked until then stays in the folder, to be removed by the caller.
pub fn unpack<R: Read + Seek>(
    mut archive: R,
    into: &Path,
    limits: &Limits,
) -> Result<(), UnpackError> {
    let mut magic = Vec::new();
    archive.by_ref().take(4).read_to_end(&mut magic).map_err(UnpackError::Damaged)?;
    let len = archive.seek(SeekFrom::End(0)).map_err(UnpackError::Damaged)?;
    archive.seek(SeekFrom::Start(0)).map_err(UnpackError::Damaged)?;
    let meter = Meter::new(len, limits);
    let mut stage = Stage::new(into.to_owned(), *limits)?;
    match magic.as_slice() {
        [0x1f, 0x8b, ..] => tar::unpack(meter.count(GzDecoder::new(archive)), &mut stage)?,
        b"PK\x03\x04" => zip::unpack(&mut archive, len, &meter, &mut stage)?,
        _ => tar::unpack(meter.count(archive), &mut stage)?,
    }
    stage.finish()
}

/// Reads the name of a member; `None` for the folder itself.
fn member(name: &[u8]) -> Result<Option<Member>, UnpackError> {
    Member::parse(name).map_err(|why| bad(name, why))
}

fn bad(name: &[u8], why: BadMember) -> UnpackError {
    UnpackError::Member { name: shown(name), why }
}

fn refused(name: &[u8], kind: &'static str) -> UnpackError {
    UnpackError::Kind { name: shown(name), kind }
}

/// What a stranger wrote, short enough to be shown.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(SHOWN).collect()
}

fn damaged(what: &'static str) -> UnpackError {
    UnpackError::Damaged(io::Error::new(io::ErrorKind::InvalidData, what))
}

/// Counts what comes out of an archive.
struct Meter {
    out: Cell<u64>,
    most: u64,
    bomb: u64,
    limits: Limits,
}

impl Meter {
    fn new(len: u64, limits: &Limits) -> Self {
        let bomb = len.saturating_mul(limits.ratio).max(Limits::FREE_OF_RATIO);
        let overhead = OVERHEAD.saturating_mul(limits.members as u64);
        let most = limits.bytes.saturating_add(overhead);
        Self { out: Cell::new(0), most, bomb, limits: *limits }
    }

    fn count<R: Read>(&self, inner: R) -> Metered<'_, R> {
        Metered { meter: self, inner }
    }
}

/// A reader that ends with an error where the meter says so.
struct Metered<'a, R> {
    meter: &'a Meter,
    inner: R,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let out = self.meter.out.get() + n as u64;
        self.meter.out.set(out);
        if out > self.meter.bomb {
            return Err(io::Error::other(UnpackError::Bomb(self.meter.limits.ratio)));
        }
        if out > self.meter.most {
            return Err(io::Error::other(UnpackError::TooLarge(self.meter.limits.bytes)));
        }
        Ok(n)
    }
}

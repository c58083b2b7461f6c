//! The files in `tests/samples`, and some made by hand.

use std::fs::File;
use std::io::Cursor;
use std::path::PathBuf;

use mediafile::facts::{Facts, inspect};

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

pub(crate) fn facts(name: &str) -> Facts {
    inspect(&mut File::open(path(name)).unwrap(), name).unwrap()
}

pub(crate) fn facts_of(bytes: &[u8]) -> Facts {
    inspect(&mut Cursor::new(bytes), "").unwrap()
}

/// A box of an MP4 file.
pub(crate) fn mp4_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).unwrap();
    [&length.to_be_bytes(), kind.as_slice(), body].concat()
}

/// An MP4 film of one track: 64×48 before the matrix turns it, and a clock.
pub(crate) fn film(matrix: [u32; 2], mvhd: &[u8], before_moov: &[u8]) -> Vec<u8> {
    let mut tkhd = vec![0; 84];
    tkhd[40..44].copy_from_slice(&matrix[0].to_be_bytes());
    tkhd[44..48].copy_from_slice(&matrix[1].to_be_bytes());
    tkhd[76..80].copy_from_slice(&(64_u32 << 16).to_be_bytes());
    tkhd[80..84].copy_from_slice(&(48_u32 << 16).to_be_bytes());
    let hdlr = mp4_box(b"hdlr", b"\0\0\0\0\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let trak = [mp4_box(b"tkhd", &tkhd), mp4_box(b"mdia", &hdlr)].concat();
    let moov = [mp4_box(b"mvhd", mvhd), mp4_box(b"trak", &trak)].concat();
    [&mp4_box(b"ftyp", b"isom\0\0\0\0"), before_moov, &mp4_box(b"moov", &moov)].concat()
}

/// The clock of a film in version 0: units of a millisecond.
pub(crate) fn clock(millis: u32) -> Vec<u8> {
    [&[0; 12], 1000_u32.to_be_bytes().as_slice(), &millis.to_be_bytes()].concat()
}

/// A JPEG with the same picture, held like that (Exif).
pub(crate) fn held(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0";
    let app1 = [exif.as_slice(), &[orientation, 0, 0, 0, 0, 0, 0]].concat();
    let length = u16::try_from(app1.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length, &app1, &jpeg[2..]].concat()
}

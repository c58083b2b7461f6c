//! A small picture of a file, shown before the file itself is there.

use std::io::{self, Read, Seek, SeekFrom};

use crate::facts::{Facts, Size, mp4};
use crate::kind::Class;

mod decode;
mod drawn;
mod jpeg;
mod pixels;

use self::pixels::Pixels;

/// A small picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The picture as a JPEG file.
    pub jpeg: Vec<u8>,
    /// Its size in pixels, turned as it is shown.
    pub size: Size,
}

/// How large a preview gets and what it may cost.
#[derive(Clone, Copy, Debug)]
pub struct PreviewLimits {
    /// Its longest side in pixels.
    pub longest_side: u32,
    /// The quality of the JPEG, 1 to 100.
    pub quality: u8,
    /// The longest picture file in bytes that is decoded.
    pub max_bytes: u64,
    /// The largest picture in pixels that is decoded. One takes up to four
    /// bytes of memory while it is, and up to ten in a progressive JPEG.
    pub max_pixels: u64,
}

impl Default for PreviewLimits {
    fn default() -> Self {
        Self { longest_side: 240, quality: 70, max_bytes: 64 << 20, max_pixels: 40_000_000 }
    }
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum NoPreview {
    /// The file is not a picture or video.
    #[error("a file of type {0} has nothing to preview")]
    NothingToSee(String),
    /// The type of picture is not decoded here: HEIF, AVIF, TIFF, BMP.
    #[error("pictures of type {0} are not decoded")]
    Unsupported(String),
    /// The picture is larger than the limits, or says so.
    #[error("the picture is too large to be decoded")]
    TooLarge,
    /// The picture is broken.
    #[error("the picture is broken: {0}")]
    Broken(String),
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Makes the preview of a file whose facts are known.
///
/// Of a picture it is the picture, made smaller but never larger, turned as it
/// is shown, on white where it is transparent; of a moving one its first frame.
/// Videos are not decoded: theirs is the cover inside an MP4 or MOV file, or
/// else a dark frame of the right shape with a triangle on it. Afterwards the
/// file stands anywhere. Blocks, for up to a second; belongs on a blocking
/// thread.
///
/// # Errors
///
/// See [`NoPreview`]. The limits hold whatever the file claims.
pub fn preview<F: Read + Seek>(
    file: &mut F,
    facts: &Facts,
    limits: &PreviewLimits,
) -> Result<Preview, NoPreview> {
    match facts.kind.class {
        Class::Image => {
            if facts.len > limits.max_bytes {
                return Err(NoPreview::TooLarge);
            }
            let bytes = read_at(file, 0, facts.len)?;
            of_picture(bytes, &facts.kind.mime, limits)
        }
        Class::Video => match cover(file, facts, limits)? {
            Some(cover) => Ok(cover),
            None => Ok(finished(drawn::frame(facts.size, limits.longest_side), limits)),
        },
        Class::Audio | Class::Other => Err(NoPreview::NothingToSee(facts.kind.mime.clone())),
    }
}

fn of_picture(bytes: Vec<u8>, mime: &str, limits: &PreviewLimits) -> Result<Preview, NoPreview> {
    let (pixels, orientation) = decode::picture(bytes, mime, limits.max_pixels)?;
    Ok(finished(pixels.shrunk(limits.longest_side).turned(orientation), limits))
}

fn finished(pixels: Pixels, limits: &PreviewLimits) -> Preview {
    Preview { jpeg: jpeg::encoded(&pixels, limits.quality), size: pixels.size }
}

/// The cover inside a video, if it has one that can be decoded.
fn cover<F: Read + Seek>(
    file: &mut F,
    facts: &Facts,
    limits: &PreviewLimits,
) -> Result<Option<Preview>, NoPreview> {
    if !matches!(facts.kind.mime.as_str(), "video/mp4" | "video/quicktime" | "video/x-m4v") {
        return Ok(None);
    }
    let Some(place) = mp4::cover(file, facts.len) else {
        return Ok(None);
    };
    if place.end - place.start > limits.max_bytes {
        return Ok(None);
    }
    let bytes = read_at(file, place.start, place.end - place.start)?;
    let mime = if bytes.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
    Ok(of_picture(bytes, mime, limits).ok())
}

fn read_at<F: Read + Seek>(file: &mut F, at: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

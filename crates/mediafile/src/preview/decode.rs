//! Picture files to pixels, no more of them than allowed.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, MemoryLimit};
use image_webp::WebPDecoder;
use png::{ColorType, Limits, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::NoPreview;
use super::pixels::{Decoded, Form};
use crate::facts::Size;
use crate::facts::exif::Orientation;

/// More scans than any progressive JPEG needs; each costs the time of a picture.
const MOST_SCANS: usize = 32;

/// Decodes a picture, and tells how it has to be turned.
pub(super) fn picture(
    bytes: Vec<u8>,
    mime: &str,
    max_pixels: u64,
) -> Result<(Decoded, Orientation), NoPreview> {
    let room = Room { max_pixels };
    if mime == "image/jpeg" {
        return jpeg(bytes, room);
    }
    let decoded = match mime {
        "image/png" => png(&bytes, room)?,
        "image/gif" => gif(&bytes, room)?,
        "image/webp" => webp(&bytes, room)?,
        other => return Err(NoPreview::Unsupported(other.to_owned())),
    };
    Ok((decoded, Orientation::default()))
}

#[derive(Clone, Copy)]
struct Room {
    max_pixels: u64,
}

impl Room {
    /// Returns the size if it is allowed; asked before memory is taken.
    fn for_size(self, width: u32, height: u32) -> Result<Size, NoPreview> {
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(NoPreview::TooLarge);
        }
        Size::new(width, height).ok_or_else(|| NoPreview::Broken("it has no pixels".to_owned()))
    }

    /// What a decoder may take for itself, in bytes.
    fn memory(self) -> usize {
        usize::try_from(self.max_pixels.saturating_mul(4)).unwrap_or(usize::MAX)
    }
}

fn jpeg(bytes: Vec<u8>, room: Room) -> Result<(Decoded, Orientation), NoPreview> {
    let options = DecoderOptions::default()
        .jpeg_set_max_scans(MOST_SCANS)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(broken)?;
    let info = decoder.info().ok_or_else(|| NoPreview::Broken("no header".to_owned()))?;
    let size = room.for_size(info.width.into(), info.height.into())?;
    let orientation = decoder.exif().map_or_else(Orientation::default, |b| Orientation::of_exif(b));
    let bytes = decoder.decode().map_err(broken)?;
    let form = match decoder.output_colorspace() {
        Some(ColorSpace::RGB) => Form::Rgb,
        Some(ColorSpace::Luma) => Form::Gray,
        other => return Err(NoPreview::Unsupported(format!("image/jpeg in {other:?}"))),
    };
    Ok((Decoded { size, bytes, form }, orientation))
}

fn png(bytes: &[u8], room: Room) -> Result<Decoded, NoPreview> {
    let limits = Limits { bytes: room.memory() };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(broken)?;
    let size = room.for_size(header.width, header.height)?;
    let mut reader = decoder.read_info().map_err(broken)?;
    let length = reader.output_buffer_size().ok_or(NoPreview::TooLarge)?;
    let mut bytes = vec![0; length];
    let frame = reader.next_frame(&mut bytes).map_err(broken)?;
    let form = match frame.color_type {
        ColorType::Grayscale => Form::Gray,
        ColorType::GrayscaleAlpha => Form::GrayAlpha,
        ColorType::Rgb => Form::Rgb,
        ColorType::Rgba => Form::Rgba,
        ColorType::Indexed => return Err(NoPreview::Broken("a palette remained".to_owned())),
    };
    // The first frame of a moving picture may be smaller than the whole.
    let size = Size::new(frame.width, frame.height).unwrap_or(size);
    Ok(Decoded { size, bytes, form })
}

fn gif(bytes: &[u8], room: Room) -> Result<Decoded, NoPreview> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let memory = std::num::NonZeroU64::new(room.max_pixels.saturating_mul(4));
    options.set_memory_limit(memory.map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    let mut decoder = options.read_info(bytes).map_err(broken)?;
    let frame = decoder.next_frame_info().map_err(broken)?;
    let frame = frame.ok_or_else(|| NoPreview::Broken("it has no frame".to_owned()))?;
    // A first frame that is smaller than the whole is shown alone.
    let size = room.for_size(frame.width.into(), frame.height.into())?;
    let mut bytes = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut bytes).map_err(broken)?;
    Ok(Decoded { size, bytes, form: Form::Rgba })
}

fn webp(bytes: &[u8], room: Room) -> Result<Decoded, NoPreview> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(broken)?;
    decoder.set_memory_limit(room.memory());
    let (width, height) = decoder.dimensions();
    let size = room.for_size(width, height)?;
    let mut bytes = vec![0; decoder.output_buffer_size().ok_or(NoPreview::TooLarge)?];
    decoder.read_image(&mut bytes).map_err(broken)?;
    let form = if decoder.has_alpha() { Form::Rgba } else { Form::Rgb };
    Ok(Decoded { size, bytes, form })
}

fn broken(err: impl std::fmt::Display) -> NoPreview {
    NoPreview::Broken(err.to_string())
}

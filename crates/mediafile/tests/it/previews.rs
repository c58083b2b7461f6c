//! Small pictures of files.

use std::fs::File;
use std::io::Cursor;

use mediafile::facts::{Facts, Size};
use mediafile::kind::Class;
use mediafile::preview::{NoPreview, Preview, PreviewLimits, preview};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

use crate::samples::{bytes, clock, facts, facts_of, film, held, path};

const LIMITS: PreviewLimits =
    PreviewLimits { longest_side: 32, quality: 90, max_bytes: 1 << 20, max_pixels: 4096 };

#[test]
fn a_picture_is_made_smaller() {
    for name in ["picture.jpg", "picture.png", "picture.gif", "picture.webp"] {
        let made = preview_of(name);
        assert_eq!(made.size, Size { width: 32, height: 24 }, "{name}");
        let original = decoded(&picture_as_jpeg(name));
        let shrunk = decoded(&made.jpeg);
        assert_eq!(shrunk.0, made.size, "{name}");
        let off = mean_difference(&original, &shrunk);
        assert!(off < 12.0, "{name}: {off}");
    }
}

#[test]
fn a_small_picture_stays_as_it_is() {
    let limits = PreviewLimits::default();
    let file = bytes("picture.png");
    let made = preview(&mut Cursor::new(&file), &facts_of(&file), &limits).unwrap();
    assert_eq!(made.size, Size { width: 64, height: 48 });
}

#[test]
fn a_turned_picture_is_turned() {
    let upright = decoded(&made(&bytes("picture.jpg")).unwrap().jpeg);
    let turned = made(&held(&bytes("picture.jpg"), 6)).unwrap();
    assert_eq!(turned.size, Size { width: 24, height: 32 });
    let (size, turned) = decoded(&turned.jpeg);
    // A quarter turn clockwise: what was at the bottom left is at the top left.
    let (was, is) = (upright.1[23 * 32], turned[0]);
    assert!(was.iter().zip(is).all(|(was, is)| was.abs_diff(is) < 40), "{was:?} {is:?} {size:?}");
    let (was, is) = (upright.1[0], turned[23]);
    assert!(was.iter().zip(is).all(|(was, is)| was.abs_diff(is) < 40), "{was:?} {is:?} {size:?}");
}

#[test]
fn a_video_without_a_cover_is_a_drawn_frame_of_its_shape() {
    let file = film([0, 0x1_0000], &clock(1000), &[]);
    let made = made(&file).unwrap();
    assert_eq!(made.size, Size { width: 24, height: 32 });
    let (_, pixels) = decoded(&made.jpeg);
    let (middle, corner) = (pixels[16 * 24 + 12], pixels[0]);
    assert!(middle[0] > 200 && corner[0] < 60, "{middle:?} {corner:?}");
    let webm = preview_of("film.webm");
    assert_eq!(webm.size, Size { width: 32, height: 24 });
}

#[test]
fn a_video_with_a_cover_shows_it() {
    let cover = decoded(&preview_of("cover.mp4").jpeg);
    let picture = decoded(&preview_of("picture.jpg").jpeg);
    assert_eq!(cover, picture);
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let limits = PreviewLimits { max_pixels: 64 * 48 - 1, ..LIMITS };
    for name in ["picture.jpg", "picture.png", "picture.gif", "picture.webp"] {
        let refused = preview(&mut File::open(path(name)).unwrap(), &facts(name), &limits);
        assert!(matches!(refused, Err(NoPreview::TooLarge)), "{name}: {refused:?}");
    }
    let mut claims = Vec::new();
    drop(png::Encoder::new(&mut claims, 1 << 30, 1 << 30).write_header().unwrap());
    assert!(matches!(made(&claims), Err(NoPreview::TooLarge)));
    let limits = PreviewLimits { max_bytes: 100, ..LIMITS };
    let refused = preview(&mut Cursor::new(bytes("picture.jpg")), &facts("picture.jpg"), &limits);
    assert!(matches!(refused, Err(NoPreview::TooLarge)));
}

#[test]
fn what_cannot_be_shown_says_why() {
    let no_picture = |name: &str| made(&bytes(name)).unwrap_err().to_string();
    assert_eq!(no_picture("sound.wav"), "a file of type audio/wav has nothing to preview");
    assert_eq!(no_picture("picture.avif"), "pictures of type image/avif are not decoded");
    let cut = &bytes("picture.png")[..60];
    assert!(matches!(made(cut), Err(NoPreview::Broken(_))), "{:?}", made(cut));
}

#[test]
fn no_broken_picture_breaks_us() {
    for name in ["picture.jpg", "picture.png", "picture.gif", "picture.webp", "cover.mp4"] {
        let (whole, facts) = (bytes(name), facts(name));
        for at in (0..whole.len()).step_by(7) {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            let facts = Facts { len: changed.len() as u64, ..facts.clone() };
            let shown = preview(&mut Cursor::new(&changed), &facts, &LIMITS);
            assert!(shown.is_ok() || facts.kind.class == Class::Image, "{name} {at}: {shown:?}");
        }
    }
}

fn made(file: &[u8]) -> Result<Preview, NoPreview> {
    preview(&mut Cursor::new(file), &facts_of(file), &LIMITS)
}

fn preview_of(name: &str) -> Preview {
    made(&bytes(name)).unwrap()
}

/// The picture in its own size.
fn picture_as_jpeg(name: &str) -> Vec<u8> {
    let limits = PreviewLimits { longest_side: 64, ..LIMITS };
    let file = bytes(name);
    preview(&mut Cursor::new(&file), &facts_of(&file), &limits).unwrap().jpeg
}

fn decoded(jpeg: &[u8]) -> (Size, Vec<[u8; 3]>) {
    let mut decoder = JpegDecoder::new(ZCursor::new(jpeg));
    let bytes = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let size = Size { width: width as u32, height: height as u32 };
    (size, bytes.as_chunks().0.to_vec())
}

/// How far each pixel is from the four that it stands for.
fn mean_difference(large: &(Size, Vec<[u8; 3]>), small: &(Size, Vec<[u8; 3]>)) -> f64 {
    let (width, small_width) = (large.0.width as usize, small.0.width as usize);
    let mut sum = 0.0;
    for (n, pixel) in small.1.iter().enumerate() {
        let (x, y) = (n % small_width * 2, n / small_width * 2);
        for (channel, value) in pixel.iter().enumerate() {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)];
            let four = four.map(|(dx, dy)| f64::from(large.1[(y + dy) * width + x + dx][channel]));
            sum += (four.iter().sum::<f64>() / 4.0 - f64::from(*value)).abs();
        }
    }
    sum / (small.1.len() * 3) as f64
}

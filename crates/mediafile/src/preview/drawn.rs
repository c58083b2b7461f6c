//! The frame that stands for a video.

use super::pixels::{Pixels, fitting};
use crate::facts::Size;

const DARK: [u8; 3] = [0x24, 0x26, 0x2b];
const LIGHT: [u8; 3] = [0xe6, 0xe8, 0xec];
/// Of a video that does not tell its size.
const WIDE: Size = Size { width: 1920, height: 1080 };

/// Draws a light triangle on a dark ground, in the shape of the video.
pub(super) fn frame(video: Option<Size>, longest_side: u32) -> Pixels {
    let size = fitting(video.unwrap_or(WIDE), longest_side);
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let half = width.min(height) / 6.0;
    let pixel = |x: u32, y: u32| {
        let (x, y) = (f64::from(x) + 0.5 - width / 2.0, f64::from(y) + 0.5 - height / 2.0);
        // It points to the right: the farther right, the lower it is.
        let is_inside = x >= -half && y.abs() <= (half - x) / 2.0 * 1.15;
        if is_inside { LIGHT } else { DARK }
    };
    let rgb = (0..size.height).flat_map(|y| (0..size.width).map(move |x| pixel(x, y))).collect();
    Pixels { size, rgb }
}

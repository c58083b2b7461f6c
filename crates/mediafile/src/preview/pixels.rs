//! Pixels in memory: made fewer, and turned.

use crate::facts::Size;
use crate::facts::exif::Orientation;

/// A picture in red, green and blue, row by row.
pub(super) struct Pixels {
    pub(super) size: Size,
    pub(super) rgb: Vec<[u8; 3]>,
}

/// A decoded picture in one of four forms.
pub(super) struct Decoded {
    pub(super) size: Size,
    /// As many bytes a pixel as `form` says, row by row.
    pub(super) bytes: Vec<u8>,
    pub(super) form: Form,
}

/// What the bytes of a pixel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

impl Form {
    pub(super) fn n_bytes(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// Returns colour and opacity of the pixel.
    fn read(self, pixel: &[u8]) -> ([u8; 3], u8) {
        match (self, pixel) {
            (Self::Gray, &[gray]) => ([gray; 3], 255),
            (Self::GrayAlpha, &[gray, alpha]) => ([gray; 3], alpha),
            (Self::Rgb, &[r, g, b]) => ([r, g, b], 255),
            (Self::Rgba, &[r, g, b, alpha]) => ([r, g, b], alpha),
            // No pixel at all: a decoder has returned too little.
            _ => ([255; 3], 0),
        }
    }
}

impl Decoded {
    /// Returns the picture with at most so many pixels a side, on white: each is
    /// the mean of those that it replaces.
    pub(super) fn shrunk(&self, longest_side: u32) -> Pixels {
        let size = fitting(self.size, longest_side);
        let mut rgb = Vec::new();
        for y in 0..size.height {
            let rows = covered(y, size.height, self.size.height);
            for x in 0..size.width {
                let columns = covered(x, size.width, self.size.width);
                rgb.push(self.mean(columns, rows.clone()));
            }
        }
        Pixels { size, rgb }
    }

    fn mean(&self, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> [u8; 3] {
        let n_bytes = self.form.n_bytes();
        let width = self.size.width as usize;
        let n_pixels = (columns.len() * rows.len()).max(1) as u64;
        let mut sums = [0_u64; 3];
        for row in rows {
            let row =
                (row * width + columns.start) * n_bytes..(row * width + columns.end) * n_bytes;
            for pixel in self.bytes.get(row).unwrap_or_default().chunks_exact(n_bytes) {
                let (colour, alpha) = self.form.read(pixel);
                for (sum, channel) in sums.iter_mut().zip(colour) {
                    let alpha = u64::from(alpha);
                    *sum += (u64::from(channel) * alpha + 255 * (255 - alpha)) / 255;
                }
            }
        }
        sums.map(|sum| u8::try_from(sum / n_pixels).unwrap_or(u8::MAX))
    }
}

impl Pixels {
    pub(super) fn turned(self, orientation: Orientation) -> Self {
        let Size { width, height } = self.size;
        let size = if orientation.swaps_sides() { self.size.turned() } else { self.size };
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for y in 0..size.height {
            for x in 0..size.width {
                // Where the pixel was before the turn, then before the mirror.
                let (from_x, from_y) = match orientation.quarters {
                    1 => (y, height - 1 - x),
                    2 => (width - 1 - x, height - 1 - y),
                    3 => (width - 1 - y, x),
                    _ => (x, y),
                };
                let from_x = if orientation.is_mirrored { width - 1 - from_x } else { from_x };
                rgb.push(self.rgb[from_y as usize * width as usize + from_x as usize]);
            }
        }
        Self { size, rgb }
    }
}

/// The largest size of the same shape with no side longer than that; never
/// larger than it was.
pub(super) fn fitting(size: Size, longest_side: u32) -> Size {
    let longest = u64::from(size.width.max(size.height));
    let most = u64::from(longest_side.max(1)).min(longest);
    let side = |side: u32| {
        let scaled = (u64::from(side) * most + longest / 2) / longest;
        u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
    };
    Size { width: side(size.width), height: side(size.height) }
}

/// Which of `n_from` places the one at `at` of `n_to` stands for; at least one.
fn covered(at: u32, n_to: u32, n_from: u32) -> std::ops::Range<usize> {
    let place = |at: u32| (u64::from(at) * u64::from(n_from) / u64::from(n_to.max(1))) as usize;
    let start = place(at);
    start..place(at + 1).max(start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitting_size_keeps_the_shape() {
        let check = |width, height, to: (u32, u32)| {
            let fits = fitting(Size { width, height }, 240);
            assert_eq!((fits.width, fits.height), to, "{width}×{height}");
        };
        check(4000, 3000, (240, 180));
        check(3000, 4000, (180, 240));
        check(100, 50, (100, 50));
        check(u32::MAX, 1, (240, 1));
        check(1, 1, (1, 1));
    }

    #[test]
    fn fewer_pixels_are_the_mean_of_many_on_white() {
        let size = Size { width: 2, height: 2 };
        let shrunk =
            |form, bytes: &[u8]| Decoded { size, bytes: bytes.to_vec(), form }.shrunk(1).rgb;
        assert_eq!(shrunk(Form::Gray, &[0, 100, 100, 200]), [[100; 3]]);
        assert_eq!(shrunk(Form::GrayAlpha, &[0, 255, 0, 0, 0, 0, 0, 255]), [[127; 3]]);
        assert_eq!(shrunk(Form::Rgb, &[9, 6, 3].repeat(4)), [[9, 6, 3]]);
        assert_eq!(shrunk(Form::Rgba, &[10, 20, 30, 0].repeat(4)), [[255; 3]]);
    }

    #[test]
    fn a_turned_picture_is_upright() {
        let turned = |is_mirrored, quarters| {
            let rgb = (0..6).map(|n| [n; 3]).collect();
            let pixels = Pixels { size: Size { width: 3, height: 2 }, rgb };
            let turned = pixels.turned(Orientation { is_mirrored, quarters });
            let values: Vec<u8> = turned.rgb.iter().map(|pixel| pixel[0]).collect();
            (turned.size.width, values)
        };
        assert_eq!(turned(false, 0), (3, vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(turned(false, 1), (2, vec![3, 0, 4, 1, 5, 2]));
        assert_eq!(turned(false, 2), (3, vec![5, 4, 3, 2, 1, 0]));
        assert_eq!(turned(false, 3), (2, vec![2, 5, 1, 4, 0, 3]));
        assert_eq!(turned(true, 0), (3, vec![2, 1, 0, 5, 4, 3]));
        assert_eq!(turned(true, 3), (2, vec![0, 3, 1, 4, 2, 5]));
    }
}

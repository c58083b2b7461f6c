//! Pixels to a baseline JPEG (ITU-T T.81): no subsampling, the example tables of
//! its Annex K. Enough for small pictures; libraries that write JPEG are made
//! for large ones and take longer to build than everything else here.

use std::f32::consts::PI;

use super::pixels::Pixels;

/// Returns the file. Sides are 16 bits long; larger pictures are cut.
pub(super) fn encoded(pixels: &Pixels, quality: u8) -> Vec<u8> {
    let width = u16::try_from(pixels.size.width).unwrap_or(u16::MAX);
    let height = u16::try_from(pixels.size.height).unwrap_or(u16::MAX);
    let steps = [scaled(&LUMA_STEPS, quality), scaled(&CHROMA_STEPS, quality)];
    let mut file = header(width, height, &steps);
    let cosines = cosines();
    let mut scan = Scan::new();
    let mut before = [0; 3];
    for y in (0..height).step_by(8) {
        for x in (0..width).step_by(8) {
            for (component, before) in before.iter_mut().enumerate() {
                let block = block(pixels, x.into(), y.into(), component);
                let waves = rounded(&transformed(&block, &cosines), &steps[component.min(1)]);
                scan.put_block(&waves, *before);
                *before = waves[0];
            }
        }
    }
    file.extend(scan.finished());
    file.extend(b"\xff\xd9");
    file
}

fn header(width: u16, height: u16, steps: &[[u8; 64]; 2]) -> Vec<u8> {
    let mut file = b"\xff\xd8".to_vec();
    let mut segment = |marker: u8, parts: &[&[u8]]| {
        let length = 2 + parts.iter().map(|part| part.len()).sum::<usize>();
        file.extend([0xff, marker]);
        file.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        file.extend(parts.concat());
    };
    segment(0xe0, &[b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"]);
    for (n, steps) in steps.iter().enumerate() {
        segment(0xdb, &[&[n as u8], &ZIGZAG.map(|at| steps[usize::from(at)])]);
    }
    // Three components of 8 bits with their tables of steps.
    let components = b"\x03\x01\x11\0\x02\x11\x01\x03\x11\x01";
    segment(0xc0, &[b"\x08", &height.to_be_bytes(), &width.to_be_bytes(), components]);
    segment(0xc4, &[b"\0", &DC_LENGTHS, &DC_VALUES]);
    segment(0xc4, &[b"\x10", &AC_LENGTHS, &AC_VALUES]);
    segment(0xda, &[b"\x03\x01\0\x02\0\x03\0\0\x3f\0"]);
    file
}

/// The samples of one component, 0 luma, 1 and 2 chroma, around zero. Beyond the
/// edge the last pixel goes on.
fn block(pixels: &Pixels, x0: u32, y0: u32, component: usize) -> [f32; 64] {
    const WEIGHTS: [[f32; 3]; 3] =
        [[0.299, 0.587, 0.114], [-0.168_736, -0.331_264, 0.5], [0.5, -0.418_688, -0.081_312]];
    let offset = if component == 0 { -128.0 } else { 0.0 };
    std::array::from_fn(|at| {
        let x = (x0 + at as u32 % 8).min(pixels.size.width - 1);
        let y = (y0 + at as u32 / 8).min(pixels.size.height - 1);
        let pixel = pixels.rgb[y as usize * pixels.size.width as usize + x as usize];
        let weighed =
            pixel.iter().zip(WEIGHTS[component]).map(|(c, weight)| f32::from(*c) * weight);
        weighed.sum::<f32>() + offset
    })
}

/// What each of eight samples gives to each of eight frequencies.
fn cosines() -> [[f32; 8]; 8] {
    let cosine = |frequency: usize, at: usize| {
        let scale = if frequency == 0 { 0.125_f32.sqrt() } else { 0.5 };
        scale * ((2 * at + 1) as f32 * frequency as f32 * PI / 16.0).cos()
    };
    std::array::from_fn(|frequency| std::array::from_fn(|at| cosine(frequency, at)))
}

/// The discrete cosine transform, first of the rows, then of the columns.
fn transformed(block: &[f32; 64], cosines: &[[f32; 8]; 8]) -> [f32; 64] {
    let rows: [f32; 64] =
        std::array::from_fn(|n| (0..8).map(|at| block[n / 8 * 8 + at] * cosines[n % 8][at]).sum());
    std::array::from_fn(|n| (0..8).map(|at| rows[at * 8 + n % 8] * cosines[n / 8][at]).sum())
}

/// Waves in steps, in the order in which they are written; ten bits, as the
/// tables of codes end there.
fn rounded(waves: &[f32; 64], steps: &[u8; 64]) -> [i32; 64] {
    let step = |at: usize| (waves[at] / f32::from(steps[at])).round() as i32;
    ZIGZAG.map(|at| step(at.into()).clamp(-1023, 1023))
}

fn scaled(steps: &[u8; 64], quality: u8) -> [u8; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    steps.map(|step| ((u32::from(step) * percent + 50) / 100).clamp(1, 255) as u8)
}

/// The coded picture: bits from the top, a zero behind each full byte.
struct Scan {
    bytes: Vec<u8>,
    bits: u64,
    n_bits: u32,
    dc: [Code; 256],
    ac: [Code; 256],
}

#[derive(Clone, Copy, Default)]
struct Code {
    bits: u16,
    length: u32,
}

impl Scan {
    fn new() -> Self {
        let dc = codes(&DC_LENGTHS, &DC_VALUES);
        let ac = codes(&AC_LENGTHS, &AC_VALUES);
        Self { bytes: Vec::new(), bits: 0, n_bits: 0, dc, ac }
    }

    fn put_block(&mut self, waves: &[i32; 64], before: i32) {
        self.put_value(waves[0] - before, 0, true);
        let mut n_zeros = 0;
        for wave in &waves[1..] {
            if *wave == 0 {
                n_zeros += 1;
                continue;
            }
            while n_zeros > 15 {
                self.put(self.ac[0xf0]);
                n_zeros -= 16;
            }
            self.put_value(*wave, n_zeros, false);
            n_zeros = 0;
        }
        if n_zeros > 0 {
            self.put(self.ac[0]);
        }
    }

    /// Writes how many bits a value has and how many zeros are before it, as one
    /// code, then the bits.
    fn put_value(&mut self, value: i32, n_zeros: u32, is_dc: bool) {
        let length = u32::BITS - value.unsigned_abs().leading_zeros();
        let symbol = (n_zeros << 4 | length) as usize & 0xff;
        self.put(if is_dc { self.dc[symbol] } else { self.ac[symbol] });
        let bits = if value < 0 { value - 1 } else { value };
        self.put(Code { bits: (bits & ((1 << length) - 1)) as u16, length });
    }

    fn put(&mut self, code: Code) {
        self.bits = self.bits << code.length | u64::from(code.bits);
        self.n_bits += code.length;
        while self.n_bits >= 8 {
            self.n_bits -= 8;
            let byte = (self.bits >> self.n_bits) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
    }

    fn finished(mut self) -> Vec<u8> {
        self.put(Code { bits: 0x7f, length: 7 });
        self.bytes
    }
}

/// Codes of rising length, counted through (T.81, Annex C).
fn codes(lengths: &[u8; 16], values: &[u8]) -> [Code; 256] {
    let mut codes = [Code::default(); 256];
    let mut values = values.iter();
    let mut bits = 0;
    for (length, n_codes) in (1..).zip(lengths) {
        for value in values.by_ref().take(usize::from(*n_codes)) {
            codes[usize::from(*value)] = Code { bits, length };
            bits += 1;
        }
        bits <<= 1;
    }
    codes
}

const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// T.81, table K.1.
const LUMA_STEPS: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// T.81, table K.2.
const CHROMA_STEPS: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// T.81, table K.3.
const DC_LENGTHS: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const DC_VALUES: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

/// T.81, table K.5.
const AC_LENGTHS: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125];
const AC_VALUES: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
    0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
    0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28,
    0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
    0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
    0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
    0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
    0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5,
    0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
    0xf9, 0xfa,
];

#[cfg(test)]
mod tests {
    use zune_jpeg::JpegDecoder;
    use zune_jpeg::zune_core::bytestream::ZCursor;

    use super::*;
    use crate::facts::Size;

    #[test]
    fn what_is_written_is_read_again() {
        // Odd sizes end in the middle of a block; hard edges fill every wave.
        for (width, height) in [(1, 1), (8, 8), (37, 19), (64, 3)] {
            let size = Size { width, height };
            let at = |n: u32| (n % width, n / width);
            let smooth = |n: u32| [at(n).0 * 255 / width, at(n).1 * 255 / height, 128];
            let noisy =
                |n: u32| [0, 8, 16].map(|bits| n.wrapping_mul(2_654_435_761) >> bits & 0xff);
            for (picture, most_off) in
                [(&smooth as &dyn Fn(u32) -> [u32; 3], 12), (&noisy as _, 24)]
            {
                let rgb = (0..width * height).map(|n| picture(n).map(|c| c as u8)).collect();
                let pixels = Pixels { size, rgb };
                let mut decoder = JpegDecoder::new(ZCursor::new(encoded(&pixels, 98)));
                let read = decoder.decode().unwrap();
                assert_eq!(decoder.dimensions(), Some((width as usize, height as usize)));
                let off = read.iter().zip(pixels.rgb.as_flattened()).map(|(a, b)| a.abs_diff(*b));
                let off = off.max().unwrap();
                assert!(off <= most_off, "{width}×{height}: {off}");
            }
        }
    }

    #[test]
    fn less_quality_is_shorter() {
        let size = Size { width: 64, height: 64 };
        let rgb = (0..64 * 64_u32).map(|n| [(n % 64 * 4) as u8, (n / 64 * 4) as u8, 90]).collect();
        let pixels = Pixels { size, rgb };
        let lengths = [0, 10, 70, 100, 255].map(|quality| encoded(&pixels, quality).len());
        assert!(lengths.is_sorted(), "{lengths:?}");
    }
}

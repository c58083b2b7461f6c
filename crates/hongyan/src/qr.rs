//! QR codes in a terminal.

use fast_qr::{ECL, QRBuilder};

/// The border that readers need, in modules.
const QUIET_ZONE: usize = 4;

/// A QR code that can be printed.
pub(crate) struct TerminalQr {
    size: usize,
    dark: Vec<bool>,
}

impl TerminalQr {
    /// Encodes a text; `None` when it is too long for any QR code.
    pub(crate) fn encode(text: &str) -> Option<Self> {
        // The smallest one: a screen has no dirt to correct.
        let code = QRBuilder::new(text).ecl(ECL::L).build().ok()?;
        let size = code.size;
        let dark = (0..size * size).map(|at| code[at / size][at % size].value()).collect();
        Some(Self { size, dark })
    }

    /// Returns how many columns it takes; it takes half as many lines.
    pub(crate) fn columns(&self) -> usize {
        self.size + 2 * QUIET_ZONE
    }

    /// Draws two modules per character. Light modules are drawn and dark ones
    /// left out, as on the dark ground of most terminals; phones read the
    /// inverse as well.
    pub(crate) fn draw(&self) -> String {
        let columns = self.columns();
        let mut text = String::new();
        for y in (0..columns).step_by(2) {
            for x in 0..columns {
                text.push(match (self.is_light(x, y), self.is_light(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push('\n');
        }
        text
    }

    /// Says whether a module is light; the border and what lies beyond is.
    fn is_light(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET_ZONE).filter(|at| *at < self.size);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => !self.dark[y * self.size + x],
            _ => true,
        }
    }
}

/// Draws a text as a picture in PNG format, eight pixels a module; `None` when it
/// is too long for any QR code.
pub(crate) fn png(text: &str) -> Option<Vec<u8>> {
    const PIXELS: usize = 8;
    let qr = TerminalQr::encode(text)?;
    let side = qr.columns() * PIXELS;
    let shades = (0..side * side).map(|at| {
        let (x, y) = (at % side / PIXELS, at / side / PIXELS);
        if qr.is_light(x, y) { u8::MAX } else { 0 }
    });
    let mut png = Vec::new();
    let size = u32::try_from(side).ok()?;
    let mut encoder = png::Encoder::new(&mut png, size, size);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&shades.collect::<Vec<u8>>()).ok()?;
    writer.finish().ok()?;
    Some(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_has_its_border_and_its_size() {
        let qr = TerminalQr::encode("https://example.org/q/0123456789").unwrap();
        let drawing = qr.draw();
        let lines: Vec<_> = drawing.lines().collect();
        assert_eq!(lines.len(), qr.columns().div_ceil(2));
        assert!(lines.iter().all(|line| line.chars().count() == qr.columns()));
        assert!(lines[..2].iter().all(|line| line.chars().all(|c| c == '█')));
        assert!(lines.iter().all(|line| line.starts_with("████") && line.ends_with("████")));
        // The corner of a finder pattern is dark.
        assert_eq!(lines[2].chars().nth(QUIET_ZONE), Some(' '));
    }

    #[test]
    fn the_picture_shows_the_same_modules() {
        let text = "https://example.org/q/0123456789";
        let qr = TerminalQr::encode(text).unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(png(text).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut shades = vec![0; reader.output_buffer_size().unwrap()];
        let side = reader.next_frame(&mut shades).unwrap().width as usize;
        assert_eq!(side, qr.columns() * 8);
        for (x, y) in [(0, 0), (4, 4), (5, 5), (12, 4), (9, 9)] {
            let shade = shades[(y * 8 + 3) * side + x * 8 + 3];
            assert_eq!(shade == u8::MAX, qr.is_light(x, y), "module {x}, {y}");
        }
    }

    #[test]
    fn a_text_that_fits_no_code_is_refused() {
        assert!(TerminalQr::encode(&"x".repeat(5_000)).is_none());
    }
}

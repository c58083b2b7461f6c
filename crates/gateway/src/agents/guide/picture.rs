//! Draws geese in the sky.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Returns a PNG, the same for the same seed.
pub(super) fn draw(seed: &str) -> Result<Vec<u8>, png::EncodingError> {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    let scene = Scene::of(hasher.finish());
    let mut pixels = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            pixels.extend(scene.at(x as f32, y as f32).bytes());
        }
    }
    encode(&pixels)
}

const WIDTH: u32 = 960;
const HEIGHT: u32 = 640;

/// Where the lake begins.
const SHORE: f32 = 500.0;

fn encode(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// All that differs from picture to picture.
struct Scene {
    light: Light,
    sun: (f32, f32),
    geese: Vec<Goose>,
    phase: f32,
}

/// The colours of an hour.
struct Light {
    zenith: Rgb,
    horizon: Rgb,
    sun: Rgb,
    far_hills: Rgb,
    near_hills: Rgb,
    goose: Rgb,
}

/// One goose: two wings that meet at its body.
struct Goose {
    x: f32,
    y: f32,
    span: f32,
    /// How high the wing tips are above the body, as a part of the span.
    lift: f32,
}

impl Scene {
    fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let lights = [DAWN, NOON, DUSK, MOONLIGHT];
        let n_light = (dice.roll() * lights.len() as f32) as usize;
        let light = lights.into_iter().nth(n_light).unwrap_or(DAWN);
        let sun = (200.0 + 560.0 * dice.roll(), 300.0 + 120.0 * dice.roll());
        let phase = dice.roll() * 6.0;
        Self { light, sun, geese: formation(&mut dice), phase }
    }

    fn at(&self, x: f32, y: f32) -> Rgb {
        if y < SHORE {
            let covered =
                |colour: Rgb, goose: &Goose| colour.mixed(self.light.goose, goose.covers(x, y));
            return self.geese.iter().fold(self.above(x, y), covered);
        }
        // The lake: the sky upside down, a little darker and moved by waves.
        let depth = (y - SHORE) / (HEIGHT as f32 - SHORE);
        let wave = (y * 0.55 + (x * 0.012).sin() * 3.0).sin() * (1.0 + 7.0 * depth);
        let mirrored = self.above(x + wave, SHORE - (y - SHORE) * 1.6);
        mirrored.mixed(self.light.near_hills, 0.22 + 0.3 * depth)
    }

    fn above(&self, x: f32, y: f32) -> Rgb {
        let light = &self.light;
        let mut colour = self.sky(x, y);
        let far = 430.0 - self.ridge(x, 0.006, 46.0);
        colour = colour.mixed(light.far_hills, covered(y - far));
        let near = 470.0 - self.ridge(x + 400.0, 0.011, 26.0);
        colour.mixed(light.near_hills, covered(y - near))
    }

    fn sky(&self, x: f32, y: f32) -> Rgb {
        let light = &self.light;
        let height = (y / SHORE).clamp(0.0, 1.0);
        let sky = light.zenith.mixed(light.horizon, height.powf(1.4));
        let (dx, dy) = (x - self.sun.0, y - self.sun.1);
        let away = dx.hypot(dy);
        let glow = 0.55 * (-away / 130.0).exp();
        sky.mixed(light.sun, glow).mixed(light.sun, covered(52.0 - away))
    }

    fn ridge(&self, x: f32, grain: f32, height: f32) -> f32 {
        let wave = |factor: f32, shift: f32| (x * grain * factor + shift + self.phase).sin();
        height * (wave(1.0, 0.0) + 0.5 * wave(2.3, 1.7) + 0.22 * wave(5.1, 4.2))
    }
}

impl Goose {
    /// Says how much of a pixel the goose covers.
    fn covers(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = ((x - self.x) / self.span, (y - self.y) / self.span);
        if dx.abs() > 1.1 || dy.abs() > 0.8 {
            return 0.0;
        }
        // A wing rises from the body, then bends down towards its tip.
        let out = dx.abs().min(1.0);
        let wing = -self.lift * (1.9 * out - 1.35 * out * out);
        let beyond = (dx.abs() - 1.0).max(0.0);
        let thick = 0.085 * (1.0 - 0.8 * out);
        let on_wing = thick - (dy - wing).abs().hypot(beyond);
        let on_body = 0.09 - (dx * 1.5).hypot(dy * 0.75 - 0.02);
        covered(on_wing.max(on_body) * self.span)
    }
}

/// A V that flies to the left, the arms not quite even.
fn formation(dice: &mut Dice) -> Vec<Goose> {
    let lead = (230.0 + 160.0 * dice.roll(), 120.0 + 60.0 * dice.roll());
    let mut flock = vec![goose(lead, dice)];
    for (n_geese, fall) in [(6, 0.34), (5, -0.16)] {
        for n in 1..=n_geese {
            let behind = 68.0 * n as f32;
            let at = (
                lead.0 + behind + 10.0 * (dice.roll() - 0.5),
                lead.1 + behind * fall + 9.0 * (dice.roll() - 0.5),
            );
            flock.push(goose(at, dice));
        }
    }
    flock
}

fn goose((x, y): (f32, f32), dice: &mut Dice) -> Goose {
    Goose { x, y, span: 26.0 + 4.0 * dice.roll(), lift: 0.15 + 0.55 * dice.roll() }
}

/// Turns a distance in pixels, positive inside, into how much is covered.
fn covered(inside: f32) -> f32 {
    (inside + 0.5).clamp(0.0, 1.0)
}

/// Numbers that look random and follow from a seed (`SplitMix64`).
struct Dice(u64);

impl Dice {
    /// Returns the next one, from 0 to just under 1.
    fn roll(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1 << 24) as f32
    }
}

/// A colour; each part from 0 to 255.
#[derive(Clone, Copy)]
struct Rgb(f32, f32, f32);

impl Rgb {
    /// Returns this colour with a part of another over it.
    fn mixed(self, other: Self, part: f32) -> Self {
        let mix = |a: f32, b: f32| a + (b - a) * part;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    fn bytes(self) -> [u8; 3] {
        [self.0, self.1, self.2].map(|part| part.round() as u8)
    }
}

const DAWN: Light = Light {
    zenith: Rgb(96.0, 142.0, 190.0),
    horizon: Rgb(255.0, 214.0, 178.0),
    sun: Rgb(255.0, 238.0, 205.0),
    far_hills: Rgb(138.0, 152.0, 178.0),
    near_hills: Rgb(74.0, 92.0, 118.0),
    goose: Rgb(44.0, 50.0, 66.0),
};
const NOON: Light = Light {
    zenith: Rgb(64.0, 132.0, 204.0),
    horizon: Rgb(206.0, 231.0, 245.0),
    sun: Rgb(255.0, 250.0, 226.0),
    far_hills: Rgb(128.0, 168.0, 176.0),
    near_hills: Rgb(66.0, 112.0, 104.0),
    goose: Rgb(46.0, 54.0, 62.0),
};
const DUSK: Light = Light {
    zenith: Rgb(58.0, 52.0, 110.0),
    horizon: Rgb(246.0, 142.0, 92.0),
    sun: Rgb(255.0, 206.0, 122.0),
    far_hills: Rgb(122.0, 76.0, 112.0),
    near_hills: Rgb(54.0, 40.0, 78.0),
    goose: Rgb(30.0, 22.0, 42.0),
};
const MOONLIGHT: Light = Light {
    zenith: Rgb(14.0, 22.0, 48.0),
    horizon: Rgb(62.0, 86.0, 128.0),
    sun: Rgb(240.0, 242.0, 232.0),
    far_hills: Rgb(34.0, 50.0, 84.0),
    near_hills: Rgb(16.0, 26.0, 48.0),
    goose: Rgb(206.0, 214.0, 226.0),
};

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of(png: &[u8]) -> (u32, u32) {
        let decoder = png::Decoder::new(std::io::Cursor::new(png));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        (frame.width, frame.height)
    }

    #[test]
    fn a_picture_is_a_whole_png_the_same_for_the_same_turn_only() {
        let one = draw("one").unwrap();
        assert_eq!(size_of(&one), (WIDTH, HEIGHT));
        assert!(one.len() < 1 << 20, "{} bytes", one.len());
        assert!(one == draw("one").unwrap());
        assert!(one != draw("two").unwrap());
    }
}

//! From the sampling rate of a packet to that of the output.
//!
//! |        | 16 kHz               | 24 kHz               |
//! |--------|----------------------|----------------------|
//! |  8 kHz | doubled              | doubled, then placed |
//! | 12 kHz | doubled, then placed | doubled              |
//! | 16 kHz | as it is             | doubled, then placed |
//! | 24 kHz | smoothed, then placed | as it is            |
//!
//! *Placed*: each output sample is a weighted sum of those around its place.

use crate::bandwidth::{Bandwidth, MAX_FRAME};
use crate::fixed::{round_shift, sample, smlabb, smlawb, smulwb};
use crate::tables::fractions::FRACTIONS;

/// The even all-pass sections of the doubler, in Q16.
const EVEN_Q16: [i32; 2] = [4280, 33727 - 65536];
/// The odd ones.
const ODD_Q16: [i32; 2] = [16295, 54015 - 65536];
/// The notch behind them, in Q16, and the gain in Q15.
const NOTCH: [i32; 4] = [7864, -3604, 13107, 28508];
/// The recursive filter that smooths 24 kHz for 16 kHz, in Q14.
const SMOOTH_Q14: [i32; 2] = [-11891, -12486];
/// Half of the twelve taps behind it, for the two places between samples, in Q16.
const TWO_THIRDS_Q16: [[i32; 6]; 2] =
    [[20, 211, -657, 688, 8423, 15911], [-44, 197, -152, -653, 3855, 13015]];
/// Taps after doubling.
const SHORT: usize = 6;
/// Taps after smoothing.
const LONG: usize = 12;
/// Batches in a frame; places are counted anew in each.
const BATCHES: usize = 2;

/// Makes output samples of frames of one bandwidth.
pub(crate) struct Resampler {
    bandwidth: Bandwidth,
    khz: usize,
    way: Way,
}

enum Way {
    AsIs,
    Doubled(Doubler),
    /// Keeps the last doubled samples.
    DoubledAndPlaced(Doubler, [i16; SHORT]),
    /// Keeps the state of the filter and the last smoothed samples, in Q8.
    SmoothedAndPlaced([i32; 2], [i32; LONG]),
}

impl Resampler {
    /// Starts with silence before.
    pub(crate) fn new(bandwidth: Bandwidth, khz: usize) -> Self {
        let from = bandwidth.khz();
        let way = if from == khz {
            Way::AsIs
        } else if 2 * from == khz {
            Way::Doubled(Doubler::default())
        } else if from < khz {
            Way::DoubledAndPlaced(Doubler::default(), [0; SHORT])
        } else {
            Way::SmoothedAndPlaced([0; 2], [0; LONG])
        };
        Self { bandwidth, khz, way }
    }

    /// The bandwidth of the frames that it takes.
    pub(crate) fn bandwidth(&self) -> Bandwidth {
        self.bandwidth
    }

    /// Appends a frame to the output.
    pub(crate) fn apply(&mut self, frame: &[i16], out: &mut Vec<i16>) {
        let khz = self.bandwidth.khz();
        match &mut self.way {
            Way::AsIs => out.extend_from_slice(frame),
            Way::Doubled(doubler) => {
                out.extend(frame.iter().flat_map(|&value| doubler.double(value)));
            }
            Way::DoubledAndPlaced(doubler, past) => {
                let step_q16 = step_q16(2 * khz, self.khz);
                for batch in frame.chunks(frame.len() / BATCHES) {
                    place_doubled(doubler, past, batch, step_q16, out);
                }
            }
            Way::SmoothedAndPlaced(state, past) => {
                let step_q16 = step_q16(khz, self.khz);
                for batch in frame.chunks(frame.len() / BATCHES) {
                    place_smoothed(state, past, batch, step_q16, out);
                }
            }
        }
    }
}

/// Returns how far apart output samples are, in input samples, rounded up.
fn step_q16(from_khz: usize, to_khz: usize) -> usize {
    (from_khz << 16).div_ceil(to_khz)
}

fn place_doubled(
    doubler: &mut Doubler,
    past: &mut [i16; SHORT],
    batch: &[i16],
    step_q16: usize,
    out: &mut Vec<i16>,
) {
    let mut doubled = [0; SHORT + MAX_FRAME];
    let doubled = &mut doubled[..SHORT + 2 * batch.len()];
    doubled[..SHORT].copy_from_slice(past);
    for (pair, &value) in doubled[SHORT..].chunks_exact_mut(2).zip(batch) {
        pair.copy_from_slice(&doubler.double(value));
    }
    for place_q16 in (0..(2 * batch.len()) << 16).step_by(step_q16) {
        let around = &doubled[place_q16 >> 16..][..SHORT];
        let fraction = ((place_q16 & 0xffff) * FRACTIONS.len()) >> 16;
        let (left, right) = (&FRACTIONS[fraction], &FRACTIONS[FRACTIONS.len() - 1 - fraction]);
        let taps = left.iter().chain(right.iter().rev());
        let sum_q15 = around
            .iter()
            .zip(taps)
            .fold(0, |sum, (&value, &tap)| smlabb(sum, value.into(), tap.into()));
        out.push(sample(round_shift(sum_q15, 15)));
    }
    past.copy_from_slice(&doubled[2 * batch.len()..]);
}

fn place_smoothed(
    state: &mut [i32; 2],
    past: &mut [i32; LONG],
    batch: &[i16],
    step_q16: usize,
    out: &mut Vec<i16>,
) {
    let mut smoothed = [0; LONG + MAX_FRAME / BATCHES];
    let smoothed = &mut smoothed[..LONG + batch.len()];
    smoothed[..LONG].copy_from_slice(past);
    for (value_q8, &value) in smoothed[LONG..].iter_mut().zip(batch) {
        *value_q8 = state[0].wrapping_add(i32::from(value) << 8);
        let value_q10 = value_q8.wrapping_shl(2);
        state[0] = smlawb(state[1], value_q10, SMOOTH_Q14[0]);
        state[1] = smulwb(value_q10, SMOOTH_Q14[1]);
    }
    for place_q16 in (0..batch.len() << 16).step_by(step_q16) {
        let around = &smoothed[place_q16 >> 16..][..LONG];
        let half = (place_q16 >> 15) & 1;
        let taps = TWO_THIRDS_Q16[half].iter().chain(TWO_THIRDS_Q16[1 - half].iter().rev());
        let sum = around.iter().zip(taps).fold(0, |sum, (&value, &tap)| smlawb(sum, value, tap));
        out.push(sample(round_shift(sum, 6)));
    }
    past.copy_from_slice(&smoothed[batch.len()..]);
}

/// Doubles the sampling rate: two chains of all-pass filters, then a notch.
#[derive(Default)]
struct Doubler {
    even: [i32; 2],
    odd: [i32; 2],
    notch: [i32; 2],
}

impl Doubler {
    fn double(&mut self, value: i16) -> [i16; 2] {
        let input = i32::from(value) << 10;
        let even = all_pass(&mut self.even, input, EVEN_Q16);
        let [first, second] = self.notch;
        let (even, second) = notch(even, first, second);
        let odd = all_pass(&mut self.odd, input, ODD_Q16);
        let (odd, first) = notch(odd, second, first);
        self.notch = [first, second];
        [even, odd]
    }
}

/// Two all-pass sections, one after the other.
fn all_pass(state: &mut [i32; 2], input: i32, q16: [i32; 2]) -> i32 {
    let difference = input.wrapping_sub(state[0]);
    let part = smulwb(difference, q16[0]);
    let middle = state[0].wrapping_add(part);
    state[0] = input.wrapping_add(part);
    // One more than the 16 bits of the coefficient say.
    let difference = middle.wrapping_sub(state[1]);
    let part = smlawb(difference, difference, q16[1]);
    let output = state[1].wrapping_add(part);
    state[1] = middle.wrapping_add(part);
    output
}

/// Returns the output, and what the `far` state becomes.
fn notch(input: i32, near: i32, far: i32) -> (i16, i32) {
    let inner = smlawb(smlawb(input, far, NOTCH[2]), near, NOTCH[1]);
    let output = smlawb(inner, near, NOTCH[0]);
    (sample(smlawb(256, output, NOTCH[3]) >> 9), inner.wrapping_sub(far))
}

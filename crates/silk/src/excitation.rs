//! Excitation: pulses that the filters make speech of.

use crate::bandwidth::MAX_FRAME;
use crate::range::RangeDecoder;
use crate::tables::LOW_BIT_CDF;
use crate::tables::pulses::{
    BLOCK_CDF, RATE_LEVEL_CDF, SIGN_CDF, SPLIT_2_CDF, SPLIT_4_CDF, SPLIT_8_CDF, SPLIT_16_CDF,
};

/// The pulses of a frame; zero behind its end.
pub(crate) type Pulses = [i32; MAX_FRAME];

/// Samples in a block, whose pulses are counted together.
const BLOCK: usize = 16;
/// Instead of a count: there is a further low bit, and the count comes again.
const MORE_BITS: usize = 19;
/// The row of [`BLOCK_CDF`] for counts that come again.
const AGAIN: usize = 9;
/// Most low bits. An encoder needs fewer; further ones would shift out all others.
const MAX_LOW_BITS: u32 = 31;

/// How many pulses a block has, each followed by so many low bits.
#[derive(Clone, Copy, Default)]
struct Count {
    pulses: usize,
    low_bits: u32,
}

/// Reads the pulses of a frame of `length` samples.
pub(crate) fn pulses(
    range: &mut RangeDecoder<'_>,
    length: usize,
    voicing: usize,
    offset: usize,
) -> Pulses {
    let level = range.symbol(&RATE_LEVEL_CDF[voicing]);
    let mut counts = [Count::default(); MAX_FRAME / BLOCK];
    let counts = &mut counts[..length / BLOCK];
    for count in counts.iter_mut() {
        *count = read_count(range, level);
    }
    let mut pulses = [0; MAX_FRAME];
    for (block, count) in pulses.chunks_exact_mut(BLOCK).zip(counts.iter()) {
        split(range, block, count.pulses);
    }
    for (block, count) in pulses.chunks_exact_mut(BLOCK).zip(counts.iter()) {
        add_low_bits(range, block, count.low_bits);
    }
    let minus = SIGN_CDF[9 * (2 * voicing + offset) + level];
    for pulse in pulses.iter_mut().filter(|pulse| **pulse > 0) {
        if range.symbol(&[0, minus, 65535]) == 0 {
            *pulse = -*pulse;
        }
    }
    pulses
}

fn read_count(range: &mut RangeDecoder<'_>, level: usize) -> Count {
    let mut count = Count { pulses: range.symbol(&BLOCK_CDF[level]), low_bits: 0 };
    while count.pulses == MORE_BITS {
        if count.low_bits == MAX_LOW_BITS {
            range.damage();
            return Count::default();
        }
        count.low_bits += 1;
        count.pulses = range.symbol(&BLOCK_CDF[AGAIN]);
    }
    count
}

/// Spreads pulses over the halves of a block, and so on down to single places.
fn split(range: &mut RangeDecoder<'_>, places: &mut [i32], n_pulses: usize) {
    // Without damage no part gets more pulses than its table has rows for.
    if n_pulses == 0 || range.damaged() {
        return;
    }
    let cdf: &[u16] = match places.len() {
        2 => &SPLIT_2_CDF,
        4 => &SPLIT_4_CDF,
        8 => &SPLIT_8_CDF,
        16 => &SPLIT_16_CDF,
        _ => {
            places.fill(n_pulses as i32);
            return;
        }
    };
    // The rows for 1, 2, 3… pulses have 3, 4, 5… entries.
    let start = (n_pulses - 1) * (n_pulses + 4) / 2;
    let n_left = range.symbol(&cdf[start..start + n_pulses + 2]);
    let (left, right) = places.split_at_mut(places.len() / 2);
    split(range, left, n_left);
    split(range, right, n_pulses - n_left);
}

fn add_low_bits(range: &mut RangeDecoder<'_>, block: &mut [i32], n_bits: u32) {
    if n_bits == 0 {
        return;
    }
    for pulse in block {
        for _ in 0..n_bits {
            // Too many bits shift out the others.
            *pulse = pulse.wrapping_shl(1) | range.symbol(&LOW_BIT_CDF) as i32;
        }
    }
}

//! Prediction of a sample from those before it, short-term (LPC) and long-term (LTP).

use crate::bandwidth::MAX_ORDER;
use crate::fixed::{inverse, round_shift, sample, smlabb, smlawb, smmul};

/// Filter coefficients in Q12, the newest sample first; zero behind the order.
pub(crate) type Coefficients = [i16; MAX_ORDER];

/// A filter with a reflection above this, in Q16, counts as unstable.
const MAX_REFLECTION: u32 = 65520;

/// What a filter does to the energy of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InverseGain {
    /// Whether the filter stays within bounds.
    pub(crate) stable: bool,
    /// One over the gain; of the coefficients up to the first bad one.
    pub(crate) gain_q30: i32,
}

/// Damps a filter: each coefficient by one more power of `chirp_q16`, at most 65536.
pub(crate) fn expand(coefficients: &mut Coefficients, chirp_q16: i32) {
    let mut factor_q16 = chirp_q16;
    for coefficient in coefficients {
        *coefficient = round_shift(factor_q16 * i32::from(*coefficient), 16) as i16;
        factor_q16 += round_shift(factor_q16.wrapping_mul(chirp_q16 - 65536), 16);
    }
}

/// Measures a filter by stepping down from its last coefficient to the first.
pub(crate) fn inverse_gain(coefficients: &Coefficients, order: usize) -> InverseGain {
    let mut current = coefficients.map(|coefficient| i32::from(coefficient) << 4);
    let mut gain_q30 = 1 << 30;
    for last in (0..order).rev() {
        if current[last].unsigned_abs() > MAX_REFLECTION {
            return InverseGain { stable: false, gain_q30 };
        }
        let reflection_q31 = -(current[last] << 15);
        let rest_q30 = (i32::MAX >> 1) - smmul(reflection_q31, reflection_q31);
        gain_q30 = smmul(gain_q30, rest_q30) << 2;
        let factor_q16 = inverse(rest_q30, 46);
        let headroom = factor_q16.leading_zeros() - 1;
        let factor = factor_q16 << headroom;
        let before = current;
        for n in 0..last {
            let back = smmul(before[last - n - 1], reflection_q31).wrapping_shl(1);
            let stepped = smmul(before[n].wrapping_sub(back), factor);
            current[n] = stepped.wrapping_shl(16 - headroom);
        }
    }
    InverseGain { stable: true, gain_q30 }
}

/// Adds the short-term prediction to a residual in Q10.
///
/// `state` holds the last samples in Q14, the oldest first.
pub(crate) fn synthesise(
    state: &mut [i32; MAX_ORDER],
    coefficients: &Coefficients,
    residual_q10: &mut [i32],
) {
    for sample in residual_q10 {
        let newest_first = state.iter().rev().zip(coefficients);
        let predicted = newest_first.fold(0, |sum, (&s, &c)| smlawb(sum, s, c.into()));
        *sample = sample.wrapping_add(predicted);
        state.copy_within(1.., 0);
        state[MAX_ORDER - 1] = sample.wrapping_shl(4);
    }
}

/// Returns the long-term prediction of the sample at a place, in Q14, out of samples in Q16.
///
/// The middle tap meets the sample one lag before.
pub(crate) fn long_term(samples: &[i32], at: usize, lag: usize, taps: &[i16; 5]) -> i32 {
    let around = &samples[at - lag - 2..][..5];
    around.iter().rev().zip(taps).fold(0, |sum, (&s, &tap)| smlawb(sum, s, tap.into()))
}

/// Takes the short-term prediction away from speech; `speech` and `residual` are of one length.
pub(crate) fn whiten(speech: &[i16], coefficients: &Coefficients, residual: &mut [i16]) {
    for (at, out) in residual.iter_mut().enumerate() {
        let newest_first = speech[..at].iter().rev().zip(coefficients);
        let predicted =
            newest_first.fold(0, |sum, (&s, &c)| smlabb(sum, i32::from(s), i32::from(c)));
        let rest = (i32::from(speech[at]) << 12).wrapping_sub(predicted);
        *out = sample(round_shift(rest, 12));
    }
}

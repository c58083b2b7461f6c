//! Fixed-point arithmetic of the format, exact to the bit.
//!
//! A name such as `gain_q16` says that 65536 stands for one. The multiplications
//! carry the names of the ARM instructions with the same meaning: `w` is a
//! whole word, `b` the low half of it, signed. Sums wrap where the format
//! defines no saturation; no input panics.

/// Returns `a * low half of b`, the upper 32 of 48 bits.
pub(crate) fn smulwb(a: i32, b: i32) -> i32 {
    // The product has at most 47 bits.
    ((i64::from(a) * i64::from(b as i16)) >> 16) as i32
}

/// Returns `sum + smulwb(a, b)`, wrapping.
pub(crate) fn smlawb(sum: i32, a: i32, b: i32) -> i32 {
    sum.wrapping_add(smulwb(a, b))
}

/// Returns the product of the low halves.
pub(crate) fn smulbb(a: i32, b: i32) -> i32 {
    i32::from(a as i16) * i32::from(b as i16)
}

/// Returns `sum + smulbb(a, b)`, wrapping.
pub(crate) fn smlabb(sum: i32, a: i32, b: i32) -> i32 {
    sum.wrapping_add(smulbb(a, b))
}

/// Returns `a * b / 65536`, rounded down, wrapping.
pub(crate) fn smulww(a: i32, b: i32) -> i32 {
    ((i64::from(a) * i64::from(b)) >> 16) as i32
}

/// Returns the upper half of `a * b`.
pub(crate) fn smmul(a: i32, b: i32) -> i32 {
    ((i64::from(a) * i64::from(b)) >> 32) as i32
}

/// Shifts right by `bits`, at least one, and rounds halves up.
pub(crate) fn round_shift(value: i32, bits: u32) -> i32 {
    (value >> (bits - 1)).wrapping_add(1) >> 1
}

/// Shifts right by `bits`, at least one, and rounds halves up.
pub(crate) fn round_shift_64(value: i64, bits: u32) -> i64 {
    (value >> (bits - 1)).wrapping_add(1) >> 1
}

/// Shifts left by `bits`, below 32; what overflows becomes the nearest end.
pub(crate) fn shift_left_saturating(value: i32, bits: u32) -> i32 {
    value.clamp(i32::MIN >> bits, i32::MAX >> bits) << bits
}

/// Makes a sample of a value: what overflows becomes the nearest end.
pub(crate) fn sample(value: i32) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// Returns about `2^q / divisor`, saturating.
///
/// `divisor` must be positive.
pub(crate) fn inverse(divisor: i32, q: u32) -> i32 {
    let headroom = divisor.leading_zeros() - 1;
    let normal = divisor << headroom;
    let first = (i32::MAX >> 2) / (normal >> 16);
    let error_q32 = smulwb(normal, first).wrapping_neg().wrapping_shl(3);
    let refined = (first << 16).wrapping_add(smulww(error_q32, first));
    scale(refined, 61 - headroom as i32 - q as i32)
}

/// Returns about `2^q * a / b`, saturating.
///
/// Both must be positive.
pub(crate) fn divide(a: i32, b: i32, q: u32) -> i32 {
    let (a_headroom, b_headroom) = (a.leading_zeros() - 1, b.leading_zeros() - 1);
    let (a_normal, b_normal) = (a << a_headroom, b << b_headroom);
    let b_inverse = (i32::MAX >> 2) / (b_normal >> 16);
    let first = smulwb(a_normal, b_inverse);
    let rest = a_normal.wrapping_sub(smmul(b_normal, first).wrapping_shl(3));
    let refined = smlawb(first, rest, b_inverse);
    scale(refined, 29 + a_headroom as i32 - b_headroom as i32 - q as i32)
}

/// Shifts right by `bits`, or left and saturating if negative.
fn scale(value: i32, bits: i32) -> i32 {
    match bits {
        ..=0 => shift_left_saturating(value, bits.unsigned_abs().min(31)),
        1..32 => value >> bits,
        32.. => 0,
    }
}

/// Returns the square root, some percent off; zero for negative values.
pub(crate) fn square_root(value: i32) -> i32 {
    if value <= 0 {
        return 0;
    }
    let zeros = value.leading_zeros();
    // The seven bits after the leading one.
    let fraction_q7 = (value as u32).rotate_left(zeros + 8) as i32 & 0x7f;
    let root = if zeros & 1 == 1 { 32768 } else { 46214 } >> (zeros / 2);
    smlawb(root, root, smulbb(213, fraction_q7))
}

/// Returns `2^(log_q7 / 128)`, about; zero for negative values, saturating.
pub(crate) fn power_of_two(log_q7: i32) -> i32 {
    if log_q7 < 0 {
        return 0;
    }
    if log_q7 >= 31 << 7 {
        return i32::MAX;
    }
    let whole = 1 << (log_q7 >> 7);
    let fraction = log_q7 & 0x7f;
    let bent = smlawb(fraction, fraction * (128 - fraction), -174);
    // Small values keep their low bits, big ones must not overflow.
    if log_q7 < 2048 { whole + ((whole * bent) >> 7) } else { whole + (whole >> 7) * bent }
}

/// Returns the next of the format's pseudo-random numbers; the top bits are the random ones.
pub(crate) fn random(seed: i32) -> i32 {
    seed.wrapping_mul(196_314_165).wrapping_add(907_633_515)
}

/// The sum of squares of some samples: `mantissa << shift`, about.
///
/// The mantissa has two leading zeros at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Energy {
    pub(crate) mantissa: i32,
    pub(crate) shift: u32,
}

impl Energy {
    /// Measures samples, which must be even in number.
    pub(crate) fn of(samples: &[i16]) -> Self {
        let mut sum = 0_u32;
        let mut shift = 0;
        for pair in samples.chunks_exact(2) {
            let squares = pair.iter().map(|&x| i32::from(x).pow(2) as u32).sum::<u32>();
            sum = sum.wrapping_add(squares >> shift);
            if sum >= 1 << 31 {
                sum >>= 2;
                shift += 2;
            }
        }
        if sum >= 1 << 30 {
            sum >>= 2;
            shift += 2;
        }
        Self { mantissa: sum as i32, shift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_exact_at_the_ends_of_their_range() {
        assert_eq!(smulwb(i32::MIN, i32::from(i16::MIN)), 1 << 30);
        assert_eq!(smulwb(-1, 1), -1);
        assert_eq!(smulwb(65536, 0x1_8000), -32768);
        assert_eq!(smulww(-3 << 16, 5 << 15), -15 << 15);
        assert_eq!(smmul(i32::MIN, i32::MIN), 1 << 30);
        assert_eq!(round_shift(-3, 1), -1);
        assert_eq!(shift_left_saturating(-5, 30), i32::MIN);
    }

    #[test]
    fn inverses_and_quotients_are_close_and_saturate() {
        let inverses = [1, 3, 1000, 65536, 123_456, i32::MAX].map(|divisor| inverse(divisor, 32));
        assert_eq!(inverses, [i32::MAX - 1, 1_431_655_765, 4_294_967, 65535, 34789, 2]);
        assert_eq!(inverse(i32::MAX, 16), 0);
        let quotients = [(300, 100), (32767, 1), (1, 32767), (12345, 6789)];
        let quotients = quotients.map(|(a, b)| divide(a, b, 16));
        assert_eq!(quotients, [196_607, 2_147_418_112, 2, 119_169]);
    }

    #[test]
    fn powers_and_roots_are_close() {
        let powers = [-1, 0, 1000, 2047, 2048, 2176, 3000, 3967, 3968].map(power_of_two);
        let expected = [0, 1, 225, 65024, 65536, 131_072, 11_337_728, 2_130_706_432, i32::MAX];
        assert_eq!(powers, expected);
        let roots = [-1, 1, 100, 12345, 1 << 24, 2_000_000_000].map(square_root);
        assert_eq!(roots, [0, 1, 9, 108, 4096, 44483]);
    }

    #[test]
    fn no_gain_has_an_inverse_of_zero() {
        let inverses = (0..=3967).map(|log_q7| inverse(power_of_two(log_q7).max(1), 32));
        assert_eq!(inverses.min(), Some(2));
    }

    #[test]
    fn the_loudest_frame_has_an_energy() {
        let energy = Energy::of(&[i16::MIN; 480]);
        assert_eq!(energy, Energy { mantissa: 480 << 20, shift: 10 });
    }
}

//! Line spectra (NLSF): what travels instead of filter coefficients.
//!
//! A spectrum is a rising row of frequencies in 1/32768 of half the sampling
//! rate. Kept apart from each other, they always make a stable filter.

use crate::bandwidth::MAX_ORDER;
use crate::fixed::{round_shift, round_shift_64, smulww};
use crate::prediction::{Coefficients, expand, inverse_gain};
use crate::tables::Codebook;
use crate::tables::cosines::COSINES;

/// A spectrum; only as many lines as its codebook says count.
pub(crate) type Spectrum = [i32; MAX_ORDER];

/// How often neighbours are moved apart before all are moved.
const MAX_MOVES: usize = 20;
/// How often coefficients are scaled down to fit 16 bits.
const MAX_FITS: usize = 10;
/// How often a filter is damped to become stable.
const MAX_DAMPINGS: i32 = 20;

/// Adds up the vectors of a spectrum, one of each stage.
pub(crate) fn decode(codebook: &Codebook, vectors: &[usize]) -> Spectrum {
    let mut lines = [0; MAX_ORDER];
    let mut first = 0;
    for (&n_vectors, &vector) in codebook.stages.iter().zip(vectors) {
        let start = (first + vector) * codebook.order;
        for (line, &part) in lines.iter_mut().zip(&codebook.vectors[start..][..codebook.order]) {
            *line += i32::from(part);
        }
        first += n_vectors;
    }
    stabilise(&mut lines[..codebook.order], codebook.spacing);
    lines
}

/// Returns the spectrum some quarters of the way between two.
pub(crate) fn between(from: &Spectrum, to: &Spectrum, quarters: i32) -> Spectrum {
    std::array::from_fn(|i| from[i] + ((quarters * (to[i] - from[i])) >> 2))
}

/// Makes a stable filter of the first `order` lines.
pub(crate) fn filter(lines: &Spectrum, order: usize) -> Coefficients {
    let mut coefficients = coefficients(&lines[..order]);
    for step in 0..MAX_DAMPINGS {
        if inverse_gain(&coefficients, order).stable {
            return coefficients;
        }
        expand(&mut coefficients, 65536 - (10 + step) * step);
    }
    [0; MAX_ORDER]
}

/// Moves lines apart until each keeps its distance to the next and to the ends.
fn stabilise(lines: &mut [i32], spacing: &[i32]) {
    for _ in 0..MAX_MOVES {
        let Some(at) = worst_gap(lines, spacing) else { return };
        if at == 0 {
            lines[0] = spacing[0];
        } else if at == lines.len() {
            lines[at - 1] = (1 << 15) - spacing[at];
        } else {
            let half = spacing[at] >> 1;
            let lowest = spacing[..at].iter().sum::<i32>() + half;
            let highest = (1 << 15) - spacing[at + 1..].iter().sum::<i32>() - (spacing[at] - half);
            let centre = round_shift(lines[at - 1] + lines[at], 1).clamp(lowest, highest);
            lines[at - 1] = centre - half;
            lines[at] = lines[at - 1] + spacing[at];
        }
    }
    lines.sort_unstable();
    let mut least = 0;
    for (line, gap) in lines.iter_mut().zip(spacing) {
        *line = (*line).max(least + gap);
        least = *line;
    }
    let mut most = 1 << 15;
    for (line, gap) in lines.iter_mut().zip(&spacing[1..]).rev() {
        *line = (*line).min(most - gap);
        most = *line;
    }
}

/// Finds the first of the gaps that are most too small, if one is.
fn worst_gap(lines: &[i32], spacing: &[i32]) -> Option<usize> {
    let below = std::iter::once(&0).chain(lines);
    let above = lines.iter().chain(std::iter::once(&(1 << 15)));
    let slacks = below.zip(above).zip(spacing).map(|((below, above), gap)| above - below - gap);
    let (at, slack) = slacks.enumerate().min_by_key(|&(_, slack)| slack)?;
    (slack < 0).then_some(at)
}

/// Makes filter coefficients of lines, in Q12.
fn coefficients(lines: &[i32]) -> Coefficients {
    let order = lines.len();
    let half = order / 2;
    let cosines: Spectrum =
        std::array::from_fn(|i| lines.get(i).map_or(0, |&line| twice_cosine(line)));
    let even = polynomial(cosines[..order].iter().step_by(2));
    let odd = polynomial(cosines[..order].iter().skip(1).step_by(2));
    let mut wide = [0; MAX_ORDER];
    for k in 0..half {
        let sum = even[k + 1].wrapping_add(even[k]);
        let difference = odd[k + 1].wrapping_sub(odd[k]);
        wide[k] = -round_shift(sum.wrapping_add(difference), 9);
        wide[order - 1 - k] = round_shift(difference.wrapping_sub(sum), 9);
    }
    fit(&mut wide[..order]);
    wide.map(|coefficient| coefficient as i16)
}

/// Returns twice the cosine of a line, in Q20.
fn twice_cosine(line: i32) -> i32 {
    let line = line.clamp(0, 32767);
    let (step, fraction) = ((line >> 8) as usize, line & 0xff);
    (COSINES[step] << 8) + (COSINES[step + 1] - COSINES[step]) * fraction
}

/// Multiplies out `1 - c·x + x²` over all `c`, up to the middle, in Q20.
fn polynomial<'a>(cosines: impl Iterator<Item = &'a i32>) -> [i32; MAX_ORDER / 2 + 1] {
    let times = |a: i32, b: i32| round_shift_64(i64::from(a) * i64::from(b), 20) as i32;
    let mut out = [0_i32; MAX_ORDER / 2 + 1];
    out[0] = 1 << 20;
    for (k, &cosine) in cosines.enumerate() {
        if k == 0 {
            out[1] = -cosine;
            continue;
        }
        // The product is symmetric: what falls behind the middle comes back.
        out[k + 1] = out[k - 1].wrapping_shl(1).wrapping_sub(times(cosine, out[k]));
        for n in (2..=k).rev() {
            let change = out[n - 2].wrapping_sub(times(cosine, out[n - 1]));
            out[n] = out[n].wrapping_add(change);
        }
        out[1] = out[1].wrapping_sub(cosine);
    }
    out
}

/// Scales coefficients down until they fit 16 bits.
fn fit(wide: &mut [i32]) {
    for _ in 0..MAX_FITS {
        let mut largest = (0, 0);
        for (i, coefficient) in wide.iter().enumerate() {
            if coefficient.wrapping_abs() > largest.1 {
                largest = (i as i32, coefficient.wrapping_abs());
            }
        }
        let (at, size) = (largest.0, largest.1.min(98369));
        if size <= i32::from(i16::MAX) {
            return;
        }
        let excess = size - i32::from(i16::MAX);
        let chirp_q16 = 65470 - (65470 >> 2) * excess / ((size * (at + 1)) >> 2);
        let mut factor_q16 = chirp_q16;
        for coefficient in wide.iter_mut() {
            *coefficient = smulww(*coefficient, factor_q16);
            factor_q16 = smulww(chirp_q16, factor_q16);
        }
    }
    for coefficient in wide {
        *coefficient = (*coefficient).clamp(i16::MIN.into(), i16::MAX.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandwidth::Bandwidth;

    /// Every spectrum of equal choices in all stages, and of opposite ones.
    fn spectra(codebook: &Codebook) -> impl Iterator<Item = Spectrum> {
        (0..256).map(|n: usize| {
            let choose = |(at, n_vectors): (usize, &usize)| {
                if n < 128 || at % 2 == 0 { n % n_vectors } else { n_vectors - 1 - n % n_vectors }
            };
            let vectors: Vec<_> = codebook.stages.iter().enumerate().map(choose).collect();
            decode(codebook, &vectors)
        })
    }

    #[test]
    fn lines_keep_their_distance_and_make_stable_filters() {
        for (bandwidth, voiced) in [
            (Bandwidth::Narrow, true),
            (Bandwidth::Narrow, false),
            (Bandwidth::Wide, true),
            (Bandwidth::Wide, false),
        ] {
            let codebook = bandwidth.codebook(voiced);
            for spectrum in spectra(codebook) {
                let lines = &spectrum[..codebook.order];
                assert_eq!(worst_gap(lines, codebook.spacing), None, "{lines:?}");
                let filter = filter(&spectrum, codebook.order);
                assert!(inverse_gain(&filter, codebook.order).stable, "{lines:?}");
                assert_ne!(filter, [0; MAX_ORDER], "{lines:?}");
            }
        }
    }

    #[test]
    fn lines_in_disorder_are_sorted_and_spread() {
        let spacing = [100, 50, 50, 50, 100];
        let mut lines = [32000, -5, 32000, 7];
        stabilise(&mut lines, &spacing);
        assert_eq!(worst_gap(&lines, &spacing), None, "{lines:?}");
        let mut flat = [0; 4];
        stabilise(&mut flat, &spacing);
        assert_eq!(worst_gap(&flat, &spacing), None, "{flat:?}");
    }

    #[test]
    fn a_spectrum_between_two_is_some_quarters_of_the_way() {
        let spectrum = std::array::from_fn(|i| 100 * i as i32);
        assert_eq!(between(&spectrum, &spectrum, 2), spectrum);
        assert_eq!(between(&[0; MAX_ORDER], &spectrum, 2)[3], 150);
    }

    #[test]
    fn coefficients_beyond_16_bits_are_damped_until_they_fit() {
        let mut wide = [40000, -30000, 20000, -10000];
        fit(&mut wide);
        assert_eq!(wide, [32734, -20092, 10960, -4486]);
        let mut narrow = [32767, -32767];
        fit(&mut narrow);
        assert_eq!(narrow, [32767, -32767]);
        let mut hopeless = [i32::MAX; 4];
        fit(&mut hopeless);
        assert!(hopeless.iter().all(|c| i16::try_from(*c).is_ok()), "{hopeless:?}");
    }
}

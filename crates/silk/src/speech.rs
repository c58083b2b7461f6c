//! Speech synthesis: excitation through the long-term and the short-term filter.

use crate::bandwidth::{Bandwidth, MAX_FRAME, MAX_ORDER, MAX_SUBFRAME, SUBFRAMES};
use crate::excitation::Pulses;
use crate::fixed::{divide, inverse, power_of_two, random, round_shift, sample, smulwb, smulww};
use crate::packet::Frame;
use crate::prediction::{Coefficients, expand, long_term, synthesise, whiten};
use crate::spectrum::{self, Spectrum};

/// Taps of the bridge from concealed voiced speech to an unvoiced frame, in Q14.
const BRIDGE: [i16; 5] = [0, 0, 1 << 12, 0, 0];
/// Damps the filters of a frame that follows a lost one, in Q16.
const AFTER_LOSS_Q16: i32 = 63570;
/// One, in Q16.
const ONE_Q16: i32 = 1 << 16;

/// What a frame is synthesised from.
pub(crate) struct Parameters {
    pub(crate) voiced: bool,
    pub(crate) gains_q16: [i32; SUBFRAMES],
    /// Filters of both halves.
    pub(crate) filters: [Coefficients; 2],
    /// Whether the halves have different filters.
    pub(crate) interpolated: bool,
    /// Pitch in samples; zero in unvoiced frames, as all of the long-term prediction.
    pub(crate) lags: [usize; SUBFRAMES],
    pub(crate) taps: [[i16; 5]; SUBFRAMES],
    pub(crate) scale_q14: i32,
    offset_q10: i32,
    seed: i32,
}

/// The memory of the synthesis, from frame to frame.
pub(crate) struct Speech {
    pub(crate) bandwidth: Bandwidth,
    /// The spectrum of the last frame.
    pub(crate) spectrum: Spectrum,
    /// Pulses with offset and sign, in Q10.
    pub(crate) excitation_q10: Pulses,
    /// Long-term memory in Q16: a past frame and the present one.
    pub(crate) long_q16: [i32; 2 * MAX_FRAME],
    /// Short-term memory in Q14, the oldest first.
    pub(crate) short_q14: [i32; MAX_ORDER],
    /// Whether the last good frame was voiced.
    pub(crate) voiced: bool,
    /// The last pitch lag, real or concealed.
    pub(crate) lag: usize,
    /// Frames lost since the last good one.
    pub(crate) n_lost: usize,
    // Whether no good frame came since the bandwidth changed.
    fresh: bool,
    gain_index: i32,
    inverse_gain_q16: i32,
    // The last frame and the present one.
    speech: [i16; 2 * MAX_FRAME],
}

impl Speech {
    /// Starts silent at the highest bandwidth.
    pub(crate) fn new() -> Self {
        Self {
            bandwidth: Bandwidth::SuperWide,
            spectrum: [0; MAX_ORDER],
            excitation_q10: [0; MAX_FRAME],
            long_q16: [0; 2 * MAX_FRAME],
            short_q14: [0; MAX_ORDER],
            voiced: true,
            lag: 100,
            n_lost: 0,
            fresh: true,
            gain_index: 1,
            inverse_gain_q16: ONE_Q16,
            speech: [0; 2 * MAX_FRAME],
        }
    }

    /// Changes the bandwidth and forgets what depends on it.
    pub(crate) fn switch(&mut self, bandwidth: Bandwidth) {
        if self.bandwidth == bandwidth {
            return;
        }
        self.bandwidth = bandwidth;
        self.short_q14.fill(0);
        self.speech[..MAX_FRAME].fill(0);
        self.spectrum.fill(0);
        self.lag = 100;
        self.voiced = true;
        self.fresh = true;
    }

    /// Makes parameters of symbols.
    pub(crate) fn parameters(&mut self, frame: &Frame) -> Parameters {
        let order = self.bandwidth.order();
        let spectrum =
            spectrum::decode(self.bandwidth.codebook(frame.pitch.is_some()), &frame.spectrum);
        let last_filter = spectrum::filter(&spectrum, order);
        let interpolated = frame.interpolation < 4 && !self.fresh;
        let first_filter = if interpolated {
            let between = spectrum::between(&self.spectrum, &spectrum, frame.interpolation);
            spectrum::filter(&between, order)
        } else {
            last_filter
        };
        self.spectrum = spectrum;
        let mut filters = [first_filter, last_filter];
        if self.n_lost > 0 {
            filters.iter_mut().for_each(|filter| expand(filter, AFTER_LOSS_Q16));
        }
        let pitch = frame.pitch.as_ref();
        Parameters {
            voiced: pitch.is_some(),
            gains_q16: self.gains(frame),
            filters,
            interpolated,
            lags: pitch.map_or([0; SUBFRAMES], |pitch| pitch.lags),
            taps: pitch.map_or([[0; 5]; SUBFRAMES], |pitch| pitch.taps),
            scale_q14: pitch.map_or(0, |pitch| pitch.scale_q14),
            offset_q10: frame.offset_q10,
            seed: frame.seed,
        }
    }

    fn gains(&mut self, frame: &Frame) -> [i32; SUBFRAMES] {
        std::array::from_fn(|subframe| {
            let symbol = frame.gains[subframe];
            if subframe == 0 && !frame.first_gain_changes {
                self.gain_index = symbol;
            } else {
                self.gain_index += symbol - 4;
            }
            // 64 steps from 6 to 86 dB.
            let log_q7 = smulwb(1_774_673, self.gain_index) + 2176;
            power_of_two(log_q7.min(3967))
        })
    }

    /// Synthesises a frame.
    pub(crate) fn synthesise(&mut self, pulses: &Pulses, p: &Parameters, out: &mut [i16]) {
        self.excite(pulses, p);
        let length = self.bandwidth.subframe();
        for subframe in 0..SUBFRAMES {
            let filter = &p.filters[subframe / 2];
            let gain_q16 = p.gains_q16[subframe];
            let change_q16 = self.change_gain(gain_q16);
            let mut residual = [0; MAX_SUBFRAME];
            let residual = &mut residual[..length];
            residual.copy_from_slice(&self.excitation_q10[subframe * length..][..length]);
            if let Some((lag, taps)) = self.long_term_of(p, subframe) {
                if subframe == 0 || p.interpolated && subframe == 2 {
                    self.refill(p, subframe, lag);
                } else if change_q16 != ONE_Q16 {
                    self.rescale(subframe, lag, change_q16);
                }
                self.add_long_term(subframe, lag, &taps, residual);
            }
            for state in &mut self.short_q14 {
                *state = smulww(change_q16, *state);
            }
            synthesise(&mut self.short_q14, filter, residual);
            let speech = &mut self.speech[self.bandwidth.frame() + subframe * length..];
            for (sample_out, &value) in speech.iter_mut().zip(residual.iter()) {
                *sample_out = sample(round_shift(smulww(value, gain_q16), 10));
            }
        }
        out.copy_from_slice(&self.speech[self.bandwidth.frame()..][..out.len()]);
    }

    /// Keeps a frame, synthesised or concealed, as the past of the next one.
    pub(crate) fn remember(&mut self, frame: &[i16]) {
        self.speech[..frame.len()].copy_from_slice(frame);
    }

    /// Takes note that a frame was good.
    pub(crate) fn settle(&mut self, p: &Parameters) {
        self.n_lost = 0;
        self.voiced = p.voiced;
        self.lag = p.lags[SUBFRAMES - 1];
        self.fresh = false;
    }

    /// Takes a gain over; returns by what the memory has to be multiplied, in Q16.
    fn change_gain(&mut self, gain_q16: i32) -> i32 {
        // Never zero: no gain reaches 2^31.
        let new = inverse(gain_q16.max(1), 32).min(i16::MAX.into());
        let old = std::mem::replace(&mut self.inverse_gain_q16, new);
        if new == old { ONE_Q16 } else { divide(new, old, 16) }
    }

    fn excite(&mut self, pulses: &Pulses, p: &Parameters) {
        let mut seed = p.seed;
        let excitation = &mut self.excitation_q10[..self.bandwidth.frame()];
        for (excitation, &pulse) in excitation.iter_mut().zip(pulses) {
            seed = random(seed);
            let value = pulse.wrapping_shl(10).wrapping_add(p.offset_q10);
            *excitation = if seed < 0 { value.wrapping_neg() } else { value };
            seed = seed.wrapping_add(pulse);
        }
    }

    /// Returns lag and taps of a subframe with long-term prediction.
    fn long_term_of(&self, p: &Parameters, subframe: usize) -> Option<(usize, [i16; 5])> {
        if p.voiced {
            return Some((p.lags[subframe], p.taps[subframe]));
        }
        // Concealed voiced speech does not stop at once.
        let bridge = self.n_lost > 0 && self.voiced && subframe < SUBFRAMES / 2;
        bridge.then_some((self.lag, BRIDGE))
    }

    /// Fills the long-term memory from past speech, with the present filter and gain.
    fn refill(&mut self, p: &Parameters, subframe: usize, lag: usize) {
        let frame = self.bandwidth.frame();
        // At 12 kHz the longest lags reach a little before the past frame.
        let start = frame.saturating_sub(lag + self.bandwidth.order() + 2);
        let at = subframe * self.bandwidth.subframe();
        let mut residual = [0; MAX_FRAME];
        let residual = &mut residual[..frame - start];
        let past = &self.speech[at + start..][..frame - start];
        whiten(past, &p.filters[subframe / 2], residual);
        let mut scale_q32 = self.inverse_gain_q16 << 16;
        if subframe == 0 {
            scale_q32 = smulwb(scale_q32, p.scale_q14) << 2;
        }
        let memory = &mut self.long_q16[..frame + at];
        for (state, &value) in memory.iter_mut().rev().zip(residual.iter().rev()).take(lag + 2) {
            *state = smulwb(scale_q32, value.into());
        }
    }

    /// Brings the long-term memory to the present gain.
    fn rescale(&mut self, subframe: usize, lag: usize, change_q16: i32) {
        let end = self.bandwidth.frame() + subframe * self.bandwidth.subframe();
        for state in &mut self.long_q16[end - lag - 2..end] {
            *state = smulww(change_q16, *state);
        }
    }

    fn add_long_term(
        &mut self,
        subframe: usize,
        lag: usize,
        taps: &[i16; 5],
        residual: &mut [i32],
    ) {
        let start = self.bandwidth.frame() + subframe * self.bandwidth.subframe();
        for (at, value) in (start..).zip(residual) {
            let predicted_q14 = long_term(&self.long_q16, at, lag, taps);
            *value = value.wrapping_add(round_shift(predicted_q14, 4));
            self.long_q16[at] = value.wrapping_shl(6);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pitch_that_can_be_said_stays_in_the_memory() {
        for bandwidth in Bandwidth::ALL {
            let mut speech = Speech::new();
            speech.switch(bandwidth);
            let (n_lags, n_contours) = (bandwidth.lag_cdf().len(), bandwidth.contour_cdf().len());
            for (index, contour) in (0..n_contours - 1).flat_map(|c| [(0, c), (n_lags - 2, c)]) {
                let parameters = Parameters {
                    voiced: true,
                    gains_q16: [1 << 20, 1 << 24, 1 << 16, 1 << 20],
                    filters: [[4096, -4096, 4096, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]; 2],
                    interpolated: true,
                    lags: bandwidth.lags(index, contour),
                    taps: [[1000, 2000, 8000, 2000, 1000]; SUBFRAMES],
                    scale_q14: 15565,
                    offset_q10: 100,
                    seed: 1,
                };
                let mut out = vec![0; bandwidth.frame()];
                speech.synthesise(&[1; MAX_FRAME], &parameters, &mut out);
                speech.remember(&out);
                assert!(out.iter().any(|&sample| sample != 0), "{bandwidth:?} {index} {contour}");
            }
        }
    }
}

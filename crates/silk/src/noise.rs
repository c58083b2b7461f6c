//! Comfort noise: the background that goes on while frames are missing.

use crate::bandwidth::{Bandwidth, MAX_FRAME, MAX_ORDER};
use crate::fixed::{random, round_shift, sample, shift_left_saturating, smlawb, smulww};
use crate::spectrum::{self, Spectrum};
use crate::speech::{Parameters, Speech};

/// How fast the noise follows the gains, in Q16.
const FOLLOW_GAIN_Q16: i32 = 4634;
/// How fast the noise follows the spectra, in Q16.
const FOLLOW_SPECTRUM_Q16: i32 = 16348;

/// The background heard so far.
pub(crate) struct Noise {
    bandwidth: Option<Bandwidth>,
    spectrum: Spectrum,
    gain_q16: i32,
    excitation_q10: [i32; MAX_FRAME],
    // Q14, the oldest first.
    state: [i32; MAX_ORDER],
    seed: i32,
}

impl Noise {
    /// Starts with silence.
    pub(crate) fn new() -> Self {
        Self {
            bandwidth: None,
            spectrum: [0; MAX_ORDER],
            gain_q16: 0,
            excitation_q10: [0; MAX_FRAME],
            state: [0; MAX_ORDER],
            seed: 0,
        }
    }

    /// Takes note of a good frame, which is background unless `active`.
    pub(crate) fn learn(&mut self, speech: &Speech, p: &Parameters, active: bool) {
        self.switch(speech.bandwidth);
        self.state.fill(0);
        if active {
            return;
        }
        for (line, &new) in self.spectrum.iter_mut().zip(&speech.spectrum) {
            *line = smlawb(*line, new - *line, FOLLOW_SPECTRUM_Q16);
        }
        let length = speech.bandwidth.subframe();
        let mut loudest = (0, 0);
        for (subframe, &gain) in p.gains_q16.iter().enumerate() {
            if gain > loudest.1 {
                loudest = (subframe, gain);
            }
            let change = gain.wrapping_sub(self.gain_q16);
            self.gain_q16 = smlawb(self.gain_q16, change, FOLLOW_GAIN_Q16);
        }
        self.excitation_q10.copy_within(..3 * length, length);
        let excitation = &speech.excitation_q10[loudest.0 * length..][..length];
        self.excitation_q10[..length].copy_from_slice(excitation);
    }

    /// Adds background to a concealed frame.
    pub(crate) fn add(&mut self, bandwidth: Bandwidth, frame: &mut [i16]) {
        self.switch(bandwidth);
        // As many of the last samples as a power of two allows.
        let mask = if frame.len() > 255 { 255 } else { 127 };
        let filter = spectrum::filter(&self.spectrum, bandwidth.order());
        for value in frame {
            self.seed = random(self.seed);
            let drawn = self.excitation_q10[(self.seed >> 24) as usize & mask];
            let excitation = sample(round_shift(smulww(drawn, self.gain_q16), 10));
            let newest_first = self.state.iter().rev().zip(&filter);
            let predicted = newest_first.fold(0, |sum, (&s, &c)| smlawb(sum, s, c.into()));
            let noise_q10 = predicted.saturating_add(i32::from(excitation) << 10);
            self.state.copy_within(1.., 0);
            self.state[MAX_ORDER - 1] = shift_left_saturating(noise_q10, 4);
            *value = value.saturating_add(sample(round_shift(noise_q10, 10)));
        }
    }

    fn switch(&mut self, bandwidth: Bandwidth) {
        if self.bandwidth == Some(bandwidth) {
            return;
        }
        self.bandwidth = Some(bandwidth);
        // A flat spectrum: lines at equal distances.
        let order = bandwidth.order();
        let step = i32::from(i16::MAX) / (order as i32 + 1);
        self.spectrum = std::array::from_fn(|i| if i < order { step * (i as i32 + 1) } else { 0 });
        self.gain_q16 = 0;
        self.seed = 3_176_576;
    }
}

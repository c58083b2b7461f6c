//! Concealment: what is heard in place of a lost frame.
//!
//! The last pitch period goes on, mixed with a part of the last excitation, and
//! fades. The first good frame after it does not start louder than it ended.

use crate::bandwidth::{Bandwidth, MAX_FRAME, SUBFRAMES};
use crate::fixed::{
    Energy, random, round_shift, sample, smlawb, smulbb, smulwb, smulww, square_root,
};
use crate::prediction::{Coefficients, expand, inverse_gain, synthesise};
use crate::speech::{Parameters, Speech};

/// Fades the pitch, per subframe of the first lost frame and of further ones, in Q15.
const FADE_PITCH_Q15: [i32; 2] = [32440, 31130];
/// Fades the noise in voiced speech, likewise.
const FADE_VOICED_Q15: [i32; 2] = [31130, 26214];
/// Fades the noise in unvoiced speech, likewise.
const FADE_UNVOICED_Q15: [i32; 2] = [32440, 29491];
/// Damps the short-term filter, in Q16.
const DAMPING_Q16: i32 = 64880;
/// How strong the pitch is at first, at least and at most, in Q14.
const PITCH_GAIN_Q14: [i32; 2] = [11469, 15565];
/// Samples of the excitation that noise is drawn from.
const NOISE: usize = 128;
/// The least noise beside a pitch, in Q14.
const MIN_NOISE_Q14: i32 = 3277;
/// How much the pitch lag grows per subframe, in Q16.
const DRIFT_Q16: i32 = 655;

/// The memory of the concealment.
pub(crate) struct Concealment {
    bandwidth: Option<Bandwidth>,
    lag_q8: i32,
    // How much of the sample one lag before comes again.
    pitch_gain_q14: i32,
    filter: Coefficients,
    scale_q14: i32,
    gains_q16: [i32; SUBFRAMES],
    noise_gain_q14: i32,
    seed: i32,
    // Of the last concealed frame, until a good one is joined to it.
    energy: Option<Energy>,
}

impl Concealment {
    /// Starts with silence.
    pub(crate) fn new() -> Self {
        Self {
            bandwidth: None,
            lag_q8: 0,
            pitch_gain_q14: 0,
            filter: Coefficients::default(),
            scale_q14: 0,
            gains_q16: [0; SUBFRAMES],
            noise_gain_q14: 0,
            seed: 0,
            energy: None,
        }
    }

    /// Takes note of a good frame.
    pub(crate) fn learn(&mut self, bandwidth: Bandwidth, p: &Parameters) {
        self.switch(bandwidth);
        self.filter = p.filters[1];
        self.scale_q14 = p.scale_q14;
        self.gains_q16 = p.gains_q16;
        if !p.voiced {
            self.lag_q8 = (18 * bandwidth.khz() as i32) << 8;
            self.pitch_gain_q14 = 0;
            return;
        }
        let mut gain = 0;
        let last_period = p.lags[SUBFRAMES - 1].div_ceil(bandwidth.subframe());
        for subframe in (0..SUBFRAMES).rev().take(last_period) {
            let sum = p.taps[subframe].iter().map(|&tap| i32::from(tap)).sum::<i32>();
            if sum > gain {
                gain = sum;
                self.lag_q8 = (p.lags[subframe] as i32) << 8;
            }
        }
        let [least, most] = PITCH_GAIN_Q14;
        self.pitch_gain_q14 = if gain < least {
            smulbb(gain, (least << 10) / gain.max(1)) >> 10
        } else if gain > most {
            smulbb(gain, (most << 14) / gain) >> 14
        } else {
            gain
        };
    }

    /// Makes a frame in place of a lost one.
    pub(crate) fn conceal(&mut self, speech: &mut Speech, out: &mut [i16]) {
        let bandwidth = speech.bandwidth;
        self.switch(bandwidth);
        let frame = bandwidth.frame();
        speech.long_q16.copy_within(frame..2 * frame, 0);
        expand(&mut self.filter, DAMPING_Q16);
        let noise = self.noise_source(speech);
        let fade_noise_q15 = self.fade_of_noise(speech);
        let fade_pitch_q15 = FADE_PITCH_Q15[speech.n_lost.min(1)];

        let mut signal_q10 = [0; MAX_FRAME];
        let signal_q10 = &mut signal_q10[..frame];
        let mut lag = round_shift(self.lag_q8, 8);
        for (subframe, signal) in signal_q10.chunks_exact_mut(bandwidth.subframe()).enumerate() {
            let start = frame + subframe * bandwidth.subframe();
            for (at, value) in (start..).zip(signal) {
                self.seed = random(self.seed);
                let drawn = speech.excitation_q10[noise + (self.seed >> 25) as usize % NOISE];
                let pitched_q14 = smulwb(speech.long_q16[at - lag as usize], self.pitch_gain_q14);
                *value = smulwb(drawn, self.noise_gain_q14)
                    .wrapping_shl(2)
                    .wrapping_add(round_shift(pitched_q14, 4));
                speech.long_q16[at] = value.wrapping_shl(6);
            }
            self.pitch_gain_q14 = smulbb(fade_pitch_q15, self.pitch_gain_q14) >> 15;
            self.noise_gain_q14 = smulbb(self.noise_gain_q14, fade_noise_q15) >> 15;
            let longest_q8 = (18 * bandwidth.khz() as i32) << 8;
            self.lag_q8 = smlawb(self.lag_q8, self.lag_q8, DRIFT_Q16).min(longest_q8);
            lag = round_shift(self.lag_q8, 8);
        }
        synthesise(&mut speech.short_q14, &self.filter, signal_q10);
        for (sample_out, &value) in out.iter_mut().zip(signal_q10.iter()) {
            *sample_out = sample(round_shift(smulww(value, self.gains_q16[SUBFRAMES - 1]), 10));
        }
        speech.lag = lag as usize;
        speech.n_lost += 1;
    }

    /// Measures a concealed frame, so that the next good one can be joined to it.
    pub(crate) fn measure(&mut self, frame: &[i16]) {
        self.energy = Some(Energy::of(frame));
    }

    /// Joins a good frame to a concealed one, if that came before: fades it in if it is louder.
    pub(crate) fn join(&mut self, frame: &mut [i16]) {
        let Some(concealed) = self.energy.take() else { return };
        let good = Energy::of(frame);
        let shift = good.shift.max(concealed.shift);
        let concealed = concealed.mantissa >> (shift - concealed.shift);
        let good = good.mantissa >> (shift - good.shift);
        if good <= concealed {
            return;
        }
        let headroom = concealed.leading_zeros() - 1;
        let ratio_q24 = (concealed << headroom) / (good >> 24_u32.saturating_sub(headroom)).max(1);
        let mut gain_q12 = square_root(ratio_q24);
        let step = (4096 - gain_q12) / frame.len() as i32;
        for value in frame {
            *value = ((gain_q12 * i32::from(*value)) >> 12) as i16;
            gain_q12 = (gain_q12 + step).min(4096);
        }
    }

    fn switch(&mut self, bandwidth: Bandwidth) {
        if self.bandwidth != Some(bandwidth) {
            self.bandwidth = Some(bandwidth);
            self.lag_q8 = bandwidth.frame() as i32 / 2;
        }
    }

    /// Returns where to draw noise from: the end of the quieter of the last two subframes.
    fn noise_source(&self, speech: &Speech) -> usize {
        let length = speech.bandwidth.subframe();
        let [third, fourth] = [2, 3].map(|subframe| {
            let mut scaled = [0; MAX_FRAME / SUBFRAMES];
            let excitation = &speech.excitation_q10[subframe * length..][..length];
            for (out, &value) in scaled.iter_mut().zip(excitation) {
                *out = (smulww(value, self.gains_q16[subframe]) >> 10) as i16;
            }
            Energy::of(&scaled[..length])
        });
        let third_is_quieter = third.mantissa >> fourth.shift < fourth.mantissa >> third.shift;
        let end = if third_is_quieter { 3 * length } else { 4 * length };
        end.saturating_sub(NOISE)
    }

    /// Returns how noise fades per subframe, in Q15; sets how it starts in the first lost frame.
    fn fade_of_noise(&mut self, speech: &Speech) -> i32 {
        let fades = if speech.voiced { FADE_VOICED_Q15 } else { FADE_UNVOICED_Q15 };
        let fade_q15 = fades[speech.n_lost.min(1)];
        if speech.n_lost > 0 {
            return fade_q15;
        }
        if speech.voiced {
            let rest = (16384 - self.pitch_gain_q14).max(MIN_NOISE_Q14);
            self.noise_gain_q14 = smulbb(rest, self.scale_q14) >> 14;
            return fade_q15;
        }
        self.noise_gain_q14 = 16384;
        // A filter with much gain gets less noise: from 8 to 24 dB.
        let gain = inverse_gain(&self.filter, speech.bandwidth.order()).gain_q30;
        smulwb(gain.clamp(1 << 22, 1 << 27) << 3, fade_q15) >> 14
    }
}

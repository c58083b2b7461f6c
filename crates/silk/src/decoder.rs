//! The decoder of packets, in the order of a stream.

use crate::bandwidth::MAX_FRAME;
use crate::conceal::Concealment;
use crate::highpass::HighPass;
use crate::noise::Noise;
use crate::packet::{Frame, Packet};
use crate::resample::Resampler;
use crate::speech::{Parameters, Speech};

/// The sampling rate of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rate {
    /// 16 kHz, what speech recognition takes.
    Hz16000,
    /// 24 kHz, the highest rate that packets are coded at.
    #[default]
    Hz24000,
}

impl Rate {
    /// Returns the samples in a second.
    pub fn hz(self) -> u32 {
        match self {
            Self::Hz16000 => 16_000,
            Self::Hz24000 => 24_000,
        }
    }
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// All frames were decoded.
    Well,
    /// The packet was empty: the encoder had nothing to say, or it was lost. It was concealed.
    Nothing,
    /// A frame made no sense, or the packet was too long. It was concealed and
    /// the rest of the packet dropped.
    Damaged,
}

/// Decodes packets one by one.
///
/// Every packet adds one to five frames of 20 ms to the output, whatever its
/// bytes are. Memory and time per packet are bounded; nothing is allocated but
/// the output.
pub struct Decoder {
    rate: Rate,
    speech: Speech,
    concealment: Concealment,
    noise: Noise,
    high_pass: HighPass,
    resampler: Option<Resampler>,
    // Good frames in the last packet that arrived, at least one.
    n_frames: usize,
}

impl Decoder {
    /// Starts a stream.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            speech: Speech::new(),
            concealment: Concealment::new(),
            noise: Noise::new(),
            high_pass: HighPass::default(),
            resampler: None,
            n_frames: 1,
        }
    }

    /// Decodes the next packet and appends its samples.
    ///
    /// An empty one stands for a packet that did not arrive.
    pub fn packet(&mut self, bytes: &[u8], out: &mut Vec<i16>) -> Heard {
        let Some(frames) = Packet::new(bytes) else {
            for _ in 0..self.n_frames {
                self.conceal(out);
            }
            return if bytes.is_empty() { Heard::Nothing } else { Heard::Damaged };
        };
        let mut heard = Heard::Well;
        let mut n_good = 0;
        for frame in frames {
            let before = self.speech.bandwidth;
            self.speech.switch(frame.bandwidth);
            // A damaged frame, too, changes what the next spectrum starts from.
            let parameters = self.speech.parameters(&frame);
            if frame.damaged {
                self.speech.switch(before);
                self.conceal(out);
                heard = Heard::Damaged;
            } else {
                self.speak(&frame, &parameters, out);
                n_good += 1;
            }
        }
        self.n_frames = n_good.max(1);
        heard
    }

    fn speak(&mut self, frame: &Frame, parameters: &Parameters, out: &mut Vec<i16>) {
        let mut samples = [0; MAX_FRAME];
        let samples = &mut samples[..frame.bandwidth.frame()];
        self.speech.synthesise(&frame.pulses, parameters, samples);
        self.speech.settle(parameters);
        self.speech.remember(samples);
        self.concealment.learn(frame.bandwidth, parameters);
        self.concealment.join(samples);
        self.noise.learn(&self.speech, parameters, frame.active);
        self.finish(samples, out);
    }

    fn conceal(&mut self, out: &mut Vec<i16>) {
        let mut samples = [0; MAX_FRAME];
        let samples = &mut samples[..self.speech.bandwidth.frame()];
        self.concealment.conceal(&mut self.speech, samples);
        self.speech.remember(samples);
        self.concealment.measure(samples);
        self.noise.add(self.speech.bandwidth, samples);
        self.finish(samples, out);
    }

    fn finish(&mut self, samples: &mut [i16], out: &mut Vec<i16>) {
        let bandwidth = self.speech.bandwidth;
        self.high_pass.apply(bandwidth, samples);
        let khz = self.rate.hz() as usize / 1000;
        let resampler = match &mut self.resampler {
            Some(resampler) if resampler.bandwidth() == bandwidth => resampler,
            other => other.insert(Resampler::new(bandwidth, khz)),
        };
        resampler.apply(samples, out);
    }
}

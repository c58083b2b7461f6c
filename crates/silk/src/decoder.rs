//! The decoder of packets, in the order of a stream.

use crate::bandwidth::MAX_FRAME;
use crate::conceal::Concealment;
use crate::highpass::HighPass;
use crate::noise::Noise;
use crate::packet::{Frame, Packet};
use crate::resample::Resampler;
use crate::speech::Speech;

/// Longest packet that is decoded, in bytes.
const MAX_PACKET: usize = 1024;

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
    /// A frame made no sense. It was concealed and the rest of the packet dropped.
    Damaged,
    /// The packet was empty or too long, and was concealed.
    Lost,
}

/// Tells whether a packet counts as lost: it is empty or too long.
pub(crate) fn is_lost(packet: &[u8]) -> bool {
    packet.is_empty() || packet.len() > MAX_PACKET
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
    // Frames in the last packet that was not lost.
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
    pub fn packet(&mut self, bytes: &[u8], out: &mut Vec<i16>) -> Heard {
        if is_lost(bytes) {
            self.lost(out);
            return Heard::Lost;
        }
        self.n_frames = 0;
        for frame in Packet::new(bytes) {
            self.n_frames += 1;
            if self.frame(&frame, out) == Heard::Damaged {
                self.n_frames = 1.max(self.n_frames - 1);
                return Heard::Damaged;
            }
        }
        Heard::Well
    }

    /// Conceals a packet that did not arrive, as long as the one before.
    pub fn lost(&mut self, out: &mut Vec<i16>) {
        for _ in 0..self.n_frames {
            self.conceal(out);
        }
    }

    fn frame(&mut self, frame: &Frame, out: &mut Vec<i16>) -> Heard {
        let before = self.speech.bandwidth;
        self.speech.switch(frame.bandwidth);
        let parameters = self.speech.parameters(frame);
        if frame.damaged {
            self.speech.switch(before);
            self.conceal(out);
            return Heard::Damaged;
        }
        let mut samples = [0; MAX_FRAME];
        let samples = &mut samples[..frame.bandwidth.frame()];
        self.speech.synthesise(&frame.pulses, &parameters, samples);
        self.speech.settle(&parameters);
        self.concealment.learn(frame.bandwidth, &parameters);
        self.speech.remember(samples);
        self.concealment.join(samples);
        self.noise.learn(&self.speech, &parameters, frame.active);
        self.finish(samples, out);
        Heard::Well
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

//! What a packet says: up to five frames of symbols.

use crate::bandwidth::{Bandwidth, SUBFRAMES};
use crate::excitation::{self, Pulses};
use crate::range::RangeDecoder;
use crate::tables::{self, gain, ltp};

/// Most bytes in a packet.
const MAX_BYTES: usize = 1024;

/// Most frames in a packet.
const MAX_FRAMES: usize = 5;

/// Most stages of a codebook of line spectra.
const MAX_STAGES: usize = 10;

/// The symbols of one frame of 20 ms.
pub(crate) struct Frame {
    pub(crate) bandwidth: Bandwidth,
    /// What is added to the pulses, in Q10.
    pub(crate) offset_q10: i32,
    /// Whether the first gain is a change like the others.
    pub(crate) first_gain_changes: bool,
    pub(crate) gains: [i32; SUBFRAMES],
    /// One vector of each stage.
    pub(crate) spectrum: [usize; MAX_STAGES],
    /// Quarters of the way from the last spectrum, for the first half.
    pub(crate) interpolation: i32,
    /// Only of a voiced frame.
    pub(crate) pitch: Option<Pitch>,
    pub(crate) seed: i32,
    pub(crate) pulses: Pulses,
    /// Whether the encoder heard more than background noise.
    pub(crate) active: bool,
    /// Whether the symbols cannot come from an encoder. They are zero then from
    /// some place on, and no frame follows.
    pub(crate) damaged: bool,
}

/// The long-term prediction of a voiced frame.
pub(crate) struct Pitch {
    /// Samples, by subframe.
    pub(crate) lags: [usize; SUBFRAMES],
    /// In Q14, by subframe.
    pub(crate) taps: [[i16; 5]; SUBFRAMES],
    /// In Q14.
    pub(crate) scale_q14: i32,
}

/// Reads the frames of one packet.
pub(crate) struct Packet<'a> {
    range: RangeDecoder<'a>,
    bandwidth: Bandwidth,
    n_read: usize,
    kind: usize,
    more: bool,
}

impl<'a> Packet<'a> {
    /// Starts with the first frame; `None` if the packet is empty or too long.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.is_empty() || bytes.len() > MAX_BYTES {
            return None;
        }
        let mut range = RangeDecoder::new(bytes);
        let bandwidth = Bandwidth::ALL[range.symbol(&tables::RATE_CDF)];
        Some(Self { range, bandwidth, n_read: 0, kind: 0, more: true })
    }

    fn gains(&mut self, first: bool, voicing: usize) -> [i32; SUBFRAMES] {
        let range = &mut self.range;
        std::array::from_fn(|subframe| {
            let cdf = match (first, subframe) {
                (true, 0) => &gain::GAIN_CDF[voicing][..],
                (true | false, _) => &gain::GAIN_CHANGE_CDF,
            };
            range.symbol(cdf) as i32
        })
    }

    fn spectrum(&mut self, voiced: bool) -> [usize; MAX_STAGES] {
        let codebook = self.bandwidth.codebook(voiced);
        let mut vectors = [0; MAX_STAGES];
        let mut cdf = codebook.cdf;
        for (vector, &n_vectors) in vectors.iter_mut().zip(codebook.stages) {
            let (stage, rest) = cdf.split_at(n_vectors + 1);
            *vector = self.range.symbol(stage);
            cdf = rest;
        }
        vectors
    }

    fn pitch(&mut self) -> Pitch {
        let range = &mut self.range;
        let lag = range.symbol(self.bandwidth.lag_cdf());
        let contour = range.symbol(self.bandwidth.contour_cdf());
        let codebook = range.symbol(&ltp::CODEBOOK_CDF);
        let taps = std::array::from_fn(|_| match codebook {
            0 => ltp::TAPS_0[range.symbol(&ltp::GAIN_CDF_0)],
            1 => ltp::TAPS_1[range.symbol(&ltp::GAIN_CDF_1)],
            _ => ltp::TAPS_2[range.symbol(&ltp::GAIN_CDF_2)],
        });
        let scale_q14 = tables::LTP_SCALES[range.symbol(&tables::LTP_SCALE_CDF)];
        Pitch { lags: self.bandwidth.lags(lag, contour), taps, scale_q14 }
    }
}

impl Iterator for Packet<'_> {
    type Item = Frame;

    /// Reads the next frame; there is one at least.
    fn next(&mut self) -> Option<Frame> {
        if !self.more {
            return None;
        }
        let first = self.n_read == 0;
        let kind_cdf = if first { &tables::KIND_CDF } else { &tables::NEXT_KIND_CDF[self.kind] };
        self.kind = self.range.symbol(kind_cdf);
        let (voicing, offset) = (self.kind >> 1, self.kind & 1);
        let voiced = voicing == 0;
        let gains = self.gains(first, voicing);
        let spectrum = self.spectrum(voiced);
        let interpolation = self.range.symbol(&tables::INTERPOLATION_CDF) as i32;
        let pitch = voiced.then(|| self.pitch());
        let seed = self.range.symbol(&tables::SEED_CDF) as i32;
        let pulses = excitation::pulses(&mut self.range, self.bandwidth.frame(), voicing, offset);
        let active = self.range.symbol(&tables::ACTIVITY_CDF) == 1;
        let following = self.range.symbol(&tables::FOLLOWING_CDF);
        let n_left = self.range.left();
        let damaged = self.range.damaged();
        self.n_read += 1;
        self.more = !damaged && n_left > 0 && following == 1 && self.n_read < MAX_FRAMES;
        Some(Frame {
            bandwidth: self.bandwidth,
            offset_q10: tables::OFFSETS[voicing][offset],
            first_gain_changes: !first,
            gains,
            spectrum,
            interpolation,
            pitch,
            seed,
            pulses,
            active,
            damaged,
        })
    }
}

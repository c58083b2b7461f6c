//! The four sampling rates that speech is coded at, and what depends on them.

use crate::tables::Codebook;
use crate::tables::nlsf_unvoiced_10::UNVOICED_10;
use crate::tables::nlsf_unvoiced_16::UNVOICED_16;
use crate::tables::nlsf_voiced_10::VOICED_10;
use crate::tables::nlsf_voiced_16::VOICED_16;
use crate::tables::pitch;

/// Samples in the longest frame.
pub(crate) const MAX_FRAME: usize = 480;
/// Subframes in a frame.
pub(crate) const SUBFRAMES: usize = 4;
/// Samples in the longest subframe.
pub(crate) const MAX_SUBFRAME: usize = MAX_FRAME / SUBFRAMES;
/// Coefficients of the longest short-term prediction.
pub(crate) const MAX_ORDER: usize = 16;

/// The sampling rate that a packet is coded at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bandwidth {
    /// 8 kHz
    Narrow,
    /// 12 kHz
    Medium,
    /// 16 kHz
    Wide,
    /// 24 kHz
    SuperWide,
}

impl Bandwidth {
    /// All, by their number in a packet.
    pub(crate) const ALL: [Self; 4] = [Self::Narrow, Self::Medium, Self::Wide, Self::SuperWide];

    /// The sampling rate in kHz.
    pub(crate) fn khz(self) -> usize {
        match self {
            Self::Narrow => 8,
            Self::Medium => 12,
            Self::Wide => 16,
            Self::SuperWide => 24,
        }
    }

    /// Samples in a frame, which lasts 20 ms.
    pub(crate) fn frame(self) -> usize {
        20 * self.khz()
    }

    /// Samples in a subframe.
    pub(crate) fn subframe(self) -> usize {
        self.frame() / SUBFRAMES
    }

    /// Coefficients of the short-term prediction.
    pub(crate) fn order(self) -> usize {
        self.codebook(true).order
    }

    /// The line spectra.
    pub(crate) fn codebook(self, voiced: bool) -> &'static Codebook {
        match (self, voiced) {
            (Self::Narrow, true) => &VOICED_10,
            (Self::Narrow, false) => &UNVOICED_10,
            (Self::Medium | Self::Wide | Self::SuperWide, true) => &VOICED_16,
            (Self::Medium | Self::Wide | Self::SuperWide, false) => &UNVOICED_16,
        }
    }

    /// Cumulative frequencies of the pitch lag.
    pub(crate) fn lag_cdf(self) -> &'static [u16] {
        match self {
            Self::Narrow => &pitch::LAG_8_CDF,
            Self::Medium => &pitch::LAG_12_CDF,
            Self::Wide => &pitch::LAG_16_CDF,
            Self::SuperWide => &pitch::LAG_24_CDF,
        }
    }

    /// Cumulative frequencies of the pitch contour.
    pub(crate) fn contour_cdf(self) -> &'static [u16] {
        match self {
            Self::Narrow => &pitch::CONTOUR_8_CDF,
            Self::Medium | Self::Wide | Self::SuperWide => &pitch::CONTOUR_CDF,
        }
    }

    /// The pitch lags of the subframes, in samples.
    pub(crate) fn lags(self, index: usize, contour: usize) -> [usize; SUBFRAMES] {
        let lag = (2 * self.khz() + index) as i32;
        std::array::from_fn(|subframe| {
            let change = match self {
                Self::Narrow => pitch::CONTOURS_8[subframe][contour],
                Self::Medium | Self::Wide | Self::SuperWide => pitch::CONTOURS[subframe][contour],
            };
            // At least 2 ms, less 9 samples at most: never below 15.
            (lag + i32::from(change)) as usize
        })
    }

    /// The recursive coefficients of the high-pass filter, in Q13.
    pub(crate) fn high_pass(self) -> [i32; 2] {
        match self {
            Self::Narrow => [-15885, 7710],
            Self::Medium => [-16043, 7859],
            Self::Wide => [-16127, 7940],
            Self::SuperWide => [-16220, 8030],
        }
    }
}

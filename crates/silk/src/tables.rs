//! The constants of the format.
//!
//! Symbols are coded by cumulative frequencies: the gaps between neighbours of
//! a rising row from 0 to 65535.

pub(crate) mod cosines;
pub(crate) mod fractions;
pub(crate) mod gain;
pub(crate) mod ltp;
pub(crate) mod nlsf_unvoiced_10;
pub(crate) mod nlsf_unvoiced_16;
pub(crate) mod nlsf_voiced_10;
pub(crate) mod nlsf_voiced_16;
pub(crate) mod pitch;
pub(crate) mod pulses;

/// Line spectra, as sums of one vector from each stage.
pub(crate) struct Codebook {
    /// How many lines a spectrum has.
    pub(crate) order: usize,
    /// How many vectors each stage has.
    pub(crate) stages: &'static [usize],
    /// Cumulative frequencies of all stages, one after the other.
    pub(crate) cdf: &'static [u16],
    /// Vectors of all stages, one after the other, in Q15.
    pub(crate) vectors: &'static [i16],
    /// The least distance between neighbours and to the ends, in Q15.
    pub(crate) spacing: &'static [i32],
}

/// Cumulative frequencies of the sampling rates 8, 12, 16 and 24 kHz.
pub(crate) static RATE_CDF: [u16; 5] = [0, 16000, 32000, 48000, 65535];

/// Cumulative frequencies of voicing and offset in the first frame of a packet.
pub(crate) static KIND_CDF: [u16; 5] = [0, 37522, 41030, 44212, 65535];

/// Cumulative frequencies of voicing and offset, by those of the frame before.
pub(crate) static NEXT_KIND_CDF: [[u16; 5]; 4] = [
    [0, 57686, 61230, 62358, 65535],
    [0, 18346, 40067, 43659, 65535],
    [0, 22694, 24279, 35507, 65535],
    [0, 6067, 7215, 13010, 65535],
];

/// Cumulative frequencies of the quarters of the way from the last spectrum.
pub(crate) static INTERPOLATION_CDF: [u16; 6] = [0, 3706, 8703, 19226, 30926, 65535];

/// Cumulative frequencies of the scale of the long-term prediction.
pub(crate) static LTP_SCALE_CDF: [u16; 4] = [0, 32000, 48000, 65535];

/// Scales of the long-term prediction, in Q14.
pub(crate) static LTP_SCALES: [i32; 3] = [15565, 11469, 8192];

/// Cumulative frequencies of the seed.
pub(crate) static SEED_CDF: [u16; 5] = [0, 16384, 32768, 49152, 65535];

/// Cumulative frequencies of a further low bit of a pulse.
pub(crate) static LOW_BIT_CDF: [u16; 3] = [0, 40000, 65535];

/// Cumulative frequencies of silence and activity.
pub(crate) static ACTIVITY_CDF: [u16; 3] = [0, 22000, 65535];

/// Cumulative frequencies of what follows a frame: nothing, a frame, or one of
/// two kinds of copies of an earlier frame.
pub(crate) static FOLLOWING_CDF: [u16; 5] = [0, 20000, 45000, 56000, 65535];

/// What is added to pulses, by voicing and offset, in Q10.
pub(crate) static OFFSETS: [[i32; 2]; 2] = [[32, 100], [100, 256]];

#[cfg(test)]
mod tests {
    use super::*;

    fn splits(cdf: &'static [u16]) -> impl Iterator<Item = &'static [u16]> {
        cdf.split_inclusive(|&edge| edge == 65535)
    }

    #[test]
    fn frequencies_rise_from_zero_to_the_end() {
        let rows: [&[u16]; 18] = [
            &RATE_CDF,
            &KIND_CDF,
            &INTERPOLATION_CDF,
            &LTP_SCALE_CDF,
            &SEED_CDF,
            &LOW_BIT_CDF,
            &ACTIVITY_CDF,
            &FOLLOWING_CDF,
            &gain::GAIN_CHANGE_CDF,
            &ltp::CODEBOOK_CDF,
            &ltp::GAIN_CDF_0,
            &ltp::GAIN_CDF_1,
            &ltp::GAIN_CDF_2,
            &pitch::LAG_8_CDF,
            &pitch::LAG_12_CDF,
            &pitch::LAG_16_CDF,
            &pitch::LAG_24_CDF,
            &pitch::CONTOUR_CDF,
        ];
        let books = [
            &nlsf_voiced_10::VOICED_10,
            &nlsf_voiced_16::VOICED_16,
            &nlsf_unvoiced_10::UNVOICED_10,
            &nlsf_unvoiced_16::UNVOICED_16,
        ];
        let rows = rows
            .into_iter()
            .chain([&pitch::CONTOUR_8_CDF[..]])
            .chain(NEXT_KIND_CDF.iter().map(|row| &row[..]))
            .chain(gain::GAIN_CDF.iter().map(|row| &row[..]))
            .chain(pulses::RATE_LEVEL_CDF.iter().map(|row| &row[..]))
            .chain(pulses::BLOCK_CDF.iter().map(|row| &row[..]))
            .chain(books.into_iter().flat_map(|book| splits(book.cdf)));
        for row in rows {
            assert_eq!((row.first(), row.last()), (Some(&0), Some(&65535)), "{row:?}");
            assert!(row.is_sorted(), "{row:?}");
        }
    }

    #[test]
    fn codebooks_hold_what_their_stages_say() {
        for book in [
            &nlsf_voiced_10::VOICED_10,
            &nlsf_voiced_16::VOICED_16,
            &nlsf_unvoiced_10::UNVOICED_10,
            &nlsf_unvoiced_16::UNVOICED_16,
        ] {
            let all: usize = book.stages.iter().sum();
            assert_eq!(book.cdf.len(), all + book.stages.len());
            assert_eq!(book.vectors.len(), all * book.order);
            assert_eq!(book.spacing.len(), book.order + 1);
            assert!(book.spacing.iter().all(|&least| least > 0));
            assert!(book.spacing.iter().sum::<i32>() < 1 << 15);
        }
    }
}

//! The high-pass filter at the end of the decoder: takes away what is below some 45 Hz.

use crate::bandwidth::Bandwidth;
use crate::fixed::{round_shift, sample, smlabb, smulwb};

/// The feed-forward coefficients, in Q13.
const FORWARD_Q13: [i32; 3] = [8000, -16000, 8000];

/// A second-order filter; its memory outlives changes of the bandwidth.
#[derive(Default)]
pub(crate) struct HighPass {
    state: [i32; 2],
}

impl HighPass {
    /// Filters a frame in place.
    pub(crate) fn apply(&mut self, bandwidth: Bandwidth, frame: &mut [i16]) {
        let [back_1, back_2] = bandwidth.high_pass();
        let [mut first, mut second] = self.state;
        for value in frame {
            let input = i32::from(*value);
            let output = smlabb(first, input, FORWARD_Q13[0]);
            first = smlabb(second, input, FORWARD_Q13[1])
                .wrapping_add(smulwb(output, -back_1).wrapping_shl(3));
            second = smlabb(smulwb(output, -back_2).wrapping_shl(3), input, FORWARD_Q13[2]);
            *value = sample(round_shift(output, 13) + 1);
        }
        self.state = [first, second];
    }
}

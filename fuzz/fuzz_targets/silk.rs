//! Any bytes as a voice file: no panic, and the limit and the duration hold.
//!
//! `crates/silk/tests/golden` has files to start from.

#![no_main]

use libfuzzer_sys::fuzz_target;
use silk::{Ending, Limits, Rate};

const LIMITS: Limits = Limits { max_samples: 9_600 };

fuzz_target!(|bytes: &[u8]| {
    for rate in [Rate::Hz16000, Rate::Hz24000] {
        let Ok(decoded) = silk::decode(bytes, rate, &LIMITS) else { continue };
        let duration = silk::duration(bytes).expect("what is decoded has a header");
        let n_samples = duration.as_millis() * u128::from(rate.hz()) / 1000;
        assert_eq!(decoded.pcm.len() as u128, n_samples.min(LIMITS.max_samples as u128));
        let too_long = n_samples > LIMITS.max_samples as u128;
        assert_eq!(decoded.ending == Ending::TooLong, too_long);
    }
});

//! Decodes the voice messages of WeChat: SILK v3 to PCM.

mod bandwidth;
mod conceal;
mod decoder;
mod excitation;
mod file;
mod fixed;
mod highpass;
mod noise;
mod packet;
mod prediction;
mod range;
mod resample;
mod spectrum;
mod speech;
mod tables;
mod wav;

pub use decoder::{Decoder, Heard, Rate};
pub use file::{DecodeError, Decoded, Ending, Limits, Packets, decode, duration, is_silk};

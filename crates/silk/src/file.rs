//! Voice files: a header, then packets with their lengths.

use std::fmt;
use std::time::Duration;

use crate::decoder::{Decoder, Heard, Rate};
use crate::packet::{Frame, Packet};

/// What the files of all programs have in common.
const MAGIC: &[u8] = b"#!SILK_V3";
/// What WeChat writes before it.
const PREFIX: u8 = 0x02;
/// In place of a length, where some programs end a file.
const END: i16 = -1;
/// What a frame lasts.
const FRAME: Duration = Duration::from_millis(20);

/// Tells whether a file starts like a voice message, of WeChat or plain.
pub fn is_silk(bytes: &[u8]) -> bool {
    Packets::of(bytes).is_some()
}

/// Decodes a voice message.
///
/// Damaged packets are concealed and counted. Time grows with the number of
/// bytes and with `limits`, memory with `limits` only. No bytes panic.
///
/// # Errors
///
/// If the file does not start like a voice message, or no packet can be decoded.
pub fn decode(bytes: &[u8], rate: Rate, limits: &Limits) -> Result<Decoded, DecodeError> {
    let mut packets = Packets::of(bytes).ok_or(DecodeError::NotSilk)?;
    let mut decoder = Decoder::new(rate);
    let mut pcm = Vec::new();
    let (mut n_well, mut n_damaged) = (0, 0);
    let mut too_long = false;
    for packet in &mut packets {
        if pcm.len() >= limits.max_samples {
            too_long = true;
            break;
        }
        match decoder.packet(packet, &mut pcm) {
            Heard::Well => n_well += 1,
            Heard::Nothing => {}
            Heard::Damaged => n_damaged += 1,
        }
    }
    if n_well == 0 {
        return Err(DecodeError::Nothing);
    }
    too_long |= pcm.len() > limits.max_samples;
    let ending = if too_long { Ending::TooLong } else { packets.ending() };
    pcm.truncate(limits.max_samples);
    Ok(Decoded { pcm, rate, n_damaged, ending })
}

/// Returns how long a voice message lasts, without decoding its sound.
///
/// It is as long as what [`decode`] returns without a limit. `None` means that
/// the file does not start like a voice message.
pub fn duration(bytes: &[u8]) -> Option<Duration> {
    let (mut n_frames, mut n_in_packet) = (0_u32, 1);
    for packet in Packets::of(bytes)? {
        let Some(frames) = Packet::new(packet) else {
            n_frames = n_frames.saturating_add(n_in_packet);
            continue;
        };
        let count = |(all, good), frame: Frame| (all + 1, good + u32::from(!frame.damaged));
        let (n_all, n_good) = frames.fold((0, 0), count);
        n_frames = n_frames.saturating_add(n_all);
        n_in_packet = n_good.max(1);
    }
    Some(FRAME.saturating_mul(n_frames))
}

/// Bounds what a stranger's file can cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most samples of the output.
    pub max_samples: usize,
}

impl Default for Limits {
    /// Five minutes at 24 kHz, 14 MB. WeChat records one minute at most.
    fn default() -> Self {
        Self { max_samples: 5 * 60 * 24_000 }
    }
}

/// A decoded voice message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Samples of the one channel.
    pub pcm: Vec<i16>,
    /// Their rate.
    pub rate: Rate,
    /// Packets that were damaged, and concealed.
    pub n_damaged: usize,
    /// How the file ends.
    pub ending: Ending,
}

impl Decoded {
    /// Tells whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.n_damaged == 0 && self.ending == Ending::Whole
    }

    /// Makes a WAV file of it.
    pub fn to_wav(&self) -> Vec<u8> {
        crate::wav::encode(&self.pcm, self.rate.hz())
    }
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// After a packet, or with the mark of the end.
    Whole,
    /// In a packet or in its length, or with a length that makes no sense.
    CutOff,
    /// Behind the limit; the rest was not decoded.
    TooLong,
}

/// Why a file could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The file does not start like a voice message.
    NotSilk,
    /// The file has no packet that can be decoded.
    Nothing,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSilk => "not a SILK v3 file",
            Self::Nothing => "no packet of the SILK file can be decoded",
        })
    }
}

impl std::error::Error for DecodeError {}

/// Takes a file apart into packets.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
    ending: Ending,
}

impl<'a> Packets<'a> {
    /// Starts after the header; `None` if there is none.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let plain = bytes.strip_prefix(&[PREFIX]).unwrap_or(bytes);
        let rest = plain.strip_prefix(MAGIC)?;
        Some(Self { rest, ending: Ending::Whole })
    }

    /// Returns how the file ends, once there are no more packets.
    pub fn ending(&self) -> Ending {
        self.ending
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() {
            return None;
        }
        let Some((length, rest)) = rest.split_first_chunk() else {
            self.ending = Ending::CutOff;
            return None;
        };
        let length = i16::from_le_bytes(*length);
        if length == END {
            return None;
        }
        let packet = usize::try_from(length).ok().and_then(|n| rest.split_at_checked(n));
        let Some((packet, rest)) = packet else {
            self.ending = Ending::CutOff;
            return None;
        };
        self.rest = rest;
        Some(packet)
    }
}

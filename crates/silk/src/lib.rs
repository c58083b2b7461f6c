//! Decodes the voice messages of WeChat: SILK v3 to PCM.
//!
//! ```text
//! file ─→ packets ─→ frames of symbols ─→ synthesis ─→ high-pass ─→ resampler ─→ PCM ─→ WAV
//! file.rs           packet.rs            speech.rs     highpass.rs  resample.rs        wav.rs
//!                   range.rs             prediction.rs    ↑
//!                   excitation.rs        spectrum.rs      │
//!                                                         │
//!         lost or damaged ─→ concealment, comfort noise ──┘
//!                            conceal.rs   noise.rs
//! ```
//!
//! [`decode`] takes a whole file; [`Packets`] and [`Decoder`] take it packet by
//! packet. [`duration`] reads the symbols only.
//!
//! # The format
//!
//! A file is `#!SILK_V3`, in WeChat with the byte 2 before it, then packets: a
//! length of two bytes, the low one first, and so many bytes. Some programs end
//! it with the length -1. The sampling rate is not in the header: each packet
//! says whether it is coded at 8, 12, 16 or 24 kHz. It holds one to five frames
//! of 20 ms. An empty packet stands for one that did not arrive, or for a pause.
//!
//! Everything in a packet is a row of symbols of a range coder. A frame has
//! four subframes with a gain each, a spectrum (coefficients of the short-term
//! filter), in voiced frames a pitch lag and five taps for each subframe (the
//! long-term filter), and pulses with signs that excite both filters.
//!
//! This is SILK as Skype published it, version 3 of 2009 to 2012. The SILK
//! inside Opus (RFC 6716) has other symbols and tables.
//!
//! # What is exact
//!
//! The output is, bit for bit, that of the SILK SDK 1.0.9 with a C compiler
//! that wraps: of good packets at both [`Rate`]s, in lost and damaged frames,
//! and in those that follow them. Where the SDK reads outside its buffers, which
//! no encoder makes it do, zeros are read here: behind the end of a damaged
//! packet, and before the past frame for the longest lags at 12 kHz. In-band
//! copies of lost frames are not used; frames are concealed instead.
//!
//! # Strangers' files
//!
//! No bytes panic, overflow an integer or read outside a buffer: all sums wrap
//! or saturate as the format says, all indices come from tables that fit. The
//! output is bounded by [`Limits`]; besides it nothing is allocated.
//!
//! The facts, above all the tables, are from the published sources of the SILK
//! SDK 1.0.9, which the Internet-Draft draft-vos-silk describes; the file NOTICE
//! has their notice. The code is our own.

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

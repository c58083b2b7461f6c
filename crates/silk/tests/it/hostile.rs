//! Files from strangers: no bytes make the decoder panic, or exceed its limits.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use silk::{Decoded, Limits, Packets, Rate};

use crate::file;

/// Two seconds at 24 kHz.
const LIMITS: Limits = Limits { max_samples: 48_000 };

const FILES: [&str; 5] =
    ["buzz_8k.silk", "buzz_12k.silk", "noise_16k.silk", "sweep_24k.silk", "packets_of_five.silk"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn random_bytes_behind_the_header(bytes in vec(any::<u8>(), 0..600), rate in rates()) {
        survives(&[b"\x02#!SILK_V3", &bytes[..]].concat(), rate);
    }

    #[test]
    fn random_packets(packets in vec(vec(any::<u8>(), 0..120), 0..30), rate in rates()) {
        survives(&pack(packets.iter().map(Vec::as_slice)), rate);
    }

    #[test]
    fn flipped_bits(
        name in prop::sample::select(&FILES[..]),
        flips in vec((any::<Index>(), 0..8_u32), 1..40),
        rate in rates(),
    ) {
        let mut bytes = file(name);
        for (at, bit) in flips {
            let at = at.index(bytes.len() - 10) + 10;
            bytes[at] ^= 1 << bit;
        }
        survives(&bytes, rate);
    }

    #[test]
    fn packets_of_several_files_shuffled(
        picks in vec((prop::sample::select(&FILES[..]), any::<Index>()), 1..40),
        rate in rates(),
    ) {
        let files: Vec<_> = picks.iter().map(|(name, _)| file(name)).collect();
        let packets = files.iter().zip(&picks).map(|(bytes, (_, at))| {
            let all: Vec<_> = Packets::of(bytes).unwrap().collect();
            all[at.index(all.len())]
        });
        survives(&pack(packets), rate);
    }
}

#[test]
fn a_small_file_cannot_fill_the_memory() {
    // After a packet of five frames, two bytes stand for a tenth of a second.
    let bytes = file("packets_of_five.silk");
    let first = Packets::of(&bytes).unwrap().next().unwrap();
    let bomb = pack(std::iter::once(first).chain(std::iter::repeat_n(&[][..], 100_000)));
    assert_eq!(survives(&bomb, Rate::Hz24000).unwrap().pcm.len(), LIMITS.max_samples);
}

/// Decodes a file and checks what holds for all.
fn survives(bytes: &[u8], rate: Rate) -> Option<Decoded> {
    let decoded = silk::decode(bytes, rate, &LIMITS).ok()?;
    assert!(decoded.pcm.len() <= LIMITS.max_samples);
    let duration = silk::duration(bytes).unwrap();
    let n_samples = duration.as_millis() * u128::from(rate.hz()) / 1000;
    assert_eq!(decoded.pcm.len() as u128, n_samples.min(LIMITS.max_samples as u128));
    Some(decoded)
}

fn pack<'a>(packets: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = b"#!SILK_V3".to_vec();
    for packet in packets {
        bytes.extend(i16::try_from(packet.len()).unwrap().to_le_bytes());
        bytes.extend(packet);
    }
    bytes
}

fn rates() -> impl Strategy<Value = Rate> {
    prop_oneof![Just(Rate::Hz16000), Just(Rate::Hz24000)]
}

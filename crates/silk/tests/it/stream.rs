//! Headers, ends and limits of files, and packets one by one.

use silk::{DecodeError, Decoder, Ending, Heard, Limits, Packets, Rate};

use crate::file;

const SMALLEST: &str = "buzz_8k.silk";
/// Samples of a frame at 16 kHz.
const FRAME: usize = 320;

#[test]
fn both_headers_are_known_and_no_others() {
    for bytes in [&b"#!SILK_V3"[..], b"\x02#!SILK_V3", b"\x02#!SILK_V3\x00"] {
        assert!(silk::is_silk(bytes), "{bytes:?}");
    }
    for bytes in [&b""[..], b"\x02", b"#!SILK_V", b"\x02\x02#!SILK_V3", b"\x03#!SILK_V3", b"RIFF"] {
        assert!(!silk::is_silk(bytes), "{bytes:?}");
        assert_eq!(decode(bytes), Err(DecodeError::NotSilk));
        assert_eq!(silk::duration(bytes), None);
    }
}

#[test]
fn a_file_without_a_good_packet_is_an_error() {
    for bytes in [&b"#!SILK_V3"[..], b"#!SILK_V3\xff\xff", b"#!SILK_V3\0\0\x04\0\xff\xff\xff\xff"] {
        assert_eq!(decode(bytes), Err(DecodeError::Nothing), "{bytes:?}");
    }
}

#[test]
fn a_file_may_end_with_a_mark_and_nothing_behind_it_counts() {
    let plain = file(SMALLEST);
    let marked = [&plain[..], b"\xff\xff\x09rest"].concat();
    assert_eq!(decode(&marked), decode(&plain));
}

#[test]
fn a_file_cut_anywhere_gives_what_is_whole() {
    let bytes = file(SMALLEST);
    let whole = decode(&bytes).unwrap();
    let mut ends = vec![10];
    for packet in Packets::of(&bytes).unwrap() {
        ends.push(ends.last().unwrap() + 2 + packet.len());
    }
    assert_eq!(ends.last(), Some(&bytes.len()));
    for length in 0..bytes.len() {
        let n_packets = ends.iter().filter(|&&end| end <= length).count().saturating_sub(1);
        let cut = decode(&bytes[..length]);
        let Ok(cut) = cut else {
            let expected = if length < 10 { DecodeError::NotSilk } else { DecodeError::Nothing };
            assert_eq!((cut, n_packets), (Err(expected), 0), "{length}");
            continue;
        };
        assert_eq!(cut.pcm, whole.pcm[..n_packets * FRAME], "{length}");
        assert_eq!(cut.n_damaged, 0, "{length}");
        assert_eq!(cut.is_complete(), ends.contains(&length), "{length}");
    }
}

#[test]
fn a_negative_length_other_than_the_mark_cuts_the_file_off() {
    let bytes = [&file(SMALLEST)[..], b"\xfe\xff"].concat();
    let decoded = decode(&bytes).unwrap();
    assert_eq!((decoded.ending, decoded.is_complete()), (Ending::CutOff, false));
}

#[test]
fn the_limit_holds_to_the_sample() {
    let bytes = file(SMALLEST);
    let whole = decode(&bytes).unwrap();
    let n = whole.pcm.len();
    for max_samples in [1, FRAME - 1, FRAME, FRAME + 1, n - 1, n, n + 1] {
        let decoded = silk::decode(&bytes, Rate::Hz16000, &Limits { max_samples }).unwrap();
        assert_eq!(decoded.pcm, whole.pcm[..n.min(max_samples)]);
        let ending = if max_samples < n { Ending::TooLong } else { Ending::Whole };
        assert_eq!(decoded.ending, ending, "{max_samples}");
    }
}

#[test]
fn empty_and_long_packets_are_concealed_as_long_as_the_last_one() {
    let bytes = file("packets_of_five.silk");
    let first = Packets::of(&bytes).unwrap().next().unwrap();
    let mut decoder = Decoder::new(Rate::Hz16000);
    let mut pcm = Vec::new();
    for (packet, heard, n_frames) in [
        (&[][..], Heard::Nothing, 1),
        (first, Heard::Well, 5),
        (&[], Heard::Nothing, 5),
        (&[0; 1025], Heard::Damaged, 5),
        (&[0xff; 40], Heard::Damaged, 1),
        (&[], Heard::Nothing, 1),
    ] {
        let before = pcm.len();
        assert_eq!(decoder.packet(packet, &mut pcm), heard);
        assert_eq!(pcm.len() - before, n_frames * FRAME);
    }
}

#[test]
fn what_is_concealed_fades() {
    let bytes = file("en_24k.silk");
    let mut decoder = Decoder::new(Rate::Hz24000);
    let mut pcm = Vec::new();
    for packet in Packets::of(&bytes).unwrap().take(60) {
        decoder.packet(packet, &mut pcm);
    }
    let loudness = |pcm: &[i16]| pcm.iter().map(|s| u64::from(s.unsigned_abs())).sum::<u64>();
    let spoken = loudness(&pcm[pcm.len() - 480..]);
    for _ in 0..50 {
        assert_eq!(decoder.packet(&[], &mut pcm), Heard::Nothing);
    }
    let concealed = loudness(&pcm[pcm.len() - 480..]);
    assert!(concealed < spoken / 4, "{concealed} of {spoken}");
}

#[test]
fn a_wav_file_says_its_rate_and_length() {
    let decoded = decode(&file(SMALLEST)).unwrap();
    let wav = decoded.to_wav();
    assert_eq!(wav.len(), 44 + 2 * decoded.pcm.len());
    assert_eq!(wav[24..28], 16_000_u32.to_le_bytes());
    assert_eq!(wav[44..46], decoded.pcm[0].to_le_bytes());
}

fn decode(bytes: &[u8]) -> Result<silk::Decoded, DecodeError> {
    silk::decode(bytes, Rate::Hz16000, &Limits::default())
}

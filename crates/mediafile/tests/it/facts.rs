//! What files tell about themselves.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::time::Duration;

use mediafile::facts::{Facts, Size, inspect};
use mediafile::kind::Class;
use proptest::prelude::*;

use crate::samples::{bytes, clock, facts, facts_of, film, held, mp4_box};

const SMALL: Option<Size> = Some(Size { width: 64, height: 48 });

#[test]
fn a_picture_tells_its_size() {
    for (name, mime) in [
        ("picture.jpg", "image/jpeg"),
        ("picture.png", "image/png"),
        ("picture.gif", "image/gif"),
        ("picture.webp", "image/webp"),
        ("picture.avif", "image/avif"),
    ] {
        let facts = facts(name);
        let told = (facts.kind.mime.as_str(), facts.kind.class, facts.size, facts.duration);
        assert_eq!(told, (mime, Class::Image, SMALL, None), "{name}");
    }
}

#[test]
fn a_turned_picture_tells_its_size_as_it_is_shown() {
    let turned = facts_of(&held(&bytes("picture.jpg"), 6));
    assert_eq!(turned.size, Some(Size { width: 48, height: 64 }));
    let upside_down = facts_of(&held(&bytes("picture.jpg"), 3));
    assert_eq!(upside_down.size, SMALL);
}

#[test]
fn a_video_tells_size_and_duration() {
    for (name, mime) in [
        ("film.mp4", "video/mp4"),
        ("cover.mp4", "video/mp4"),
        ("plain.mov", "video/quicktime"),
        ("film.webm", "video/webm"),
        ("film.mkv", "video/x-matroska"),
    ] {
        let facts = facts(name);
        let told = (facts.kind.mime.as_str(), facts.kind.class, facts.size);
        assert_eq!(told, (mime, Class::Video, SMALL), "{name}");
        assert_eq!(facts.duration, Some(Duration::from_millis(1500)), "{name}");
    }
}

#[test]
fn a_sound_tells_its_duration() {
    for (name, mime, millis) in [
        ("cbr.mp3", "audio/mpeg", 1656),
        ("vbr.mp3", "audio/mpeg", 1656),
        ("sound.m4a", "audio/mp4", 1500),
        ("sound.aac", "audio/aac", 1664),
        ("sound.wav", "audio/wav", 1500),
        ("sound.ogg", "audio/ogg", 1500),
        ("sound.opus", "audio/opus", 1500),
        ("sound.flac", "audio/flac", 1500),
        // Films without a picture.
        ("voice.webm", "audio/webm", 1508),
        ("memo.mp4", "audio/mp4", 1500),
    ] {
        let facts = facts(name);
        assert_eq!((facts.kind.mime.as_str(), facts.kind.class), (mime, Class::Audio), "{name}");
        let told = facts.duration.unwrap().as_millis();
        assert!(told.abs_diff(millis) <= 8, "{name}: {told}");
    }
}

#[test]
fn speech_in_frames_of_twenty_milliseconds_is_counted() {
    let narrow = [b"#!AMR\n".as_slice(), &[0x3c; 32].repeat(50), &[0x44, 0, 0, 0, 0, 0]].concat();
    assert_eq!(facts_of(&narrow).duration, Some(Duration::from_millis(51 * 20)));
}

#[test]
fn a_broken_wav_header_counts_what_is_there() {
    let mut wav = bytes("sound.wav");
    let at = wav.windows(4).position(|four| four == b"data").unwrap() + 4;
    for told in [0_u32, u32::MAX] {
        wav[at..at + 4].copy_from_slice(&told.to_le_bytes());
        assert_eq!(facts_of(&wav).duration, Some(Duration::from_millis(1500)), "{told}");
    }
}

#[test]
fn a_film_held_upright_is_high() {
    let turned = facts_of(&film([0, 0x1_0000], &clock(2500), &[]));
    assert_eq!(turned.size, Some(Size { width: 48, height: 64 }));
    assert_eq!(turned.duration, Some(Duration::from_millis(2500)));
}

#[test]
fn a_long_film_has_a_clock_of_64_bits() {
    let seconds: u64 = 5_000_000;
    let mvhd = [
        b"\x01\0\0\0".as_slice(),
        &[0; 16],
        &1000_u32.to_be_bytes(),
        &(seconds * 1000).to_be_bytes(),
    ];
    let long = facts_of(&film([0x1_0000, 0], &mvhd.concat(), &[]));
    assert_eq!(long.duration, Some(Duration::from_secs(seconds)));
    let unknown = facts_of(&film([0x1_0000, 0], &clock(u32::MAX), &[]));
    assert_eq!((unknown.duration, unknown.size), (None, SMALL));
}

#[test]
fn a_large_file_is_not_read_through() {
    let mdat = mp4_box(b"mdat", &vec![0; 64 << 20]);
    let large = film([0x1_0000, 0], &clock(1000), &mdat);
    let mut counted = Counted { file: Cursor::new(large), n_read: 0 };
    let facts = inspect(&mut counted, "large.mp4").unwrap();
    assert_eq!((facts.size, facts.duration), (SMALL, Some(Duration::from_secs(1))));
    assert_eq!(counted.file.position(), 0);
    assert!(counted.n_read < 64 << 10, "{}", counted.n_read);
}

#[test]
fn a_file_that_leads_through_all_of_it_is_given_up() {
    let empty_boxes = mp4_box(b"free", &[]).repeat(8 << 20);
    let hostile = film([0x1_0000, 0], &clock(1000), &empty_boxes);
    let mut counted = Counted { file: Cursor::new(hostile), n_read: 0 };
    let facts = inspect(&mut counted, "").unwrap();
    assert_eq!((facts.size, facts.duration), (None, None));
    assert!(counted.n_read < 5 << 20, "{}", counted.n_read);
}

#[test]
fn text_and_nothing_tell_only_their_length() {
    let facts = facts_of("报告".as_bytes());
    assert_eq!((facts.kind.class, facts.len, facts.size), (Class::Other, 6, None));
    assert_eq!(facts_of(b"").len, 0);
}

/// Counts what is read.
struct Counted {
    file: Cursor<Vec<u8>>,
    n_read: usize,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buf)?;
        self.n_read += n;
        Ok(n)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

const ALL: [&str; 20] = [
    "cbr.mp3",
    "cover.mp4",
    "film.mkv",
    "film.mp4",
    "film.webm",
    "memo.mp4",
    "picture.avif",
    "picture.gif",
    "picture.jpg",
    "picture.png",
    "picture.webp",
    "plain.mov",
    "sound.aac",
    "sound.m4a",
    "sound.ogg",
    "sound.opus",
    "sound.wav",
    "vbr.mp3",
    "voice.webm",
    "sound.flac",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_broken_file_breaks_us(
        sample in 0..ALL.len(),
        cut in any::<proptest::sample::Index>(),
        changes in prop::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut file = bytes(ALL[sample]);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len() * 2).max(1));
        let Facts { len, size, .. } = facts_of(&file);
        prop_assert_eq!(len, file.len() as u64);
        prop_assert!(size.is_none_or(|size| size.width > 0 && size.height > 0));
    }
}

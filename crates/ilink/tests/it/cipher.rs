//! The cipher over streams.

use ilink::cipher::{
    BLOCK, CipherError, Decryptor, Encryptor, Fingerprint, KeyError, cipher_size, decrypt, encrypt,
};
use ilink::wire::{CdnMedia, ImageItem};
use ilink::{MediaKey, MediaKeyText};
use proptest::prelude::*;

fn key() -> MediaKey {
    MediaKey::new(*b"0123456789abcdef")
}

/// Cuts bytes at these places, modulo what is left.
fn pieces<'a>(mut bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, rest) = bytes.split_at(cut % (bytes.len() + 1));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

proptest! {
    #[test]
    fn a_stream_equals_the_whole_however_it_is_cut(
        plain in prop::collection::vec(any::<u8>(), 0..600),
        cuts in prop::collection::vec(0..80_usize, 0..20),
    ) {
        let whole = encrypt(&key(), &plain);
        prop_assert_eq!(whole.len() as u64, cipher_size(plain.len() as u64));

        let mut encrypted = Vec::new();
        let mut encryptor = Encryptor::new(&key());
        for piece in pieces(&plain, &cuts) {
            let before = encrypted.len();
            encryptor.update(piece, &mut encrypted);
            prop_assert_eq!((encrypted.len() - before) % BLOCK, 0);
        }
        encryptor.finish(&mut encrypted);
        prop_assert_eq!(&encrypted, &whole);

        let mut in_place = Vec::new();
        let mut encryptor = Encryptor::new(&key());
        for piece in pieces(&plain, &cuts) {
            let mut chunk = piece.to_vec();
            encryptor.update_in_place(&mut chunk);
            in_place.extend_from_slice(&chunk);
        }
        encryptor.finish(&mut in_place);
        prop_assert_eq!(&in_place, &whole);

        let mut decrypted = Vec::new();
        let mut decryptor = Decryptor::new(&key());
        for piece in pieces(&whole, &cuts) {
            decryptor.update(piece, &mut decrypted);
        }
        decryptor.finish(&mut decrypted).unwrap();
        prop_assert_eq!(decrypted, plain);
    }

    #[test]
    fn what_was_cut_is_refused(plain in prop::collection::vec(any::<u8>(), 0..100), n in 1..16_usize) {
        let whole = encrypt(&key(), &plain);
        let cut = &whole[..whole.len() - n];
        prop_assert_eq!(decrypt(&key(), cut), Err(CipherError::Length { n: cut.len() as u64 }));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(plain) = decrypt(&key(), &bytes) {
            prop_assert_eq!(encrypt(&key(), &plain), bytes);
        }
    }

    #[test]
    fn every_key_survives_every_form(bytes in any::<[u8; 16]>()) {
        use base64::Engine as _;
        let key = MediaKey::new(bytes);
        let raw = base64::engine::general_purpose::STANDARD.encode(bytes);
        let bare = MediaKeyText::new(raw.trim_end_matches('='));
        let upper = MediaKeyText::new(key.to_hex().expose().to_uppercase());
        prop_assert_eq!(MediaKey::from_hex(&key.to_hex()), Ok(key.clone()));
        prop_assert_eq!(MediaKey::from_hex(&upper), Ok(key.clone()));
        prop_assert_eq!(MediaKey::from_base64(&key.to_base64()), Ok(key.clone()));
        prop_assert_eq!(MediaKey::from_base64(&MediaKeyText::new(raw)), Ok(key.clone()));
        prop_assert_eq!(MediaKey::from_base64(&bare), Ok(key));
    }
}

#[test]
fn a_size_that_is_out_of_reach_does_not_wrap_around() {
    assert_eq!([0, 15, 16].map(cipher_size), [16, 16, 32]);
    assert_eq!(cipher_size(u64::MAX), u64::MAX);
}

#[test]
fn nothing_is_no_ciphertext() {
    assert_eq!(decrypt(&key(), &[]), Err(CipherError::Length { n: 0 }));
}

#[test]
fn another_key_is_noticed() {
    let encrypted = encrypt(&key(), b"a picture");
    let other = MediaKey::new([7; 16]);
    assert_eq!(decrypt(&other, &encrypted), Err(CipherError::Padding));
}

#[test]
fn a_picture_prefers_its_own_key() {
    let own = MediaKey::new([1; 16]);
    let media = MediaKey::new([2; 16]);
    let image = |aeskey: Option<MediaKeyText>, aes_key: Option<MediaKeyText>| ImageItem {
        aeskey,
        media: Some(CdnMedia { aes_key, ..CdnMedia::default() }),
        ..ImageItem::default()
    };
    let empty = || Some(MediaKeyText::new(""));
    let both = image(Some(own.to_hex()), Some(media.to_base64()));
    assert_eq!(MediaKey::of_image(&both), Ok(Some(own)));
    assert_eq!(MediaKey::of_image(&image(empty(), Some(media.to_base64()))), Ok(Some(media)));
    assert_eq!(MediaKey::of_image(&image(None, empty())), Ok(None));
    assert_eq!(MediaKey::of_image(&ImageItem::default()), Ok(None));
}

#[test]
fn what_is_no_key_is_refused_without_being_told() {
    let text = |text: &str| MediaKeyText::new(text);
    assert_eq!(MediaKey::from_hex(&text("canary")), Err(KeyError::Hex));
    assert_eq!(MediaKey::from_base64(&text("canary!")), Err(KeyError::Base64));
    assert_eq!(MediaKey::from_base64(&text("c2hvcnQ=")), Err(KeyError::Base64));
}

#[test]
fn a_fingerprint_is_the_same_for_a_slow_reader() {
    struct Slow<'a>(&'a [u8]);

    impl std::io::Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let n = self.0.len().min(3);
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    let expected = Fingerprint::of(&b"hello, world"[..]).unwrap();
    assert_eq!(Fingerprint::of(Slow(b"hello, world")).unwrap(), expected);
    assert_eq!(expected.size, 12);
    assert_eq!(expected.md5_hex(), "e4d7f1b4ed2e42d15898f4b27b019da4");
}

//! Any bytes, cut anywhere: streams equal wholes in both directions, and what
//! decrypts encrypts to the same.

#![no_main]

use ilink::MediaKey;
use ilink::cipher::{Decryptor, Encryptor, cipher_size, decrypt, encrypt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, Vec<u8>, &[u8])| {
    let (seed, cuts, bytes) = input;
    let key = MediaKey::new([seed; 16]);

    let whole = encrypt(&key, bytes);
    assert_eq!(whole.len() as u64, cipher_size(bytes.len() as u64));
    let mut streamed = Vec::new();
    let mut encryptor = Encryptor::new(&key);
    for piece in pieces(bytes, &cuts) {
        encryptor.update(piece, &mut streamed);
    }
    encryptor.finish(&mut streamed);
    assert_eq!(streamed, whole);
    let mut in_place = Vec::new();
    let mut encryptor = Encryptor::new(&key);
    for piece in pieces(bytes, &cuts) {
        let mut chunk = piece.to_vec();
        encryptor.update_in_place(&mut chunk);
        in_place.append(&mut chunk);
    }
    encryptor.finish(&mut in_place);
    assert_eq!(in_place, whole);
    assert_eq!(decrypt_in_pieces(&key, &whole, &cuts).as_deref(), Some(bytes));

    // As ciphertext the bytes are most often none.
    let plain = decrypt(&key, bytes).ok();
    assert_eq!(decrypt_in_pieces(&key, bytes, &cuts), plain);
    if let Some(plain) = plain {
        assert_eq!(encrypt(&key, &plain), bytes);
    }
});

fn decrypt_in_pieces(key: &MediaKey, bytes: &[u8], cuts: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut decryptor = Decryptor::new(key);
    for piece in pieces(bytes, cuts) {
        decryptor.update(piece, &mut plain);
    }
    decryptor.finish(&mut plain).ok().map(|()| plain)
}

fn pieces<'a>(mut bytes: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, rest) = bytes.split_at(usize::from(*cut).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

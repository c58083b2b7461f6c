//! Files whose PCM is known: every bit has to be the same.
//!
//! The PCM comes from the decoder of the SILK SDK 1.0.9.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use silk::{Limits, Rate};

use crate::{file, folder};

#[test]
fn every_golden_file_decodes_to_the_same_bits() {
    for entry in manifest() {
        let name = entry["file"].as_str().unwrap();
        for rate in [Rate::Hz16000, Rate::Hz24000] {
            let decoded = silk::decode(&file(name), rate, &Limits::default()).unwrap();
            let pcm: Vec<u8> = decoded.pcm.iter().flat_map(|s| s.to_le_bytes()).collect();
            let expected = &entry[format!("pcm_s16le_{}", rate.hz())];
            let heard = (decoded.pcm.len() as u64, hex::encode(Sha256::digest(&pcm)));
            let expected =
                (expected["samples"].as_u64().unwrap(), expected["sha256"].as_str().unwrap());
            assert_eq!((heard.0, &*heard.1), expected, "{name} at {rate:?}");
            let n_damaged = entry["damaged"].as_u64().unwrap_or_default();
            assert_eq!(decoded.n_damaged as u64, n_damaged, "{name}");
            assert_eq!(decoded.is_complete(), n_damaged == 0, "{name}");
        }
    }
}

#[test]
fn the_duration_is_known_without_the_sound() {
    for entry in manifest() {
        let name = entry["file"].as_str().unwrap();
        let samples = entry["pcm_s16le_16000"]["samples"].as_u64().unwrap();
        let expected = Duration::from_micros(samples * 1_000_000 / 16_000);
        assert_eq!(silk::duration(&file(name)), Some(expected), "{name}");
    }
}

fn manifest() -> Vec<Value> {
    let manifest = std::fs::read(folder().join("manifest.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_slice(&manifest).unwrap();
    let n_files = std::fs::read_dir(folder()).unwrap().count() - 1;
    assert_eq!(entries.len(), n_files, "every file is in the manifest");
    entries
}

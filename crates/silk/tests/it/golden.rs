//! Files whose PCM is known: every bit has to be the same.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use silk::{Limits, Rate};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

#[test]
fn every_golden_file_decodes_to_the_same_bits() {
    let manifest = std::fs::read(folder().join("manifest.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_slice(&manifest).unwrap();
    assert!(!entries.is_empty());
    for entry in &entries {
        let file = entry["file"].as_str().unwrap();
        let bytes = std::fs::read(folder().join(file)).unwrap();
        for rate in [Rate::Hz16000, Rate::Hz24000] {
            let expected = &entry[format!("pcm_s16le_{}", rate.hz())];
            let decoded = silk::decode(&bytes, rate, &Limits::default()).unwrap();
            assert!(decoded.is_complete(), "{file}: {} bad", decoded.n_bad);
            assert_eq!(Some(decoded.pcm.len() as u64), expected["samples"].as_u64(), "{file}");
            let pcm: Vec<u8> = decoded.pcm.iter().flat_map(|s| s.to_le_bytes()).collect();
            let hash = hex::encode(Sha256::digest(&pcm));
            assert_eq!(Some(&*hash), expected["sha256"].as_str(), "{file} at {rate:?}");
        }
    }
}

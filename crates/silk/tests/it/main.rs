//! Voice files in, PCM out.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod golden;
mod hostile;
mod stream;

use std::path::{Path, PathBuf};

/// Where the files are whose PCM is known.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Reads one of them.
fn file(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

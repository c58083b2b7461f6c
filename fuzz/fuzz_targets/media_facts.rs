//! Any bytes as a file of any name: no panic, what is told can be shown, and
//! what is shown is small.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use mediafile::facts::inspect;
use mediafile::name::{LONGEST, disposition, safe_name};
use mediafile::preview::{PreviewLimits, preview};

const LIMITS: PreviewLimits =
    PreviewLimits { longest_side: 32, quality: 70, max_bytes: 1 << 20, max_pixels: 1 << 18 };

fuzz_target!(|bytes: &[u8]| {
    let mut file = Cursor::new(bytes);
    let facts = inspect(&mut file, "x").expect("memory can be read");
    assert_eq!(facts.len, bytes.len() as u64);
    if let Ok(shown) = preview(&mut file, &facts, &LIMITS) {
        assert!(shown.size.width.max(shown.size.height) <= 32);
        let again = inspect(&mut Cursor::new(&shown.jpeg), "").expect("memory can be read");
        assert_eq!(again.size, Some(shown.size));
        assert_eq!(again.kind.mime, "image/jpeg");
    }
    let display = disposition::name_in(bytes).unwrap_or_default();
    let safe = safe_name(&display, &facts.kind.mime);
    assert!((1..=LONGEST).contains(&safe.len()) && !safe.contains(['/', '\\']));
    assert_eq!(safe_name(&safe, &facts.kind.mime), safe);
});

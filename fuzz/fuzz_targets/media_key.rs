//! Any text as a media key: no panic, and every key that is read survives
//! being written in both forms.

#![no_main]

use ilink::{MediaKey, MediaKeyText};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let text = MediaKeyText::new(text);
    for read in [MediaKey::from_base64(&text), MediaKey::from_hex(&text)] {
        let Ok(key) = read else { continue };
        assert_eq!(MediaKey::from_hex(&key.to_hex()), Ok(key.clone()));
        assert_eq!(MediaKey::from_base64(&key.to_base64()), Ok(key));
    }
});

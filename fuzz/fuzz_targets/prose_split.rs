//! Any text within any limits: no part over them, none empty, nothing lost.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prose::{Limits, Numbering, count_parts, split};

fuzz_target!(|input: (&str, u16, u16, u8)| {
    let (text, chars, bytes, numbering) = input;
    let numbering = match numbering % 3 {
        0 => Numbering::None,
        1 => Numbering::Start,
        _ => Numbering::End,
    };
    let limits = Limits { chars: chars.into(), bytes: bytes.into(), numbering };
    let parts = split(text, &limits);
    assert_eq!(parts.len(), count_parts(text, &limits));

    let mut at = 0;
    for part in &parts {
        assert!(part.text.chars().count() <= limits.chars.max(1), "{part:?}");
        assert!(part.text.len() <= limits.bytes.max(4), "{part:?}");
        let shown = &text[part.source.clone()];
        assert!(!shown.trim().is_empty() && part.text.contains(shown), "{part:?}");
        assert!(text[at..part.source.start].trim().is_empty(), "lost before {part:?}");
        at = part.source.end;
    }
    assert!(text[at..].trim().is_empty(), "lost behind the last part");
});

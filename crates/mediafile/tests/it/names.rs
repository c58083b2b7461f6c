//! Names that anybody may choose.

use mediafile::kind::extension_of;
use mediafile::name::{LONGEST, disposition, safe_name};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn a_safe_name_is_safe_and_stays_as_it_is(
        display in name(),
        mime in prop::sample::select(vec!["", "image/jpeg", "application/octet-stream", "x/y", "text/plain"]),
    ) {
        let safe = safe_name(&display, mime);
        prop_assert!((1..=LONGEST).contains(&safe.len()), "{:?}", safe);
        prop_assert!(!safe.starts_with('.') && !safe.ends_with(['.', ' ']), "{:?}", safe);
        prop_assert!(!safe.contains(['/', '\\', ':', '<', '>', '"', '|', '?', '*']), "{:?}", safe);
        prop_assert!(!safe.contains(char::is_control), "{:?}", safe);
        let first = safe.split('.').next().unwrap().trim_end().to_ascii_uppercase();
        prop_assert!(!["CON", "PRN", "AUX", "NUL", "COM1", "LPT9"].contains(&first.as_str()));
        prop_assert_eq!(safe_name(&safe, mime), safe.clone());
        let ends = |extension: &str| safe.ends_with(&format!(".{extension}"));
        let is_named = !safe.contains('.') || safe.to_ascii_lowercase().ends_with(".bin");
        prop_assert!(!is_named || extension_of(mime).is_none_or(ends), "{:?}", safe);
    }

    #[test]
    fn no_header_breaks_us(header in prop::collection::vec(any::<u8>(), 0..200), tail in ".{0,40}") {
        let _any = disposition::name_in(&header);
        let named = [b"attachment; filename*=UTF-8''", tail.as_bytes()].concat();
        let name = disposition::name_in(&named);
        prop_assert!(name.is_none_or(|name| !name.is_empty() && !name.contains(['/', '\\'])));
    }
}

fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "\\PC{0,20}",
        "[./\\\\ ]{1,4}",
        "[雁🎉é\u{202e}\u{0}\n]{0,100}",
        prop::sample::select(vec![
            "con", "NUL", "com1", "Lpt9", ".bin", ".png", ".tar.gz", "..", "~", "%2e", " ", "aux."
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

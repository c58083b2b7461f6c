//! Where a text is cut, what is repaired, and that nothing is lost.

use proptest::prelude::*;
use prose::{Limits, Numbering, Part, count_parts, split};
use unicode_segmentation::UnicodeSegmentation;

use crate::texts::text;

/// Puts the parts together again: what they show of the text, and the white
/// space between them.
fn joined(text: &str, parts: &[Part]) -> String {
    let mut whole = String::new();
    for part in parts {
        let gap = &text[whole.len()..part.source.start];
        assert!(gap.trim().is_empty(), "{gap:?} is in no part");
        let shown = &text[part.source.clone()];
        assert!(part.text.contains(shown), "{part:?} does not show {shown:?}");
        whole.extend([gap, shown]);
    }
    let gap = &text[whole.len()..];
    assert!(gap.trim().is_empty(), "{gap:?} is in no part");
    whole + gap
}

fn limits() -> impl Strategy<Value = Limits> {
    let numbering = proptest::sample::select(&[Numbering::None, Numbering::Start, Numbering::End]);
    let chars = prop_oneof![0_usize..8, 8_usize..80, 80_usize..400];
    let bytes = prop_oneof![1 => 0_usize..60, 3 => Just(16_000)];
    (chars, bytes, numbering).prop_map(|(chars, bytes, numbering)| Limits {
        chars,
        bytes,
        numbering,
    })
}

proptest! {
    /// Demand 5: a long text arrives in parts, all of it.
    #[test]
    fn parts_are_within_the_limits_and_lose_nothing(text in text(120), limits in limits()) {
        let parts = split(&text, &limits);
        prop_assert_eq!(joined(&text, &parts), text.as_str());
        prop_assert_eq!(count_parts(&text, &limits), parts.len());
        prop_assert_eq!(&split(&text, &limits), &parts);
        for part in &parts {
            prop_assert!(part.text.chars().count() <= limits.chars.max(1), "{part:?}");
            prop_assert!(part.text.len() <= limits.bytes.max(4), "{part:?}");
            prop_assert!(!text[part.source.clone()].trim().is_empty(), "{part:?}");
        }
    }

    #[test]
    fn graphemes_stay_whole_if_they_fit(text in text(120), limits in limits()) {
        let starts: Vec<_> = text.grapheme_indices(true).collect();
        for part in split(&text, &limits) {
            for cut in [part.source.start, part.source.end] {
                let cut_one =
                    starts.iter().find(|(at, grapheme)| *at < cut && cut < at + grapheme.len());
                let Some((_, grapheme)) = cut_one else { continue };
                // Numbers and repairs leave at least a quarter.
                let fits = grapheme.chars().count() * 4 < limits.chars
                    && grapheme.len() * 4 < limits.bytes;
                prop_assert!(!fits, "{grapheme:?} was cut");
            }
        }
    }

    #[test]
    fn every_part_closes_its_code(text in text(300), chars in 300_usize..500) {
        // The first line of a longer block cannot be repeated.
        let long = |line: &str| line.len() > 100 && (line.contains("~~~") || line.contains("```"));
        prop_assume!(!text.lines().any(long));
        for part in split(&text, &Limits { chars, ..Limits::default() }) {
            prop_assert!(!ends_in_code(&part.text), "{part:?}");
        }
    }
}

/// Whether a code block is open at the end of a text; a second reading of the
/// rules, by hand.
fn ends_in_code(text: &str) -> bool {
    let mut open: Option<&str> = None;
    for line in text.lines() {
        let line = line.trim_start_matches(|c: char| " \t>".contains(c));
        let marks = |line: &str| line.len() - line.trim_start_matches(['`', '~']).len();
        match open {
            Some(run) => {
                let same = line.starts_with(run) && line[run.len()..].trim().is_empty();
                let longer =
                    line.starts_with(run) && line.trim_end().chars().all(|c| run.starts_with(c));
                if same || longer {
                    open = None;
                }
            }
            None => {
                let mut line = line;
                let leads = ["- ", "* ", "+ ", "1. ", ">", " ", "\t"];
                while let Some(rest) = leads.iter().find_map(|lead| line.strip_prefix(lead)) {
                    line = rest;
                }
                let mark = line.chars().next().unwrap_or(' ');
                let run = line.len() - line.trim_start_matches(mark).len();
                let info = &line[marks(line).min(run)..];
                if "`~".contains(mark) && run >= 3 && !(mark == '`' && info.contains('`')) {
                    open = Some(&line[..run]);
                }
            }
        }
    }
    open.is_some()
}

#[track_caller]
fn check(chars: usize, text: &str, want: &[&str]) {
    let parts = split(text, &Limits { chars, ..Limits::default() });
    let texts: Vec<_> = parts.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(texts, want);
}

#[test]
fn a_text_that_fits_is_one_part() {
    check(10, "一\n\n二", &["一\n\n二"]);
    check(9, "\n\n  ab c\n\n", &["  ab c"]);
}

#[test]
fn the_best_place_that_fills_the_part_wins() {
    check(10, "一二三四五。\n\n六七八。九十", &["一二三四五。", "六七八。九十"]);
    check(10, "一二三\n四五六\n七八九十一", &["一二三\n四五六", "七八九十一"]);
    check(10, "一二。三四五六。七八九", &["一二。三四五六。", "七八九"]);
    check(10, "他说：“一二三。”四五六七", &["他说：“一二三。”", "四五六七"]);
    check(12, "One. Two is 3.14 or so", &["One. Two is", "3.14 or so"]);
    check(10, "one two three", &["one two", "three"]);
    check(9, "一二三四五六七八九，十", &["一二三四五六七八", "九，十"]);
    check(5, "abcdefgh", &["abcde", "fgh"]);
    check(4, "👨\u{200D}👩e\u{301}e\u{301}", &["👨\u{200D}👩", "e\u{301}e\u{301}"]);
    check(2, "👨\u{200D}👩", &["👨\u{200D}", "👩"]);
}

#[test]
fn a_long_word_and_a_heading_stay_whole() {
    check(20, "see https://e.x/a/b/c it", &["see", "https://e.x/a/b/c it"]);
    check(
        20,
        "一二三四五六七八九十\n\n# 标题\n\n九十一二三四",
        &["一二三四五六七八九十", "# 标题\n\n九十一二三四"],
    );
    check(14, "one two `three four` x", &["one two", "`three four` x"]);
}

#[test]
fn code_is_closed_and_opened_again() {
    check(
        30,
        "```rust\nlet a = 1;\nlet b = 2;\nlet c = 3;\n```\nend",
        &["```rust\nlet a = 1;\n```", "```rust\nlet b = 2;\n```", "```rust\nlet c = 3;\n```\nend"],
    );
    check(24, "> ~~~\n> 0123456\n> 89\n> ~~~", &["> ~~~\n> 0123456\n> ~~~", "> ~~~\n> 89\n> ~~~"]);
    check(
        21,
        "- ```sh\n  a b c d\n  e f g\n  ```",
        &["- ```sh\n  a b c d\n```", "```sh\n  e f g\n  ```"],
    );
    check(40, "```\nnever closed", &["```\nnever closed\n```"]);
}

#[test]
fn a_table_gets_its_head_again() {
    check(
        42,
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |\n\nend",
        &["| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |", "| a | b |\n|---|---|\n| 5 | 6 |\n\nend"],
    );
}

#[test]
fn a_quoted_line_stays_quoted() {
    check(12, "> one two three four", &["> one two", "> three four"]);
}

#[test]
fn numbers_count_towards_the_limit() {
    let text = "一二三四五六七八九十".repeat(12);
    for numbering in [Numbering::Start, Numbering::End] {
        let limits = Limits { chars: 20, numbering, ..Limits::default() };
        let parts = split(&text, &limits);
        let total = parts.len();
        assert!(total > 9 && total == count_parts(&text, &limits));
        for (n, part) in parts.iter().enumerate() {
            let shown = &text[part.source.clone()];
            let want = match numbering {
                Numbering::Start => format!("({}/{total})\n\n{shown}", n + 1),
                Numbering::End | Numbering::None => format!("{shown}\n\n({}/{total})", n + 1),
            };
            assert_eq!(part.text, want);
        }
    }
    let limits = Limits { chars: 20, numbering: Numbering::End, ..Limits::default() };
    assert_eq!(split("短", &limits)[0].text, "短");
}

#[test]
fn bytes_are_limited_too() {
    let limits = Limits { bytes: 10, ..Limits::default() };
    let texts: Vec<_> = split("一二三四五", &limits).into_iter().map(|part| part.text).collect();
    assert_eq!(texts, ["一二三", "四五"]);
}

#[test]
fn white_space_alone_is_no_part() {
    assert_eq!(split("", &Limits::default()), []);
    assert_eq!(split(" \n\t\n", &Limits::default()), []);
    check(1, "a\n \u{301}", &["a", "\u{301}"]);
    let indented = format!("a\n{}b", " ".repeat(99));
    check(10, &indented, &["a", "b"]);
}

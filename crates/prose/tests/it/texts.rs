//! Texts made of pieces that agents write, in any order.

use proptest::prelude::*;

const PIECES: &[&str] = &[
    "你好",
    "世界。",
    "hello ",
    "world",
    "a_b_c",
    "2*3*4",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\n\n\n",
    "\t",
    "*",
    "**",
    "***",
    "_",
    "__",
    "___",
    "`",
    "``",
    "```",
    "\n```rust\n",
    "\n```\n",
    "~~",
    "\n~~~\n",
    "*强调*",
    "_it_",
    "***粗斜***",
    "\n# ",
    "\n##### ",
    "\n###### 六\n",
    "- ",
    "\n- ",
    "\n1. ",
    "\n> ",
    "> ",
    "|",
    "\n| 名 | b | c |\n|-|:-:|-|\n",
    "| 一 | 2 | x\\|y |\n",
    "|-|-|\n",
    "\n---\n",
    "===\n",
    "![图](http://e.x/a_b.png)",
    "![](p (1).png \"题\")",
    "![",
    "](",
    "[",
    "]",
    "(",
    ")",
    "!",
    "[x](http://e.x/a_b)",
    "[![b](c)](d)",
    "<https://e.x/_y_>",
    "https://e.x/_a_",
    "\\",
    "\\*",
    "é",
    "e\u{301}",
    "한글",
    "🙂",
    "👨\u{200D}👩\u{200D}👧",
    "🇨🇳",
    "。",
    "！",
    "“好。”",
    "What? ",
    "Yes. ",
    "3.14",
    "`code *强*`",
    ":",
    "<b>",
    "&amp;",
    "\r\n",
];

/// A text out of up to `most` pieces.
pub(crate) fn text(most: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z]{1,40}",
    ];
    proptest::collection::vec(piece, 0..most).prop_map(|pieces| pieces.concat())
}

/// A text and where it is cut, at characters and so also within graphemes.
pub(crate) fn cut_text(most: usize) -> impl Strategy<Value = (String, Vec<usize>)> {
    (text(most), proptest::collection::vec(any::<prop::sample::Index>(), 0..12)).prop_map(
        |(text, cuts)| {
            let mut cuts: Vec<_> = cuts
                .iter()
                .map(|cut| text.floor_char_boundary(cut.index(text.len() + 1)))
                .collect();
            cuts.sort_unstable();
            (text, cuts)
        },
    )
}

/// The letters and digits of a text.
pub(crate) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

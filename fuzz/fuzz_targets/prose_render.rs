//! Any markdown, cut anywhere, in any style: no panic, the same as in one
//! piece, and no letter lost.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prose::{Markup, Pictures, Rendered, Renderer, Style, lead, render};

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

fuzz_target!(|input: (&str, u8, u8)| {
    let (markdown, style, step) = input;
    let markup = match style % 3 {
        0 => Markup::Careful,
        1 => Markup::Markdown,
        _ => Markup::Plain,
    };
    let pictures = if style & 4 == 0 { Pictures::Lift } else { Pictures::Inline };
    let style = Style { markup, pictures };
    let whole = render(markdown, style);

    let mut renderer = Renderer::new(style);
    let mut pieces = Rendered::default();
    let mut rest = markdown;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.ceil_char_boundary(usize::from(step).max(1)));
        pieces.append(renderer.push(piece));
        rest = behind;
    }
    pieces.append(renderer.finish());
    assert_eq!(pieces, whole);

    if pictures == Pictures::Inline {
        assert_eq!(letters(&whole.text), letters(markdown));
    }
    let lead = lead(markdown, step.into());
    assert!(lead.chars().count() <= step.into());
});

//! What the official plugin's filter makes of 417 texts.

use prose::{Markup, Pictures, Rendered, Renderer, Style, render};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) input: String,
    pub(crate) output: String,
    /// How the input was cut for the original's streaming face.
    pub(crate) chunks: Vec<String>,
}

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../vectors/markdown_filter.json")).unwrap()
}

/// Renders a text piece by piece.
pub(crate) fn streamed<'a>(style: Style, pieces: impl IntoIterator<Item = &'a str>) -> Rendered {
    let mut renderer = Renderer::new(style);
    let mut all = Rendered::default();
    for piece in pieces {
        all.append(renderer.push(piece));
    }
    all.append(renderer.finish());
    all
}

const MARKDOWN: Style = Style { markup: Markup::Markdown, pictures: Pictures::Lift };

#[test]
fn our_filter_agrees_with_the_official_one() {
    let cases = cases();
    assert_eq!(cases.len(), 417);
    for case in cases {
        let want = Rendered { text: case.output, pictures: Vec::new() };
        assert_eq!(render(&case.input, MARKDOWN), want, "{:?}", case.input);
    }
}

#[test]
fn the_cut_of_a_stream_does_not_matter() {
    for case in cases() {
        let got = streamed(MARKDOWN, case.chunks.iter().map(String::as_str));
        assert_eq!(got.text, case.output, "{:?}", case.chunks);
    }
}

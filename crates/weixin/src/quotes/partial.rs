//! A selected part of a quoted text, found by its ends and checked by its MD5. Pure.

use ilink::wire::PartialText;

use crate::inbound::hex_md5;

/// Returns the part of a text that was selected, or `None` when it cannot be
/// told for sure.
///
/// The last characters are counted in the whole text or, failing that, behind
/// the first ones; the MD5 decides. Without one the first way that fits is taken.
pub(super) fn part<'a>(full: &'a str, selected: &PartialText) -> Option<&'a str> {
    let (start, end) = (selected.start.as_deref()?, selected.end.as_deref()?);
    if start.is_empty() || end.is_empty() {
        return None;
    }
    let begin = nth(full, start, selected.startindex)?;
    let behind = begin + start.len();
    let in_all = nth(full, end, selected.endindex).filter(|at| *at >= begin);
    let in_rest = nth(&full[behind..], end, selected.endindex).map(|at| behind + at);
    let md5 = selected.quotemd5.as_deref().unwrap_or_default();
    let parts = [in_all, in_rest].into_iter().flatten().map(|at| &full[begin..at + end.len()]);
    let mut fitting = parts.filter(|part| md5.is_empty() || hex_md5(part) == md5.to_lowercase());
    fitting.next()
}

/// Returns where the `n`th occurrence begins; occurrences do not overlap.
fn nth(text: &str, word: &str, n: Option<i64>) -> Option<usize> {
    let n = usize::try_from(n.unwrap_or_default()).ok()?;
    text.match_indices(word).nth(n).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        full: String,
        partial: serde_json::Value,
        result: Resolved,
    }

    #[derive(Deserialize)]
    struct Resolved {
        resolved: Option<String>,
    }

    /// Demand 21: the official plugin's own function has computed these.
    #[test]
    fn parts_are_found_as_the_official_plugin_finds_them() {
        let json = include_str!("../../tests/vectors/partial_quote.json");
        let cases: Vec<Case> = serde_json::from_str(json).expect("vectors");
        assert_eq!(cases.len(), 200);
        for Case { full, partial, result } in cases {
            let quoted = format!(r#"{{"item_list":[{{"ref_msg":{{"partial_text":{partial}}}}}]}}"#);
            let msg = ilink::wire::Message::from_slice(quoted.as_bytes()).expect("a message");
            let reference = msg.item_list.expect("items")[0].ref_msg.clone().expect("a quote");
            let selected = reference.partial_text.expect("a part");
            assert_eq!(part(&full, &selected), result.resolved.as_deref(), "{full:?} {partial}");
        }
    }

    #[test]
    fn ends_that_make_no_sense_find_nothing() {
        let select = |start: &str, startindex| PartialText {
            start: Some(start.to_owned()),
            end: Some("c".to_owned()),
            startindex,
            ..PartialText::default()
        };
        assert_eq!(part("abc", &select("a", None)), Some("abc"));
        assert_eq!(part("abc", &select("a", Some(-1))), None);
        assert_eq!(part("abc", &select("", Some(0))), None);
        assert_eq!(part("", &select("a", Some(0))), None);
        assert_eq!(part("abc", &PartialText::default()), None);
    }
}

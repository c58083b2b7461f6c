//! Quotes: how a phone says which message, or which part of one, is meant. Pure.

use ilink::wire::{Item, ItemKind, PartialText, RefMsg};
use md5::{Digest as _, Md5};

use crate::problem::Problem;
use crate::store::Stored;

/// Makes the reference to a quoted message: by id as newer phones do, or with
/// the quoted item itself as older ones did.
pub(crate) fn reference(
    quoted: &Stored,
    part: Option<&str>,
    by_id: bool,
) -> Result<RefMsg, Problem> {
    let message = quoted.message();
    let item = message.item_list.as_deref().and_then(|items| items.first());
    let full = item.and_then(text_of).unwrap_or_default();
    let partial =
        match part {
            Some(part) if !part.is_empty() && part != full => {
                let found = partial_text(full, part);
                Some(found.ok_or_else(|| {
                    Problem::Invalid("the text does not contain the quote".into())
                })?)
            }
            Some(_) | None => None,
        };
    if by_id {
        return Ok(RefMsg {
            svr_id: Some(quoted.id.into()),
            partial_text: partial,
            ..RefMsg::default()
        });
    }
    Ok(RefMsg {
        title: Some(line(item, part)),
        message_item: item.cloned().map(|it| Box::new(with_text(it, part))),
        ..RefMsg::default()
    })
}

/// Returns the kind of an item in a quote, and a line about it.
pub(crate) fn line(item: Option<&Item>, part: Option<&str>) -> String {
    let Some(item) = item else {
        return String::new();
    };
    if let Some(part) = part.filter(|part| !part.is_empty()) {
        return part.to_owned();
    }
    match kind(item) {
        "text" => text_of(item).unwrap_or_default().to_owned(),
        "file" => {
            let name = item.file_item.as_ref().and_then(|file| file.file_name.clone());
            name.unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Returns the phone's word for an item's kind.
pub(crate) fn kind(item: &Item) -> &'static str {
    match item.kind {
        Some(ItemKind::Image) => "image",
        Some(ItemKind::Voice) => "voice",
        Some(ItemKind::File) => "file",
        Some(ItemKind::Video) => "video",
        Some(
            ItemKind::Text
            | ItemKind::ToolCallStart
            | ItemKind::ToolCallResult
            | ItemKind::Unknown(_),
        )
        | None => "text",
    }
}

/// Returns the text of an item that is a text.
pub(crate) fn text_of(item: &Item) -> Option<&str> {
    item.text_item.as_ref()?.text.as_deref()
}

fn with_text(mut item: Item, part: Option<&str>) -> Item {
    item.ref_msg = None;
    if let (Some(text), Some(part)) = (item.text_item.as_mut(), part) {
        text.text = Some(part.to_owned());
    }
    item
}

/// Describes the first occurrence of a part: its first and its last character,
/// and which of their occurrences in the full text these are.
fn partial_text(full: &str, part: &str) -> Option<PartialText> {
    let begin = full.find(part)?;
    let (first, last) = (part.chars().next()?, part.chars().next_back()?);
    let before_last = begin + part.len() - last.len_utf8();
    let count = |text: &str, of: char| i64::try_from(text.matches(of).count()).ok();
    Some(PartialText {
        start: Some(first.to_string()),
        end: Some(last.to_string()),
        startindex: count(&full[..begin], first),
        endindex: count(&full[..before_last], last),
        quotemd5: Some(hex::encode(Md5::digest(part))),
        ..PartialText::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_described_by_occurrences_counted_in_the_whole_text() {
        let found = partial_text("abcabcabd", "cab").unwrap();
        assert_eq!(found.start.as_deref(), Some("c"));
        assert_eq!(found.end.as_deref(), Some("b"));
        assert_eq!((found.startindex, found.endindex), (Some(0), Some(1)));
        assert_eq!(found.quotemd5.as_deref(), Some("16ecfd64586ec6c1ab212762c2c38a90"));
        assert_eq!(partial_text("鸿雁传书", "山"), None);
    }
}

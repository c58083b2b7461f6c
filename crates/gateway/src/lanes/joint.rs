//! One message of several. Pure.

use contract::Inbound;

use crate::agent::{in_words, quoted};

/// How much of a message is left when it is shortened, in characters.
const SHORT: usize = 160;

/// Joins messages, the oldest first, into one that keeps the first one's turn.
/// The first `n_short` are shortened to a line each; `None` if there are none.
///
/// It has the attachments of all and the quote of the first; what others quote
/// stands before their words.
pub(crate) fn joined(messages: &[Inbound], n_short: usize) -> Option<Inbound> {
    let first = messages.first()?;
    let mut whole = first.clone();
    if messages.len() == 1 {
        return Some(whole);
    }
    let mut texts = Vec::with_capacity(messages.len());
    whole.attachments.clear();
    for (at, message) in messages.iter().enumerate() {
        whole.attachments.extend(message.attachments.iter().cloned());
        whole.sent_at_ms = whole.sent_at_ms.max(message.sent_at_ms);
        if at > 0
            && let Some(quote) = &message.quote
        {
            texts.push(quoted(quote));
        }
        let text = if at < n_short { short(message) } else { message.text.clone() };
        texts.push(text);
    }
    texts.retain(|text| !text.trim().is_empty());
    whole.text = texts.join("\n");
    Some(whole)
}

fn short(message: &Inbound) -> String {
    let words = in_words(&Inbound { attachments: Vec::new(), quote: None, ..message.clone() });
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut cut: String = line.chars().take(SHORT).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use contract::{Conversation, Lane, Quote};

    use super::*;

    fn message(turn: &str, text: &str) -> Inbound {
        Inbound {
            turn: turn.into(),
            from_owner: false,
            conversation: Conversation {
                channel: "c".into(),
                account: "a".into(),
                peer: "p".into(),
            },
            message_id: turn.to_owned(),
            sent_at_ms: 1,
            text: text.to_owned(),
            attachments: Vec::new(),
            quote: None,
            lane: Lane::Conversation,
            offers: 1,
        }
    }

    #[test]
    fn the_words_of_all_are_kept_under_the_first_turn() {
        let quote =
            Quote { message_id: None, author: None, text: "q".to_owned(), attachments: Vec::new() };
        let third = Inbound { quote: Some(quote), sent_at_ms: 5, ..message("3", "c") };
        let whole = joined(&[message("1", "a"), message("2", ""), third], 0).expect("joined");
        assert_eq!((whole.turn.as_str(), whole.text.as_str()), ("1", "a\n[quoted: q]\nc"));
        assert_eq!((whole.sent_at_ms, whole.quote), (5, None));
        assert_eq!(joined(&[], 0), None);
        assert_eq!(joined(&[message("1", " as it is ")], 1), Some(message("1", " as it is ")));
    }

    #[test]
    fn the_first_are_shortened_to_a_line() {
        let long = "长".repeat(200);
        let whole = joined(&[message("1", &long), message("2", "a\nb"), message("3", "c\nd")], 2);
        let expected = format!("{}…\na b\nc\nd", "长".repeat(160));
        assert_eq!(whole.expect("joined").text, expected);
    }
}

//! What a wire message means to the channel.

use ilink::wire::{self, ItemKind, MessageState, MessageType};
use ilink::{BotId, ContextToken, UserId};
use md5::{Digest as _, Md5};
use prose::Language;

use crate::commands::Words;

/// A message to keep.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// Who said it.
    pub(crate) peer: UserId,
    /// What tells it from every other message, the strongest first; never empty.
    pub(crate) keys: Vec<Key>,
    /// How it comes to its turn.
    pub(crate) kind: Kind,
    /// The language that it is in, if it has words.
    pub(crate) language: Option<Language>,
    /// The context token that came with it.
    pub(crate) token: Option<ContextToken>,
    /// When it was said, in milliseconds since 1970.
    pub(crate) sent_at_ms: i64,
    /// The message as it travels.
    pub(crate) body: String,
}

/// One of a message's ids. A copy of the message may carry fewer of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// How much it says, 0 the most: ids of different messages differ in the
    /// strongest kind of id that both carry.
    pub(crate) rank: u8,
    pub(crate) text: String,
}

/// How a message comes to its turn. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It says something; what was said beside it may join it.
    Words = 0,
    /// A picture, a video or a file without words, which usually follow.
    Media = 1,
    /// A turn of its own, in its place.
    Alone = 2,
    /// A turn of its own, at once.
    Aside = 3,
}

/// Why a message is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skipped {
    /// Our own message came back.
    OwnEcho,
    /// It is still being written; the finished one follows.
    Generating,
    /// It was deleted.
    Deleted,
    /// Nobody is named as its sender.
    NoSender,
}

/// Puts a batch in the order in which its messages were said: by time and,
/// within one moment, by their place in the stream. A batch in which any
/// message is without a time stays as it came.
pub(crate) fn in_order(mut batch: Vec<wire::Message>) -> Vec<wire::Message> {
    if batch.iter().all(|msg| msg.create_time_ms.is_some()) {
        batch.sort_by_key(|msg| (msg.create_time_ms, msg.seq));
    }
    batch
}

/// Decides whether a message is kept, without looking at what it says.
pub(crate) fn classify(
    msg: &wire::Message,
    own: Option<&BotId>,
    words: &Words,
) -> Result<Kept, Skipped> {
    let peer = msg.from_user_id.clone().filter(|id| !id.is_empty()).ok_or(Skipped::NoSender)?;
    let own_id = own.is_some_and(|bot| bot.as_str().eq_ignore_ascii_case(peer.as_str()));
    if msg.message_type == Some(MessageType::Bot) || own_id {
        return Err(Skipped::OwnEcho);
    }
    if msg.message_state == Some(MessageState::Generating) {
        return Err(Skipped::Generating);
    }
    if msg.delete_time_ms.is_some_and(|at| at > 0) {
        return Err(Skipped::Deleted);
    }
    Ok(Kept {
        keys: keys_of(msg, &peer),
        kind: kind_of(msg, words),
        language: language_of(msg),
        token: msg.context_token.clone().filter(|token| !token.is_empty()),
        sent_at_ms: msg.create_time_ms.unwrap_or_default(),
        peer,
        body: msg.to_json(),
    })
}

/// Tells the language by the words, if there are any; commands are in none.
fn language_of(msg: &wire::Message) -> Option<Language> {
    let texts = items(msg).filter_map(|item| item.text_item.as_ref()?.text.as_deref());
    let words: String = texts.filter(|text| !text.trim_start().starts_with('/')).collect();
    words.chars().any(char::is_alphabetic).then(|| Language::of(&words))
}

/// Copies of a message may differ in their context token, never in their ids. A
/// message without any id is told by everything but its token.
fn keys_of(msg: &wire::Message, peer: &UserId) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut add = |rank, text| keys.push(Key { rank, text });
    if let Some(id) = &msg.message_id {
        add(0, format!("message:{id}"));
    }
    for id in items(msg).filter_map(|item| item.msg_id.as_ref()) {
        add(1, format!("item:{id}"));
    }
    if let Some(id) = msg.client_id.as_ref().filter(|id| !id.as_str().is_empty()) {
        // Made up by the sender's phone, so it tells only this sender's messages apart.
        add(2, format!("client:{}/{id}", peer.as_str().to_ascii_lowercase()));
    }
    if let Some(seq) = msg.seq {
        add(3, format!("seq:{seq}"));
    }
    if keys.is_empty() {
        let rest = wire::Message { context_token: None, ..msg.clone() };
        keys.push(Key { rank: 4, text: format!("body:{}", hex_md5(&rest.to_json())) });
    }
    keys
}

fn kind_of(msg: &wire::Message, words: &Words) -> Kind {
    let is_media = |item: &wire::Item| {
        matches!(item.kind, Some(ItemKind::Image | ItemKind::Video | ItemKind::File))
    };
    if !text_of(msg).trim().is_empty() {
        let bare = items(msg).count() == 1 && items(msg).all(|item| item.ref_msg.is_none());
        return if bare { words.kind_of(&text_of(msg)) } else { Kind::Words };
    }
    let mut media = items(msg).peekable();
    if media.peek().is_some() && media.all(is_media) { Kind::Media } else { Kind::Words }
}

/// Returns a message's items, in order.
pub(crate) fn items(msg: &wire::Message) -> impl Iterator<Item = &wire::Item> {
    msg.item_list.iter().flat_map(|items| items.iter())
}

/// Returns the MD5 of a text, in hex.
pub(crate) fn hex_md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns all texts of a message, joined by line ends. An item that cannot be
/// shown leaves a mark, so that no turn is ever empty.
pub(crate) fn text_of(msg: &wire::Message) -> String {
    items(msg).filter_map(text_of_item).collect::<Vec<_>>().join("\n")
}

/// Says whether a message has items, and none that can be shown.
pub(crate) fn is_unsupported(msg: &wire::Message) -> bool {
    let mut items = items(msg).peekable();
    items.peek().is_some()
        && items.all(|item| {
            let known = item.kind.is_some_and(|kind| !matches!(kind, ItemKind::Unknown(_)));
            !known && item.text_item.is_none() && item.ref_msg.is_none()
        })
}

/// Returns an item's text, or the mark of one that cannot be shown.
pub(crate) fn text_of_item(item: &wire::Item) -> Option<String> {
    if let Some(text) = item.text_item.as_ref().and_then(|text| text.text.clone()) {
        return Some(text);
    }
    match item.kind {
        Some(
            ItemKind::Text | ItemKind::Image | ItemKind::Voice | ItemKind::File | ItemKind::Video,
        ) => None,
        // Neither is for people to answer.
        Some(ItemKind::ToolCallStart | ItemKind::ToolCallResult) => None,
        Some(ItemKind::Unknown(code)) => Some(format!("[unsupported: type {code}]")),
        None => Some("[unsupported: no type]".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: &str) -> wire::Message {
        wire::Message::from_slice(json.as_bytes()).expect("test message")
    }

    fn kept(json: &str) -> Result<Kept, Skipped> {
        classify(&message(json), Some(&BotId::from("b0f5@im.bot")), &Words::default())
    }

    #[track_caller]
    fn check_order(batch: &[&str], expected: &[i64]) {
        let sorted = in_order(batch.iter().map(|json| message(json)).collect());
        let seqs: Vec<_> = sorted.iter().filter_map(|msg| msg.seq).collect();
        assert_eq!(seqs, expected, "{batch:?}");
    }

    #[test]
    fn a_batch_is_put_in_the_order_in_which_it_was_said() {
        let (a, b) = (r#"{"seq":1,"create_time_ms":10}"#, r#"{"seq":2,"create_time_ms":10}"#);
        let (c, d) = (r#"{"seq":3,"create_time_ms":11}"#, r#"{"seq":4,"create_time_ms":9}"#);
        check_order(&[c, b, a], &[1, 2, 3]);
        // A place in the stream says less than a time.
        check_order(&[a, b, d], &[4, 1, 2]);
        check_order(&[c, r#"{"seq":5}"#, a], &[3, 5, 1]);
        check_order(&[], &[]);
    }

    #[track_caller]
    fn check(json: &str, expected: Result<&[&str], Skipped>) {
        let keys = kept(json).map(|kept| kept.keys);
        let texts = keys.as_ref().map(|keys| keys.iter().map(|key| &*key.text).collect::<Vec<_>>());
        assert_eq!(texts.as_deref().map_err(|skipped| **skipped), expected);
    }

    #[track_caller]
    fn check_kind(items: &str, expected: Kind) {
        let json = format!(r#"{{"from_user_id":"u","item_list":{items}}}"#);
        assert_eq!(kept(&json).expect("kept").kind, expected, "{items}");
    }

    #[test]
    fn pictures_wait_for_words_and_commands_for_nothing() {
        check_kind(r#"[{"type":1,"text_item":{"text":"hello"}}]"#, Kind::Words);
        check_kind(r#"[{"type":2}]"#, Kind::Media);
        check_kind(r#"[{"type":2},{"type":4}]"#, Kind::Media);
        check_kind(r#"[{"type":2},{"type":1,"text_item":{"text":"this"}}]"#, Kind::Words);
        check_kind(r#"[{"type":3}]"#, Kind::Words);
        check_kind(r#"[{"type":99}]"#, Kind::Words);
        check_kind("[]", Kind::Words);
        check_kind(r#"[{"type":1,"text_item":{"text":"/stop"}}]"#, Kind::Aside);
        check_kind(r#"[{"type":1,"text_item":{"text":" /NEW "}}]"#, Kind::Alone);
        check_kind(r#"[{"type":1,"text_item":{"text":"/stop"}},{"type":2}]"#, Kind::Words);
        check_kind(
            r#"[{"type":1,"text_item":{"text":"/stop"},"ref_msg":{"title":"x"}}]"#,
            Kind::Words,
        );
    }

    /// Demand 48.
    #[test]
    fn only_a_message_without_anything_else_is_unsupported() {
        let cases = [
            (r#"[{"type":99}]"#, true),
            ("[{}]", true),
            (r#"[{"type":99},{"type":1,"text_item":{"text":"a"}}]"#, false),
            (r#"[{"type":99},{"type":2}]"#, false),
            (r#"[{"type":0,"text_item":{"text":"a"}}]"#, false),
            ("[]", false),
        ];
        for (items, expected) in cases {
            let msg = message(&format!(r#"{{"item_list":{items}}}"#));
            assert_eq!(is_unsupported(&msg), expected, "{items}");
        }
    }

    #[test]
    fn a_message_is_told_by_all_its_ids_the_strongest_first() {
        check(
            r#"{"from_user_id":"u","message_id":18446744073709551615,"client_id":"c"}"#,
            Ok(&["message:18446744073709551615", "client:u/c"]),
        );
        check(
            r#"{"from_user_id":"u","item_list":[{"type":1},{"type":1,"msg_id":"7"}],"seq":3}"#,
            Ok(&["item:7", "seq:3"]),
        );
        check(r#"{"from_user_id":"U","client_id":"c","seq":3}"#, Ok(&["client:u/c", "seq:3"]));
        check(r#"{"from_user_id":"u","seq":3}"#, Ok(&["seq:3"]));
        for token in ["one", "another"] {
            let json = format!(r#"{{"from_user_id":"u","context_token":"{token}"}}"#);
            // MD5 of {"from_user_id":"u"}.
            check(&json, Ok(&["body:a64625a774c8a6d53cc700390b18cd31"]));
        }
    }

    #[test]
    fn what_nobody_said_to_us_is_skipped() {
        check(r#"{"from_user_id":"u","message_id":1,"message_type":2}"#, Err(Skipped::OwnEcho));
        check(r#"{"from_user_id":"B0F5@im.bot","message_id":1}"#, Err(Skipped::OwnEcho));
        check(r#"{"from_user_id":"u","message_id":1,"message_state":1}"#, Err(Skipped::Generating));
        check(r#"{"from_user_id":"u","message_id":1,"delete_time_ms":5}"#, Err(Skipped::Deleted));
        check(r#"{"from_user_id":"","message_id":1}"#, Err(Skipped::NoSender));
        check(r#"{"message_id":1}"#, Err(Skipped::NoSender));
    }

    #[test]
    fn all_texts_are_taken_and_unknown_items_leave_a_mark() {
        let msg = message(
            r#"{"item_list":[{"type":1,"text_item":{"text":"a"}},{"type":2},{"type":99},{"type":1,"text_item":{"text":"b"}}]}"#,
        );
        assert_eq!(text_of(&msg), "a\n[unsupported: type 99]\nb");
    }
}

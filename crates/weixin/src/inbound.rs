//! What a wire message means to the channel.

use ilink::wire::{self, ItemKind, MessageState, MessageType};
use ilink::{BotId, ContextToken, UserId};
use md5::{Digest as _, Md5};

/// A message to keep.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// Who said it.
    pub(crate) peer: UserId,
    /// What tells it from every other message, the same for each copy.
    pub(crate) dedupe: String,
    /// The context token that came with it.
    pub(crate) token: Option<ContextToken>,
    /// When it was said, in milliseconds since 1970.
    pub(crate) sent_at_ms: i64,
    /// The message as it travels.
    pub(crate) body: String,
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

/// Decides whether a message is kept, without looking at what it says.
pub(crate) fn classify(msg: &wire::Message, own: Option<&BotId>) -> Result<Kept, Skipped> {
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
        dedupe: dedupe_key(msg),
        token: msg.context_token.clone().filter(|token| !token.is_empty()),
        sent_at_ms: msg.create_time_ms.unwrap_or_default(),
        peer,
        body: msg.to_json(),
    })
}

/// Copies of a message may differ in their context token, never in their ids. A
/// message without any id is told by everything but its token.
fn dedupe_key(msg: &wire::Message) -> String {
    let item_id = || msg.item_list.as_deref()?.iter().find_map(|item| item.msg_id.as_ref());
    if let Some(id) = &msg.message_id {
        format!("message:{id}")
    } else if let Some(id) = item_id() {
        format!("item:{id}")
    } else if let Some(id) = &msg.client_id {
        format!("client:{id}")
    } else if let Some(seq) = msg.seq {
        format!("seq:{seq}")
    } else {
        let rest = wire::Message { context_token: None, ..msg.clone() };
        format!("body:{}", hex_md5(&rest.to_json()))
    }
}

fn hex_md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns all texts of a message, joined by line ends. An item that cannot be
/// shown leaves a mark, so that no turn is ever empty.
pub(crate) fn text_of(msg: &wire::Message) -> String {
    let items = msg.item_list.iter().flat_map(|items| items.iter());
    items.filter_map(text_of_item).collect::<Vec<_>>().join("\n")
}

fn text_of_item(item: &wire::Item) -> Option<String> {
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

    #[track_caller]
    fn check(json: &str, expected: Result<&str, Skipped>) {
        let own = BotId::from("b0f5@im.bot");
        let kept = classify(&message(json), Some(&own));
        assert_eq!(kept.map(|kept| kept.dedupe).as_deref().map_err(|skipped| *skipped), expected);
    }

    #[test]
    fn copies_are_told_by_the_strongest_id_there_is() {
        check(
            r#"{"from_user_id":"u","message_id":18446744073709551615,"client_id":"c"}"#,
            Ok("message:18446744073709551615"),
        );
        check(
            r#"{"from_user_id":"u","item_list":[{"type":1},{"type":1,"msg_id":"7"}],"seq":3}"#,
            Ok("item:7"),
        );
        check(r#"{"from_user_id":"u","client_id":"c","seq":3}"#, Ok("client:c"));
        check(r#"{"from_user_id":"u","seq":3}"#, Ok("seq:3"));
        for token in ["one", "another"] {
            let json = format!(r#"{{"from_user_id":"u","context_token":"{token}"}}"#);
            // MD5 of {"from_user_id":"u"}.
            check(&json, Ok("body:a64625a774c8a6d53cc700390b18cd31"));
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

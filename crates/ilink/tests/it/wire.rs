//! Reading is lenient, writing is exact, nothing is lost in between.

use ilink::MessageId;
use ilink::wire::{
    Ack, BaseInfo, CdnMedia, Config, Decimal, FileItem, GetConfig, GetUpdates, GetUploadUrl,
    ImageItem, Item, ItemKind, LoginStatus, Message, MessageType, Notify, PartialText, QrCode,
    QrCodeRequest, QrStatus, RefMsg, SendMessage, SendTyping, Sent, TextItem, ToolCallItem,
    Updates, UploadUrl, VideoItem, VoiceItem,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Names that mean something, so that their values are often of the wrong type.
const NAMES: [&str; 24] = [
    "ret",
    "errcode",
    "errmsg",
    "msgs",
    "message_id",
    "item_list",
    "type",
    "text_item",
    "text",
    "ref_msg",
    "message_item",
    "svr_id",
    "media",
    "aes_key",
    "len",
    "status",
    "get_updates_buf",
    "is_completed",
    "local_token_list",
    "partial_text",
    "startindex",
    "extra",
    "",
    "ü\"\\",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-4..20_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9]{1,25}".prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((name(), any_json()), 0..10)
        .prop_map(|fields| fields.into_iter().collect())
}

/// Reads, writes and reads again: the same. Fields that the type does not know
/// come out as they came in.
macro_rules! survives {
    ($object:expr, $($ty:ty),* $(,)?) => {$(
        let text = Value::Object($object.clone()).to_string();
        let read = <$ty>::from_slice(text.as_bytes()).unwrap();
        let written = read.to_json();
        prop_assert_eq!(&<$ty>::from_slice(written.as_bytes()).unwrap(), &read, "{}", text);
        let out: Value = serde_json::from_str(&written).unwrap();
        let object: Map<String, Value> = serde_json::from_str(&text).unwrap();
        for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
            if read.extra.get(name).is_some() {
                prop_assert_eq!(&out[name], value);
            } else {
                prop_assert!(out.get(name).is_some(), "{} of {}", name, text);
            }
        }
    )*};
}

proptest! {
    #[test]
    fn every_object_survives_every_type(object in any_object()) {
        survives!(
            object, Ack, BaseInfo, CdnMedia, Config, FileItem, GetConfig, GetUpdates, GetUploadUrl,
            ImageItem, Item, Message, Notify, PartialText, QrCode, QrCodeRequest, QrStatus, RefMsg,
            SendMessage, SendTyping, Sent, TextItem, ToolCallItem, Updates, UploadUrl, VideoItem,
            VoiceItem,
        );
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(Updates::from_slice(&bytes));
    }

    #[test]
    fn every_number_is_a_lossless_id(n in any::<u64>()) {
        for text in [json!({"message_id": n}), json!({"message_id": n.to_string()})] {
            let message = Message::from_slice(text.to_string().as_bytes()).unwrap();
            prop_assert_eq!(message.message_id.clone(), Some(MessageId::from(n)));
            let out: Value = serde_json::from_str(&message.to_json()).unwrap();
            prop_assert_eq!(&out, &json!({"message_id": n}));
        }
    }
}

#[test]
fn one_strange_message_does_not_cost_the_batch() {
    let body = br#"{"msgs":[{"message_id":1},"junk",17,{"message_id":2,"item_list":"x"},[],null],
        "get_updates_buf":"next"}"#;
    let batch = Updates::from_slice(body).unwrap();
    let messages = batch.msgs.unwrap();
    let ids: Vec<_> = messages.iter().map(|msg| msg.message_id.clone().unwrap()).collect();
    assert_eq!(ids, [MessageId::from(1), MessageId::from(2)]);
    assert_eq!(messages[1].extra.get("item_list"), Some(r#""x""#));
    let kept: Vec<_> = messages.unreadable.iter().map(|raw| raw.get()).collect();
    assert_eq!(kept, [r#""junk""#, "17", "[]", "null"]);
    assert_eq!(batch.get_updates_buf.unwrap().as_str(), "next");
}

#[test]
fn bytes_that_are_no_text_do_not_cost_the_batch() {
    let body =
        b"{\"msgs\":[{\"session_id\":\"a\xffb\"},{\"session_id\":\"\\ud800\"},{\"\\ud800\":1}]}";
    let batch = Updates::from_slice(body).unwrap();
    let messages = batch.msgs.unwrap();
    assert_eq!(messages[0].session_id.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(messages[1].extra.get("session_id"), Some("\"\\ud800\""));
    assert_eq!(messages.unreadable.len(), 1);
}

#[test]
fn hostile_nesting_does_not_exhaust_the_stack() {
    let deep = |open: &str, close: &str| {
        let n = 100_000;
        format!("{}{}{}", open.repeat(n), "{}", close.repeat(n))
    };
    let quotes = deep(r#"{"ref_msg":{"message_item":"#, "}}");
    let item = Item::from_slice(quotes.as_bytes()).unwrap();
    assert_eq!(Item::from_slice(item.to_json().as_bytes()).unwrap(), item);
    assert_eq!(item.to_json(), quotes, "what lies too deep is kept unread");

    let lists = format!(r#"{{"msgs":[{{"item_list":{}}}]}}"#, deep("[", "]"));
    let batch = Updates::from_slice(lists.as_bytes()).unwrap();
    assert_eq!(batch.to_json(), lists);
}

#[test]
fn a_quote_in_a_quote_is_read() {
    let body = json!({"ref_msg": {"message_item": {"ref_msg": {"title": "inner"}}}}).to_string();
    let item = Item::from_slice(body.as_bytes()).unwrap();
    let quoted = item.ref_msg.unwrap().message_item.unwrap();
    assert_eq!(quoted.ref_msg.unwrap().title.as_deref(), Some("inner"));
}

#[test]
fn of_a_field_that_comes_twice_the_last_counts() {
    for body in [
        r#"{"seq":1,"seq":2}"#,
        r#"{"seq":"x","seq":2}"#,
        r#"{"seq":null,"seq":2}"#,
        r#"{"s\u0065q":1,"seq":2}"#,
    ] {
        let message = Message::from_slice(body.as_bytes()).unwrap();
        assert_eq!(message.seq, Some(2), "{body}");
        assert_eq!(Message::from_slice(message.to_json().as_bytes()).unwrap(), message, "{body}");
    }
    let strange = Message::from_slice(br#"{"seq":2,"seq":"x"}"#).unwrap();
    assert_eq!((strange.seq, strange.extra.get("seq")), (None, Some(r#""x""#)));
    assert_eq!(strange.to_json(), r#"{"seq":"x"}"#);
}

#[test]
fn numbers_may_come_as_text_and_codes_may_be_unknown() {
    let body = br#"{"type":"8","file_item":{"len":12},"create_time_ms":"17","is_completed":1}"#;
    let item = Item::from_slice(body).unwrap();
    assert_eq!(item.kind, Some(ItemKind::Unknown(8)));
    assert_eq!(item.create_time_ms, Some(17));
    assert_eq!(item.is_completed, Some(true));
    assert_eq!(item.file_item.unwrap().len, Some(Decimal(12)));

    let message = Message::from_slice(br#"{"message_type":9}"#).unwrap();
    assert_eq!(message.message_type, Some(MessageType::Unknown(9)));
    assert_eq!(message.to_json(), r#"{"message_type":9}"#);
    let status = QrStatus::from_slice(br#"{"status":"new word"}"#).unwrap();
    assert_eq!(status.status, Some(LoginStatus::Unknown("new word".to_owned())));
    assert_eq!(status.to_json(), r#"{"status":"new word"}"#);
}

#[test]
fn an_answer_goes_to_whom_the_message_came_from() {
    let heard = Message::from_slice(
        br#"{"from_user_id":"u","context_token":"c","run_id":"r","item_list":[
            {"type":1,"text_item":{"text":"a"}},{"type":2},{"type":1,"text_item":{"text":"b"}}]}"#,
    )
    .unwrap();
    assert_eq!(heard.texts().collect::<Vec<_>>(), ["a", "b"]);
    let reply = heard.reply(Item::text("c"), "id".into());
    assert_eq!(
        reply.to_json(),
        concat!(
            r#"{"from_user_id":"","to_user_id":"u","client_id":"id","message_type":2,"#,
            r#""message_state":2,"item_list":[{"type":1,"text_item":{"text":"c"}}],"#,
            r#""context_token":"c","run_id":"r"}"#
        )
    );
}

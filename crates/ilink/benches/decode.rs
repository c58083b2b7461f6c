//! How fast a batch is read and written.
//!
//! `cargo bench -p ilink --bench decode`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ilink::wire::{Item, Message, Updates};
use ilink::{ContextToken, MessageId};

/// A hundred messages as they come: mostly text, some pictures, fields that we
/// do not know.
fn batch() -> String {
    let msgs: Vec<_> = (0..100_u64).map(message).collect();
    let batch = Updates {
        msgs: Some(msgs.into()),
        get_updates_buf: Some("eyJjIjoxfQ==".into()),
        ..Updates::default()
    };
    batch.to_json()
}

fn message(n: u64) -> Message {
    let item = match n % 5 {
        0 => {
            r#"{"type":2,"create_time_ms":1795293962507,"image_item":{"aeskey":"222ff3a09fd15d184db62ecd7f5f482b",
            "media":{"encrypt_query_param":"AAFFAAQABAAEAAQAAQAAAAAAAA","aes_key":"MjIyZmYzYTA5","full_url":"https://cdn.example/d?x=1"},
            "mid_size":12432,"thumb_size":1200,"thumb_width":100,"thumb_height":80,"new_field":{"a":[1,2,3]}}}"#
        }
        _ => {
            r#"{"type":1,"create_time_ms":1795293962507,"is_completed":true,"msg_id":"7402312345678901234",
            "text_item":{"text":"今天天气怎么样？ Is it going to rain this afternoon, or can we walk?"}}"#
        }
    };
    let item = Item::from_slice(item.as_bytes()).unwrap_or_default();
    let context = ContextToken::new("AARzJWAFAAABAAAAAABxYk9vYmFyYmF6cXV4".repeat(4));
    Message {
        seq: Some(1),
        message_id: Some(MessageId::from(7_402_312_345_678_900_000 + n)),
        from_user_id: Some("o9cq80AbC_d-EfGhIjKlMnOpQrSt@im.wechat".into()),
        create_time_ms: Some(1_795_293_962_507),
        session_id: Some("o9cq80AbC_d-E#b0f5860fdecb".to_owned()),
        ..Message::outbound("b0f5860fdecb@im.bot".into(), item, Some(context), String::new().into())
    }
}

fn batches(c: &mut Criterion) {
    let json = batch();
    let read = Updates::from_slice(json.as_bytes()).unwrap_or_default();
    assert_eq!(read.msgs.as_ref().map_or(0, |msgs| msgs.len()), 100);
    let mut group = c.benchmark_group("100 messages");
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("read", |b| b.iter(|| Updates::from_slice(json.as_bytes())));
    group.bench_function("write", |b| b.iter(|| read.to_json()));
}

criterion_group!(decode, batches);
criterion_main!(decode);

//! Quotes, in the newer and in the older form.

use backend::{Backend, Policy, QuoteForm};
use serde_json::{Value, json};

use crate::bot::RawBot;

async fn quoted(policy: Policy, part: Option<&str>) -> (Value, String) {
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;
    let sent = bot.says("the quick brown fox").await;
    let id = ilink::MessageId::new(sent["message_id"].to_string());
    match part {
        None => alice.quotes(&id, "which fox?").await,
        Some(part) => alice.quotes_part(&id, part, "which fox?").await,
    };
    assert_eq!(alice.sees().await[1].quotes, Some(id.clone()));
    let batch = bot.poll("").await;
    let item = batch["msgs"][0]["item_list"][0].clone();
    assert_eq!(item["text_item"]["text"], "which fox?");
    (item["ref_msg"].clone(), id.to_string())
}

#[tokio::test]
async fn newer_phones_quote_by_id() {
    let (reference, id) = quoted(Policy::open(), None).await;
    assert_eq!(reference, json!({ "svr_id": id.parse::<u64>().unwrap() }));
}

#[tokio::test]
async fn a_selected_part_is_told_by_its_ends() {
    let (reference, _) = quoted(Policy::open(), Some("quick brown")).await;
    let partial = &reference["partial_text"];
    assert_eq!((&partial["start"], &partial["startindex"]), (&json!("q"), &json!(0)));
    assert_eq!((&partial["end"], &partial["endindex"]), (&json!("n"), &json!(0)));
    assert_eq!(partial["quotemd5"], "0873fce680dd104aeab042896207cfc5");
}

#[tokio::test]
async fn older_phones_quote_the_item() {
    let policy = Policy { quotes: QuoteForm::Item, ..Policy::open() };
    let (reference, _) = quoted(policy, None).await;
    assert_eq!(reference["message_item"]["text_item"]["text"], "the quick brown fox");
    assert_eq!(reference["title"], "the quick brown fox");
    assert_eq!(reference["svr_id"], Value::Null);
}

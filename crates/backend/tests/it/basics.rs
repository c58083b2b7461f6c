//! A message there and back.

use backend::Backend;

use crate::bot::{RawBot, texts};

#[tokio::test]
async fn a_message_goes_there_and_back() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let bot = RawBot::of(&backend, &alice).await;

    alice.says("hello").await;
    let batch = bot.poll("").await;
    assert_eq!(texts(&batch), ["hello"]);

    let answer = bot.says("echo: hello").await;
    assert!(answer["message_id"].as_u64().unwrap() > 1 << 53);
    assert_eq!(alice.hears().await, "echo: hello");
}

//! Who is heard.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::Verdict;
use gateway::{Reason, Refusal, Rules};
use serde_json::json;

use crate::agent::does;
use crate::channel::{TestChannel, config, conversation, start_with};

#[tokio::test]
async fn those_who_are_not_listed_are_refused_and_counted_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let mut config = config(dir.path(), does(|_, _| async { Ok(()) }));
    let section = json!({"channels": {"post": {"dmPolicy": "allowlist", "allowFrom": ["Friend"]}}});
    config.rules.access = serde_json::from_value(section).unwrap();
    let gateway = start_with(config, &channel).await;

    assert_eq!(channel.asks_admission("stranger", false).await, Verdict::Refuse);
    assert_eq!(channel.asks_admission("stranger", false).await, Verdict::Refuse);
    assert_eq!(channel.asks_admission("friend", false).await, Verdict::Admit);
    assert_eq!(channel.asks_admission("scanner", true).await, Verdict::Admit);

    let refused = gateway.refused();
    let twice = Refusal { times: 2, reason: Reason::NotListed };
    assert_eq!(refused.conversations, BTreeMap::from([(conversation("stranger"), twice)]));
    assert_eq!(refused.others, 0);
    assert_eq!(gateway.n_busy(), 0);
    assert!(gateway.pairing().requests(&"post".into(), None).await.unwrap().is_empty());
    gateway.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn a_new_list_holds_from_the_next_message_on() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let config = config(dir.path(), does(|_, _| async { Ok(()) }));
    let gateway = start_with(config, &channel).await;
    let now = gateway.rules();
    let configure = |section| {
        let access = serde_json::from_value(json!({"channels": {"post": section}})).unwrap();
        gateway.configure(Rules { access, ..(*now).clone() }).unwrap();
    };

    configure(json!({"dmPolicy": "open", "allowFrom": ["*"]}));
    assert_eq!(channel.asks_admission("stranger", false).await, Verdict::Admit);
    configure(json!({"dmPolicy": "open"}));
    assert_eq!(channel.asks_admission("stranger", false).await, Verdict::Refuse);
    configure(json!({"dmPolicy": "disabled"}));
    assert_eq!(channel.asks_admission("scanner", true).await, Verdict::Refuse);
    gateway.stop(Duration::ZERO).await;
}

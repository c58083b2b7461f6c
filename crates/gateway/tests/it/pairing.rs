//! How a stranger becomes somebody who is heard.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contract::{ChannelId, Sender, Verdict};
use gateway::{Gateway, OwnerToConfigure, Pairing, Reason};
use serde_json::json;

use crate::agent::does;
use crate::channel::{TestChannel, conversation, start};

/// What somebody hears who writes the given turn.
async fn hears(channel: &Arc<TestChannel>, peer: &str, turn: &str) -> Verdict {
    let sender = Sender { conversation: conversation(peer), turn: turn.into(), is_owner: false };
    channel.asks_about(sender).await
}

/// The code of somebody who is told one.
async fn code(channel: &Arc<TestChannel>, peer: &str, turn: &str) -> String {
    let Verdict::Challenge { text } = hears(channel, peer, turn).await else {
        panic!("{peer} hears of no code");
    };
    let code = text.split("```").nth(1).unwrap().trim().to_owned();
    assert!(text.contains(&format!("hongyan pairing approve post {code}\n")), "{text}");
    assert!(text.contains(peer), "{text}");
    code
}

async fn gateway(dir: &Path) -> (Gateway, Arc<TestChannel>) {
    let channel = TestChannel::new();
    let gateway = start(dir, &channel, does(|_, _| async { Ok(()) })).await;
    (gateway, channel)
}

fn post() -> ChannelId {
    "post".into()
}

#[tokio::test]
async fn a_stranger_gets_one_code_and_is_heard_once_it_is_approved() {
    let dir = tempfile::tempdir().unwrap();
    let (gateway, channel) = gateway(dir.path()).await;
    let first = code(&channel, "U2", "t1").await;
    assert_eq!(hears(&channel, "u2", "t2").await, Verdict::Refuse, "a code is told once");

    // In another process, in effect: over a handle of its own.
    let cli = Pairing::open(&dir.path().join("state/gateway.sqlite")).await.unwrap();
    let requests = cli.requests(&post(), None).await.unwrap();
    let json = serde_json::to_value(&requests).unwrap();
    let (created, seen) = (&json[0]["createdAt"], &json[0]["lastSeenAt"]);
    let expected = json!([{
        "id": "U2", "code": first, "createdAt": created, "lastSeenAt": seen,
        "meta": {"accountId": "bot"},
    }]);
    assert_eq!(json, expected);
    assert!(created.as_str() <= seen.as_str());

    let approved = cli.approve(&post(), None, &first.to_lowercase()).await.unwrap().unwrap();
    assert_eq!((approved.id.as_str(), approved.code), ("U2", first.clone()));
    assert_eq!(hears(&channel, "u2", "t3").await, Verdict::Admit, "an approval holds at once");
    assert_eq!(cli.requests(&post(), None).await.unwrap(), []);
    assert_eq!(cli.approve(&post(), None, &first).await.unwrap(), None, "a code is used up");

    let approvals = cli.approvals(&post(), None).await.unwrap();
    let found: Vec<_> = approvals.iter().map(|it| (&*it.account_id, it.id.as_str())).collect();
    assert_eq!(found, [("bot", "U2")]);
    assert!(cli.remove_approval(&conversation("u2")).await.unwrap());
    assert!(!cli.remove_approval(&conversation("u2")).await.unwrap());
    assert_ne!(code(&channel, "U2", "t4").await, first);
    cli.close().await;
    gateway.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn asked_again_about_the_same_turn_the_gateway_gives_the_same_code() {
    let dir = tempfile::tempdir().unwrap();
    let (before, channel) = gateway(dir.path()).await;
    let told = hears(&channel, "stranger", "t1").await;
    assert!(matches!(told, Verdict::Challenge { .. }));
    assert_eq!(hears(&channel, "stranger", "t2").await, Verdict::Refuse);
    before.stop(Duration::ZERO).await;

    let (after, channel) = gateway(dir.path()).await;
    assert_eq!(hears(&channel, "stranger", "t1").await, told);
    assert_eq!(hears(&channel, "stranger", "t2").await, Verdict::Refuse);
    after.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn three_strangers_of_an_account_have_codes_and_a_fourth_hears_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (gateway, channel) = gateway(dir.path()).await;
    let mut codes = Vec::new();
    for peer in ["a", "b", "c"] {
        codes.push(code(&channel, peer, "t").await);
    }
    assert_eq!(hears(&channel, "d", "t").await, Verdict::Refuse);
    assert_eq!(hears(&channel, "a", "t").await, hears(&channel, "a", "t").await);
    let reason = |peer| gateway.refused().conversations[&conversation(peer)].reason;
    assert_eq!((reason("a"), reason("d")), (Reason::AwaitsApproval, Reason::TooManyWait));
    let mut elsewhere = conversation("d");
    elsewhere.account = "second".into();
    let sender = Sender { conversation: elsewhere, turn: "t".into(), is_owner: false };
    assert!(matches!(channel.asks_about(sender).await, Verdict::Challenge { .. }));

    let pairing = gateway.pairing();
    assert_eq!(pairing.reject(&post(), Some(&"second".into()), &codes[1]).await.unwrap(), None);
    let rejected = pairing.reject(&post(), Some(&"bot".into()), &codes[1]).await.unwrap().unwrap();
    assert_eq!(rejected.id.as_str(), "b");
    assert!(pairing.approvals(&post(), None).await.unwrap().is_empty());
    assert!(!codes.contains(&code(&channel, "d", "t").await));
    gateway.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn nobody_is_approved_by_a_star_and_nobody_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (gateway, channel) = gateway(dir.path()).await;
    let pairing = gateway.pairing();
    for peer in ["*", " ", "Ann", "ann", "Bob"] {
        pairing.approve_peer(&conversation(peer)).await.unwrap();
    }
    let approvals = pairing.approvals(&post(), Some(&"bot".into())).await.unwrap();
    let ids: Vec<_> = approvals.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["Ann", "Bob"]);
    assert!(matches!(hears(&channel, "stranger", "t").await, Verdict::Challenge { .. }));
    gateway.stop(Duration::ZERO).await;
}

#[test]
fn the_first_who_is_approved_is_to_be_named_as_owner() {
    let owner = |commands| {
        let config = json!({"commands": commands});
        let settings: gateway::AccessSettings = serde_json::from_value(config).unwrap();
        settings.owner_to_configure(&post(), &"U2".into())
    };
    assert_eq!(owner(json!({})), Some(OwnerToConfigure { entry: "post:U2".to_owned() }));
    assert_eq!(owner(json!({"ownerAllowFrom": ["x:1"]})), None);
}

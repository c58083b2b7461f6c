//! Who answers whom, and out of which memory.

use std::sync::Arc;
use std::time::Duration;

use contract::{Conversation, Inbound, TurnEnd};
use gateway::{
    Agent, AgentId, Agents, Config, Explanation, MatchedBy, Mismatch, Replies, RouteSettings,
    Rules, RulesError,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::agent::does;
use crate::channel::{TestChannel, config, conversation, start, start_with, text};

const BOT: &str = "b0f5860fdecb-im-bot";

fn settings(config: Value) -> RouteSettings {
    serde_json::from_value(config).unwrap()
}

fn at(account: &str, peer: &str) -> Conversation {
    Conversation { channel: "post".into(), account: account.into(), peer: peer.into() }
}

/// The three bindings of the vectors: one account's, all accounts', and a
/// peer's without an account.
fn vectors() -> RouteSettings {
    settings(json!({
        "agents": {"entries": {"main": {}, "work": {}}},
        "session": {"dmScope": "per-account-channel-peer"},
        "bindings": [
            {"agentId": "work", "match": {"channel": "post", "accountId": BOT}},
            {"agentId": "main", "match": {"channel": "post", "accountId": "*"}},
            {
                "agentId": "main",
                "match": {"channel": "post", "peer": {"kind": "direct", "id": "VIP@im"}},
            },
        ],
    }))
}

#[test]
fn bindings_decide_as_in_openclaw() {
    let settings = vectors();
    let rows = [
        (BOT, "x@im", "work", "binding.account", format!("agent:work:post:{BOT}:direct:x@im")),
        ("other", "x@im", "main", "binding.channel", "agent:main:post:other:direct:x@im".into()),
        (
            "default",
            "VIP@im",
            "main",
            "binding.peer",
            "agent:main:post:default:direct:vip@im".into(),
        ),
        (BOT, "VIP@im", "work", "binding.account", format!("agent:work:post:{BOT}:direct:vip@im")),
        (
            "default",
            "vip@im",
            "main",
            "binding.channel",
            "agent:main:post:default:direct:vip@im".into(),
        ),
    ];
    for (account, peer, agent, matched_by, session) in rows {
        let route = settings.route(&at(account, peer)).unwrap();
        let found = (route.agent.as_str(), route.matched_by.as_str(), route.session.as_str());
        assert_eq!(found, (agent, matched_by, session.as_str()), "{account} {peer}");
        assert_eq!(route.main_session.as_str(), format!("agent:{agent}:main"));
    }
}

#[test]
fn what_names_the_peer_outranks_what_names_the_account_and_the_first_wins_a_tier() {
    let binding = |agent: &str, place: Value| json!({"agentId": agent, "match": place});
    let peer = |id: &str| json!({"channel": " POST ", "accountId": "*", "peer": {"kind": "direct", "id": id}});
    let settings = settings(json!({
        "agents": {"list": [{"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"}, {"id": "e"}]},
        "bindings": [
            binding("a", json!({"channel": "post", "accountId": "*"})),
            binding("b", json!({"channel": "post", "accountId": "B@1"})),
            binding("c", json!({"channel": "post", "accountId": "b-1"})),
            binding("d", peer("*")),
            binding("e", peer("E")),
            binding("a", peer("E")),
            binding("b", json!({"channel": "post", "accountId": "*", "peer": {"kind": "group", "id": "*"}})),
            binding("b", json!({"channel": "post", "accountId": "*", "guildId": "g"})),
        ],
    }));
    let who = |settings: &RouteSettings, account, peer| {
        let route = settings.route(&at(account, peer)).unwrap();
        (route.agent.to_string(), route.matched_by)
    };
    assert_eq!(who(&settings, "b-1", "E"), ("e".into(), MatchedBy::Peer));
    assert_eq!(who(&settings, "b-1", "e"), ("d".into(), MatchedBy::PeerWildcard));
    let mut without_peers = settings.clone();
    without_peers.bindings.retain(|it| it.place.peer.is_none());
    assert_eq!(who(&without_peers, "b-1", "E"), ("b".into(), MatchedBy::Account));
    assert_eq!(who(&without_peers, "z", "E"), ("a".into(), MatchedBy::Channel));
}

#[test]
fn the_four_scopes_name_sessions_as_openclaw_does() {
    let conversation = at(BOT, "o9cq80xYz@im.post");
    let key = |session: Value| {
        let route = settings(json!({"session": session})).route(&conversation).unwrap();
        route.session.to_string()
    };
    let isolated = format!("agent:main:post:{BOT}:direct:o9cq80xyz@im.post");
    assert_eq!(key(json!({"dmScope": "main"})), "agent:main:main");
    assert_eq!(key(json!({"dmScope": "per-peer"})), "agent:main:direct:o9cq80xyz@im.post");
    assert_eq!(
        key(json!({"dmScope": "per-channel-peer"})),
        "agent:main:post:direct:o9cq80xyz@im.post"
    );
    assert_eq!(key(json!({"dmScope": "per-account-channel-peer"})), isolated);
    assert_eq!(key(json!({})), isolated, "the default here keeps people apart");

    assert_eq!(key(json!({"dmScope": "main", "mainKey": " Home "})), "agent:main:home");
    assert_eq!(key(json!({"scope": "global"})), "global");
    assert_eq!(key(json!({"scope": "per-sender", "mainKey": ""})), isolated);
    let nobody = settings(json!({})).route(&at(BOT, " ")).unwrap();
    assert_eq!(nobody.session.as_str(), "agent:main:main");
}

#[test]
fn linked_peers_are_one_person() {
    let linked = |scope: &str, peer: &str| {
        let links = json!({"": ["x"], "Alice": ["POST:o9cq80XYZ@im", " other-id "], "bob": ["elsewhere:p"]});
        let session = json!({"dmScope": scope, "identityLinks": links});
        settings(json!({"session": session})).route(&at(BOT, peer)).unwrap().session.to_string()
    };
    let alice = format!("agent:main:post:{BOT}:direct:alice");
    assert_eq!(linked("per-account-channel-peer", "o9cq80xYz@im"), alice);
    assert_eq!(linked("per-account-channel-peer", "Other-ID"), alice);
    assert_eq!(linked("per-peer", "other-id"), "agent:main:direct:alice");
    assert_eq!(linked("per-channel-peer", "p"), "agent:main:post:direct:p");
    assert_eq!(linked("per-channel-peer", "x"), "agent:main:post:direct:x");
    assert_eq!(linked("main", "other-id"), "agent:main:main");
}

#[test]
fn a_binding_can_have_a_scope_of_its_own() {
    let settings = settings(json!({"bindings": [{
        "agentId": "main",
        "match": {"channel": "post", "accountId": "*"},
        "session": {"dmScope": "main"},
    }]}));
    assert_eq!(settings.route(&at(BOT, "p")).unwrap().session.as_str(), "agent:main:main");
}

#[test]
fn several_agents_and_no_binding_are_an_error() {
    let several = settings(json!({"agents": {"entries": {"a": {}, "b": {}}}}));
    let err = several.route(&at("bot", "p")).unwrap_err().to_string();
    let begin = "Multiple agents are configured, but post account bot routing has no explicit \
                 owner. Add a channel-wide binding for post";
    assert!(err.starts_with(begin), "{err}");

    let only = settings(json!({"agents": {"entries": {"a": {}}}}));
    let route = only.route(&at("bot", "p")).unwrap();
    assert_eq!((route.agent, route.matched_by), (AgentId::new("a"), MatchedBy::Default));
}

#[test]
fn a_binding_to_nobody_is_refused_with_its_place_and_main_is_somebody() {
    let bound_to = |agent: &str| {
        settings(json!({
            "agents": {"entries": {"a": {}, "b": {}}},
            "bindings": [
                {"type": "acp", "agentId": "elsewhere", "match": {"channel": "post"}},
                {"agentId": agent, "match": {"channel": "post", "accountId": "*"}},
            ],
        }))
    };
    let expected = "bindings[1].agentId: no agent is called \"c\"; there are: main, a, b";
    assert_eq!(bound_to("C").check().unwrap_err().to_string(), expected);
    assert_eq!(bound_to("C").route(&at("bot", "p")).unwrap_err().to_string(), expected);
    assert_eq!(bound_to("main").check(), Ok(()));
    assert_eq!(bound_to("B").route(&at("bot", "p")).unwrap().agent, AgentId::new("b"));
}

#[test]
fn an_explanation_tells_of_each_binding_why() {
    let explanation = vectors().explain(&at(BOT, "VIP@im"));
    let found: Vec<_> =
        explanation.bindings.iter().map(|it| (it.matched_by, it.mismatch, it.wins)).collect();
    let expected = [
        (Some(MatchedBy::Account), None, true),
        (Some(MatchedBy::Channel), None, false),
        (None, Some(Mismatch::OnlyDefaultAccount), false),
    ];
    assert_eq!(found, expected);
    assert_eq!(explanation.route, vectors().route(&at(BOT, "VIP@im")).ok());
    assert_eq!(explanation.error, None);
}

fn rules(config: Value, agents: &[(&str, &'static str)]) -> Rules {
    let agents = agents.iter().map(|&(id, words)| {
        let answers = does(move |_, replies: Replies| async move { replies.text(words).await });
        (AgentId::new(id), answers as Arc<dyn Agent>)
    });
    Rules {
        access: serde_json::from_value(config.clone()).unwrap(),
        route: serde_json::from_value(config).unwrap(),
        agents: agents.collect::<Agents>(),
        ..Rules::new(does(|_, _| async { Ok(()) }))
    }
}

fn two_agents() -> Value {
    json!({
        "agents": {"entries": {"main": {}, "work": {}}},
        "bindings": [
            {"agentId": "work", "match": {"channel": "post", "accountId": "office"}},
            {"agentId": "main", "match": {"channel": "post", "accountId": "bot"}},
        ],
    })
}

#[tokio::test]
async fn two_accounts_have_different_agents_until_the_gateway_is_configured_anew() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agents = [("main", "I am main"), ("work", "I am work")];
    let config = Config {
        rules: rules(two_agents(), &agents),
        ..config(dir.path(), does(|_, _| async { Ok(()) }))
    };
    let gateway = start_with(config, &channel).await;
    let says = async |account: &str| {
        let inbound =
            Inbound { conversation: at(account, "ann"), ..channel.message("ann", "who?") };
        let turn = channel.brings(inbound).await.unwrap();
        (channel.answer_to(&turn).await, channel.end_of(&turn).await)
    };

    assert_eq!(says("bot").await, (vec![text("I am main")], TurnEnd::Answered));
    assert_eq!(says("office").await, (vec![text("I am work")], TurnEnd::Answered));
    let (said, end) = says("third").await;
    assert_eq!(said.len(), 1, "a person is told that nobody is to answer: {said:?}");
    let TurnEnd::Failed { reason } = end else { panic!("{end:?}") };
    assert!(reason.contains("Multiple agents are configured"), "{reason}");

    let mut swapped = two_agents();
    swapped["bindings"][0]["agentId"] = json!("main");
    swapped["bindings"][1]["agentId"] = json!("work");
    gateway.configure(rules(swapped, &agents)).unwrap();
    assert_eq!(says("bot").await.0, [text("I am work")]);
    assert_eq!(says("office").await.0, [text("I am main")]);
    gateway.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn rules_that_name_nobody_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let gateway = start(dir.path(), &channel, does(|_, _| async { Ok(()) })).await;

    let unbuilt = gateway.configure(rules(two_agents(), &[("main", "I am main")]));
    let place = "agents.entries.work".to_owned();
    assert_eq!(unbuilt, Err(RulesError::NoSuchAgent { place, agent: "work".to_owned() }));
    let mut unknown = two_agents();
    unknown["bindings"][1]["agentId"] = json!("sales");
    let err = gateway.configure(rules(unknown, &[("main", ""), ("work", "")])).unwrap_err();
    assert!(err.to_string().starts_with("bindings[1].agentId: no agent is called \"sales\""));

    assert_eq!(gateway.rules().route, RouteSettings::default());
    gateway.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn the_gateway_explains_who_would_answer_and_whether_they_are_heard() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let gateway = start(dir.path(), &channel, does(|_, _| async { Ok(()) })).await;
    let sender = |peer| contract::Sender {
        conversation: conversation(peer),
        turn: "none".into(),
        is_owner: false,
    };

    let Explanation { route, access } = gateway.explain(&sender("stranger")).unwrap();
    assert_eq!(route.route.unwrap().session.as_str(), "agent:main:post:bot:direct:stranger");
    let access = serde_json::to_value(access).unwrap();
    let expected = json!({
        "dmPolicy": "pairing", "decision": "ask_approval", "approved": false, "admitted": false,
        "commands": "all",
    });
    assert_eq!(access, expected);

    gateway.pairing().approve_peer(&conversation("Stranger")).await.unwrap();
    assert!(gateway.explain(&sender("stranger")).unwrap().access.admitted);
    assert!(gateway.explain(&sender("friend")).unwrap().access.admitted);
    gateway.stop(Duration::ZERO).await;
}

/// Names that are likely to meet: of few letters, in both cases, with what
/// separates the parts of a key.
fn name() -> impl Strategy<Value = String> {
    "[aAb:.@ -]{0,6}|direct|main|post:a|[A-Za-z0-9_@.:-]{1,20}|\\PC{0,8}"
}

fn scope() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["main", "per-peer", "per-channel-peer", "per-account-channel-peer"])
}

fn any_settings() -> impl Strategy<Value = Value> {
    let agent = prop::sample::select(vec!["main", "a", "b", "missing"]);
    let account = prop::option::of(prop_oneof![Just("*".to_owned()), name()]);
    let peer = prop::option::of((prop::sample::select(vec!["direct", "group"]), name()));
    let binding = (agent, account, peer).prop_map(|(agent, account, peer)| {
        let mut place = json!({"channel": "post"});
        if let Some(account) = account {
            place["accountId"] = json!(account);
        }
        if let Some((kind, id)) = peer {
            place["peer"] = json!({"kind": kind, "id": id});
        }
        json!({"agentId": agent, "match": place})
    });
    let bindings = prop::collection::vec(binding, 0..6);
    let roster = prop::sample::select(vec![json!({}), json!({"a": {}}), json!({"a": {}, "b": {}})]);
    let links = prop::collection::btree_map(name(), prop::collection::vec(name(), 0..3), 0..3);
    (scope(), bindings, roster, links).prop_map(|(scope, bindings, roster, links)| {
        json!({
            "session": {"dmScope": scope, "identityLinks": links},
            "bindings": bindings,
            "agents": {"entries": roster},
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn each_conversation_has_one_answer_and_always_the_same(
        config in any_settings(), account in name(), peer in name(),
    ) {
        let conversation = at(&account, &peer);
        let settings = settings(config.clone());
        let explanation = settings.explain(&conversation);
        let route = settings.route(&conversation);
        prop_assert_eq!(route.clone().ok(), explanation.route);
        prop_assert_eq!(route.as_ref().err().map(ToString::to_string), explanation.error);
        prop_assert_eq!(&route, &serde_json::from_value::<RouteSettings>(config).unwrap().route(&conversation));
        let winners = explanation.bindings.iter().filter(|it| it.wins).count();
        prop_assert!(winners <= 1);
        if let Ok(route) = route {
            prop_assert_eq!(winners == 0, route.matched_by == MatchedBy::Default);
            let key = route.session.as_str();
            prop_assert_eq!(key, key.to_lowercase());
            let prefix = format!("agent:{}:", route.agent);
            prop_assert!(key.starts_with(&prefix));
        }
    }

    #[test]
    fn people_who_are_not_linked_never_share_a_session(
        scope in prop::sample::select(vec!["per-peer", "per-channel-peer", "per-account-channel-peer"]),
        links in prop::collection::btree_map(name(), prop::collection::vec(name(), 0..3), 0..3),
        account in name(), other_account in name(), peer in name(), other in name(),
    ) {
        // A link's name is one of the person's names.
        let folded = |text: &str| text.trim().to_lowercase();
        let is_linked = |peer: &str| links.iter().any(|(name, ids)| {
            let peer = folded(peer);
            let mut ids = ids.iter().map(|id| folded(id));
            folded(name) == peer || ids.any(|id| id == peer || id == format!("post:{peer}"))
        });
        prop_assume!(!is_linked(&peer) && !is_linked(&other) && folded(&peer) != folded(&other));
        let settings = settings(json!({"session": {"dmScope": scope, "identityLinks": links}}));
        let key = |account: &str, peer: &str| settings.route(&at(account, peer)).unwrap().session;
        prop_assert_ne!(key(&account, &peer), key(&other_account, &other));
    }

    /// Whoever could choose their id could else make it look like the end of
    /// another key.
    #[test]
    fn a_peer_cannot_pass_for_a_part_of_an_account(parts in prop::collection::vec("[a-z]{1,2}", 3)) {
        let cut = |n: usize| at(&parts[..n].join(":direct:"), &parts[n..].join(":direct:"));
        let key = |conversation| settings(json!({})).route(&conversation).unwrap().session;
        prop_assert_ne!(key(cut(1)), key(cut(2)));
    }
}

use super::*;

const HOUR: u64 = 3_600_000;

fn text(text: &str) -> Send<'_> {
    Send {
        kind: ItemKind::Text,
        text,
        last_inbound_ms: Some(0),
        sends_since_inbound: 0,
        has_context: true,
    }
}

fn judged(policy: &Policy, send: &Send<'_>, now_ms: u64) -> Verdict {
    policy.judge(send, &mut Burst::default(), now_ms)
}

#[test]
fn the_open_policy_shows_everything() {
    let stale =
        Send { last_inbound_ms: None, sends_since_inbound: 99, has_context: false, ..text("") };
    assert_eq!(judged(&Policy::open(), &stale, 99 * HOUR), Verdict::Show);
}

#[test]
fn each_limit_of_tencent_refuses_with_its_own_words() {
    let refused = |words| Verdict::Refuse(Code::REFUSED, words);
    let (long, wide) = ("x".repeat(5_001), "\u{1F600}".repeat(4_097));
    let cases = [
        ("in time", text("hi"), 24 * HOUR, Verdict::Show),
        ("window closed", text("hi"), 24 * HOUR + 1, refused("prepare failed")),
        ("never wrote", Send { last_inbound_ms: None, ..text("hi") }, 0, refused("prepare failed")),
        ("tenth", Send { sends_since_inbound: 9, ..text("hi") }, 0, Verdict::Show),
        ("eleventh", Send { sends_since_inbound: 10, ..text("hi") }, 0, refused("prepare failed")),
        ("no context", Send { has_context: false, ..text("hi") }, 0, refused("unknown error")),
        ("too many characters", text(&long), 0, refused("prepare failed")),
        ("too many bytes", text(&wide), 0, refused("prepare failed")),
        ("voice", Send { kind: ItemKind::Voice, ..text("") }, 0, Verdict::Drop),
        ("tool", Send { kind: ItemKind::ToolCallStart, ..text("") }, 99 * HOUR, Verdict::Drop),
    ];
    for (name, send, now, verdict) in cases {
        assert_eq!(judged(&Policy::tencent(), &send, now), verdict, "{name}");
    }
}

#[test]
fn suppression_comes_after_every_refusal() {
    let policy = Policy { suppressed: true, ..Policy::tencent() };
    assert_eq!(judged(&policy, &text("hi"), 0), Verdict::Suppress);
    let closed = judged(&policy, &text("hi"), 25 * HOUR);
    assert_eq!(closed, Verdict::Refuse(Code::REFUSED, "prepare failed"));
}

#[test]
fn a_text_is_cut_between_characters() {
    let policy = Policy { shown_chars: Some(2), ..Policy::open() };
    assert_eq!(policy.shown("鸿雁传书"), "鸿雁");
    assert_eq!(policy.shown("鸿"), "鸿");
    assert_eq!(Policy::open().shown("鸿雁传书"), "鸿雁传书");
}

#[test]
fn a_policy_survives_json_and_knows_its_name() {
    for policy in [Policy::open(), Policy::tencent()] {
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    }
    assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::open());
    assert_eq!(Policy::tencent().name(), "tencent");
    assert!(serde_json::from_str::<Policy>(r#"{"windw_ms":1}"#).is_err());
}

use std::io;

use super::*;

const HOUR_MS: i64 = 3_600_000;
const NOW: i64 = 1_795_000_000_000;

fn limits() -> Limits {
    Limits::tencent()
}

/// A short text, two minutes after the peer wrote, with nothing sent since.
fn fresh(limits: &Limits) -> Knowledge<'_> {
    Knowledge {
        now_ms: NOW,
        limits,
        text: TextSize::of("hello"),
        has_context: true,
        inbound_age_ms: Some(120_000),
        sends_used: 0,
        since_accepted_ms: None,
    }
}

fn failed(cause: Cause) -> Result<Sent, Failed> {
    Err(ClientError { endpoint: "sendmessage", cause }.into())
}

fn refusal(code: Code, errmsg: &str) -> Result<Sent, Failed> {
    failed(Cause::Refused { code, errmsg: errmsg.to_owned() })
}

/// Demand 9: one code, and what it means here.
#[test]
fn the_words_of_code_2_mean_what_the_conversation_explains() {
    let limits = limits();
    let fresh = fresh(&limits);
    let sized = |chars, bytes| TextSize { chars, bytes };
    let never = Knowledge { inbound_age_ms: None, has_context: false, ..fresh };
    let stranger = Knowledge { has_context: false, ..fresh };
    let third = Knowledge { sends_used: 3, since_accepted_ms: Some(60_000), ..fresh };
    let hasty = Knowledge { sends_used: 3, since_accepted_ms: Some(500), ..fresh };
    let tenth = Knowledge { sends_used: 10, since_accepted_ms: Some(500), ..fresh };
    let quiet = Knowledge { inbound_age_ms: Some(15 * HOUR_MS), ..fresh };
    let over = Knowledge { inbound_age_ms: Some(24 * HOUR_MS), ..fresh };
    let long = Knowledge { text: sized(3_000, 3_000), ..fresh };
    let longer = Knowledge { text: sized(5_001, 5_001), ..over };
    let wide = Knowledge { text: sized(4_200, 16_385), ..tenth };

    let limited = Outcome::RateLimited { until_ms: None };
    let (window, quota) = (Outcome::WindowClosed, Outcome::QuotaSpent);
    let (too_long, context) = (Outcome::TooLong, Outcome::StaleContext);
    let other = Outcome::Refused { code: Code::REFUSED, errmsg: "busy".to_owned() };
    // What we know; then `rate limited`, `prepare failed`, nothing, other words.
    let cases = [
        ("fresh", fresh, [&limited, &window, &context, &other]),
        ("never", never, [&limited, &window, &window, &window]),
        ("no context", stranger, [&limited, &window, &context, &other]),
        ("the fourth", third, [&limited, &quota, &context, &other]),
        ("the fourth, in haste", hasty, [&limited, &quota, &limited, &other]),
        ("the eleventh", tenth, [&limited, &quota, &quota, &quota]),
        ("15 h later", quiet, [&limited, &window, &context, &other]),
        ("24 h later", over, [&limited, &window, &window, &window]),
        ("3,000 characters", long, [&limited, &too_long, &context, &other]),
        ("5,001 characters", longer, [&limited, &too_long, &too_long, &too_long]),
        ("16,385 bytes", wide, [&limited, &too_long, &too_long, &too_long]),
    ];
    for (name, known, expected) in cases {
        let words = ["rate limited", "prepare failed", "", "busy"];
        for (errmsg, expected) in words.into_iter().zip(expected) {
            let outcome = classify(&refusal(Code::REFUSED, errmsg), &known);
            assert_eq!(&outcome, expected, "{name}: {errmsg:?}");
        }
        assert_eq!(
            classify(&refusal(Code::REFUSED, " Unknown Error "), &known),
            classify(&refusal(Code::REFUSED, ""), &known),
            "{name}"
        );
    }
}

#[test]
fn without_limits_only_the_words_count() {
    let limits = Limits::open();
    let known = Knowledge { inbound_age_ms: None, sends_used: 5_000, ..fresh(&limits) };
    let outcome = |errmsg| classify(&refusal(Code::REFUSED, errmsg), &known);
    assert_eq!(outcome("rate limited"), Outcome::RateLimited { until_ms: None });
    assert_eq!(outcome("prepare failed"), Outcome::WindowClosed);
    assert_eq!(outcome(""), Outcome::StaleContext);
}

#[test]
fn other_codes_and_broken_exchanges_have_one_meaning() {
    let limits = limits();
    let known = fresh(&limits);
    let status = |status, after: Option<u64>| {
        failed(Cause::Status { status, retry_after: after.map(Duration::from_secs) })
    };
    let transport = |unknown| Outcome::Transport { unknown, after: None };
    let refused =
        |code, errmsg: &str| Outcome::Refused { code: Code(code), errmsg: errmsg.to_owned() };
    let seconds = |n| Some(Duration::from_secs(n));
    let cases = [
        (refusal(Code::WRONG_PEER, "invalid arguments"), Outcome::WrongPeer, Retry::Never),
        (refusal(Code::STALE_TOKEN, "session timeout"), Outcome::StaleToken, Retry::AfterLogin),
        (refusal(Code::NO_CONTEXT, ""), Outcome::StaleContext, Retry::WithFreshContext),
        (refusal(Code(77), "new"), refused(77, "new"), Retry::Never),
        (status(403, None), refused(403, ""), Retry::Never),
        (status(413, None), Outcome::TooLong, Retry::SplitSmaller),
        (
            status(429, Some(20)),
            Outcome::RateLimited { until_ms: Some(NOW + 20_000) },
            Retry::WhenAllowed,
        ),
        (status(429, None), Outcome::RateLimited { until_ms: None }, Retry::WhenAllowed),
        (status(524, None), transport(true), Retry::After { hint: None }),
        (
            status(503, Some(7)),
            Outcome::Transport { unknown: true, after: seconds(7) },
            Retry::After { hint: seconds(7) },
        ),
        (failed(Cause::Dns("x".to_owned())), transport(false), Retry::After { hint: None }),
        (failed(Cause::Tls("x".to_owned())), transport(false), Retry::After { hint: None }),
        (failed(Cause::Tcp("x".to_owned())), transport(true), Retry::After { hint: None }),
        (
            failed(Cause::Timeout { after: Duration::from_secs(15) }),
            transport(true),
            Retry::After { hint: None },
        ),
        (failed(Cause::Malformed("x".to_owned())), transport(true), Retry::After { hint: None }),
        (failed(Cause::TooLarge { cap: 9 }), transport(true), Retry::After { hint: None }),
        (
            failed(Cause::Unsendable("x".to_owned())),
            Outcome::Unsendable(Unsendable::NoRequest),
            Retry::Never,
        ),
        (Err(Failed::Unreadable), Outcome::Unsendable(Unsendable::RowUnreadable), Retry::Never),
    ];
    for (result, outcome, retry) in cases {
        assert_eq!(classify(&result, &known), outcome, "{result:?}");
        assert_eq!(outcome.retry(), retry, "{outcome:?}");
        assert!(!outcome.is_sent());
    }
}

/// Demand 28: what fails on the way to the CDN has a reason of its own.
#[test]
fn an_upload_that_fails_has_not_sent_anything() {
    let limits = limits();
    let known = fresh(&limits);
    let exchange = |cause| MediaError::Exchange {
        error: ClientError { endpoint: "cdn upload", cause },
        reason: String::new(),
    };
    let code = |code| exchange(Cause::Refused { code, errmsg: String::new() });
    let refused = |reason: &str| Outcome::UploadRefused { reason: reason.to_owned() };
    let again = |reason: &str| Outcome::UploadFailed { after: None, reason: reason.to_owned() };
    let no_file = || io::Error::new(io::ErrorKind::NotFound, "gone");
    let cases = [
        (code(Code::STALE_TOKEN), Outcome::StaleToken, Retry::AfterLogin),
        (
            code(Code::REFUSED),
            again("cdn upload: refused with code -2"),
            Retry::After { hint: None },
        ),
        (code(Code::BAD_ARGUMENT), refused("cdn upload: refused with code 2"), Retry::Never),
        (code(Code::BAD_UPLOAD_TARGET), refused("cdn upload: refused with code -1"), Retry::Never),
        (
            exchange(Cause::Refused { code: Code::REFUSED, errmsg: "rate limited".to_owned() }),
            Outcome::RateLimited { until_ms: None },
            Retry::WhenAllowed,
        ),
        (
            exchange(Cause::Status { status: 403, retry_after: None }),
            refused("cdn upload: answered with HTTP status 403"),
            Retry::Never,
        ),
        (
            exchange(Cause::Status { status: 500, retry_after: None }),
            again("cdn upload: answered with HTTP status 500"),
            Retry::After { hint: None },
        ),
        (
            MediaError::NoReference,
            again("the CDN gave no reference to what it took"),
            Retry::After { hint: None },
        ),
        (
            MediaError::TooLarge { max: 5 },
            Outcome::Unsendable(Unsendable::TooLarge { max: 5 }),
            Retry::Never,
        ),
        (
            MediaError::Source(no_file()),
            Outcome::Unsendable(Unsendable::MediaUnreadable),
            Retry::Never,
        ),
    ];
    for (err, outcome, retry) in cases {
        let result = Err(Failed::Upload(err));
        assert_eq!(classify(&result, &known), outcome, "{result:?}");
        assert_eq!(outcome.retry(), retry, "{outcome:?}");
    }
}

/// Demand 2: accepted is not delivered.
#[test]
fn only_an_id_says_that_a_message_is_queued() {
    let limits = limits();
    let known = fresh(&limits);
    let check = |json: &str, expected: Outcome| {
        let sent = Sent::from_slice(json.as_bytes()).unwrap();
        assert_eq!(classify(&Ok(sent), &known), expected, "{json}");
        assert!(expected.is_sent());
        assert_eq!(expected.retry(), Retry::Never);
    };
    let queued = Outcome::Queued { id: MessageId::from(7_402_312_345_678_901_234) };
    check(r#"{"ret":0,"message_id":7402312345678901234}"#, queued.clone());
    check(r#"{"message_id":"7402312345678901234"}"#, queued);
    check(r#"{"ret":0}"#, Outcome::Unconfirmed);
    check(r#"{"ret":0,"message_id":""}"#, Outcome::Unconfirmed);
    check("{}", Outcome::Accepted);
}

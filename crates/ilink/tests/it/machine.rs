//! The login as a machine: events in, steps out.

use std::time::Duration;

use ilink::login::{
    Credentials, Event, Login, LoginError, LoginEvent, LoginOptions, Outcome, Poll, QrEnd, Step,
    Trouble,
};
use ilink::wire::{QrCode, QrStatus};
use ilink::{Backoff, BotToken};
use serde_json::{Value, json};
use url::Url;

const PAUSE: Step = Step::Wait(Duration::from_secs(1));

/// Drives a login that has begun at `base` and compares every step.
fn check_at(base: &str, script: Vec<(Event, Step)>) {
    let mut login = Login::new(options(), url(base));
    for (n, (event, expected)) in script.into_iter().enumerate() {
        let told = format!("{event:?}");
        assert_eq!(login.handle(event, Duration::ZERO), expected, "step {n}, after {told}");
    }
}

fn check(script: Vec<(Event, Step)>) {
    check_at("https://qr.example", script);
}

fn options() -> LoginOptions {
    let backoff = Backoff { min: Duration::from_secs(2), max: Duration::from_secs(5) };
    LoginOptions { backoff, refreshes: 1, fetches: 2, ..LoginOptions::default() }
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn qr(n: u32) -> Event {
    let body = json!({"qrcode": format!("q{n}"), "qrcode_img_content": format!("https://l/{n}")});
    Event::Qr(Ok(QrCode::from_slice(body.to_string().as_bytes()).unwrap()))
}

fn status(body: Value) -> Event {
    Event::Status(Ok(QrStatus::from_slice(body.to_string().as_bytes()).unwrap()))
}

fn is(word: &str) -> Event {
    status(json!({ "status": word }))
}

fn shown(n: u32) -> Step {
    let link = format!("https://l/{n}");
    Step::Tell(LoginEvent::QrShown { link, qrcode: format!("q{n}").into(), n_refresh: n })
}

fn poll(n: u32) -> Step {
    poll_at("https://qr.example", n, None)
}

fn poll_at(base: &str, n: u32, code: Option<&str>) -> Step {
    let verify_code = code.map(str::to_owned);
    Step::Poll(Poll { base: url(base), qr: format!("q{n}").into(), verify_code })
}

fn needs_code(wrong: bool) -> Step {
    Step::Tell(LoginEvent::VerifyCodeNeeded { wrong })
}

fn passing(after: Option<Duration>) -> Trouble {
    Trouble::Passing { after, reason: "unplugged".to_owned() }
}

fn lasting() -> Trouble {
    Trouble::Lasting { reason: "gone".to_owned() }
}

fn failed(err: LoginError) -> Step {
    Step::Done(Outcome::Failed(err))
}

/// What every login begins with.
fn begun(rest: Vec<(Event, Step)>) -> Vec<(Event, Step)> {
    let begin = [(Event::Continue, Step::FetchQr), (qr(0), shown(0)), (Event::Continue, poll(0))];
    begin.into_iter().chain(rest).collect()
}

fn confirmed(base: &str) -> Value {
    json!({
        "status": "confirmed", "bot_token": "tok", "ilink_bot_id": "b@im.bot",
        "ilink_user_id": "u@im.wechat", "baseurl": base,
    })
}

fn credentials(base: &str) -> Step {
    Step::Done(Outcome::Confirmed(Credentials {
        token: BotToken::new("tok"),
        bot_id: "b@im.bot".into(),
        user_id: Some("u@im.wechat".into()),
        base_url: url(base),
    }))
}

#[test]
fn a_scanned_and_confirmed_code_gives_credentials() {
    check(begun(vec![
        (is("wait"), PAUSE),
        (Event::Continue, poll(0)),
        (is("scaned"), Step::Tell(LoginEvent::Scanned)),
        (Event::Continue, PAUSE),
        (Event::Continue, poll(0)),
        (is("scaned"), PAUSE),
        (Event::Continue, poll(0)),
        (status(confirmed("https://api.example")), credentials("https://api.example")),
        (Event::Continue, credentials("https://api.example")),
        (Event::Cancel, credentials("https://api.example")),
    ]));
}

#[test]
fn without_a_base_url_the_account_lives_where_the_login_began() {
    let (redirect, host) = redirected("other.example");
    check(begun(vec![
        (redirect, host),
        (Event::Continue, poll_at("https://other.example", 0, None)),
        (status(confirmed("")), credentials("https://qr.example")),
    ]));
}

#[test]
fn a_confirmation_must_be_whole() {
    for (field, missing) in [("bot_token", "a token"), ("ilink_bot_id", "the bot's id")] {
        for gone in [json!(null), json!("")] {
            let mut body = confirmed("");
            body[field] = gone;
            check(begun(vec![(status(body), failed(LoginError::Incomplete { missing }))]));
        }
    }
}

#[test]
fn a_base_url_that_would_give_the_token_away_is_refused() {
    for base in ["http://api.example", "api.example", "ftp://api.example", "https://"] {
        let err = LoginError::BadBaseUrl { base_url: base.to_owned() };
        check(begun(vec![(status(confirmed(base)), failed(err))]));
    }
    let mut script =
        begun(vec![(status(confirmed("http://10.0.0.1:9")), credentials("http://10.0.0.1:9"))]);
    script[2].1 = poll_at("http://127.0.0.1:9000", 0, None);
    check_at("http://127.0.0.1:9000", script);
}

#[test]
fn a_known_account_ends_well_without_credentials() {
    check(begun(vec![(is("binded_redirect"), Step::Done(Outcome::AlreadyBound))]));
}

#[test]
fn an_old_code_is_replaced_a_limited_number_of_times() {
    let ends = [
        ("expired", QrEnd::Expired, Outcome::Expired),
        ("verify_code_blocked", QrEnd::Blocked, Outcome::Blocked),
    ];
    for (word, why, last) in ends {
        check(begun(vec![
            (is(word), Step::Tell(LoginEvent::QrEnded { why })),
            (Event::Continue, Step::FetchQr),
            (qr(1), shown(1)),
            (Event::Continue, poll(1)),
            (is(word), Step::Done(last)),
        ]));
    }
}

#[test]
fn digits_asked_for_again_were_wrong() {
    let code = |digits: &str| Event::VerifyCode(digits.to_owned());
    let asks = |digits| poll_at("https://qr.example", 0, Some(digits));
    check(begun(vec![
        (is("need_verifycode"), needs_code(false)),
        (Event::Continue, Step::AwaitVerifyCode),
        (code("  "), Step::AwaitVerifyCode),
        (code(" 12\n"), asks("12")),
        (is("need_verifycode"), needs_code(true)),
        (Event::Continue, Step::AwaitVerifyCode),
        (code("34"), asks("34")),
        // A poll without news does not forget the digits.
        (Event::Status(Err(Trouble::TimedOut)), PAUSE),
        (Event::Continue, asks("34")),
        (is("scaned"), Step::Tell(LoginEvent::Scanned)),
        (Event::Continue, PAUSE),
        (Event::Continue, poll(0)),
        // Another question, not a wrong answer.
        (is("need_verifycode"), needs_code(false)),
    ]));
}

#[test]
fn a_new_code_begins_without_digits_and_at_the_first_host() {
    let (redirect, host) = redirected("other.example");
    check(begun(vec![
        (redirect, host),
        (Event::Continue, poll_at("https://other.example", 0, None)),
        (is("need_verifycode"), needs_code(false)),
        (Event::VerifyCode("1".to_owned()), poll_at("https://other.example", 0, Some("1"))),
        (is("verify_code_blocked"), Step::Tell(LoginEvent::QrEnded { why: QrEnd::Blocked })),
        (Event::Continue, Step::FetchQr),
        (qr(1), shown(1)),
        (Event::Continue, poll(1)),
    ]));
}

fn redirected(host: &str) -> (Event, Step) {
    let event = status(json!({"status": "scaned_but_redirect", "redirect_host": host}));
    (event, Step::Tell(LoginEvent::Redirected { host: host.to_owned() }))
}

#[test]
fn a_redirect_is_told_once_and_followed() {
    let (redirect, told) = redirected("other.example");
    check(begun(vec![
        (redirect.clone(), told),
        (Event::Continue, poll_at("https://other.example", 0, None)),
        (redirect, PAUSE),
        (Event::Continue, poll_at("https://other.example", 0, None)),
    ]));
}

#[test]
fn a_redirect_keeps_to_https_except_from_a_plain_backend() {
    let cases = [
        ("https://qr.example", "a.example", "https://a.example"),
        ("https://qr.example:8443", "a.example", "https://a.example"),
        ("https://qr.example", "a.example:8443", "https://a.example:8443"),
        ("https://qr.example", "[::1]:9", "https://[::1]:9"),
        ("http://127.0.0.1:9000", "127.0.0.2", "http://127.0.0.2:9000"),
        ("http://127.0.0.1:9000", "127.0.0.1:9001", "http://127.0.0.1:9001"),
        ("http://127.0.0.1:9000", "[::1]", "http://[::1]:9000"),
    ];
    for (base, host, expected) in cases {
        let (redirect, told) = redirected(host);
        let next = poll_at(expected, 0, None);
        let mut script = begun(vec![(redirect, told), (Event::Continue, next)]);
        script[2].1 = poll_at(base, 0, None);
        check_at(base, script);
    }
}

#[test]
fn a_redirect_to_anything_but_a_host_is_refused() {
    for host in ["", "a/b", "a?b", "a#b", "u@a", "u:p@a", "https://a", "a b", "a\\b", ":80"] {
        let err = LoginError::BadRedirect { host: host.to_owned() };
        check(begun(vec![(redirected(host).0, failed(err))]));
    }
}

#[test]
fn what_is_unknown_counts_as_waiting() {
    for body in [json!({"status": "pondering"}), json!({"status": 7}), json!({})] {
        check(begun(vec![(status(body), PAUSE), (Event::Continue, poll(0))]));
    }
}

#[test]
fn passing_trouble_is_waited_out_longer_each_time() {
    let secs = Duration::from_secs;
    let missed = |after| Event::Status(Err(passing(after)));
    check(begun(vec![
        (missed(None), Step::Wait(secs(2))),
        (Event::Continue, poll(0)),
        (missed(None), Step::Wait(secs(4))),
        (Event::Continue, poll(0)),
        (missed(Some(secs(3))), Step::Wait(secs(3))),
        (Event::Continue, poll(0)),
        (is("wait"), PAUSE),
        (Event::Continue, poll(0)),
        (missed(None), Step::Wait(secs(2))),
    ]));
}

#[test]
fn lasting_trouble_ends_the_login() {
    let gone = || "gone".to_owned();
    check(begun(vec![(Event::Status(Err(lasting())), failed(LoginError::NoStatus(gone())))]));
    check(vec![
        (Event::Continue, Step::FetchQr),
        (Event::Qr(Err(lasting())), failed(LoginError::NoQr(gone()))),
    ]);
}

#[test]
fn a_code_is_fetched_a_limited_number_of_times() {
    check(vec![
        (Event::Continue, Step::FetchQr),
        (Event::Qr(Err(Trouble::TimedOut)), Step::Wait(Duration::from_secs(2))),
        (Event::Continue, Step::FetchQr),
        (Event::Qr(Err(passing(None))), failed(LoginError::NoQr("unplugged".to_owned()))),
    ]);
}

#[test]
fn a_code_without_text_or_id_is_no_code() {
    for body in [r#"{"qrcode":"q"}"#, r#"{"qrcode_img_content":"https://l"}"#, "{}"] {
        let code = QrCode::from_slice(body.as_bytes()).unwrap();
        let err = LoginError::NoQr("the answer is incomplete".to_owned());
        check(vec![(Event::Continue, Step::FetchQr), (Event::Qr(Ok(code)), failed(err))]);
    }
}

#[test]
fn the_person_can_give_up_at_any_time() {
    check(vec![(Event::Cancel, Step::Done(Outcome::Cancelled))]);
    check(begun(vec![(Event::Cancel, Step::Done(Outcome::Cancelled))]));
    check(begun(vec![
        (is("need_verifycode"), needs_code(false)),
        (Event::Cancel, Step::Done(Outcome::Cancelled)),
        (is("scaned"), Step::Done(Outcome::Cancelled)),
    ]));
}

#[test]
fn the_deadline_ends_every_state() {
    let deadline = options().deadline;
    for n in 0..4 {
        let mut login = Login::new(options(), url("https://qr.example"));
        for event in
            [Event::Continue, qr(0), Event::Continue, is("need_verifycode")].into_iter().take(n)
        {
            login.handle(event, Duration::ZERO);
        }
        assert_eq!(login.remaining(deadline), Duration::ZERO);
        let over = Step::Done(Outcome::TimedOut);
        assert_eq!(login.handle(Event::Continue, deadline), over, "after {n} events");
        assert_eq!(login.handle(is("confirmed"), deadline), over);
    }
}

#[test]
fn a_confirmation_in_the_last_moment_counts() {
    let mut login = Login::new(options(), url("https://qr.example"));
    for event in [Event::Continue, qr(0), Event::Continue] {
        login.handle(event, Duration::ZERO);
    }
    let late = login.handle(status(confirmed("")), options().deadline);
    assert_eq!(late, credentials("https://qr.example"));
}

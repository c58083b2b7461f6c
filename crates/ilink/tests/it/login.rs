//! A login against a backend.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ilink::Backoff;
use ilink::login::{Ending, LoginEvent, LoginOptions, Outcome, QrLogin};
use serde_json::json;

use crate::backend::{Answer, Backend, hasty};

fn quick() -> LoginOptions {
    let pause = Duration::from_millis(1);
    LoginOptions { pause, backoff: Backoff { min: pause, max: pause }, ..LoginOptions::default() }
}

/// A backend that shows one code and gives these statuses in turn.
async fn backend(statuses: &[&'static str]) -> Backend {
    let statuses = statuses.to_vec();
    let n = AtomicUsize::new(0);
    Backend::start(move |request| {
        if request.path().ends_with("get_bot_qrcode") {
            return Answer::Ok(r#"{"qrcode":"q","qrcode_img_content":"https://l"}"#.to_owned());
        }
        match statuses.get(n.fetch_add(1, Ordering::SeqCst)) {
            Some(&"silence") | None => Answer::Stall(Vec::new()),
            Some(&"edge") => Answer::Status(524, "<html>".to_owned()),
            Some(status) => Answer::Ok((*status).to_owned()),
        }
    })
    .await
}

fn qr_shown() -> LoginEvent {
    LoginEvent::QrShown { link: "https://l".to_owned(), qrcode: "q".into(), n_refresh: 0 }
}

#[tokio::test]
async fn a_login_with_all_detours_ends_with_credentials() {
    let backend = backend(&[
        "edge",
        "silence",
        r#"{"status":"wait"}"#,
        r#"{"status":"need_verifycode"}"#,
        r#"{"status":"need_verifycode"}"#,
        r#"{"status":"scaned"}"#,
        r#"{"status":"confirmed","bot_token":"canary","ilink_bot_id":"b@im.bot","baseurl":""}"#,
    ])
    .await;
    let mut login = QrLogin::new(&hasty(&backend.client()), Vec::new(), quick());

    let mut told = Vec::new();
    while let Some(event) = login.next().await {
        if event == (LoginEvent::VerifyCodeNeeded { wrong: false }) {
            login.enter("11");
        }
        if event == (LoginEvent::VerifyCodeNeeded { wrong: true }) {
            login.codes().send("22".into()).await.unwrap();
        }
        told.push(event);
    }

    let ending = Ending::Confirmed { bot_id: "b@im.bot".into() };
    let expected = [
        qr_shown(),
        LoginEvent::VerifyCodeNeeded { wrong: false },
        LoginEvent::VerifyCodeNeeded { wrong: true },
        LoginEvent::Scanned,
        LoginEvent::Done(ending),
    ];
    assert_eq!(told, expected);
    let polls: Vec<_> = backend.requests().into_iter().skip(1).map(|poll| poll.target).collect();
    let code = |n: usize| polls[n].split_once("&verify_code=").map(|(_, digits)| digits);
    assert_eq!([code(3), code(4), code(5), code(6)], [None, Some("11"), Some("22"), None]);
    let credentials = login.into_outcome().into_credentials().unwrap();
    assert_eq!(credentials.token.expose(), "canary");
    assert_eq!(credentials.base_url, backend.url);
}

#[tokio::test]
async fn a_redirect_goes_on_at_the_other_backend() {
    let there = backend(&[r#"{"status":"binded_redirect"}"#]).await;
    let host = there.url.authority().to_owned();
    let answer = json!({"status": "scaned_but_redirect", "redirect_host": host}).to_string();
    let here = backend(&[Box::leak(answer.into_boxed_str())]).await;

    let mut login = QrLogin::new(&here.client(), Vec::new(), quick());
    assert_eq!(login.next().await, Some(qr_shown()));
    assert_eq!(login.next().await, Some(LoginEvent::Redirected { host }));
    assert_eq!(login.next().await, Some(LoginEvent::Done(Ending::AlreadyBound)));
    assert_eq!(login.next().await, None);
    assert_eq!(login.into_outcome(), Outcome::AlreadyBound);
    assert!(there.only_request().target.ends_with("?qrcode=q"));
}

#[tokio::test]
async fn the_deadline_cuts_a_poll_that_is_held() {
    let backend = backend(&["silence"]).await;
    let options = LoginOptions { deadline: Duration::from_millis(100), ..quick() };
    let mut login = QrLogin::new(&backend.client(), Vec::new(), options);
    assert_eq!(login.next().await, Some(qr_shown()));
    assert_eq!(login.next().await, Some(LoginEvent::Done(Ending::TimedOut)));
}

#[tokio::test]
async fn a_dropped_call_loses_nothing() {
    let backend = backend(&["silence", r#"{"status":"scaned"}"#]).await;
    let mut login = QrLogin::new(&backend.client(), Vec::new(), quick());
    assert_eq!(login.next().await, Some(qr_shown()));
    let cut = tokio::time::timeout(Duration::from_millis(100), login.next()).await;
    assert!(cut.is_err());
    assert_eq!(login.next().await, Some(LoginEvent::Scanned));
    login.cancel();
    assert_eq!(login.next().await, Some(LoginEvent::Done(Ending::Cancelled)));
    assert_eq!(login.into_outcome(), Outcome::Cancelled);
}

#[tokio::test]
async fn digits_that_nobody_asked_for_are_forgotten() {
    let backend = backend(&[r#"{"status":"need_verifycode"}"#, r#"{"status":"scaned"}"#]).await;
    let mut login = QrLogin::new(&backend.client(), Vec::new(), quick());
    login.next().await;
    login.enter("early");
    assert_eq!(login.next().await, Some(LoginEvent::VerifyCodeNeeded { wrong: false }));
    login.enter("right");
    assert_eq!(login.next().await, Some(LoginEvent::Scanned));
    assert!(backend.requests()[2].target.ends_with("&verify_code=right"));
}

#[test]
fn events_are_written_for_programs() {
    let events = [
        qr_shown(),
        LoginEvent::Scanned,
        LoginEvent::VerifyCodeNeeded { wrong: true },
        LoginEvent::Done(Ending::Confirmed { bot_id: "b@im.bot".into() }),
        LoginEvent::Done(Ending::Failed { reason: "no QR code: gone".to_owned() }),
    ];
    let written = events.map(|event| serde_json::to_string(&event).unwrap());
    let expected = [
        r#"{"event":"qr_shown","link":"https://l","qrcode":"q","n_refresh":0}"#,
        r#"{"event":"scanned"}"#,
        r#"{"event":"verify_code_needed","wrong":true}"#,
        r#"{"event":"done","ending":"confirmed","bot_id":"b@im.bot"}"#,
        r#"{"event":"done","ending":"failed","reason":"no QR code: gone"}"#,
    ];
    assert_eq!(written, expected);
}

//! The whole login, from the first code to an account that polls.

use std::path::Path;
use std::time::Duration;

use backend::{Backend, Endpoint, Fault, Policy};
use ilink::Code;
use ilink::login::{LoginOptions, QrEnd};
use weixin::login::{Event, Failure, Flow, FlowOptions, Poller, Reason};
use weixin::{NameError, Settings};

use crate::accounts::http;
use crate::host::{PATIENCE, Scene, TestHost, log_in};

fn options(backend: &Backend) -> FlowOptions {
    let pause = Duration::from_millis(1);
    FlowOptions {
        base_url: Some(backend.url().parse().unwrap()),
        qr: LoginOptions { pause, ..LoginOptions::default() },
        ..FlowOptions::default()
    }
}

fn begin(dir: &Path, options: FlowOptions) -> Flow {
    Flow::begin(&Settings::new(dir), &http(), options).unwrap()
}

async fn next(flow: &mut Flow) -> Event {
    let next = tokio::time::timeout(PATIENCE, flow.next()).await;
    next.expect("nothing was told").expect("the flow has ended")
}

/// Goes on until a code is shown.
async fn code(flow: &mut Flow) -> String {
    loop {
        if let Event::Qr { url, .. } = next(flow).await {
            return url;
        }
    }
}

/// All that is told from here on.
async fn rest(flow: &mut Flow) -> Vec<Event> {
    let mut events = Vec::new();
    let all = async {
        while let Some(event) = flow.next().await {
            events.push(event);
        }
    };
    tokio::time::timeout(3 * PATIENCE, all).await.expect("the flow does not end");
    events
}

fn failed(events: &[Event]) -> &Failure {
    let Some(Event::Failed { failure }) = events.last() else { panic!("{events:?}") };
    failure
}

/// Demand 13: without a gateway the login itself polls once, loses nothing by
/// it, and succeeds only then.
#[tokio::test]
async fn a_login_ends_with_a_poll_that_loses_nothing() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    let alias = Some("work".to_owned());
    let mut flow = begin(dir.path(), FlowOptions { alias, ..options(&backend) });
    alice.confirm(&code(&mut flow).await).await;
    while !matches!(next(&mut flow).await, Event::Saved { .. }) {}
    // What comes before the first poll is not eaten by it.
    alice.says("early").await;
    let events = rest(&mut flow).await;
    let [Event::Checking { account, by: Poller::Login, .. }, Event::Polling { name, .. }] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!(name.as_deref(), Some("work"));
    let registry = Settings::new(dir.path()).registry();
    assert_eq!(registry.find("WORK").unwrap(), *account);
    assert_eq!(backend.requests_to(Endpoint::GetUpdates).len(), 1);

    let host = TestHost::start(dir.path()).await;
    assert_eq!(host.answers("heard").await.text, "early");
    assert_eq!(alice.hears().await, "heard");
}

/// Demand 13: beside a running channel the login waits until that one polls, and
/// the first message is answered without a restart.
#[tokio::test]
async fn a_login_beside_a_channel_waits_for_its_first_poll() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    let bob = scene.backend.user("bob").await;
    let mut flow = begin(scene.dir.path(), options(&scene.backend));
    bob.confirm(&code(&mut flow).await).await;
    let events = rest(&mut flow).await;
    let ended = events.last().unwrap();
    assert!(matches!(ended, Event::Polling { by: Poller::Channel, .. }), "{events:?}");
    bob.says("at once").await;
    assert_eq!(host.answers("yes").await.text, "at once");
    assert_eq!(bob.hears().await, "yes");
}

/// Demand 40: a new login ends whatever the older token had brought about.
#[tokio::test]
async fn a_login_mends_an_account_that_was_refused() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.backend.make_stale(&scene.bot.bot_id).await;
    crate::receiving::wait_until(&host, |status| status["state"] == "needs_login").await;
    let mut flow = begin(scene.dir.path(), options(&scene.backend));
    scene.alice.confirm(&code(&mut flow).await).await;
    let events = rest(&mut flow).await;
    assert!(matches!(events.last(), Some(Event::Polling { .. })), "{events:?}");
    scene.alice.says("well again?").await;
    host.answers("yes").await;
    assert_eq!(scene.alice.hears().await, "yes");
}

/// Demand 13: `binded_redirect` is believed only when an account here works, and
/// the login says which.
#[tokio::test]
async fn a_bot_that_is_here_already_is_checked() {
    let scene = Scene::new().await;
    let mut flow = begin(scene.dir.path(), options(&scene.backend));
    scene.alice.confirm(&code(&mut flow).await).await;
    let events = rest(&mut flow).await;
    let [Event::Scanned | Event::AlreadyBound, .., Event::Polling { account, .. }] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert!(events.contains(&Event::AlreadyBound));
    assert_eq!(*account, Settings::new(scene.dir.path()).registry().accounts().unwrap()[0]);

    // The same, but the token is refused: a lie is told apart, and --fresh helps.
    let mut flow = begin(scene.dir.path(), options(&scene.backend));
    scene.alice.confirm(&code(&mut flow).await).await;
    scene.backend.next_times(Endpoint::GetUpdates, 3, Fault::refuse(Code::STALE_TOKEN, "stale"));
    let events = rest(&mut flow).await;
    assert_eq!(failed(&events).code, Reason::BoundButDead, "{events:?}");
    let mut flow = begin(scene.dir.path(), FlowOptions { fresh: true, ..options(&scene.backend) });
    scene.alice.confirm(&code(&mut flow).await).await;
    let events = rest(&mut flow).await;
    assert!(events.iter().any(|event| matches!(event, Event::Saved { .. })), "{events:?}");
    assert!(matches!(events.last(), Some(Event::Polling { .. })));
}

/// Demand 13: a token that is refused right after the login is no success.
#[tokio::test]
async fn a_refused_token_is_no_success() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    let mut flow = begin(dir.path(), options(&backend));
    alice.confirm(&code(&mut flow).await).await;
    backend.next_times(Endpoint::GetUpdates, 3, Fault::refuse(Code::STALE_TOKEN, "stale"));
    let events = rest(&mut flow).await;
    assert_eq!(failed(&events).code, Reason::Refused);
}

/// Demand 13: the wait for the first poll is bounded.
#[tokio::test]
async fn an_account_that_does_not_poll_in_time_is_told() {
    let backend = Backend::start().await;
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    let patience = Duration::from_millis(50);
    let mut flow = begin(dir.path(), FlowOptions { patience, ..options(&backend) });
    alice.confirm(&code(&mut flow).await).await;
    let (fault, _gate) = Fault::hold_before();
    backend.next(Endpoint::GetUpdates, fault);
    let events = rest(&mut flow).await;
    assert_eq!(failed(&events).code, Reason::NotPolling);
}

/// Demand 30: right digits, wrong digits, too many, and a deadline.
#[tokio::test]
async fn digits_are_asked_for_checked_and_limited() {
    let policy = Policy { verify_tries: Some(2), ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let alice = backend.user("alice").await;
    let dir = tempfile::tempdir().unwrap();
    let mut flow = begin(dir.path(), options(&backend));
    alice.confirm(&code(&mut flow).await).await.unwrap();
    let asked = async |flow: &mut Flow| loop {
        if let Event::VerifyCodeNeeded { wrong } = next(flow).await {
            return wrong;
        }
    };
    assert!(!asked(&mut flow).await);
    flow.answer("wrong");
    assert!(asked(&mut flow).await);
    flow.answer("wrong again");
    // Demand 31: the next code comes by itself, and why is told.
    assert_eq!(next(&mut flow).await, Event::Refreshed { why: QrEnd::Blocked });
    let digits = alice.confirm(&code(&mut flow).await).await.unwrap();
    assert!(!asked(&mut flow).await);
    flow.codes().send(digits).await.unwrap();
    let events = rest(&mut flow).await;
    assert!(matches!(events.last(), Some(Event::Polling { .. })), "{events:?}");

    // Nobody answers: the deadline holds.
    let dir = tempfile::tempdir().unwrap();
    let bob = backend.user("bob").await;
    let mut hasty = options(&backend);
    hasty.qr.deadline = Duration::from_secs(1);
    let mut flow = begin(dir.path(), hasty);
    bob.confirm(&code(&mut flow).await).await.unwrap();
    assert!(!asked(&mut flow).await);
    assert_eq!(failed(&rest(&mut flow).await).code, Reason::TimedOut);
}

/// Demand 30: where nobody can be asked, that is what it says.
#[tokio::test]
async fn a_login_that_nobody_can_answer_gives_up() {
    let backend = Backend::start().await;
    let dir = tempfile::tempdir().unwrap();
    let mut flow = begin(dir.path(), options(&backend));
    code(&mut flow).await;
    flow.give_up(Reason::VerifyCodeUnavailable);
    assert_eq!(failed(&rest(&mut flow).await).code, Reason::VerifyCodeUnavailable);
}

/// Demands 14 and 31: a code that nobody scans brings advice once, and is
/// replaced, and the login ends when too many were.
#[tokio::test]
async fn an_unscanned_code_brings_advice_and_is_replaced() {
    let policy = Policy { qr_life: Duration::from_secs(1), ..Policy::open() };
    let backend = Backend::builder().policy(policy).start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut soon = options(&backend);
    soon.idle = Duration::from_millis(20);
    soon.qr.refreshes = 1;
    let mut flow = begin(dir.path(), soon);
    let events = rest(&mut flow).await;
    let kinds: Vec<_> = events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["qr", "idle", "refreshed", "qr", "idle", "failed"]);
    assert_eq!(failed(&events).code, Reason::Expired);
}

/// Demands 30 and 31: a page drives the same login from a task of its own.
#[test]
fn a_login_can_be_driven_from_anywhere() {
    fn travels<T: Send + 'static>() {}
    travels::<Flow>();
}

/// Demand 31: what each event looks like to a program.
#[test]
fn events_are_written_for_programs() {
    let qr = Event::Qr { url: "https://l".to_owned(), lives_secs: 120, n_refresh: 0 };
    let failure = Failure { code: Reason::NoQr, detail: Some("gone".to_owned()) };
    let saved = Event::Saved {
        account: "a-im-bot".into(),
        name: Some("work".to_owned()),
        name_taken: false,
        replaced: vec![],
    };
    let written: Vec<_> =
        [qr, Event::Refreshed { why: QrEnd::Expired }, saved, Event::Failed { failure }]
            .iter()
            .map(|event| serde_json::to_string(event).unwrap())
            .collect();
    let expected = [
        r#"{"event":"qr","url":"https://l","lives_secs":120,"n_refresh":0}"#,
        r#"{"event":"refreshed","why":"expired"}"#,
        r#"{"event":"saved","account":"a-im-bot","name":"work","replaced":[]}"#,
        r#"{"event":"failed","code":"no_qr","detail":"gone"}"#,
    ];
    assert_eq!(written, expected);
}

/// Demand 22: a name that another person's account has is told before any code
/// is shown, or taken over when it is the same person's.
#[tokio::test]
async fn a_name_is_taken_over_by_the_same_person_only() {
    let scene = Scene::new().await;
    let registry = Settings::new(scene.dir.path()).registry();
    let first = registry.accounts().unwrap().remove(0);
    registry.rename(&first, Some("work")).unwrap();
    let named =
        |fresh| FlowOptions { alias: Some("work".to_owned()), fresh, ..options(&scene.backend) };
    let mut flow = begin(scene.dir.path(), named(true));
    scene.alice.confirm(&code(&mut flow).await).await;
    let events = rest(&mut flow).await;
    assert!(matches!(events.last(), Some(Event::Polling { name: Some(_), .. })), "{events:?}");

    let bob = scene.backend.user("bob").await;
    let mut flow = begin(scene.dir.path(), named(true));
    bob.confirm(&code(&mut flow).await).await;
    let events = rest(&mut flow).await;
    let is_told =
        |event: &Event| matches!(event, Event::Saved { name: None, name_taken: true, .. });
    assert!(events.iter().any(is_told), "{events:?}");

    let id = registry.find("work").unwrap().to_string();
    let taken = FlowOptions { alias: Some(id), ..options(&scene.backend) };
    let refused = Flow::begin(&Settings::new(scene.dir.path()), &http(), taken);
    assert!(matches!(refused.err(), Some(NameError::Taken { .. })));
}

/// A second login of a bot keeps what another version wrote beside its token.
#[test]
fn a_login_keeps_the_fields_of_other_versions() {
    let dir = tempfile::tempdir().unwrap();
    let bound = |token: &str| backend::Credentials {
        bot_id: "b0f5@im.bot".into(),
        token: ilink::BotToken::new(token),
        base_url: "http://127.0.0.1:9".to_owned(),
        cdn_url: String::new(),
        user_id: "alice@im.wechat".into(),
    };
    log_in(dir.path(), &bound("t1"));
    let path = dir.path().join("accounts/b0f5-im-bot.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen('{', r#"{"theirs":1,"#, 1)).unwrap();
    log_in(dir.path(), &bound("t2"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("theirs") && text.contains("t2"), "{text}");
}

//! A host and a channel that do as they should.

use std::sync::Arc;
use std::time::Duration;

use contract::stdio::MAX_IN_FLIGHT;
use contract::{
    Alert, Channel as _, ChannelError, Content, HostError, LoginEvent, LoginRequest, Media,
    MediaKind, OutboxAction, Outgoing, SendClass, Sender, Signal, Target, TurnEnd, Verdict,
};
use futures_util::future::join_all;

use crate::post::{Desk, PATIENCE, Person, conversation, failure, inbound, line, reply, status};

#[tokio::test]
async fn a_channel_behind_a_pipe_answers_as_it_would_in_process() {
    let line = line().await;
    let remote = &line.remote;
    remote.start(Arc::new(Desk::default())).await.unwrap();
    remote.reply(&"t".into(), reply(0, "hello")).await.unwrap();
    remote.signal(&"t".into(), Signal::Working).await;
    remote.finish(&"t".into(), TurnEnd::Answered).await.unwrap();
    assert_eq!(remote.act(OutboxAction::Retry, &[4, 5]).await.unwrap(), 2);
    let target = Target { to: "ann".to_owned(), account: None };
    let named = remote.name_peer(&target, Some("Ann")).await.unwrap();
    assert_eq!(named, conversation("ann"));
    assert_eq!(remote.peer(&named).await.unwrap(), None);
    assert_eq!(remote.status().await.unwrap(), vec![status()]);
    let section = serde_json::json!({ "a": [1, "zwei"] });
    let warnings = remote.configure(section).await.unwrap();
    assert_eq!(warnings, [r#"unknown: {"a":[1,"zwei"]}"#]);
    let told = ["start", "reply t 0 hello", "signal t Working", "finish t Answered"];
    let more = ["act Retry [4, 5]", "name ann Some(\"Ann\")"];
    assert_eq!(line.post.notes.all(), [told.as_slice(), more.as_slice()].concat());
}

#[tokio::test]
async fn what_is_sent_arrives_with_every_field() {
    let line = line().await;
    let target = Target { to: "tom".to_owned(), account: Some("bot".to_owned()) };
    let media = Media::file(MediaKind::Image, "a.png".into(), "a.png");
    let ttl = Some(Duration::from_millis(1_500));
    let key = Some("k".to_owned());
    let outgoing =
        Outgoing { target, class: SendClass::Report, content: Content::Media(media), key, ttl };
    let sent = line.remote.send(outgoing.clone()).await;
    assert!(matches!(sent, Err(ChannelError::UnknownTarget(to)) if to == "tom"));
    assert_eq!(line.post.notes.all(), [format!("send {outgoing:?}")]);
}

#[tokio::test]
async fn errors_come_back_as_what_they_were() {
    let line = line().await;
    let remote = &line.remote;
    let closed = remote.reply(&"t".into(), reply(0, "closed")).await;
    assert!(matches!(closed, Err(ChannelError::NoSuchTurn(turn)) if turn.as_str() == "t"));
    let outbox = remote.outbox().await.unwrap_err().to_string();
    assert_eq!(outbox, "the channel cannot store: disk full");
    assert!(matches!(remote.probe().await, Err(ChannelError::Stopped)));
    let logout = remote.logout("bot").await.unwrap_err();
    assert!(matches!(logout, ChannelError::Unsupported(what) if what == "logout"));
}

#[tokio::test]
async fn a_call_that_panics_fails_alone() {
    let line = line().await;
    let remote = &line.remote;
    let failed = remote.reply(&"t".into(), reply(0, "panic")).await.unwrap_err();
    assert_eq!(failed.to_string(), "the channel failed: it failed; see its log (-32603)");
    remote.reply(&"t".into(), reply(0, "next")).await.unwrap();
}

#[tokio::test]
async fn a_channel_asks_its_host_and_hears_every_verdict() {
    let line = line().await;
    let desk = Arc::new(Desk::default());
    line.remote.start(desk.clone()).await.unwrap();
    let host = line.post.host();
    let sender = |peer: &str| {
        let conversation = conversation(peer);
        Sender { conversation, turn: "t".into(), is_owner: false }
    };
    assert_eq!(host.admit(sender("ann")).await.unwrap(), Verdict::Admit);
    let text = "who are you?".to_owned();
    assert_eq!(host.admit(sender("eve")).await.unwrap(), Verdict::Challenge { text });
    assert!(matches!(host.admit(sender("tom")).await, Err(HostError::Stopping)));
    host.changed(status());
    let alert = Alert { account: "bot".into(), code: "X1".to_owned(), text: String::new() };
    host.alert(alert);
    // Behind both in the pipe.
    host.receive(inbound("t1")).await.unwrap();
    let told = ["changed Degraded { reason: \"away\", since_ms: 5 }", "alert X1", "receive t1"];
    assert_eq!(desk.notes.all(), told);
}

#[tokio::test]
async fn a_login_is_shown_in_order_and_asks_for_digits() {
    let line = line().await;
    let remote = &line.remote;
    let person = Arc::new(Person { digits: Some("42".to_owned()), ..Person::default() });
    let name = Some("home".to_owned());
    let request = LoginRequest { name: name.clone(), ..LoginRequest::default() };
    let done = remote.login(request, person.clone()).await.unwrap();
    assert_eq!((done.account.as_str(), &done.name), ("bot", &name));
    let qr = LoginEvent::Qr { text: "scan".to_owned(), url: None, expires_in_secs: 120 };
    let polling = LoginEvent::Polling { account: "bot".into(), name };
    assert_eq!(*person.events.lock().unwrap(), [qr, LoginEvent::Scanned, polling]);

    let nobody = Arc::new(Person::default());
    let failed = remote.login(LoginRequest::default(), nobody).await.unwrap_err();
    assert!(matches!(failed, ChannelError::Login(why) if why == failure()));
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_dropped_at_the_other_end() {
    let line = line().await;
    let turn = "t".into();
    let call = line.remote.reply(&turn, reply(0, "hold"));
    tokio::select! {
        _ = call => panic!("it holds"),
        () = line.post.notes.next() => {}
    }
    line.post.notes.next().await;
    assert_eq!(line.post.notes.all(), ["reply t 0 hold", "dropped"]);
    line.remote.reply(&"t".into(), reply(0, "next")).await.unwrap();
}

#[tokio::test]
async fn what_is_over_the_bound_waits_and_is_not_lost() {
    let line = line().await;
    let turn = "t".into();
    let n = u32::try_from(MAX_IN_FLIGHT).unwrap() + 50;
    let calls = (0..n).map(|number| line.remote.reply(&turn, reply(number, "hold")));
    let release = async {
        for _ in 0..MAX_IN_FLIGHT {
            line.post.notes.next().await;
        }
        assert_eq!(line.post.notes.all().len(), MAX_IN_FLIGHT);
        loop {
            line.post.held.notify_waiters();
            tokio::task::yield_now().await;
        }
    };
    let all = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            all = join_all(calls) => all,
            () = release => unreachable!(),
        }
    });
    assert!(all.await.unwrap().into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(line.post.notes.all().len(), n as usize);
}

#[tokio::test(start_paused = true)]
async fn pings_get_through_while_all_room_is_taken() {
    let line = line().await;
    let turn = "t".into();
    let calls = (0..256).map(|number| line.remote.reply(&turn, reply(number, "hold")));
    let minute = tokio::time::sleep(Duration::from_secs(59));
    tokio::select! {
        _ = join_all(calls) => panic!("they hold"),
        reason = line.remote.gone() => panic!("{reason}"),
        () = minute => {}
    }
    line.remote.reply(&turn, reply(0, "next")).await.unwrap();
}

#[tokio::test]
async fn too_long_an_answer_is_an_error_and_not_the_end() {
    let line = line().await;
    let remote = &line.remote;
    let error = remote.metrics().await.unwrap_err().to_string();
    assert!(error.contains("bytes; a line has at most 4194304"), "{error}");
    let too_long = reply(0, &"x".repeat(5 * 1024 * 1024));
    let error = remote.reply(&"t".into(), too_long).await.unwrap_err().to_string();
    assert!(error.starts_with("the channel failed: `reply` has "), "{error}");
    remote.reply(&"t".into(), reply(0, &"x".repeat(4_000_000))).await.unwrap();
}

#[tokio::test]
async fn a_clean_stop_is_heard_and_then_the_pipe_closes() {
    let mut line = line().await;
    line.remote.stop(Duration::from_secs(3)).await;
    line.ended().await.unwrap();
    assert_eq!(line.post.notes.all(), ["stop 3s"]);
    let late = line.remote.status().await.unwrap_err();
    assert!(matches!(late, ChannelError::Gone(why) if why == "the channel has been stopped"));
}

#[tokio::test]
async fn a_host_that_goes_without_a_word_stops_the_channel() {
    let mut line = line().await;
    line.remote.close("it was only a test");
    let served = line.ended().await;
    assert_eq!(served.unwrap_err().to_string(), "the host has gone: it has closed the pipe");
    assert_eq!(line.post.notes.all(), ["stop 3s"]);
}

//! From the host to the phone.

use backend::{Endpoint, Fault};
use contract::{
    Channel as _, ChannelError, Content, Delivery, Media, MediaKind, Reply, ReplyClass, Signal,
    ToolOutcome,
};
use ilink::Code;
use serde_json::{Value, json};
use weixin::governor::Limits;

use crate::host::{Scene, TestHost};
use crate::receiving::wait_until;

/// Demand 17: the phone shows it once.
#[tokio::test]
async fn a_lost_answer_does_not_double_the_reply() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.backend.next(Endpoint::SendMessage, Fault::DropAnswer);

    scene.alice.says("hello").await;
    host.answers("once").await;
    wait_until(&host, |status| status["outbox"] == 0).await;

    assert_eq!(scene.texts().await, ["hello", "once"]);
    let sends = scene.backend.requests_to(Endpoint::SendMessage);
    assert_eq!(sends.len(), 2, "tried twice");
    assert_eq!(msg(&sends[0])["client_id"], msg(&sends[1])["client_id"]);
}

#[tokio::test]
async fn a_request_that_never_arrived_is_sent_again() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.backend.next(Endpoint::SendMessage, Fault::DropRequest);
    scene.alice.says("hello").await;
    host.answers("arrives").await;
    assert_eq!(scene.alice.hears().await, "arrives");
}

/// Demand 36: one queue for each conversation.
#[tokio::test]
async fn replies_leave_in_order_whatever_happens_to_the_first() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.backend.next(Endpoint::SendMessage, Fault::BadGateway);

    scene.alice.says("count").await;
    let inbound = host.hears().await;
    for number in 0..5 {
        host.replies(&inbound.turn, number, &format!("{number}")).await;
    }
    host.finishes(&inbound.turn).await;

    for number in 0..5 {
        assert_eq!(scene.alice.hears().await, format!("{number}"));
    }
}

#[tokio::test]
async fn a_refused_reply_is_given_up_with_its_reason_and_blocks_nothing() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.backend.next(Endpoint::SendMessage, Fault::refuse(Code::WRONG_PEER, "wrong user"));

    scene.alice.says("hello").await;
    let inbound = host.hears().await;
    host.replies(&inbound.turn, 0, "refused").await;
    host.replies(&inbound.turn, 1, "accepted").await;
    host.finishes(&inbound.turn).await;

    assert_eq!(scene.alice.hears().await, "accepted");
    wait_until(&host, |status| status["outbox"] == 0).await;
    let outbox = host.channel.outbox().await.unwrap();
    let given_up: Vec<_> = outbox.iter().map(|entry| (&*entry.excerpt, &entry.delivery)).collect();
    assert!(
        matches!(given_up[..], [("refused", Delivery::Failed { code, .. })] if code == "W208"),
        "{given_up:?}"
    );
}

#[tokio::test]
async fn pictures_and_files_arrive_as_they_were() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    let bytes: Vec<u8> = (0..200_000u32).map(|n| (n * 31 % 251) as u8).collect();
    let path = scene.dir.path().join("original.bin");
    std::fs::write(&path, &bytes).unwrap();

    scene.alice.says("send them").await;
    let inbound = host.hears().await;
    for (number, kind) in [(0, MediaKind::Image), (1, MediaKind::File)] {
        let media = Media::file(kind, path.clone(), "报告 1.bin");
        host.channel
            .reply(
                &inbound.turn,
                Reply { number, class: ReplyClass::Answer, content: Content::Media(media) },
            )
            .await
            .unwrap();
    }
    // The channel has its own copy from here on.
    std::fs::remove_file(&path).unwrap();
    host.finishes(&inbound.turn).await;
    wait_until(&host, |status| status["outbox"] == 0).await;

    let seen = scene.alice.sees_from_bots(2).await;
    for message in &seen {
        assert_eq!(message.media().unwrap().bytes().await, bytes, "changed on the way");
    }
    assert_eq!(seen[1].media().unwrap().name, "报告 1.bin");
    let left: Vec<_> = std::fs::read_dir(scene.dir.path().join("outbox")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Demand 28: told to who can do something about it.
#[tokio::test]
async fn a_file_that_is_not_there_is_refused_at_once() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("send it").await;
    let inbound = host.hears().await;
    let path = scene.dir.path().join("missing");
    let media = Media::file(MediaKind::File, path, "missing");
    let refused = host
        .channel
        .reply(
            &inbound.turn,
            Reply { number: 0, class: ReplyClass::Answer, content: Content::Media(media) },
        )
        .await;
    assert!(matches!(refused, Err(ChannelError::Media { .. })), "{refused:?}");
}

#[tokio::test]
async fn tools_are_told_in_order_between_replies_with_the_turns_run_id() {
    let scene = Scene::new().await;
    let host = TestHost::start_with(scene.dir.path(), |settings| {
        settings.sending.limits = Limits::open();
    })
    .await;
    scene.alice.says("use a tool").await;
    let inbound = host.hears().await;
    let (tool, call_id) = ("search".to_owned(), "c1".to_owned());
    let begun = Signal::ToolStarted { tool: tool.clone(), call_id: call_id.clone() };
    host.channel.signal(&inbound.turn, begun).await;
    let ended = Signal::ToolEnded { tool, call_id, outcome: ToolOutcome::Completed };
    host.channel.signal(&inbound.turn, ended).await;
    host.replies(&inbound.turn, 0, "found").await;
    host.finishes(&inbound.turn).await;
    wait_until(&host, |status| status["outbox"] == 0).await;

    let sends = scene.backend.requests_to(Endpoint::SendMessage);
    let kinds: Vec<_> =
        sends.iter().map(|send| msg(send)["item_list"][0]["type"].clone()).collect();
    assert_eq!(kinds, [json!(11), json!(12), json!(1)]);
    let runs: Vec<_> = sends.iter().map(|send| msg(send)["run_id"].clone()).collect();
    assert!(runs[0].is_string() && runs.iter().all(|run| *run == runs[0]), "{runs:?}");
}

#[tokio::test]
async fn a_turn_that_has_ended_takes_no_more_replies() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("hello").await;
    let inbound = host.answers("done").await;
    let content = Content::Text("late".to_owned());
    let late = host
        .channel
        .reply(&inbound.turn, Reply { number: 1, class: ReplyClass::Answer, content })
        .await;
    assert!(matches!(late, Err(ChannelError::NoSuchTurn(_))), "{late:?}");
}

fn msg(request: &backend::Request) -> Value {
    request.json()["msg"].clone()
}

//! In order within a conversation, side by side across.

use std::sync::Arc;
use std::time::Duration;

use contract::{HostError, TurnEnd};
use futures_util::FutureExt;
use gateway::{AgentError, Config};

use crate::agent::{Gated, does};
use crate::channel::{Said, TestChannel, config, start, start_with, text};

#[tokio::test]
async fn messages_of_one_conversation_are_answered_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let gateway = start(dir.path(), &channel, Arc::new(agent.clone())).await;

    let first = channel.says("ann", "first").await;
    let second = channel.says("ann", "second").await;
    agent.open("second");
    channel.reply(&first, 0).await;
    assert_eq!(channel.replies_to(&second), [], "the second began before the first had ended");

    agent.open("first");
    assert_eq!(channel.answer_to(&first).await, [text("begun"), text("first")]);
    assert_eq!(channel.answer_to(&second).await, [text("begun"), text("second")]);
    gateway.stop(Duration::from_secs(5)).await;
    assert_eq!(gateway.n_busy(), 0, "an idle lane stayed open");
}

#[tokio::test]
async fn one_slow_answer_delays_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let _gateway = start(dir.path(), &channel, Arc::new(agent.clone())).await;

    let slow = channel.says("ann", "slow").await;
    channel.reply(&slow, 0).await;
    agent.open("quick");
    let quick = channel.says("bob", "quick").await;

    assert_eq!(channel.answer_to(&quick).await, [text("begun"), text("quick")]);
    assert!(!channel.has_ended(&slow));
}

#[tokio::test]
async fn stop_overtakes_the_lane_and_those_behind_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let _gateway = start(dir.path(), &channel, Arc::new(agent.clone())).await;

    let stuck = channel.says("ann", "stuck").await;
    channel.reply(&stuck, 0).await;
    let next = channel.says("ann", "next").await;
    let stop = channel.says("ann", "/stop").await;

    assert_eq!(channel.answer_to(&stop).await, [text("Stopped.")]);
    assert_eq!(channel.answer_to(&stuck).await, [text("begun")]);
    let stopped = TurnEnd::Stopped;
    assert_eq!(channel.end_of(&stuck).await, stopped);
    agent.open("next");
    assert_eq!(channel.answer_to(&next).await, [text("begun"), text("next")]);
}

#[tokio::test]
async fn stop_reaches_only_the_own_conversation() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let _gateway = start(dir.path(), &channel, Arc::new(agent.clone())).await;

    let hers = channel.says("ann", "hers").await;
    channel.reply(&hers, 0).await;
    let stop = channel.says("bob", "/stop").await;

    assert_eq!(channel.answer_to(&stop).await, [text("Nothing is running.")]);
    agent.open("hers");
    assert_eq!(channel.end_of(&hers).await, TurnEnd::Answered);
}

#[tokio::test]
async fn status_tells_what_runs_and_what_waits() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let _gateway = start(dir.path(), &channel, Arc::new(agent.clone())).await;

    let stuck = channel.says("ann", "stuck").await;
    channel.reply(&stuck, 0).await;
    channel.says("ann", "next").await;
    let status = channel.says("ann", "/status").await;

    let answer = channel.answer_to(&status).await;
    let [Said::Text(said)] = answer.as_slice() else {
        panic!("{answer:?}");
    };
    // How long it has been running depends on the machine.
    let (running, waiting) = said.split_once(" s, ").unwrap();
    assert!(running.starts_with("Working for "), "{said}");
    let expected = "1 more waiting (/stop stops it)\nAgent: main\nSession age: 0 min\n\
                    Turns I remember: 1 (/new starts afresh)";
    assert_eq!(waiting, expected);
}

#[tokio::test]
async fn a_full_lane_makes_its_channel_wait() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let config = Config { lane_depth: 2, ..config(dir.path(), Arc::new(agent.clone())) };
    let _gateway = start_with(config, &channel).await;

    let running = channel.says("ann", "1").await;
    channel.reply(&running, 0).await;
    channel.says("ann", "2").await;
    channel.says("ann", "3").await;
    let mut too_much = channel.says("ann", "4").boxed();
    assert!((&mut too_much).now_or_never().is_none(), "a full lane took more");
    // Others have lanes of their own.
    channel.says("bob", "5").await;

    agent.open("1");
    let taken = too_much.await;
    for n in ["2", "3", "4"] {
        agent.open(n);
    }
    assert_eq!(channel.answer_to(&taken).await, [text("begun"), text("4")]);
}

#[tokio::test]
async fn a_panicking_agent_costs_only_its_own_turn() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = does(|turn, replies| {
        assert!(turn.inbound.text != "bad at once", "asked to");
        async move {
            assert!(turn.inbound.text != "bad", "asked to");
            replies.text("fine").await
        }
    });
    let _gateway = start(dir.path(), &channel, agent).await;

    let failed = TurnEnd::Failed { reason: "the agent panicked".to_owned() };
    for bad in ["bad", "bad at once"] {
        let turn = channel.says("ann", bad).await;
        let notice = [text("Something went wrong. Please try again.")];
        assert_eq!(channel.answer_to(&turn).await, notice);
        assert_eq!(channel.end_of(&turn).await, failed);
    }
    let good = channel.says("ann", "good").await;
    assert_eq!(channel.answer_to(&good).await, [text("fine")]);
}

#[tokio::test]
async fn a_stopped_gateway_takes_nothing_and_leaves_what_waited_with_its_channel() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let gateway = start(dir.path(), &channel, Arc::new(agent.clone())).await;

    let running = channel.says("ann", "running").await;
    channel.reply(&running, 0).await;
    let waiting = channel.says("ann", "waiting").await;
    let mut stopping = gateway.stop(Duration::from_secs(20)).boxed();
    assert!((&mut stopping).now_or_never().is_none(), "a running turn was not waited for");
    let late = channel.try_says("ann", "late").await;
    assert!(matches!(late, Err(HostError::Stopping)), "{late:?}");
    agent.open("running");
    agent.open("waiting");
    stopping.await;

    assert_eq!(channel.end_of(&running).await, TurnEnd::Answered);
    assert!(!channel.has_ended(&waiting), "a turn began while the gateway stopped");
    assert_eq!(channel.n_stops(), 1);

    let _again = start(dir.path(), &channel, Arc::new(agent.clone())).await;
    assert_eq!(channel.answer_to(&waiting).await, [text("begun"), text("waiting")]);
}

#[tokio::test]
async fn a_turn_that_takes_too_long_is_ended_with_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = does(|_, _| std::future::pending::<Result<(), AgentError>>());
    let turn_timeout = Duration::from_millis(20);
    let config = Config { turn_timeout, ..config(dir.path(), agent) };
    let _gateway = start_with(config, &channel).await;

    let turn = channel.says("ann", "怎么样？").await;
    let notice = text("这一轮花的时间太长，我先停下了。请再试一次。");
    assert_eq!(channel.answer_to(&turn).await, [notice]);
    let reason = "the agent took longer than 0.02 s".to_owned();
    assert_eq!(channel.end_of(&turn).await, TurnEnd::Failed { reason });
}

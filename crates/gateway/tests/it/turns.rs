//! What becomes of a turn, whatever happens to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use contract::{Channel, ChannelError, Media, MediaKind, TurnEnd};
use gateway::{AgentError, Gateway, GatewayError, HistoryLimit};
use tokio::runtime::Runtime;

use crate::agent::{Gated, does};
use crate::channel::{TestChannel, config, start, text};

const ALL: HistoryLimit = HistoryLimit { entries: 100, chars: 10_000 };

#[tokio::test]
async fn a_turn_that_is_cut_is_handed_over_again_and_answers_once() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let gateway = start(dir.path(), &channel, Arc::new(agent.clone())).await;
    let turn = channel.says("ann", "hi").await;
    channel.reply(&turn, 0).await;

    gateway.stop(Duration::ZERO).await;
    assert!(!channel.has_ended(&turn), "a cut turn was finished");

    agent.open("hi");
    let _gateway = start(dir.path(), &channel, Arc::new(agent)).await;
    assert_eq!(channel.answer_to(&turn).await, [text("begun"), text("hi")]);
}

#[test]
fn a_turn_that_dies_with_its_process_says_the_same_words_again_and_is_recorded_once() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let n_runs = Arc::new(AtomicU32::new(0));
    let runs = Arc::clone(&n_runs);
    // Says something else in each run, and never ends the first one.
    let agent = does(move |turn, replies| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        async move {
            if turn.inbound.text == "what was said?" {
                let said = turn.history(ALL).await?;
                let said: Vec<String> = said.into_iter().map(|entry| entry.text).collect();
                return replies.text(said.join(" | ")).await;
            }
            let n_before = turn.history(ALL).await?.len();
            replies.text(format!("run {run}")).await?;
            match run {
                0 => std::future::pending().await,
                _ => replies.text(format!("{n_before} before")).await,
            }
        }
    });

    let crashed = Runtime::new().unwrap();
    let turn = crashed.block_on(async {
        // Forgotten, as a process that dies forgets it.
        std::mem::forget(start(dir.path(), &channel, agent.clone()).await);
        let turn = channel.says("ann", "hi").await;
        channel.reply(&turn, 0).await;
        turn
    });
    crashed.shutdown_background();

    Runtime::new().unwrap().block_on(async {
        let gateway = start(dir.path(), &channel, agent).await;
        assert_eq!(channel.answer_to(&turn).await, [text("run 0"), text("0 before")]);
        let recall = channel.says("ann", "what was said?").await;
        assert_eq!(channel.answer_to(&recall).await, [text("hi | run 0 | 0 before")]);
        gateway.stop(Duration::from_secs(5)).await;
    });
    assert_eq!(n_runs.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_failed_turn_gives_one_notice_behind_what_was_said_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = does(|_, replies| async move {
        replies.text("so far").await?;
        Err(AgentError::Failed("it broke".to_owned()))
    });
    let _gateway = start(dir.path(), &channel, agent).await;

    let turn = channel.says("ann", "你好吗").await;
    let notice = "出了点问题，这条消息没能回答。请再试一次。";
    assert_eq!(channel.answer_to(&turn).await, [text("so far"), text(notice)]);
    let reason = "the agent failed: it broke".to_owned();
    assert_eq!(channel.end_of(&turn).await, TurnEnd::Failed { reason });
}

#[tokio::test]
async fn a_file_that_cannot_be_sent_is_told_and_a_channel_that_stores_nothing_keeps_the_turn() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = does(|_, replies| async move {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into();
        replies.media(Media::file(MediaKind::File, path, "a.toml")).await
    });
    let gateway = start(dir.path(), &channel, agent.clone()).await;

    let reason = "gone".to_owned();
    channel.refuses_next(ChannelError::Media { path: "a.toml".to_owned(), reason });
    let told = channel.says("ann", "1").await;
    assert_eq!(channel.answer_to(&told).await, [text("A file could not be sent.")]);

    channel.refuses_next(ChannelError::Storage("disk full".into()));
    let kept = channel.says("ann", "2").await;
    channel.has_refused().await;
    gateway.stop(Duration::from_secs(5)).await;
    assert!(!channel.has_ended(&kept));

    let _again = start(dir.path(), &channel, agent).await;
    assert_eq!(channel.answer_to(&kept).await.len(), 1);
}

#[tokio::test]
async fn history_is_the_answered_turns_of_the_own_session_since_new() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = does(|turn, replies| async move {
        if turn.inbound.text == "fail" {
            return Err(AgentError::Failed("asked to".to_owned()));
        }
        let history = turn.history(ALL).await?;
        let said: Vec<String> = history.into_iter().map(|entry| entry.text).collect();
        replies.text(format!("[{}]", said.join(" "))).await
    });
    let _gateway = start(dir.path(), &channel, agent).await;
    let ask = async |peer: &str, words: &str| {
        let turn = channel.says(peer, words).await;
        channel.answer_to(&turn).await
    };

    assert_eq!(ask("ann", "a").await, [text("[]")]);
    ask("ann", "fail").await;
    assert_eq!(ask("ann", "b").await, [text("[a []]")]);
    assert_eq!(ask("bob", "c").await, [text("[]")]);
    assert_eq!(ask("ann", "/new").await, [text("A fresh start. What shall we talk about?")]);
    assert_eq!(ask("ann", "d").await, [text("[]")]);
    ask("ann", "/reset").await;
    assert_eq!(ask("ann", "f").await, [text("[]")]);
    assert_eq!(ask("bob", "e").await, [text("[c []]")]);
}

#[tokio::test]
async fn words_that_were_recorded_are_said_even_if_a_later_run_finds_others() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let n_runs = AtomicU32::new(0);
    let agent = does(move |_, replies| {
        let run = n_runs.fetch_add(1, Ordering::Relaxed);
        async move { replies.text(format!("run {run}")).await }
    });
    let gateway = start(dir.path(), &channel, agent.clone()).await;
    channel.refuses_next(ChannelError::Storage("disk full".into()));
    let turn = channel.says("ann", "hi").await;
    channel.has_refused().await;
    gateway.stop(Duration::from_secs(20)).await;

    let _again = start(dir.path(), &channel, agent).await;
    assert_eq!(channel.answer_to(&turn).await, [text("run 0")]);
}

#[tokio::test]
async fn a_fresh_start_that_is_handed_over_again_forgets_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = does(|turn, replies| async move {
        let n_before = turn.history(ALL).await?.len();
        replies.text(n_before.to_string()).await
    });
    let gateway = start(dir.path(), &channel, agent.clone()).await;
    channel.refuses_next(ChannelError::Storage("disk full".into()));
    let fresh = channel.says("ann", "/new").await;
    channel.has_refused().await;
    let first = channel.says("ann", "a").await;
    assert_eq!(channel.answer_to(&first).await, [text("0")]);
    gateway.stop(Duration::from_secs(20)).await;

    let _again = start(dir.path(), &channel, agent).await;
    channel.end_of(&fresh).await;
    let second = channel.says("ann", "b").await;
    assert_eq!(channel.answer_to(&second).await, [text("2")]);
}

#[tokio::test]
async fn where_a_message_shows_no_language_the_one_before_does() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = does(|turn, replies| async move {
        match turn.inbound.text.as_str() {
            "👍" => Err(AgentError::Failed("asked to".to_owned())),
            text => replies.text(text).await,
        }
    });
    let _gateway = start(dir.path(), &channel, agent).await;
    let ask = async |words: &str| {
        let turn = channel.says("ann", words).await;
        channel.answer_to(&turn).await
    };

    assert_eq!(ask("/stop").await, [text("Nothing is running.")]);
    ask("早").await;
    assert_eq!(ask("👍").await, [text("出了点问题，这条消息没能回答。请再试一次。")]);
    assert_eq!(ask("/stop").await, [text("现在没有正在处理的消息。")]);
    assert_eq!(ask("/new").await, [text("好，我们重新开始。")]);
    assert_eq!(
        ask("/status").await,
        [text("空闲\n助手：main\n对话开始于 0 分钟前\n记得的对话：0 轮（/new 重新开始）")]
    );
    ask("good morning").await;
    assert_eq!(ask("/new").await, [text("A fresh start. What shall we talk about?")]);
}

#[tokio::test]
async fn a_channel_that_does_not_start_stops_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let good = TestChannel::new();
    let bad = TestChannel::new();
    bad.will_not_start(ChannelError::Locked("by another".to_owned()));
    let channels: Vec<Arc<dyn Channel>> = vec![Arc::clone(&good) as _, Arc::clone(&bad) as _];

    let config = config(dir.path(), Arc::new(Gated::default()));
    let outcome = Gateway::start(config, channels).await;

    let source = outcome.err().unwrap();
    assert!(
        matches!(&source, GatewayError::Channel { source: ChannelError::Locked(_), .. }),
        "{source:?}"
    );
    assert_eq!(good.n_stops(), 1);
}

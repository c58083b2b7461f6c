//! What overtakes a conversation.

use std::sync::Arc;

use contract::TurnEnd;
use gateway::Config;

use crate::agent::Gated;
use crate::channel::{Said, TestChannel, config, start, start_with, text};

fn only_text(answer: &[Said]) -> &str {
    let [Said::Text(said)] = answer else {
        panic!("{answer:?}");
    };
    said
}

/// Demand 4: help comes while a turn hangs, in the language of who asks.
#[tokio::test]
async fn help_is_given_beside_a_turn_that_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let _gateway = start(dir.path(), &channel, Arc::new(agent)).await;
    for (peer, words, begins_with) in
        [("ann", "think", "You can send:\n/stop "), ("bob", "想一想", "可以发送：\n/stop ")]
    {
        let stuck = channel.says(peer, words).await;
        channel.reply(&stuck, 0).await;
        let help = channel.says_aside(peer, "/help").await;
        let answer = channel.answer_to(&help).await;
        let said = only_text(&answer);
        assert!(said.starts_with(begins_with), "{said}");
        for command in ["/status", "/more", "/new", "/help"] {
            assert!(said.contains(command), "{command} in {said}");
        }
        assert!(!channel.has_ended(&stuck));
    }
}

/// Demand 4: nobody should have to know that a command begins with a slash.
#[tokio::test]
async fn plain_words_stop_what_runs() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let _gateway = start(dir.path(), &channel, Arc::new(agent.clone())).await;
    for word in ["停止", "停", "取消", "/stop please"] {
        let stuck = channel.says("ann", &format!("task before {word}")).await;
        channel.reply(&stuck, 0).await;
        let stop = channel.says_aside("ann", word).await;
        let expected = if word.starts_with('/') { "Stopped." } else { "已停止。" };
        assert_eq!(channel.answer_to(&stop).await, [text(expected)]);
        assert_eq!(channel.end_of(&stuck).await, TurnEnd::Stopped);
    }
    // Where the channel does not let it overtake, it is meant for the agent.
    agent.open("停");
    let words = channel.says("ann", "停").await;
    assert_eq!(channel.answer_to(&words).await, [text("begun"), text("停")]);
}

/// Demand 5: what was kept back comes by itself, so there is nothing to add.
#[tokio::test]
async fn a_word_that_asks_for_more_gets_none_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, Arc::new(Gated::default())).await;
    let stuck = channel.says("ann", "think").await;
    channel.reply(&stuck, 0).await;
    let more = channel.says_aside("ann", "/more").await;
    assert_eq!(channel.answer_to(&more).await, []);
    assert_eq!(channel.end_of(&more).await, TurnEnd::Answered);
}

/// Demand 4: a word that only the agent may know has its turn like any other,
/// and never holds up a stop behind it.
#[tokio::test]
async fn a_word_for_the_agent_has_its_turn_and_a_full_lane_holds_up_no_stop() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let config = Config { lane_depth: 1, ..config(dir.path(), Arc::new(agent.clone())) };
    let _gateway = start_with(config, &channel).await;
    let stuck = channel.says("ann", "think").await;
    channel.reply(&stuck, 0).await;

    let waits = channel.says_aside("ann", "/think fast").await;
    let too_many = channel.says_aside("ann", "/think slow").await;
    let busy = "The agent is busy right now. Please try again in a while.";
    assert_eq!(channel.answer_to(&too_many).await, [text(busy)]);
    assert!(!channel.has_ended(&waits));
    let stop = channel.says_aside("ann", "/stop").await;
    assert_eq!(channel.answer_to(&stop).await, [text("Stopped.")]);
    agent.open("/think fast");
    assert_eq!(channel.answer_to(&waits).await, [text("begun"), text("/think fast")]);
}

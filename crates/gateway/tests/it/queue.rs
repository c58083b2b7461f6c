//! What becomes of messages that come while a turn runs.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::{Inbound, TurnEnd, TurnId};
use futures_util::future::{BoxFuture, join_all};
use gateway::{
    Agent, AgentError, DropPolicy, Gateway, QueueMode, QueueSettings, Replies, Rules, Turn,
};
use tokio::runtime::Runtime;

use crate::agent::{Gated, does};
use crate::channel::{TestChannel, config, start_with, text};

fn queue(mode: QueueMode) -> QueueSettings {
    QueueSettings { mode, debounce: Duration::ZERO, ..QueueSettings::default() }
}

async fn begin(
    dir: &Path,
    channel: &Arc<TestChannel>,
    agent: &Gated,
    queue: QueueSettings,
) -> Gateway {
    let mut config = config(dir, Arc::new(agent.clone()));
    config.rules.queue = queue;
    start_with(config, channel).await
}

/// Says these while the first runs, and returns their turns.
async fn say_all(channel: &TestChannel, texts: &[&str]) -> Vec<TurnId> {
    let mut turns = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        turns.push(channel.says("ann", text).await);
        if at == 0 {
            channel.reply(&turns[0], 0).await;
        }
    }
    turns
}

/// Demand 47: what was said meanwhile is answered together, once.
#[tokio::test]
async fn what_waits_is_collected_into_one_turn_and_every_turn_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (channel, agent) = (TestChannel::new(), Gated::default());
    let _gateway = begin(dir.path(), &channel, &agent, queue(QueueMode::Collect)).await;
    let turns = say_all(&channel, &["a", "b", "c", "d"]).await;
    agent.open("a");
    channel.reply(&turns[1], 0).await;
    assert!(turns[1..].iter().all(|turn| !channel.has_ended(turn)), "ended before the answer");

    agent.open("b\nc\nd");
    assert_eq!(channel.answer_to(&turns[1]).await, [text("begun"), text("b\nc\nd")]);
    for absorbed in &turns[2..] {
        assert_eq!(channel.answer_to(absorbed).await, []);
        assert_eq!(channel.end_of(absorbed).await, TurnEnd::Answered);
    }
}

#[tokio::test]
async fn a_joint_turn_waits_until_it_is_quiet_and_an_idle_session_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (channel, agent) = (TestChannel::new(), Gated::default());
    let settings =
        QueueSettings { debounce: Duration::from_secs(3600), ..queue(QueueMode::Collect) };
    let gateway = begin(dir.path(), &channel, &agent, settings).await;
    // Begins though nothing has been quiet for an hour.
    let turns = say_all(&channel, &["a", "b"]).await;
    agent.open("a");
    channel.end_of(&turns[0]).await;
    let status = channel.says("ann", "/status").await;
    channel.end_of(&status).await;
    assert_eq!(channel.replies_to(&turns[1]), []);
    gateway.stop(Duration::ZERO).await;
    assert!(!channel.has_ended(&turns[1]));
}

/// A crash while the joint turn runs: it is answered once, under the same turn.
#[test]
fn a_joint_turn_that_dies_with_its_process_answers_once_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent = Gated::default();
    let crashed = Runtime::new().unwrap();
    let turns = crashed.block_on(async {
        std::mem::forget(begin(dir.path(), &channel, &agent, queue(QueueMode::Collect)).await);
        let turns = say_all(&channel, &["a", "b", "c"]).await;
        agent.open("a");
        channel.end_of(&turns[0]).await;
        channel.reply(&turns[1], 0).await;
        turns
    });
    crashed.shutdown_background();

    Runtime::new().unwrap().block_on(async {
        // Whatever the settings are now.
        let _gateway = begin(dir.path(), &channel, &agent, queue(QueueMode::Followup)).await;
        agent.open("b\nc");
        assert_eq!(channel.answer_to(&turns[1]).await, [text("begun"), text("b\nc")]);
        assert_eq!(channel.answer_to(&turns[2]).await, []);
        assert_eq!(channel.end_of(&turns[2]).await, TurnEnd::Answered);
    });
}

/// A crash between the end of the joint turn and the end of all its turns.
#[tokio::test]
async fn a_turn_whose_joint_turn_had_ended_is_finished_without_a_word() {
    for unfinished in [1, 2] {
        let dir = tempfile::tempdir().unwrap();
        let (channel, agent) = (TestChannel::new(), Gated::default());
        let gateway = begin(dir.path(), &channel, &agent, queue(QueueMode::Collect)).await;
        let turns = say_all(&channel, &["a", "b", "c"]).await;
        channel.will_not_finish(&turns[unfinished]);
        agent.open("a");
        agent.open("b\nc");
        channel.has_not_finished(&turns[unfinished]).await;
        gateway.stop(Duration::from_secs(5)).await;
        assert!(!channel.has_ended(&turns[unfinished]));

        let silent = does(|_, _| async { Err(AgentError::Failed("asked again".to_owned())) });
        let _gateway = start_with(config(dir.path(), silent), &channel).await;
        assert_eq!(channel.end_of(&turns[unfinished]).await, TurnEnd::Answered);
        assert_eq!(channel.replies_to(&turns[1]), [text("begun"), text("b\nc")]);
        assert_eq!(channel.replies_to(&turns[2]), []);
    }
}

/// A crash before the joint turn was made.
#[tokio::test]
async fn what_only_waited_is_answered_one_by_one_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (channel, agent) = (TestChannel::new(), Gated::default());
    let gateway = begin(dir.path(), &channel, &agent, queue(QueueMode::Collect)).await;
    let turns = say_all(&channel, &["a", "b", "c"]).await;
    gateway.stop(Duration::ZERO).await;
    let _gateway = begin(dir.path(), &channel, &agent, queue(QueueMode::Collect)).await;
    for (turn, said) in turns.iter().zip(["a", "b", "c"]) {
        agent.open(said);
        assert_eq!(channel.answer_to(turn).await, [text("begun"), text(said)]);
    }
}

#[tokio::test]
async fn what_interrupts_cuts_the_turn_that_runs_and_comes_next() {
    let dir = tempfile::tempdir().unwrap();
    let (channel, agent) = (TestChannel::new(), Gated::default());
    let _gateway = begin(dir.path(), &channel, &agent, queue(QueueMode::Interrupt)).await;
    let turns = say_all(&channel, &["never mind", "this"]).await;
    assert_eq!(channel.end_of(&turns[0]).await, TurnEnd::Stopped);
    agent.open("this");
    assert_eq!(channel.answer_to(&turns[1]).await, [text("begun"), text("this")]);
}

#[tokio::test]
async fn the_mode_of_a_channel_goes_first_and_settings_change_while_a_turn_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (channel, agent) = (TestChannel::new(), Gated::default());
    let by_channel = [("post".to_owned(), QueueMode::Interrupt)].into();
    let settings = QueueSettings { by_channel, ..queue(QueueMode::Followup) };
    let gateway = begin(dir.path(), &channel, &agent, settings).await;
    let first = say_all(&channel, &["a", "b"]).await;
    assert_eq!(channel.end_of(&first[0]).await, TurnEnd::Stopped);
    channel.reply(&first[1], 0).await;

    let rules = Rules { queue: queue(QueueMode::Followup), ..(*gateway.rules()).clone() };
    gateway.configure(rules).unwrap();
    let second = channel.says("ann", "c").await;
    agent.open("b");
    agent.open("c");
    assert_eq!(channel.end_of(&first[1]).await, TurnEnd::Answered);
    assert_eq!(channel.answer_to(&second).await, [text("begun"), text("c")]);
}

#[tokio::test]
async fn too_many_are_left_out_with_one_word_or_shortened() {
    let left_out =
        "Too many messages are waiting, so I left some out. Please send them again later.";
    let failed = TurnEnd::Failed { reason: "too many messages were waiting".to_owned() };
    for (drop, gone, turns_left) in
        [(DropPolicy::New, [3, 4], ["b", "c"]), (DropPolicy::Old, [1, 2], ["d", "e"])]
    {
        let dir = tempfile::tempdir().unwrap();
        let (channel, agent) = (TestChannel::new(), Gated::default());
        let settings = QueueSettings { cap: 2, drop, ..queue(QueueMode::Followup) };
        let _gateway = begin(dir.path(), &channel, &agent, settings).await;
        let turns = say_all(&channel, &["a", "b", "c", "d", "e"]).await;
        assert_eq!(channel.answer_to(&turns[gone[0]]).await, [text(left_out)]);
        assert_eq!(channel.answer_to(&turns[gone[1]]).await, []);
        assert_eq!(channel.end_of(&turns[gone[1]]).await, failed);
        agent.open("a");
        for left in turns_left {
            agent.open(left);
        }
        for at in (1..5).filter(|at| !gone.contains(at)) {
            assert_eq!(channel.end_of(&turns[at]).await, TurnEnd::Answered);
        }
    }

    let dir = tempfile::tempdir().unwrap();
    let (channel, agent) = (TestChannel::new(), Gated::default());
    let settings = QueueSettings { cap: 2, ..queue(QueueMode::Followup) };
    let _gateway = begin(dir.path(), &channel, &agent, settings).await;
    let long = "long ".repeat(100);
    let turns = say_all(&channel, &["a", &long, "c", "d", "e"]).await;
    let short: String = long.chars().take(160).collect();
    let joint = format!("{short}…\nc\nd");
    for gate in ["a", &joint, "e"] {
        agent.open(gate);
    }
    assert_eq!(channel.answer_to(&turns[1]).await, [text("begun"), text(&joint)]);
    assert_eq!(channel.answer_to(&turns[4]).await, [text("begun"), text("e")]);
}

#[tokio::test]
async fn who_waits_long_is_told_once_how_many_are_before() {
    let dir = tempfile::tempdir().unwrap();
    let (channel, agent) = (TestChannel::new(), Gated::default());
    let notice_after = Duration::from_millis(30);
    let settings = QueueSettings { notice_after, ..queue(QueueMode::Followup) };
    let _gateway = begin(dir.path(), &channel, &agent, settings).await;
    let turns = say_all(&channel, &["想一想", "第二", "第三"]).await;
    let told = text("前面还有 2 条，处理完就轮到这条。");
    assert_eq!(channel.reply(&turns[2], u32::MAX - 16).await, told);
    for gate in ["想一想", "第二", "第三"] {
        agent.open(gate);
    }
    assert_eq!(channel.answer_to(&turns[1]).await, [text("begun"), text("第二")]);
    // The turn's own replies are numbered as if nothing had been said.
    assert_eq!(channel.answer_to(&turns[2]).await, [text("begun"), text("第三"), told]);
}

/// Takes what is steered into it, and ends when it is told to.
#[derive(Default)]
struct Steerable {
    told: Mutex<Vec<String>>,
    news: tokio::sync::Notify,
}

impl Agent for Steerable {
    fn answer(&self, turn: Turn, replies: Replies) -> BoxFuture<'_, Result<(), AgentError>> {
        Box::pin(async move {
            replies.text("begun").await?;
            self.told.lock().unwrap().push(turn.inbound.text);
            while !self.told.lock().unwrap().join("\n").ends_with("end") {
                self.news.notified().await;
            }
            let told = std::mem::take(&mut *self.told.lock().unwrap());
            replies.text(told.join("\n")).await
        })
    }

    fn steer(&self, turn: Turn) -> BoxFuture<'_, bool> {
        self.told.lock().unwrap().push(turn.inbound.text);
        self.news.notify_one();
        Box::pin(std::future::ready(true))
    }
}

#[tokio::test]
async fn what_is_steered_is_answered_by_the_turn_that_runs() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let agent: Arc<Steerable> = Arc::default();
    let gateway = start_with(config(dir.path(), agent), &channel).await;
    let turns = say_all(&channel, &["go", "left"]).await;
    channel.will_not_finish(&turns[1]);
    let last = channel.says("ann", "end").await;
    assert_eq!(channel.answer_to(&turns[0]).await, [text("begun"), text("go\nleft\nend")]);
    assert_eq!(channel.answer_to(&last).await, []);
    channel.has_not_finished(&turns[1]).await;
    gateway.stop(Duration::from_secs(5)).await;

    let silent = does(|_, _| async { Err(AgentError::Failed("asked again".to_owned())) });
    let _gateway = start_with(config(dir.path(), silent), &channel).await;
    assert_eq!(channel.answer_to(&turns[1]).await, []);
}

#[test]
fn a_steered_turn_that_dies_with_its_process_is_told_all_again() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let crashed = Runtime::new().unwrap();
    let turns = crashed.block_on(async {
        let agent: Arc<Steerable> = Arc::default();
        std::mem::forget(start_with(config(dir.path(), agent), &channel).await);
        say_all(&channel, &["go", "left"]).await
    });
    crashed.shutdown_background();
    Runtime::new().unwrap().block_on(async {
        let agent: Arc<Steerable> = Arc::default();
        let _gateway = start_with(config(dir.path(), agent), &channel).await;
        // What waits to be finished stands behind it, so this waits as well.
        let last = does_not_steer(&channel).await;
        assert!(!channel.has_ended(&last));
        assert_eq!(channel.replies_to(&turns[0]), [text("begun")]);
        let stop = channel.says("ann", "/stop").await;
        channel.end_of(&stop).await;
        assert_eq!(channel.end_of(&turns[0]).await, TurnEnd::Stopped);
        assert_eq!(channel.end_of(&turns[1]).await, TurnEnd::Stopped);
    });
}

async fn does_not_steer(channel: &TestChannel) -> TurnId {
    let message = Inbound { offers: 2, ..channel.message("ann", "later") };
    channel.brings(message).await.unwrap()
}

/// Demand 4: one long turn costs others nothing, and a stop is heard under load.
#[tokio::test]
async fn fifty_people_wait_for_nobody_and_a_stop_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let (channel, agent) = (TestChannel::new(), Gated::default());
    let _gateway = begin(dir.path(), &channel, &agent, queue(QueueMode::Collect)).await;
    let long = channel.says("ann", "long").await;
    channel.reply(&long, 0).await;

    let people: Vec<String> = (0..50).map(|n| format!("peer-{n}")).collect();
    for _ in 0..250 {
        agent.open("hi");
    }
    let chat = |peer: String| {
        let channel = Arc::clone(&channel);
        async move {
            for _ in 0..5 {
                let turn = channel.says(&peer, "hi").await;
                assert_eq!(channel.answer_to(&turn).await, [text("begun"), text("hi")]);
            }
        }
    };
    let stopped = async {
        let waiting = channel.says("ann", "next").await;
        let stop = channel.says("ann", "/stop").await;
        assert_eq!(channel.answer_to(&stop).await, [text("Stopped.")]);
        assert_eq!(channel.end_of(&long).await, TurnEnd::Stopped);
        agent.open("next");
        assert_eq!(channel.end_of(&waiting).await, TurnEnd::Answered);
    };
    tokio::join!(join_all(people.into_iter().map(chat)), stopped);
}

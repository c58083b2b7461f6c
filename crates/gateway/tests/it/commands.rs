//! What a person can ask of the gateway from the chat.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use gateway::{Agent, AgentError, AgentId, Config, Replies, Turn};
use serde_json::json;

use crate::channel::{TestChannel, config, start_with, text};

/// Says its name, its model and what it was told.
struct Named(&'static str);

impl Agent for Named {
    fn answer(&self, turn: Turn, replies: Replies) -> BoxFuture<'_, Result<(), AgentError>> {
        let words = format!("{} {:?} {}", self.0, turn.model, turn.inbound.text);
        Box::pin(async move { replies.text(words).await })
    }

    fn models(&self) -> Vec<String> {
        if self.0 == "coder" { Vec::new() } else { ["slow", "fast"].map(str::to_owned).to_vec() }
    }
}

fn two_agents(dir: &Path) -> Config {
    let agents =
        ["main", "coder"].map(|name| (AgentId::new(name), Arc::new(Named(name)) as Arc<dyn Agent>));
    let owners = json!({"commands": {"ownerAllowFrom": ["ann", "bob"]}});
    let mut config = config(dir, Arc::new(Named("main")));
    config.rules.agents = agents.into_iter().collect();
    config.rules.access = serde_json::from_value(owners).unwrap();
    config
}

async fn check(channel: &TestChannel, peer: &str, said: &str, answer: &str) {
    let turn = channel.says(peer, said).await;
    assert_eq!(channel.answer_to(&turn).await, [text(answer)], "{said}");
}

#[tokio::test]
async fn an_agent_and_a_model_are_chosen_for_the_session_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let gateway = start_with(two_agents(dir.path()), &channel).await;
    check(&channel, "ann", "hi", "main None hi").await;
    check(&channel, "ann", "/model", "Model: slow\nThere are: slow, fast (/model NAME)").await;
    check(&channel, "ann", "/model FAST", "From the next message on, the model is fast.").await;
    check(&channel, "ann", "hi", r#"main Some("fast") hi"#).await;
    check(&channel, "bob", "hi", "main None hi").await;
    let unknown = "There is no \"x\".\nModel: fast\nThere are: slow, fast (/model NAME)";
    check(&channel, "ann", "/model x", unknown).await;

    gateway.stop(std::time::Duration::from_secs(5)).await;
    let _gateway = start_with(two_agents(dir.path()), &channel).await;
    check(&channel, "ann", "hi", r#"main Some("fast") hi"#).await;
    check(&channel, "ann", "/agent", "Agent: main\nThere are: coder, main (/agent NAME)").await;
    check(&channel, "ann", "/agent coder", "From the next message on, coder answers.").await;
    check(&channel, "ann", "hi", "coder None hi").await;
    check(&channel, "ann", "/model", "This agent has no models to choose from.").await;
    check(&channel, "ann", "/agent default", "From the next message on, main answers.").await;
    check(&channel, "ann", "/new fast", "A fresh start. What shall we talk about?").await;
    check(&channel, "ann", "hi", r#"main Some("fast") hi"#).await;
    check(&channel, "ann", "/new plan B", r#"main Some("fast") plan B"#).await;
}

#[tokio::test]
async fn who_may_not_choose_is_told_so_and_a_new_session_keeps_the_model() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start_with(two_agents(dir.path()), &channel).await;
    let denied = "You may not choose agents and models. Please ask whoever runs this.";
    for said in ["/agent coder", "/model fast", "/agent", "/model"] {
        check(&channel, "guest", said, denied).await;
    }
    check(&channel, "guest", "/new fast", "A fresh start. What shall we talk about?").await;
    check(&channel, "guest", "hi", "main None hi").await;
    check(&channel, "guest", "/unknown word", "main None /unknown word").await;
}

#[tokio::test]
async fn the_status_tells_the_agent_the_model_and_how_many_sends_are_left() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    channel.has_sends_left(7);
    let _gateway = start_with(two_agents(dir.path()), &channel).await;
    check(&channel, "ann", "你好", "main None 你好").await;
    check(&channel, "ann", "/model fast", "好，从下一条开始用 fast。").await;
    let status = "空闲\n助手：main，模型：fast\n对话开始于 0 分钟前\n\
                  记得的对话：1 轮（/new 重新开始）\n你回复之前，我还能发 7 条";
    check(&channel, "ann", "/status", status).await;
}

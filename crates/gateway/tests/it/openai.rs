//! The agent that asks a model.

use std::sync::Arc;
use std::time::Duration;

use contract::{ChannelError, TurnEnd};
use gateway::agents::{ApiKey, OpenAi, OpenAiOptions, Timeouts};
use gateway::{Gateway, HistoryLimit};
use serde_json::json;

use crate::channel::{Said, TestChannel, start, text};
use crate::logs::Logs;
use crate::model::{Asked, Model, Step};

const KEY: &str = "sk-secret-0123456789";

fn options(model: &Model) -> OpenAiOptions {
    OpenAiOptions {
        api_key: Some(ApiKey::new(KEY)),
        system_prompt: Some("be brief".to_owned()),
        system_proxy: false,
        ..OpenAiOptions::new(model.url(), "tiny")
    }
}

struct Story {
    dir: tempfile::TempDir,
    channel: Arc<TestChannel>,
    model: Model,
    options: OpenAiOptions,
    gateway: Gateway,
}

impl Story {
    async fn of(script: impl IntoIterator<Item = Step>) -> Self {
        Self::with(script, |_| {}).await
    }

    async fn with(
        script: impl IntoIterator<Item = Step>,
        change: impl FnOnce(&mut OpenAiOptions),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let channel = TestChannel::new();
        let model = Model::start(script).await;
        let mut options = options(&model);
        change(&mut options);
        let agent = Arc::new(OpenAi::new(options.clone()).unwrap());
        let gateway = start(dir.path(), &channel, agent).await;
        Self { dir, channel, model, options, gateway }
    }

    async fn ask(&self, words: &str) -> Vec<Said> {
        let turn = self.channel.says("ann", words).await;
        self.channel.answer_to(&turn).await
    }
}

fn pair(role: &str, content: &str) -> (String, String) {
    (role.to_owned(), content.to_owned())
}

#[tokio::test]
async fn a_streamed_answer_is_one_reply() {
    let story = Story::of([Step::Says(&["Good ", "morn", "ing."])]).await;

    assert_eq!(story.ask("hello").await, [text("Good morning.")]);
    let body = json!({
        "model": "tiny",
        "messages": [
            { "role": "system", "content": "be brief" },
            { "role": "user", "content": "hello" },
        ],
        "stream": true,
    });
    let path = "/v1/chat/completions".to_owned();
    let authorization = Some(format!("Bearer {KEY}"));
    assert_eq!(story.model.asked(), [Asked { path, authorization, body }]);
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let story = Story::of([Step::SaysWhole("Good morning.")]).await;
    assert_eq!(story.ask("hello").await, [text("Good morning.")]);
}

#[tokio::test]
async fn the_model_is_given_the_sessions_history_and_no_other() {
    let says = [Step::Says(&["A"]), Step::Says(&["B"]), Step::Says(&["C"]), Step::Says(&["D"])];
    let story = Story::of(says).await;

    story.ask("a").await;
    let other = story.channel.says("bob", "b").await;
    story.channel.answer_to(&other).await;
    story.ask("c").await;
    let expected =
        [pair("system", "be brief"), pair("user", "a"), pair("assistant", "A"), pair("user", "c")];
    assert_eq!(story.model.last_messages(), expected);

    story.ask("/new").await;
    story.ask("d").await;
    assert_eq!(story.model.last_messages(), [pair("system", "be brief"), pair("user", "d")]);
}

#[tokio::test]
async fn history_is_bounded_in_entries_and_in_characters() {
    for history in
        [HistoryLimit { entries: 2, chars: 100 }, HistoryLimit { entries: 100, chars: 3 }]
    {
        let says = [Step::Says(&["A"]), Step::Says(&["B"]), Step::Says(&["C"])];
        let story = Story::with(says, |options| options.history = history).await;
        for words in ["a", "b", "c"] {
            story.ask(words).await;
        }
        let expected = [
            pair("system", "be brief"),
            pair("user", "b"),
            pair("assistant", "B"),
            pair("user", "c"),
        ];
        assert_eq!(story.model.last_messages(), expected, "{history:?}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_peer_hears_one_answer() {
    let busy = Step::Fails {
        status: 429,
        header: "retry-after: 0",
        body: json!({ "error": { "message": "slow down" } }),
    };
    let story = Story::of([busy, Step::BreaksOff("Good mo"), Step::Says(&["Good morning."])]).await;

    assert_eq!(story.ask("hello").await, [text("Good morning.")]);
    assert_eq!(story.model.asked().len(), 3);
}

#[tokio::test]
async fn a_stalled_answer_is_given_up_and_asked_for_again() {
    let story = Story::with([Step::Stalls("Good mo"), Step::Says(&["Good morning."])], |options| {
        options.timeouts = Timeouts { stall: Duration::from_millis(50), ..Timeouts::default() };
    })
    .await;

    assert_eq!(story.ask("hello").await, [text("Good morning.")]);
    story.model.is_hung_up_on().await;
}

#[tokio::test]
async fn attempts_end() {
    let broken = || Step::Fails { status: 500, header: "retry-after: 0", body: json!({}) };
    let story = Story::of([broken(), broken(), broken()]).await;

    let notice = text("The agent cannot be reached right now. Please try again later.");
    assert_eq!(story.ask("hello").await, [notice]);
    assert_eq!(story.model.asked().len(), 3);
}

#[tokio::test]
async fn the_whole_exchange_has_one_deadline() {
    let story = Story::with([Step::Stalls("Good mo")], |options| {
        options.timeouts = Timeouts { total: Duration::from_millis(50), ..Timeouts::default() };
    })
    .await;

    let turn = story.channel.says("ann", "hello").await;
    let reason = "the agent cannot be reached: no answer within 0.05 s".to_owned();
    assert_eq!(story.channel.end_of(&turn).await, TurnEnd::Failed { reason });
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_asked_with_less_history() {
    let too_long = || Step::Fails {
        status: 400,
        header: "",
        body: json!({ "error": { "code": "context_length_exceeded", "message": "too long" } }),
    };
    let script = [Step::Says(&["A"]), too_long(), Step::Says(&["B"]), too_long(), too_long()];
    let story = Story::of(script).await;

    story.ask("a").await;
    assert_eq!(story.ask("b").await, [text("B")]);
    assert_eq!(story.model.last_messages(), [pair("system", "be brief"), pair("user", "b")]);

    story.ask("/new").await;
    let notice = text("This is too long for the agent. Send /new to start afresh.");
    assert_eq!(story.ask("c").await, [notice]);
}

#[tokio::test]
async fn a_refused_key_is_told_and_appears_nowhere() {
    let logs = Logs::kept();
    let refused = Step::Fails {
        status: 401,
        header: "",
        body: json!({ "error": { "message": format!("wrong key: {KEY}") } }),
    };
    let story = Story::of([refused]).await;

    let turn = story.channel.says("ann", "hello").await;
    let notice = text("The agent is not set up right. Please tell whoever runs it.");
    assert_eq!(story.channel.answer_to(&turn).await, [notice]);
    let reason = "the agent is not set up right: the server refuses the key (401): wrong key: …";
    let failed = TurnEnd::Failed { reason: reason.to_owned() };
    assert_eq!(story.channel.end_of(&turn).await, failed);

    assert!(logs.text().contains("turn failed"), "nothing was logged");
    assert!(!logs.text().contains(KEY), "the key was logged");
    assert!(!format!("{:?}", story.options).contains(KEY), "the key can be printed");
}

#[tokio::test]
async fn an_answer_that_was_recorded_is_given_again_and_not_asked_for_again() {
    let story = Story::of([Step::Says(&["the one answer"])]).await;
    story.channel.refuses_next(ChannelError::Storage("disk full".into()));
    let turn = story.channel.says("ann", "hello").await;
    story.channel.has_refused().await;
    story.gateway.stop(Duration::from_secs(20)).await;
    assert!(!story.channel.has_ended(&turn));

    let agent = Arc::new(OpenAi::new(story.options.clone()).unwrap());
    let _again = start(story.dir.path(), &story.channel, agent).await;
    assert_eq!(story.channel.answer_to(&turn).await, [text("the one answer")]);
    assert_eq!(story.model.asked().len(), 1);
}

#[tokio::test]
async fn stop_hangs_up_on_the_model() {
    let story = Story::of([Step::Stalls("Good mo")]).await;
    let turn = story.channel.says("ann", "hello").await;
    story.channel.signal_of(&turn, &contract::Signal::Working).await;

    let stop = story.channel.says("ann", "/stop").await;
    assert_eq!(story.channel.answer_to(&stop).await, [text("Stopped.")]);
    assert_eq!(story.channel.answer_to(&turn).await, []);
}

//! The built-in agent.

use std::sync::Arc;
use std::time::Duration;

use contract::{Attachment, MediaKind, Quote, Signal, ToolOutcome};
use gateway::agents::{Guide, GuideOptions};

use crate::channel::{Said, TestChannel, start, text};

fn quick() -> Arc<Guide> {
    Arc::new(Guide::new(GuideOptions { slow: Duration::ZERO, tool: Duration::ZERO }))
}

/// Says something to a guide and returns its only text.
async fn check(words: &str, begins_with: &str) {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, quick()).await;
    let turn = channel.says("ann", words).await;
    let answer = channel.answer_to(&turn).await;
    let [Said::Text(said)] = answer.as_slice() else {
        panic!("{words}: {answer:?}");
    };
    assert!(said.starts_with(begins_with), "{words}: {said}");
}

#[tokio::test]
async fn the_guide_answers_in_the_language_it_was_asked_in() {
    check("hello", "Hello, I am the guide").await;
    check("你好", "你好，我是**鸿雁**").await;
    check("long", "# The twenty-four solar terms").await;
    check("长文", "# 二十四节气").await;
    check("markdown", "## A heading").await;
    check("格式", "## 二级标题").await;
    check("引用", "长按一条消息").await;
    check("anything else", "anything else").await;
}

#[tokio::test]
async fn a_picture_is_a_png_with_a_word_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, quick()).await;

    let turn = channel.says("ann", "图片").await;
    let answer = channel.answer_to(&turn).await;
    let [Said::Media { kind: MediaKind::Image, name, bytes }, Said::Text(_)] = answer.as_slice()
    else {
        panic!("{answer:?}");
    };
    assert_eq!(name, "geese.png");
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[tokio::test]
async fn a_file_has_a_name_in_the_peers_language() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, quick()).await;

    let turn = channel.says("ann", "文件").await;
    let answer = channel.answer_to(&turn).await;
    let [Said::Media { kind: MediaKind::File, name, bytes }] = answer.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(name, "鸿雁.md");
    assert!(bytes.starts_with("# 鸿雁".as_bytes()));
}

#[tokio::test]
async fn slow_shows_that_it_works_and_can_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let options = GuideOptions { slow: Duration::from_secs(3600), tool: Duration::ZERO };
    let _gateway = start(dir.path(), &channel, Arc::new(Guide::new(options))).await;

    let turn = channel.says("ann", "慢").await;
    channel.signal_of(&turn, &Signal::Working).await;
    let stop = channel.says("ann", "/stop").await;
    assert_eq!(channel.answer_to(&stop).await, [text("Stopped.")]);
    assert_eq!(channel.answer_to(&turn).await, []);
}

/// Demand 45: something is asked, and a digit or a word is the answer.
#[tokio::test]
async fn ask_asks_and_does_what_the_answer_says() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, quick()).await;
    for (word, answer, outcome) in [
        ("ask", "1", "Off they go."),
        ("ask", "no", "Then they stay."),
        ("询问", "同意", "它们飞走了。"),
    ] {
        let turn = channel.says("ann", word).await;
        channel.reply(&turn, 0).await;
        channel.says("ann", answer).await;
        assert_eq!(channel.answer_to(&turn).await[1..], [text(outcome)], "{answer}");
    }
}

/// What is said while it is slow is told back with the answer.
#[tokio::test]
async fn what_is_steered_into_a_slow_answer_is_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let options = GuideOptions { slow: Duration::from_secs(1), tool: Duration::ZERO };
    let _gateway = start(dir.path(), &channel, Arc::new(Guide::new(options))).await;

    let turn = channel.says("ann", "slow").await;
    channel.signal_of(&turn, &Signal::Working).await;
    let aside = channel.says("ann", "and a picture").await;
    let expected = "Done. I took 1 seconds, and nobody else had to wait meanwhile.\n\n\
                    I heard what you said in between:\n\n> and a picture";
    assert_eq!(channel.answer_to(&turn).await, [text(expected)]);
    assert_eq!(channel.answer_to(&aside).await, []);
    let later = channel.says("ann", "later").await;
    assert_eq!(channel.answer_to(&later).await, [text("later")]);
}

#[tokio::test]
async fn tools_show_their_beginning_and_their_end() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, quick()).await;

    let turn = channel.says("ann", "tools").await;
    assert_eq!(channel.answer_to(&turn).await.len(), 1);
    let step = |tool: &str, n: u32, outcome| {
        let (tool, call_id) = (tool.to_owned(), format!("step-{n}"));
        let started = Signal::ToolStarted { tool: tool.clone(), call_id: call_id.clone() };
        [started, Signal::ToolEnded { tool, call_id, outcome }]
    };
    let mut expected = vec![Signal::Working];
    expected.extend(step("look_at_the_sky", 1, ToolOutcome::Completed));
    expected.extend(step("ask_the_weather_station", 2, ToolOutcome::Failed));
    expected.extend(step("read_the_almanac", 3, ToolOutcome::Completed));
    assert_eq!(channel.signals_of(&turn), expected);
}

#[tokio::test]
async fn quotes_and_attachments_are_told_back() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, quick()).await;

    let mut quoting = channel.message("ann", "what about this?");
    quoting.quote = Some(Quote {
        message_id: Some("7".to_owned()),
        author: None,
        text: "one\ntwo".to_owned(),
        attachments: Vec::new(),
    });
    let turn = channel.brings(quoting).await.unwrap();
    assert_eq!(channel.answer_to(&turn).await, [text("You quoted this message:\n\n> one\n> two")]);

    let mut sending = channel.message("ann", "");
    sending.attachments = vec![
        Attachment {
            kind: MediaKind::Voice,
            name: "v.wav".to_owned(),
            mime: None,
            path: Some("v".into()),
            problem: None,
            transcript: Some("早上好".to_owned()),
        },
        Attachment {
            kind: MediaKind::File,
            name: "a.pdf".to_owned(),
            mime: None,
            path: None,
            problem: None,
            transcript: None,
        },
    ];
    let turn = channel.brings(sending).await.unwrap();
    let expected = "我收到了：\n\n- 语音 `v.wav`，里面说：早上好\n- 文件 `a.pdf`（没能取到内容）";
    assert_eq!(channel.answer_to(&turn).await, [text(expected)]);
}

//! Questions that an agent asks, and what counts as their answer.

use std::sync::Arc;
use std::time::Duration;

use contract::{Inbound, Lane, ReplyClass, TurnEnd};
use gateway::{Question, Resolution};
use tokio::runtime::Runtime;

use crate::agent::{Does, does};
use crate::channel::{Said, TestChannel, start, text};

const ASKED: &str =
    "Delete it?\n\n1. Allow\n2. Deny\n\n(Reply with the number; no answer in 5 min means no.)";

/// Asks whenever it is told to, and says what came of it; says anything else back.
fn asking() -> Arc<impl gateway::Agent> {
    does(|turn, replies| async move {
        let question = match turn.inbound.text.as_str() {
            "delete" => Question::approval("Delete it?"),
            "quick" => {
                Question { expires: Duration::from_millis(20), ..Question::approval("Delete it?") }
            }
            "twice" => {
                let both = [Question::approval("One?"), Question::approval("Two?")];
                let [one, two] = both.map(|question| replies.ask(question));
                let (one, two) = tokio::join!(one, two);
                return replies.text(format!("{:?} {:?}", one?, two?)).await;
            }
            other => return replies.text(format!("heard {other}")).await,
        };
        let words = match replies.ask(question).await? {
            decision if decision.is_allowed() => "deleted",
            Resolution::Chosen(_) => "kept",
            Resolution::Expired => "nobody said",
        };
        replies.text(words).await
    })
}

/// Demand 45: a short answer reaches the turn that waits for it.
#[tokio::test]
async fn a_number_or_a_word_answers_what_was_asked_and_is_plain_text_later() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, asking()).await;
    for (said, outcome) in [
        ("1", "deleted"),
        ("２", "kept"),
        ("同意", "deleted"),
        ("拒绝", "kept"),
        ("Yes", "deleted"),
    ] {
        let turn = channel.says("ann", "delete").await;
        assert_eq!(channel.reply(&turn, 0).await, text(ASKED));
        assert_eq!(channel.class_of(&turn, 0), ReplyClass::Question);
        let answer = channel.says("ann", said).await;
        assert_eq!(channel.answer_to(&answer).await, []);
        assert_eq!(channel.answer_to(&turn).await, [text(ASKED), text(outcome)], "{said}");
    }
    let later = channel.says("ann", "1").await;
    assert_eq!(channel.answer_to(&later).await, [text("heard 1")]);
}

#[tokio::test]
async fn only_who_was_asked_can_answer_and_other_words_wait_their_turn() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, asking()).await;
    let turn = channel.says("ann", "delete").await;
    channel.reply(&turn, 0).await;

    let other_person = channel.says("bob", "1").await;
    assert_eq!(channel.answer_to(&other_person).await, [text("heard 1")]);
    let other_words = channel.says("ann", "why?").await;
    let aside = Inbound { lane: Lane::Aside, ..channel.message("ann", "３") };
    let no_choice = channel.brings(aside).await.unwrap();
    let answer = channel.says("ann", "no").await;
    channel.end_of(&answer).await;
    assert_eq!(channel.answer_to(&turn).await, [text(ASKED), text("kept")]);
    assert_eq!(channel.answer_to(&other_words).await, [text("heard why?")]);
    assert_eq!(channel.answer_to(&no_choice).await, [text("heard ３")]);
}

#[tokio::test]
async fn a_question_expires_with_a_word_and_counts_as_no() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, asking()).await;
    let turn = channel.says("ann", "quick").await;
    let said = channel.answer_to(&turn).await;
    assert_eq!(said[1..], [text("No answer came, so I take it as a no."), text("nobody said")]);
    let late = channel.says("ann", "1").await;
    assert_eq!(channel.answer_to(&late).await, [text("heard 1")]);
}

#[tokio::test]
async fn a_second_question_waits_for_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, asking()).await;
    let turn = channel.says("ann", "twice").await;
    channel.reply(&turn, 0).await;
    assert_eq!(channel.replies_to(&turn).len(), 1, "both were asked at once");
    channel.says("ann", "1").await;
    channel.reply(&turn, 2).await;
    channel.says("ann", "2").await;
    let said = channel.answer_to(&turn).await;
    assert_eq!(said.last(), Some(&text("Chosen(0) Chosen(1)")));
}

#[tokio::test]
async fn a_stopped_turn_takes_its_question_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let _gateway = start(dir.path(), &channel, asking()).await;
    let turn = channel.says("ann", "delete").await;
    channel.reply(&turn, 0).await;
    channel.says("ann", "/stop").await;
    assert_eq!(channel.end_of(&turn).await, TurnEnd::Stopped);
    let later = channel.says("ann", "1").await;
    assert_eq!(channel.answer_to(&later).await, [text("heard 1")]);
}

/// Kills the process when the question is open; `before` and `after` are said
/// before and after the next one has come to it again.
fn check_crash(answered_before: bool) {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let crashed = Runtime::new().unwrap();
    let turn = crashed.block_on(async {
        std::mem::forget(start(dir.path(), &channel, asking()).await);
        let turn = channel.says("ann", "delete").await;
        channel.reply(&turn, 0).await;
        turn
    });
    crashed.shutdown_background();

    // Comes to its question only when it is let.
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let runs = Arc::clone(&gate);
    let agent: Arc<Does<_>> = does(move |_, replies| {
        let gate = Arc::clone(&runs);
        async move {
            gate.acquire().await.unwrap().forget();
            let decision = replies.ask(Question::approval("Delete it, again?")).await?;
            replies.text(format!("{decision:?}")).await
        }
    });
    Runtime::new().unwrap().block_on(async {
        let _gateway = start(dir.path(), &channel, agent).await;
        if !answered_before {
            gate.add_permits(1);
        }
        let answer = channel.says("ann", "1").await;
        assert_eq!(channel.answer_to(&answer).await, []);
        gate.add_permits(1);
        let said = channel.answer_to(&turn).await;
        assert_eq!(said, [Said::Text(ASKED.to_owned()), text("Chosen(0)")]);
    });
}

#[test]
fn a_question_is_asked_once_and_answered_after_a_crash() {
    check_crash(false);
}

#[test]
fn an_answer_that_comes_before_the_turn_asks_again_holds() {
    check_crash(true);
}

#[tokio::test]
async fn an_answer_that_was_not_finished_is_no_message_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let channel = TestChannel::new();
    let gateway = start(dir.path(), &channel, asking()).await;
    let turn = channel.says("ann", "delete").await;
    channel.reply(&turn, 0).await;
    let message = channel.message("ann", "1");
    channel.will_not_finish(&message.turn);
    let answer = channel.brings(message).await.unwrap();
    channel.end_of(&turn).await;
    channel.has_not_finished(&answer).await;
    gateway.stop(Duration::from_secs(5)).await;

    let _gateway = start(dir.path(), &channel, asking()).await;
    assert_eq!(channel.answer_to(&answer).await, []);
}

//! Answers that are longer than a message, or than what may be sent.

use std::time::Duration;

use backend::Policy;
use contract::TurnId;
use weixin::Settings;
use weixin::governor::Overflow;

use crate::host::{Scene, TestHost};
use crate::receiving::wait_until;

/// Numbered sentences of a length, so that none can be missed or doubled.
fn sentences(n: usize, chars: usize) -> Vec<String> {
    let one = |n: usize| {
        let begin = format!("Sentence {n:03} ");
        format!("{begin}{}.", "x".repeat(chars - begin.len() - 1))
    };
    (0..n).map(one).collect()
}

/// The sentences that texts contain, in the order in which they do.
fn found(texts: &[String]) -> Vec<String> {
    let words = texts.iter().flat_map(|text| text.split("Sentence ").skip(1));
    let whole = words.filter_map(|word| Some(format!("Sentence {}.", word.split_once('.')?.0)));
    whole.collect()
}

fn hurried(settings: &mut Settings) {
    settings.sending.limits.pace = Duration::ZERO;
}

/// A turn in which so many sends are left.
async fn turn_with_left(scene: &Scene, host: &TestHost, left: u32) -> TurnId {
    scene.alice.says("tell me everything").await;
    let turn = host.hears().await.turn;
    for number in 0..10 - left {
        host.replies(&turn, number, "a word before").await;
    }
    wait_until(host, |status| status["outbox"] == 0).await;
    turn
}

/// Demand 5: 7,337 characters were refused once; here they never are.
#[tokio::test]
async fn a_long_answer_leaves_in_parts_that_show_whole() {
    let scene = Scene::tencent().await;
    let host = scene.starts_with(hurried).await;
    scene.alice.says("tell me").await;
    let said = sentences(99, 73);
    let text = said.join(" ");
    assert!(text.len() > 7_300);
    host.answers(&text).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    let heard = scene.heard().await;
    assert_eq!(found(&heard), said);
    assert_eq!(scene.sent().len(), heard.len(), "none was refused");
    assert!(heard.iter().all(|part| part.chars().count() <= 1_800), "{heard:?}");
}

/// Demand 5: 30,000 characters with two sends left are a lead and a file.
#[tokio::test]
async fn an_answer_that_needs_more_than_is_left_becomes_a_file_with_all_of_it() {
    let scene = Scene::tencent().await;
    let host = scene.starts_with(hurried).await;
    let turn = turn_with_left(&scene, &host, 2).await;
    let text = sentences(300, 99).join("\n\n");
    host.replies(&turn, 50, &text).await;
    host.finishes(&turn).await;
    wait_until(&host, |status| status["outbox"] == 0).await;

    let seen = scene.alice.sees_from_bots(10).await;
    assert_eq!(seen.len(), 10);
    let lead = seen[8].text().unwrap();
    assert!(lead.starts_with("Sentence 000") && lead.chars().count() < 300, "{lead}");
    let file = seen[9].media().unwrap();
    assert_eq!(file.name, "answer.md");
    assert_eq!(String::from_utf8(file.bytes().await).unwrap(), text);
}

/// Demand 5: without a file, what fits leaves now, the peer is told how to get
/// the rest, and it flows on in order.
#[tokio::test]
async fn the_rest_waits_for_the_peer_and_flows_on_in_order() {
    for overflow in [Overflow::Park, Overflow::Parts] {
        let scene = Scene::tencent().await;
        let host = scene
            .starts_with(|settings| {
                hurried(settings);
                settings.sending.limits.overflow = overflow;
                settings.sending.limits.burst = None;
            })
            .await;
        scene.backend.set_policy(Policy { throttle: None, ..Policy::tencent() });
        let turn = turn_with_left(&scene, &host, 2).await;
        let said = sentences(300, 99);
        host.replies(&turn, 50, &said.join(" ")).await;
        host.finishes(&turn).await;
        wait_until(&host, |status| status["outbox"] == 0 && status["parked"] != 0).await;
        let heard = scene.heard().await;
        assert_eq!(heard.len(), 10, "{overflow:?}");
        assert!(heard[9].ends_with("15 more are waiting. Reply with anything to get them."));

        for word in ["go on", "and on"] {
            scene.alice.says(word).await;
            let turn = host.hears().await.turn;
            host.finishes(&turn).await;
            wait_until(&host, |status| status["outbox"] == 0).await;
        }
        let done = async || found(&scene.heard().await).len() == said.len();
        scene.passes_until(done).await;
        let heard = scene.heard().await;
        assert_eq!(found(&heard), said, "{overflow:?}");
        assert!(heard.iter().all(|part| part.chars().count() <= 2_000));
        let ids: std::collections::HashSet<_> =
            scene.sent().iter().map(|it| it["client_id"].to_string()).collect();
        assert_eq!(ids.len(), heard.len(), "each message was asked for once");
    }
}

/// Demand 5: the hint at the end of a large part does not push its end out of
/// what the phone shows.
#[tokio::test]
async fn a_hint_never_costs_the_end_of_a_part() {
    let scene = Scene::tencent().await;
    let host = scene.starts_with(hurried).await;
    let turn = turn_with_left(&scene, &host, 3).await;
    let said = sentences(40, 132);
    host.replies(&turn, 50, &said.join(" ")).await;
    host.finishes(&turn).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    let heard = scene.heard().await;
    assert_eq!(heard.len(), 10);
    assert_eq!(found(&heard), said);
    assert!(heard[8].ends_with("I can send 1 more. Reply with anything to go on."), "{}", heard[8]);
}

/// Demand 5: a backend that takes less than is known gets smaller parts.
#[tokio::test]
async fn parts_that_are_refused_as_too_long_leave_in_smaller_ones() {
    let scene = Scene::tencent().await;
    scene.backend.set_policy(Policy { text_chars: Some(1_000), ..Policy::tencent() });
    let host = scene.starts_with(hurried).await;
    scene.alice.says("tell me").await;
    let said = sentences(60, 99);
    host.answers(&said.join(" ")).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    assert_eq!(found(&scene.heard().await), said);
    assert_eq!(host.alerts(), Vec::<String>::new());

    // One that was a single message, too.
    scene.alice.says("and in short?").await;
    let before = scene.heard().await.len();
    let said = sentences(15, 99);
    host.answers(&said.join(" ")).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    assert_eq!(found(&scene.heard().await[before..]), said);
}

/// Demand 5: whoever says "too long" to everything gets no endless stream of
/// ever smaller parts.
#[tokio::test]
async fn a_short_text_is_never_cut_because_it_is_called_too_long() {
    let scene = Scene::tencent().await;
    scene.backend.set_policy(Policy { text_chars: Some(0), ..Policy::tencent() });
    let host = scene.starts_with(hurried).await;
    scene.alice.says("tell me").await;
    host.answers("a short word").await;
    wait_until(&host, |status| status["parked"] == 1).await;
    assert_eq!(scene.sent().len(), 1);
}

/// Demand 5: what a cut breaks is repaired.
#[tokio::test]
async fn code_and_tables_survive_the_cut() {
    let scene = Scene::tencent().await;
    let host = scene.starts_with(hurried).await;
    scene.alice.says("show me").await;
    let code: String = (0..200).map(|n| format!("let x{n} = {n};\n")).collect();
    let rows: String = (0..100).map(|n| format!("| row {n} | something to see |\n")).collect();
    let text = format!("```rust\n{code}```\n\n| what | why |\n|---|---|\n{rows}");
    host.answers(&text).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    let heard = scene.heard().await;
    assert!(heard.len() > 2, "{}", heard.len());
    for part in &heard {
        assert_eq!(part.matches("```").count() % 2, 0, "an open fence in {part}");
        if part.contains("| row ") {
            assert!(part.contains("| what | why |"), "a table without its head in {part}");
        }
    }
    let all = heard.join("\n");
    for n in 0..200 {
        assert_eq!(all.matches(&format!("let x{n} = {n};")).count(), 1, "{n}");
    }
}

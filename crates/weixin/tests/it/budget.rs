//! What the sends that are left are spent on.

use std::time::Duration;

use backend::{Endpoint, Policy};
use contract::{Channel as _, Delivery, SendClass, Signal, ToolOutcome, TurnId};
use serde_json::{Value, json};

use crate::host::{Scene, TestHost, push};
use crate::receiving::wait_until;

/// Runs a tool, begin and end.
async fn runs_a_tool(host: &TestHost, turn: &TurnId, n: usize) {
    let (tool, call_id) = ("search".to_owned(), format!("c{n}"));
    let begun = Signal::ToolStarted { tool: tool.clone(), call_id: call_id.clone() };
    host.channel.signal(turn, begun).await;
    let ended = Signal::ToolEnded { tool, call_id, outcome: ToolOutcome::Completed };
    host.channel.signal(turn, ended).await;
}

fn kinds(sent: &[Value]) -> Vec<Value> {
    sent.iter().map(|message| message["item_list"][0]["type"].clone()).collect()
}

/// Demand 6: quota 10, sixty tool events and an answer of three parts: the
/// answer is complete and in order.
#[tokio::test]
async fn tools_never_cost_the_answer() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.alice.says("dig for it").await;
    let turn = host.hears().await.turn;
    for n in 0..30 {
        runs_a_tool(&host, &turn, n).await;
        scene.passes(Duration::from_secs(5));
        // Each has been looked at before the next.
        wait_until(&host, |status| status["outbox"] == 0).await;
    }
    let part = |n: usize| format!("part {n}: {}", "all of it is here. ".repeat(80).trim_end());
    let answer = [part(1), part(2), part(3)];
    host.replies(&turn, 0, &answer.join("\n\n")).await;
    host.finishes(&turn).await;
    wait_until(&host, |status| status["outbox"] == 0).await;

    assert_eq!(scene.heard().await, answer);
    let kinds = kinds(&scene.sent());
    assert!(kinds.len() <= 10, "{kinds:?}");
    let n_tools = kinds.iter().filter(|kind| **kind != json!(1)).count();
    assert_eq!(n_tools, 5, "tools are told as far as they fit: {kinds:?}");
}

/// Demand 6: what is said by the clock leaves the running turn its sends.
#[tokio::test]
async fn a_scheduled_message_does_not_take_the_last_sends_of_a_turn() {
    let scene = Scene::tencent().await;
    let host = scene.starts_with(|it| it.sending.limits.pace = Duration::ZERO).await;
    scene.alice.says("count").await;
    let turn = host.hears().await.turn;
    for number in 0..8 {
        host.replies(&turn, number, &format!("{number}")).await;
    }
    wait_until(&host, |status| status["outbox"] == 0).await;
    let report = host.pushes(push(scene.alice.id().as_str(), SendClass::Report, "news")).await;
    assert_eq!(code_of(&report.delivery), "W303");
    for number in 8..10 {
        host.replies(&turn, number, &format!("{number}")).await;
    }
    host.finishes(&turn).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    // The last ones may say that they are the last ones.
    let heard = scene.heard().await;
    let counted: String = heard.iter().filter_map(|text| text.lines().next()).collect();
    assert_eq!(counted, "0123456789");

    scene.alice.says("thanks").await;
    host.answers("welcome").await;
    scene.passes_until(async || scene.heard().await.len() == 12).await;
    assert_eq!(scene.alice.sees().await.len(), 14, "nothing twice");
}

/// Demand 2: accepted, and nobody sees it: found out after three, told once,
/// nothing wasted, and it heals by itself.
#[tokio::test]
async fn messages_that_never_show_are_noticed_and_the_next_that_shows_heals_it() {
    let scene = Scene::tencent().await;
    scene.backend.set_policy(Policy { suppressed: true, ..Policy::tencent() });
    let host = scene.starts_with(|it| it.sending.limits.pace = Duration::ZERO).await;
    scene.alice.says("are you there?").await;
    let turn = host.hears().await.turn;
    for number in 0..3 {
        host.replies(&turn, number, "yes").await;
    }
    wait_until(&host, |status| status["outbox"] == 0 && status["suppressed"] == 1).await;
    assert_eq!(host.alerts(), ["W401"]);

    let to = scene.alice.id().as_str();
    let report = host.pushes(push(to, SendClass::Reminder, "stand-up")).await;
    assert_eq!(code_of(&report.delivery), "W305");
    for n in 0..5 {
        scene.passes(Duration::from_secs(5));
        runs_a_tool(&host, &turn, n).await;
    }
    host.finishes(&turn).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    assert_eq!(scene.sent().len(), 3, "no quota is burnt");
    let peer = host.channel.peers().await.unwrap().remove(0);
    assert_eq!((peer.unconfirmed, peer.suppressed), (3, true));

    // It is still known after a restart.
    host.stops().await;
    let host = scene.starts().await;
    wait_until(&host, |status| status["suppressed"] == 1).await;

    scene.backend.set_policy(Policy::tencent());
    scene.alice.says("hello?").await;
    host.answers("here").await;
    scene.passes_until(async || scene.heard().await.len() == 2).await;
    let heard = scene.heard().await;
    assert!(heard[0] == "here" && heard[1].ends_with("stand-up"), "{heard:?}");
    wait_until(&host, |status| status["suppressed"] == 0).await;
    assert_eq!(host.alerts(), ["W402"]);
}

/// Demand 2: a report says what is known, and not more.
#[tokio::test]
async fn a_push_that_may_not_show_is_reported_as_unconfirmed() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    assert_eq!(scene.alice.hears().await, "hi");
    scene.backend.next(Endpoint::SendMessage, backend::Fault::suppress());
    let report = host.pushes(push(scene.alice.id().as_str(), SendClass::Notice, "one")).await;
    assert_eq!(report.delivery, Delivery::Unconfirmed);
    let report = host.pushes(push(scene.alice.id().as_str(), SendClass::Notice, "two")).await;
    assert_eq!(report.delivery, Delivery::Sent);
}

/// The code of something that is parked or was given up.
pub(crate) fn code_of(delivery: &Delivery) -> &str {
    match delivery {
        Delivery::Parked { code, .. } | Delivery::Failed { code, .. } => code,
        Delivery::Queued | Delivery::Sent | Delivery::Unconfirmed => "",
    }
}

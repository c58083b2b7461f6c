//! The channel's own commands.

use backend::Endpoint;
use contract::Channel as _;

use crate::host::{Scene, TestHost};
use crate::receiving::wait_until;

/// Returns a text with its numbers and times made equal.
fn without_numbers(text: &str) -> String {
    let digits = text.replace(|c: char| c.is_ascii_digit(), "0");
    let mut short = digits.clone();
    while short.contains("00") {
        short = short.replace("00", "0");
    }
    short
}

/// Demand 45: what the official plugin answers, and no agent hears of it.
#[tokio::test]
async fn an_echo_comes_back_with_its_times_while_a_turn_runs() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("a long task").await;
    host.hears().await;

    scene.alice.says("/echo  hello there ").await;
    assert_eq!(scene.alice.hears().await, "hello there");
    let times = scene.alice.hears().await;
    assert_eq!(
        without_numbers(&times),
        "⏱ 通道耗时\n├ 事件时间: 0-0-0T0:0:0.0Z\n├ 平台→插件: 0ms\n└ 插件处理: 0ms",
        "{times}"
    );
    wait_until(&host, |status| status["inbox"] == 1).await;
    assert!(host.heard_nothing_more().await);
}

/// Demand 39: strangers command nothing.
#[tokio::test]
async fn a_strangers_echo_is_not_answered() {
    let scene = Scene::new().await;
    let stranger = scene.alice.id().to_string();
    let host = TestHost::start_refusing(scene.dir.path(), &[&stranger]).await;
    scene.alice.says("/echo hello").await;
    scene.alice.says("/toggle-debug").await;
    wait_until(&host, |status| status["inbox"] == 0 && !status["last_inbound_at_ms"].is_null())
        .await;
    assert!(scene.backend.requests_to(Endpoint::SendMessage).is_empty());
    assert!(!scene.dir.path().join("debug-mode.json").exists());
}

#[tokio::test]
async fn debug_mode_reports_behind_each_turn_and_outlives_a_restart() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("/toggle-debug").await;
    assert_eq!(scene.alice.hears().await, "Debug 模式已开启");
    host.stops().await;

    let host = TestHost::start(scene.dir.path()).await;
    let id = scene.alice.says("hello").await;
    host.answers("hi").await;
    assert_eq!(scene.alice.hears().await, "hi");
    let report = scene.alice.hears().await;
    assert!(report.starts_with("⏱ Debug 全链路\n── 收消息 ──\n"), "{report}");
    for part in
        [&format!("msgId={id} "), "body=\"hello\" (len=5) itemTypes=[1]", "mediaDownload: none"]
    {
        assert!(report.contains(part), "{part} in {report}");
    }

    scene.alice.says("/Toggle-Debug").await;
    assert_eq!(scene.alice.hears().await, "Debug 模式已关闭");
    scene.alice.says("bye").await;
    host.answers("bye").await;
    assert_eq!(scene.alice.hears().await, "bye");
    host.channel.stop(std::time::Duration::from_secs(5)).await;
    assert_eq!(scene.alice.has_heard().await, None);
}

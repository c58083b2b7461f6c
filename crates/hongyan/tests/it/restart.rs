//! A restart in place: the same process, nothing lost, nothing said twice; and a
//! stop through the API.

use std::time::Duration;

use backend::{Backend, Credentials, User};
use tempfile::TempDir;

use crate::model::Model;
use crate::program::{GatewayProcess, log_in, says, status};

struct Scene {
    backend: Backend,
    alice: User,
    bot: Credentials,
    model: Model,
    state: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let backend = Backend::builder().hold(Duration::from_secs(100)).start().await.unwrap();
        let alice = backend.user("alice").await;
        let bot = backend.bind(&alice).await;
        let state = tempfile::tempdir().unwrap();
        log_in(state.path(), &bot);
        Self { backend, alice, bot, model: Model::start().await, state }
    }

    fn gateway(&self) -> GatewayProcess {
        let model = ["--agent", "openai", "--model", "echo", "--base-url", &self.model.base_url];
        GatewayProcess::start(self.state.path(), &model).ready(self.state.path())
    }

    fn says(&self, args: &[&str]) -> (Option<i32>, String, String) {
        says(self.state.path(), args)
    }

    async fn answers(&self) -> Vec<String> {
        let seen = self.alice.sees().await;
        let from_bot = seen.iter().filter(|message| !message.from_me);
        from_bot.filter_map(|message| message.text().map(str::to_owned)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_process_and_goes_on_polling() {
    let scene = Scene::new().await;
    let mut gateway = scene.gateway();
    scene.alice.says("one").await;
    assert_eq!(scene.alice.hears().await, "re: one");
    let before = status(scene.state.path());

    let (code, _, stderr) = scene.says(&["gateway", "restart"]);
    assert_eq!(code, Some(0), "{stderr}");
    let after = status(scene.state.path());
    assert_eq!(after["pid"], gateway.pid());
    assert_eq!((&after["address"], &after["since_ms"]), (&before["address"], &before["since_ms"]));
    assert_eq!((before["run"].as_u64(), after["run"].as_u64()), (Some(1), Some(2)));
    scene.alice.says("two").await;
    assert_eq!(scene.alice.hears().await, "re: two");
    assert_eq!(scene.answers().await, ["re: one", "re: two"]);
    assert!(gateway.lives());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_a_restart_cuts_is_answered_once_afterwards() {
    let scene = Scene::new().await;
    let _gateway = scene.gateway();
    scene.model.hold();
    scene.alice.says("slow").await;
    scene.model.is_asked().await;
    // What comes while it stops waits.
    let (code, _, stderr) = scene.says(&["gateway", "restart", "--timeout", "0"]);
    assert_eq!(code, Some(0), "{stderr}");
    scene.model.release();
    assert_eq!(scene.alice.hears().await, "re: slow");
    scene.alice.says("next").await;
    assert_eq!(scene.alice.hears().await, "re: next");
    assert_eq!(scene.answers().await, ["re: slow", "re: next"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_through_the_api_is_a_stop_in_order() {
    let scene = Scene::new().await;
    let gateway = scene.gateway();
    scene.alice.says("hello").await;
    assert_eq!(scene.alice.hears().await, "re: hello");
    let (code, stdout, stderr) = scene.says(&["gateway", "stop", "--timeout", "5s", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let told: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&told["stopped"], &told["pid"]), (&true.into(), &gateway.pid().into()));
    assert_eq!(gateway.ended(), Some(0));
    assert!(!scene.backend.is_online(&scene.bot.bot_id));
    assert!(!scene.state.path().join("control.json").exists());
    assert_eq!(status(scene.state.path())["running"], false);
}

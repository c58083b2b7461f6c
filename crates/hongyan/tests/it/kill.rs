//! kill -9 of the gateway, at every step of a turn and at random.
//!
//! The promise: every message is answered, and the phone shows no answer twice.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use backend::{Backend, Endpoint, Fault, User};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;

use crate::model::Model;
use crate::program::{GatewayProcess, log_in};

/// How often the program is killed at random.
const RANDOM_KILLS: u32 = 200;

struct Scene {
    backend: Backend,
    alice: User,

    model: Model,
    state: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let backend = Backend::start().await;
        let alice = backend.user("alice").await;
        let bot = backend.bind(&alice).await;
        let state = tempfile::tempdir().unwrap();
        log_in(state.path(), &bot);
        Self { backend, alice, model: Model::start().await, state }
    }

    fn gateway(&self) -> GatewayProcess {
        let model = ["--agent", "openai", "--model", "echo", "--base-url", &self.model.base_url];
        GatewayProcess::start(self.state.path(), &model)
    }

    /// The bot's side of the chat, as the phone shows it.
    async fn answers(&self) -> Vec<String> {
        let seen = self.alice.sees().await;
        let from_bot = seen.iter().filter(|message| !message.from_me);
        from_bot.filter_map(|message| message.text().map(str::to_owned)).collect()
    }

    /// The messages that the bot has answered, in order. Those that were said
    /// while a turn ran are answered together.
    async fn answered(&self) -> Vec<String> {
        let answers = self.answers().await;
        let said = answers.iter().map(|answer| answer.strip_prefix("re: ").unwrap_or(answer));
        said.flat_map(str::lines).map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_batch_arrived() {
    let scene = Scene::new().await;
    let (fault, mut gate) = Fault::hold_after();
    scene.backend.next(Endpoint::GetUpdates, fault);
    let gateway = scene.gateway();
    scene.alice.says("hello").await;
    gate.arrived().await;
    gateway.kill();
    drop(gate);

    let _gateway = scene.gateway();
    assert_eq!(scene.alice.hears().await, "re: hello");
    assert_eq!(scene.answers().await, ["re: hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_when_the_batch_is_on_disk_and_acknowledged() {
    let scene = Scene::new().await;
    scene.model.hold();
    scene.alice.says("hello").await;
    let (fault, mut gate) = Fault::hold_before();
    // The first poll brings the message; the second carries the new cursor.
    scene.backend.next(Endpoint::GetUpdates, Fault::Late { by: Duration::from_millis(1) });
    scene.backend.next(Endpoint::GetUpdates, fault);
    let gateway = scene.gateway();
    gate.arrived().await;
    gateway.kill();
    scene.model.release();
    drop(gate);

    let _gateway = scene.gateway();
    assert_eq!(scene.alice.hears().await, "re: hello");
    assert_eq!(scene.answers().await, ["re: hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_when_the_message_is_admitted_and_the_agent_runs() {
    let scene = Scene::new().await;
    scene.model.hold();
    let gateway = scene.gateway();
    scene.alice.says("hello").await;
    // Received, stored, admitted, handed over: the agent is asked last.
    scene.model.is_asked().await;
    gateway.kill();
    scene.model.release();

    let _gateway = scene.gateway();
    assert_eq!(scene.alice.hears().await, "re: hello");
    assert_eq!(scene.answers().await, ["re: hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_when_the_reply_is_stored_and_not_sent() {
    let scene = Scene::new().await;
    let (fault, mut gate) = Fault::hold_before();
    scene.backend.next(Endpoint::SendMessage, fault);
    let gateway = scene.gateway();
    scene.alice.says("hello").await;
    gate.arrived().await;
    gateway.kill();

    let _gateway = scene.gateway();
    assert_eq!(scene.alice.hears().await, "re: hello");
    drop(gate);
    assert_eq!(scene.answers().await, ["re: hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_when_the_reply_is_sent_and_not_confirmed() {
    let scene = Scene::new().await;
    let (fault, mut gate) = Fault::hold_after();
    scene.backend.next(Endpoint::SendMessage, fault);
    let gateway = scene.gateway();
    scene.alice.says("hello").await;
    gate.arrived().await;
    assert_eq!(scene.alice.hears().await, "re: hello");
    gateway.kill();
    drop(gate);

    let _gateway = scene.gateway();
    scene.alice.says("and now?").await;
    assert_eq!(scene.alice.hears().await, "re: and now?");
    assert_eq!(scene.answers().await, ["re: hello", "re: and now?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_answer_to_the_send_was_lost() {
    let scene = Scene::new().await;
    let (fault, mut gate) = Fault::hold_before();
    scene.backend.next(Endpoint::SendMessage, Fault::DropAnswer);
    scene.backend.next(Endpoint::SendMessage, fault);
    let gateway = scene.gateway();
    scene.alice.says("hello").await;
    // The second try of the same row.
    gate.arrived().await;
    gateway.kill();
    drop(gate);

    let _gateway = scene.gateway();
    scene.alice.says("and now?").await;
    assert_eq!(scene.alice.hears().await, "re: hello");
    assert_eq!(scene.alice.hears().await, "re: and now?");
    assert_eq!(scene.answers().await, ["re: hello", "re: and now?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_random_kills_lose_nothing_and_double_nothing() {
    let seed: u64 = rand::random();
    let mut chance = StdRng::seed_from_u64(seed);
    let scene = Scene::new().await;
    let mut said = vec!["warm up".to_owned()];
    // How long a start and a turn take here: the moments of the kills cover both.
    let begun = Instant::now();
    let mut gateway = scene.gateway();
    scene.alice.says("warm up").await;
    scene.alice.hears().await;
    let longest = begun.elapsed().mul_f64(1.5);
    for n in 0..RANDOM_KILLS {
        for part in 0..chance.random_range(1..=2) {
            let text = format!("message {n}.{part}");
            scene.alice.says(&text).await;
            said.push(text);
        }
        // One at a time: faults that pile up would only lengthen the pauses.
        if scene.backend.faults_left() == 0 && chance.random_bool(0.3) {
            let fault = [Fault::DropAnswer, Fault::DropRequest, Fault::BadGateway];
            let fault = fault[chance.random_range(0..3)].clone();
            let endpoint = [Endpoint::SendMessage, Endpoint::GetUpdates][chance.random_range(0..2)];
            scene.backend.next(endpoint, fault);
        }
        // Not a wait for something: the moment of the kill is the random thing.
        tokio::time::sleep(longest.mul_f64(chance.random_range(0.0..1.0))).await;
        gateway.kill();
        gateway = scene.gateway();
    }

    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for text in &said {
        wanted.insert(text.clone(), 1);
    }
    while scene.answered().await.len() < said.len() {
        scene.alice.hears().await;
    }
    gateway.kill();

    let answered = scene.answered().await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for text in &answered {
        *seen.entry(text.clone()).or_default() += 1;
    }
    assert_eq!(seen, wanted, "seed {seed}");
    assert_eq!(answered, said, "seed {seed}");
    let online = scene.backend.requests_to(Endpoint::NotifyStart).len();
    assert!(online > 20, "only {online} of {RANDOM_KILLS} runs came as far as the backend");
}

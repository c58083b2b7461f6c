//! Channels in child processes: one that does as it should and is killed, and
//! some that misbehave.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::manifest::Manifest;
use contract::stdio::{Hello, Patience};
use contract::{
    AccountState, AccountStatus, Alert, Channel as _, ChannelError, Content, Host, HostError,
    Inbound, Reply, ReplyClass, Sender, Signal, TurnEnd, TurnId, Verdict,
};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use plugins::external::{External, Health, Ladder, Launch, Pace};
use serde_json::json;
use tokio::sync::mpsc;

/// Long enough for a loaded machine; a test that passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host that hands everything to the test.
struct Desk {
    inbound: mpsc::UnboundedSender<Inbound>,
    alerts: Arc<Mutex<Vec<Alert>>>,
}

impl Host for Desk {
    fn admit(&self, sender: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        let verdict = match sender.conversation.peer.as_str() {
            "eve" => Verdict::Challenge { text: "code 7".to_owned() },
            "mallory" => Verdict::Refuse,
            _ => Verdict::Admit,
        };
        ready(Ok(verdict)).boxed()
    }

    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        self.inbound.send(inbound).unwrap();
        ready(Ok(())).boxed()
    }

    fn changed(&self, _: AccountStatus) {}

    fn alert(&self, alert: Alert) {
        self.alerts.lock().unwrap().push(alert);
    }
}

/// A program, and what its host hears.
struct Scene {
    channel: External,
    inbound: mpsc::UnboundedReceiver<Inbound>,
    alerts: Arc<Mutex<Vec<Alert>>>,
    dir: tempfile::TempDir,
}

fn quick() -> Pace {
    let ms = Duration::from_millis;
    let ladder = Ladder { first: ms(20), most: ms(100), tries: 3, well_after: PATIENCE };
    Pace { ladder, patience: Patience::default(), wait: PATIENCE, exit: ms(500) }
}

impl Scene {
    async fn letterbox(pace: Pace) -> Self {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/letterbox");
        let text = std::fs::read_to_string(home.join("openclaw.plugin.json")).unwrap();
        let manifest = Manifest::parse(&text).unwrap();
        Self::run(manifest.run.unwrap().command, home, pace).await
    }

    /// A few lines of Python that greet their host, and then these.
    async fn python(code: &str, pace: Pace) -> Self {
        let greet = "import json, sys, time, signal\n\
                     ask = json.loads(sys.stdin.readline())\n\
                     us = {'contract': [1], 'program': 'p', 'version': '1'}\n\
                     def answer(ask, to): print(json.dumps({'jsonrpc': '2.0', 'id': ask['id'], \
                     'result': to}), flush=True)\n\
                     answer(ask, us)\n";
        let command = ["python3", "-c", &format!("{greet}{code}")].map(str::to_owned);
        Self::run(command.to_vec(), std::env::temp_dir(), pace).await
    }

    async fn shell(code: &str, pace: Pace) -> Self {
        let command = ["sh", "-c", code].map(str::to_owned);
        Self::run(command.to_vec(), std::env::temp_dir(), pace).await
    }

    async fn run(command: Vec<String>, home: PathBuf, pace: Pace) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let launch = Launch {
            plugin: "letterbox".to_owned(),
            channel: "letterbox".into(),
            command,
            dir: home,
            state_dir: dir.path().join("state"),
            hello: Hello::new("test", "0"),
        };
        let channel = External::new(launch, pace);
        channel.configure(json!({ "dir": dir.path() })).await.unwrap();
        let (told, inbound) = mpsc::unbounded_channel();
        let alerts = Arc::default();
        let desk = Desk { inbound: told, alerts: Arc::clone(&alerts) };
        channel.start(Arc::new(desk)).await.unwrap();
        Self { channel, inbound, alerts, dir }
    }

    fn posts(&self, name: &str, text: &str) {
        let part = self.dir.path().join(name);
        std::fs::write(&part, text).unwrap();
        std::fs::rename(part, self.dir.path().join("in").join(format!("{name}.txt"))).unwrap();
    }

    async fn hears(&mut self) -> (TurnId, String, u32) {
        let next = tokio::time::timeout(PATIENCE, self.inbound.recv()).await;
        let Inbound { turn, text, offers, .. } = next.expect("nothing is heard").unwrap();
        (turn, text, offers)
    }

    async fn says(&self, turn: &TurnId, number: u32, text: &str) -> Result<(), ChannelError> {
        let content = Content::Text(text.to_owned());
        self.channel.reply(turn, Reply { number, class: ReplyClass::Answer, content }).await
    }

    async fn ends(&self, turn: &TurnId) -> Result<(), ChannelError> {
        self.channel.finish(turn, TurnEnd::Answered).await
    }

    /// Waits until the health is such.
    async fn until(&self, is_so: impl Fn(&Health) -> bool) -> Health {
        let seen = tokio::time::timeout(PATIENCE, self.channel.health_when(is_so)).await;
        seen.unwrap_or_else(|_| panic!("{:?}", self.channel.health()))
    }

    fn pid(&self) -> u32 {
        let Health::Up { pid, .. } = self.channel.health() else {
            panic!("{:?}", self.channel.health())
        };
        pid
    }

    fn kill(&self) {
        let killed = std::process::Command::new("kill")
            .args(["-9", &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
    }

    /// What lies in a folder of the mailbox.
    fn lies_in(&self, folder: &str) -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(self.dir.path().join(folder)).unwrap();
        let read = |path: PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        };
        entries.map(|entry| read(entry.unwrap().path())).collect()
    }
}

/// Waits until a process is no more.
async fn is_gone(pid: u32) {
    let gone = async {
        // A process that nobody has waited for yet has an empty command line.
        let line = format!("/proc/{pid}/cmdline");
        while std::fs::read(&line).is_ok_and(|line| !line.is_empty()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("it still runs");
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

#[tokio::test]
async fn a_conversation_outlives_the_death_of_its_channel() {
    let mut scene = Scene::letterbox(quick()).await;
    scene.posts("ann-1", "hello");
    let (ann, text, offers) = scene.hears().await;
    assert_eq!((ann.as_str(), text.as_str(), offers), ("ann-1", "hello", 1));
    scene.channel.signal(&ann, Signal::Working).await;
    scene.says(&ann, 0, "hello Ann").await.unwrap();
    scene.ends(&ann).await.unwrap();

    // Killed between two replies: the second is taken by the next life, to which
    // the turn is known and which hands it over in vain.
    scene.posts("bob-1", "and me?");
    let (bob, ..) = scene.hears().await;
    scene.says(&bob, 0, "you").await.unwrap();
    let first = scene.pid();
    scene.kill();
    scene.says(&bob, 0, "you, again").await.unwrap();
    scene.says(&bob, 1, "too").await.unwrap();
    scene.ends(&bob).await.unwrap();
    assert_ne!(scene.pid(), first);

    // Killed with letters that nobody has seen; a turn that was let go comes back.
    scene.posts("ann-2", "still there?");
    let (ann, ..) = scene.hears().await;
    assert_eq!(ann.as_str(), "ann-2");
    scene.kill();
    scene.posts("eve-1", "let me in");
    scene.posts("mallory-1", "let me in");
    scene.posts("ann-3", "hello?");
    let (third, text, _) = scene.hears().await;
    assert_eq!((third.as_str(), text.as_str()), ("ann-3", "hello?"));
    for turn in [&ann, &third] {
        scene.says(turn, 0, "yes").await.unwrap();
        scene.ends(turn).await.unwrap();
    }
    let late = scene.says(&ann, 1, "late").await.unwrap_err();
    assert!(matches!(late, ChannelError::NoSuchTurn(turn) if turn == ann));

    let pid = scene.pid();
    scene.channel.stop(PATIENCE).await;
    is_gone(pid).await;
    assert!(scene.inbound.try_recv().is_err(), "something was handed over twice");
    let out = map([
        ("ann-1.0.txt", "hello Ann"),
        ("ann-2.0.txt", "yes"),
        ("ann-3.0.txt", "yes"),
        ("bob-1.0.txt", "you"),
        ("bob-1.1.txt", "too"),
        ("eve-1.0.txt", "code 7"),
    ]);
    assert_eq!(scene.lies_in("out"), out);
    assert_eq!(scene.lies_in("in"), map([]));
    assert_eq!(scene.lies_in("done").len(), 6);
    let once = scene.lies_in("offers");
    assert_eq!((once["ann-1"].as_str(), once["bob-1"].as_str()), (".", ".."));
}

#[tokio::test]
async fn a_new_host_is_given_what_the_old_one_left() {
    let mut scene = Scene::letterbox(quick()).await;
    scene.posts("ann-1", "hello");
    scene.hears().await;
    scene.channel.stop(PATIENCE).await;
    assert_eq!(scene.channel.health(), Health::Stopped);
    let stopped = scene.says(&"ann-1".into(), 0, "hello").await;
    assert!(matches!(stopped, Err(ChannelError::Stopped)));

    let (told, inbound) = mpsc::unbounded_channel();
    scene.inbound = inbound;
    let desk = Desk { inbound: told, alerts: Arc::default() };
    scene.channel.start(Arc::new(desk)).await.unwrap();
    let (turn, _, offers) = scene.hears().await;
    assert_eq!((turn.as_str(), offers), ("ann-1", 2));
    scene.says(&turn, 0, "hello").await.unwrap();
    let status = scene.channel.status().await.unwrap();
    assert_eq!((status[0].account.as_str(), &status[0].state), ("box", &AccountState::Polling));
    assert_eq!(status[0].inbox, 1);
}

/// Returns why a program is given up.
async fn given_up(scene: &Scene) -> String {
    let health = scene.until(|health| matches!(health, Health::GivenUp { .. })).await;
    let Health::GivenUp { reason, .. } = health else { unreachable!() };
    reason
}

#[tokio::test]
async fn a_program_that_always_fails_is_given_up_with_its_last_words() {
    let scene = Scene::shell("echo no letters today >&2; exit 3", quick()).await;
    let reason = given_up(&scene).await;
    assert!(reason.ends_with("it has ended with exit status: 3: no letters today"), "{reason}");
    assert_eq!(scene.alerts.lock().unwrap().len(), 1);
    let status = scene.channel.status().await.unwrap();
    let AccountState::Degraded { reason: told, .. } = &status[0].state else {
        panic!("{status:?}")
    };
    assert!(told.starts_with(&reason), "{told}");
    let peers = scene.channel.peers().await.unwrap_err();
    assert!(matches!(peers, ChannelError::Gone(why) if why.contains("no letters today")));
    scene.channel.try_again();
    scene.until(|health| !matches!(health, Health::GivenUp { .. })).await;
    given_up(&scene).await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let command = vec!["./no-such-program".to_owned()];
    let scene = Scene::run(command, std::env::temp_dir(), quick()).await;
    let reason = given_up(&scene).await;
    assert!(reason.starts_with("./no-such-program cannot be run: "), "{reason}");
}

#[tokio::test]
async fn a_program_that_says_nothing_or_nonsense_is_ended() {
    let mut pace = quick();
    pace.patience.handshake = Duration::from_millis(300);
    let silent = Scene::shell("exec sleep 1000", pace).await;
    assert_eq!(given_up(&silent).await, "no answer to `hello` within 300ms");
    let noisy = Scene::shell("exec yes", quick()).await;
    let reason = given_up(&noisy).await;
    assert!(reason.contains("it writes lines that are no messages"), "{reason}");
    let endless = Scene::shell("exec cat /dev/zero", quick()).await;
    let reason = given_up(&endless).await;
    assert!(reason.contains("it wrote a line of more than 4194304 bytes"), "{reason}");
}

/// What a child does with signals concerns nobody above it.
#[tokio::test]
async fn a_program_that_signals_its_group_hits_itself_only() {
    let scene = Scene::shell("kill -TERM 0; sleep 1000", quick()).await;
    let reason = given_up(&scene).await;
    assert!(reason.contains("signal: 15"), "{reason}");
}

#[tokio::test]
async fn a_program_that_will_not_stop_is_killed_and_its_children_with_it() {
    let code = "import subprocess\n\
                signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
                child = subprocess.Popen(['sleep', '1000'])\n\
                for line in sys.stdin:\n  ask = json.loads(line)\n  \
                if ask['method'] == 'metrics': answer(ask, str(child.pid))\n  \
                elif ask['method'] != 'stop': answer(ask, [])\n\
                while True: time.sleep(1000)\n";
    let mut pace = quick();
    pace.patience.stop = Duration::from_millis(200);
    let scene = Scene::python(code, pace).await;
    let pid = scene.pid();
    let grandchild: u32 = scene.channel.metrics().await.unwrap().parse().unwrap();
    scene.channel.stop(Duration::from_millis(100)).await;
    is_gone(pid).await;
    is_gone(grandchild).await;
    assert_eq!(scene.channel.health(), Health::Stopped);
}

#[tokio::test]
async fn a_channel_that_is_dropped_ends_its_program() {
    let scene = Scene::letterbox(quick()).await;
    let pid = scene.pid();
    drop(scene);
    is_gone(pid).await;
}

#[tokio::test]
async fn a_program_that_hangs_is_started_again_and_calls_meanwhile_end() {
    let mut pace = quick();
    pace.patience.ping_every = Duration::from_millis(50);
    pace.patience.ping = Duration::from_millis(300);
    let code = "for _ in range(2): answer(json.loads(sys.stdin.readline()), [])\n\
                time.sleep(1000)\n";
    let scene = Scene::python(code, pace).await;
    let peers = scene.channel.peers().await.unwrap_err();
    let why = "it has not answered a ping within 300ms";
    assert!(matches!(peers, ChannelError::Gone(reason) if reason == why));
    let reason = given_up(&scene).await;
    assert_eq!(reason, why);
}

/// The keys of models are in the gateway's environment, too.
#[tokio::test]
async fn a_program_gets_to_know_few_of_its_hosts_variables() {
    // What cargo has told this process is a stranger's matter.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let code = "env > \"$HONGYAN_STATE_DIR/part\" && cd \"$HONGYAN_STATE_DIR\" && mv part env; \
                exec cat > /dev/null";
    let pace = Pace { wait: Duration::ZERO, ..quick() };
    let scene = Scene::shell(code, pace).await;
    let file = scene.dir.path().join("state/env");
    let read = async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        std::fs::read_to_string(&file).unwrap()
    };
    let text = tokio::time::timeout(PATIENCE, read).await.unwrap();
    let theirs: BTreeMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
    // Those that a shell sets by itself.
    let of_shell = ["PWD", "OLDPWD", "SHLVL", "_"];
    let foreign: Vec<_> = theirs
        .keys()
        .filter(|name| !of_shell.contains(name) && !name.starts_with("HONGYAN_"))
        .filter(|name| {
            let known = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ"];
            let beginnings = ["LC_", "TMP", "TEMP", "SSL_CERT_"];
            !known.contains(name)
                && !beginnings.iter().any(|it| name.starts_with(it))
                && !name.to_uppercase().ends_with("_PROXY")
        })
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    for name in ["PATH", "HOME"] {
        assert_eq!(theirs.get(name).map(ToString::to_string), std::env::var(name).ok(), "{name}");
    }
    let ours: Vec<_> = theirs.keys().filter(|name| name.starts_with("HONGYAN_")).collect();
    assert_eq!(ours, [&"HONGYAN_GATEWAY_PID", &"HONGYAN_STATE_DIR"]);
}

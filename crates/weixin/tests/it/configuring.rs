//! Settings that change while accounts poll.

use std::time::Duration;

use backend::{Backend, Credentials as Bound, Endpoint, User};
use contract::{
    Channel as _, ChannelError, Content, Media, MediaKind, Reply, ReplyClass, Signal, Source,
};
use ilink::BotId;
use serde_json::{Value, json};
use weixin::{ChannelSettings, Settings, StoreKey};

use crate::host::{PATIENCE, Scene, TestHost, channel, log_in};
use crate::media_out::{sample, serves};

/// Alice's account and Bob's, both polling: polls last longer than the test.
struct Two {
    scene: Scene,
    host: TestHost,
    bob: User,
    bobs: Bound,
}

impl Two {
    async fn new() -> Self {
        let scene = Scene::with(Backend::builder().hold(Duration::from_secs(100))).await;
        let bob = scene.backend.user("bob").await;
        let bobs = scene.backend.bind(&bob).await;
        log_in(scene.dir.path(), &bobs);
        let host = TestHost::start(scene.dir.path()).await;
        let two = Self { scene, host, bob, bobs };
        two.reach(&two.scene.bot.bot_id, 1).await;
        two.reach(&two.bobs.bot_id, 1).await;
        two
    }

    fn alices(&self) -> &BotId {
        &self.scene.bot.bot_id
    }

    fn polls(&self, bot: &BotId) -> usize {
        let polls = self.scene.backend.requests_to(Endpoint::GetUpdates);
        polls.iter().filter(|poll| poll.bot.as_ref() == Some(bot)).count()
    }

    /// Waits until a bot has polled so often, ever.
    async fn reach(&self, bot: &BotId, times: usize) {
        let reached = async {
            while self.polls(bot) < times {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("the account does not poll");
    }

    async fn configure(&self, section: Value) -> Vec<String> {
        self.host.channel.configure(section).await.unwrap()
    }

    /// Has Alice say something, a tool used for it, and returns the kinds of
    /// what she is sent.
    async fn tool_use(&self) -> Vec<Value> {
        let before = self.scene.backend.requests_to(Endpoint::SendMessage).len();
        self.scene.alice.says("use a tool").await;
        let turn = self.host.hears().await.turn;
        let (tool, call_id) = ("search".to_owned(), "c1".to_owned());
        self.host.channel.signal(&turn, Signal::ToolStarted { tool, call_id }).await;
        self.host.replies(&turn, 0, "found").await;
        self.host.finishes(&turn).await;
        assert_eq!(self.scene.alice.hears().await, "found");
        let sends = self.scene.backend.requests_to(Endpoint::SendMessage);
        let kind = |send: &backend::Request| send.json()["msg"]["item_list"][0]["type"].clone();
        sends[before..].iter().map(kind).collect()
    }
}

/// Demand 12: the next message obeys, and no poll in flight is closed.
#[tokio::test]
async fn what_is_not_the_clients_holds_at_once_without_a_new_poll() {
    let two = Two::new().await;
    assert_eq!(two.tool_use().await, [json!(11), json!(1)]);
    let (alices, bobs) = (two.polls(two.alices()), two.polls(&two.bobs.bot_id));

    let own = json!({
        "replyProgressMessages": false,
        "sending": {"limits": {"partChars": 10}},
        "receiving": {"merge": {"whileBusy": false, "most": 1}},
    });
    let mut section = json!({});
    section["accounts"][two.alices().as_str()] = own;
    assert_eq!(two.configure(section).await, [] as [String; 0]);
    assert_eq!((two.polls(two.alices()), two.polls(&two.bobs.bot_id)), (alices, bobs));
    assert_eq!(two.tool_use().await, [json!(1)], "tools are not shown any more");

    // Not merged while the first is worked on, and parted in pieces of ten.
    two.scene.alice.says("first").await;
    let first = two.host.hears().await;
    two.scene.alice.says("second").await;
    let second = two.host.hears().await;
    assert_eq!((first.text.as_str(), second.text.as_str()), ("first", "second"));
    two.host.finishes(&first.turn).await;
    two.host.replies(&second.turn, 0, "one two. three 4.").await;
    two.host.finishes(&second.turn).await;
    assert_eq!(two.scene.alice.hears().await, "one two.");
    assert_eq!(two.scene.alice.hears().await, "three 4.");

    // Bob's account was not meant.
    two.bob.says("hello").await;
    two.host.answers("one two. three 4.").await;
    assert_eq!(two.bob.hears().await, "one two. three 4.");
    assert_eq!(two.polls(&two.bobs.bot_id), bobs + 1, "his message ended one poll");
}

/// Demand 12: whether messages are remembered for quotes holds at once, too.
#[tokio::test]
async fn quotes_are_remembered_as_long_as_they_are_switched_on() {
    let two = Two::new().await;
    let quotes_itself = async |text: &str| {
        let said = two.scene.alice.says(text).await;
        two.host.answers("noted").await;
        assert_eq!(two.scene.alice.hears().await, "noted");
        two.scene.alice.quotes(&said, "I meant this").await;
        let quote = two.host.answers("I see").await.quote.unwrap();
        assert_eq!(two.scene.alice.hears().await, "I see");
        quote.text
    };
    assert_eq!(quotes_itself("one").await, "one");
    two.configure(json!({"quoteCache": {"enabled": false}})).await;
    assert_eq!(quotes_itself("two").await, "", "nothing is known of it");
    two.configure(json!({"quoteCache": {"enabled": true}})).await;
    assert_eq!(quotes_itself("three").await, "three");
    assert_eq!(two.polls(&two.bobs.bot_id), 1, "Bob's poll was closed");
}

/// Demands 12 and 29: so do the folders that an agent may send from.
#[tokio::test]
async fn folders_are_opened_and_closed_to_agents_at_once() {
    let two = Two::new().await;
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("table.csv");
    std::fs::write(&file, "a,b").unwrap();
    let sends_it = async || {
        two.scene.alice.says("the table").await;
        let turn = two.host.hears().await.turn;
        let source = Source::Named(file.display().to_string());
        let media = Media { source, ..Media::file(MediaKind::File, file.clone(), "table.csv") };
        let content = Content::Media(media);
        let reply = Reply { number: 0, class: ReplyClass::Answer, content };
        let sent = two.host.channel.reply(&turn, reply).await;
        two.host.finishes(&turn).await;
        sent
    };
    let refused = async || matches!(sends_it().await, Err(ChannelError::Media { .. }));
    assert!(refused().await);
    two.configure(json!({"sending": {"mediaRoots": [root.path()]}})).await;
    sends_it().await.unwrap();
    let shown = two.scene.alice.sees_from_bots(1).await;
    assert_eq!(shown[0].media().unwrap().bytes().await, b"a,b");
    two.configure(json!({})).await;
    assert!(refused().await);
    assert_eq!(two.polls(&two.bobs.bot_id), 1, "Bob's poll was closed");
}

/// Demands 12 and 39: and the networks that media may be fetched from.
#[tokio::test]
async fn networks_are_opened_and_closed_at_once() {
    let two = Two::new().await;
    let picture = std::fs::read(sample("picture.png")).unwrap();
    let (url, _serving) = serves(picture).await;
    let shows_it = async |n: usize| {
        two.scene.alice.says("show me").await;
        two.host.answers(&format!("![the chart]({url})")).await;
        two.scene.alice.sees_from_bots(n).await.pop().unwrap()
    };
    let told = format!("the chart ({url})");
    assert_eq!(shows_it(1).await.text(), Some(&*told));
    two.configure(json!({"sending": {"mediaNetworks": ["127.0.0.0/8"]}})).await;
    assert!(shows_it(2).await.media().is_some());
    two.configure(json!({})).await;
    assert_eq!(shows_it(3).await.text(), Some(&*told));
    assert_eq!(two.polls(&two.bobs.bot_id), 1, "Bob's poll was closed");
}

/// Demand 38: the key that a section names opens what is sealed on disk.
#[tokio::test]
async fn a_start_with_the_key_file_of_the_section_uses_sealed_credentials() {
    let scene = Scene::new().await;
    let key_file = scene.dir.path().join("key");
    std::fs::write(&key_file, "7".repeat(64)).unwrap();
    let section = json!({"credentialsKeyFile": key_file});
    let (section, _) = ChannelSettings::parse(&section).unwrap();
    let mut settings = Settings::new(scene.dir.path());
    settings.key = section.credentials_key_file().map(|path| StoreKey::read(&path).unwrap());
    settings.section = section;
    assert_eq!(settings.registry().rewrite(true).unwrap(), 1);

    let keyless = TestHost::start(scene.dir.path()).await;
    assert_eq!(keyless.channel.status().await.unwrap(), [], "nobody else can use them");
    keyless.stops().await;
    let host = TestHost::start_on(settings).await;
    scene.alice.says("hello").await;
    host.answers("hi").await;
    assert_eq!(scene.alice.hears().await, "hi");
    host.stops().await;
}

/// Demand 12: what a client is made of restarts its account alone.
#[tokio::test]
async fn a_new_route_tag_restarts_only_its_account() {
    let two = Two::new().await;
    let mut section = json!({});
    section["accounts"][two.alices().as_str()] = json!({"routeTag": 7, "botAgent": "Canary/1.0"});
    two.configure(section.clone()).await;
    two.reach(two.alices(), 2).await;
    let polls = two.scene.backend.requests_to(Endpoint::GetUpdates);
    let last = polls.iter().rfind(|poll| poll.bot.as_ref() == Some(two.alices())).unwrap();
    assert_eq!(last.json()["base_info"]["bot_agent"], "Canary/1.0");
    assert_eq!(last.headers.get("skroutetag").map(String::as_str), Some("7"));
    assert!(polls.iter().all(|poll| poll == last || !poll.headers.contains_key("skroutetag")));
    assert_eq!(two.polls(&two.bobs.bot_id), 1, "Bob's poll was closed");

    // The same again changes nothing.
    two.configure(section).await;
    assert_eq!((two.polls(two.alices()), two.polls(&two.bobs.bot_id)), (2, 1));
    two.scene.alice.says("hello").await;
    two.host.answers("still here").await;
    assert_eq!(two.scene.alice.hears().await, "still here");
}

/// Demands 12 and 54: an account is switched off and on by its alias, too.
#[tokio::test]
async fn an_account_is_switched_off_and_on_by_its_settings() {
    let two = Two::new().await;
    let registry = weixin::Settings::new(two.scene.dir.path()).registry();
    let account = weixin::account_id::account_id(two.alices());
    registry.rename(&account, Some("Work")).unwrap();

    two.configure(json!({"accounts": {"work": {"enabled": false}}})).await;
    let running = two.host.channel.status().await.unwrap();
    let bobs = weixin::account_id::account_id(&two.bobs.bot_id);
    assert_eq!(running.iter().map(|it| &it.account).collect::<Vec<_>>(), [&bobs]);
    two.scene.alice.says("anyone there?").await;

    two.configure(json!({})).await;
    assert_eq!(two.host.answers("I am back").await.text, "anyone there?");
    assert_eq!(two.scene.alice.hears().await, "I am back");
    assert_eq!(two.polls(&two.bobs.bot_id), 1, "Bob's poll was closed");
}

/// Demand 22: settings follow an account's alias.
#[tokio::test]
async fn a_new_alias_brings_the_settings_under_it() {
    let two = Two::new().await;
    two.configure(json!({"accounts": {"quiet": {"replyProgressMessages": false}}})).await;
    assert_eq!(two.tool_use().await, [json!(11), json!(1)]);
    let registry = weixin::Settings::new(two.scene.dir.path()).registry();
    registry.rename(&weixin::account_id::account_id(two.alices()), Some("quiet")).unwrap();
    let told = async {
        let is_quiet = |it: &contract::AccountStatus| it.name.as_deref() == Some("quiet");
        while !two.host.channel.status().await.unwrap().iter().any(is_quiet) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the alias was not noticed");
    assert_eq!(two.tool_use().await, [json!(1)]);
    assert_eq!(two.polls(&two.bobs.bot_id), 1);
}

/// Demand 34: half of a section is worse than none.
#[tokio::test]
async fn a_section_with_a_wrong_value_changes_nothing() {
    let two = Two::new().await;
    let section = json!({"replyProgressMessages": false, "routeTag": 7, "enabled": "maybe"});
    let refused = two.host.channel.configure(section).await;
    assert!(
        matches!(&refused, Err(ChannelError::Settings { path, reason })
            if path == "enabled" && reason.contains("true or false")),
        "{refused:?}"
    );
    assert_eq!(two.tool_use().await, [json!(11), json!(1)]);
    assert_eq!(two.polls(&two.bobs.bot_id), 1);
    assert_eq!(
        two.configure(json!({"replyProgresMessages": false})).await,
        ["replyProgresMessages: not known, and ignored; did you mean `replyProgressMessages`?"]
    );
}

/// The section may come first.
#[tokio::test]
async fn settings_that_come_before_the_start_hold_from_the_start_on() {
    let scene = Scene::new().await;
    let channel = channel(scene.dir.path());
    channel.configure(json!({"botAgent": "Early/1.0"})).await.unwrap();
    assert!(channel.probe().await.unwrap()[0].ok);
    let probed = scene.backend.requests_to(Endpoint::NotifyStart);
    assert_eq!(probed[0].json()["base_info"]["bot_agent"], "Early/1.0");
    let host = TestHost::start_channel(channel).await;
    scene.polled().await;
    let polls = scene.backend.requests_to(Endpoint::GetUpdates);
    assert_eq!(polls[0].json()["base_info"]["bot_agent"], "Early/1.0");
    host.stops().await;
}

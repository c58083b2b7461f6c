//! Those who are not admitted, and those who are but not to everything.

use std::path::Path;

use backend::{Backend, Endpoint, Policy, User};
use contract::{Author, Channel as _, Content, Media, MediaKind, Verdict};
use ilink::UserId;
use ilink::wire::{CdnMedia, Decimal, FileItem, Item, ItemKind, Message, RefMsg, TextItem};

use crate::host::{Scene, TestHost, log_in};
use crate::polling::{brisk_scene, hasty};
use crate::witness::Witness;

/// Says as a user what its phone would not say.
fn item_of(file_name: &str, len: u64, media: CdnMedia) -> Item {
    let (file_name, len, media) = (Some(file_name.to_owned()), Some(Decimal(len)), Some(media));
    let file_item = Some(FileItem { file_name, len, media, ..FileItem::default() });
    Item { file_item, ..Item::of_kind(ItemKind::File) }
}

fn quoting(reference: RefMsg, text: &str) -> Vec<Item> {
    let text_item = Some(TextItem { text: Some(text.to_owned()), ..TextItem::default() });
    let ref_msg = Some(Box::new(reference));
    vec![Item { text_item, ref_msg, ..Item::of_kind(ItemKind::Text) }]
}

fn by_id(id: &ilink::MessageId) -> RefMsg {
    RefMsg { svr_id: Some(id.clone()), ..RefMsg::default() }
}

fn count(store: &rusqlite::Connection, sql: &str) -> i64 {
    store.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn n_files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Demand 23: what the host wants a stranger to be told is all that they get,
/// once for the message that it was said to.
#[tokio::test]
async fn a_stranger_is_told_once_what_the_host_wants_them_to_be_told() {
    let scene = brisk_scene().await;
    let settings = hasty(scene.dir.path());
    let stranger = scene.backend.user("stranger").await.meets(&scene.bot.bot_id).await;
    let code = "Your code: ABCD2345";
    let host = TestHost::start_challenging(settings, stranger.id().as_str(), code).await;
    stranger.says("/echo hello").await;
    assert_eq!(stranger.hears().await, code);
    scene.alice.says("and I").await;
    assert_eq!(host.hears().await.text, "and I");

    assert_eq!(stranger.sees().await.iter().filter(|seen| !seen.from_me).count(), 1);
    assert!(host.heard_nothing_more().await);
    host.stops().await;
}

/// Demands 23 and 39: whoever is not admitted causes nothing, whatever they
/// send; all that stays is the mark that the message was seen.
#[tokio::test]
async fn a_stranger_gets_nothing_done_and_leaves_nothing_behind() {
    let scene = brisk_scene().await;
    let mut settings = hasty(scene.dir.path());
    settings.intake.merge = weixin::MergeSettings::off();
    let witness = Witness::start(settings).await;
    let stranger = scene.backend.user("stranger").await.meets(&scene.bot.bot_id).await;
    for text in ["/echo hello", "/toggle-debug", "/stop", "停止", "let me in"] {
        stranger.says(text).await;
    }
    stranger.sends_image(b"\x89PNG\r\n\x1a\n", "p.png").await;
    let media = CdnMedia { encrypt_query_param: Some("huge".to_owned()), ..CdnMedia::default() };
    stranger.sends_items(vec![item_of("huge.bin", 1 << 30, media)]).await;
    let same = Message {
        from_user_id: Some(UserId::from(scene.alice.id().as_str().to_ascii_uppercase())),
        ..Message {
            item_list: Some(vec![Item::text("it is me, alice")].into()),
            ..Message::default()
        }
    };
    assert_ne!(same.from_user_id.as_ref(), Some(scene.alice.id()));
    stranger.sends_message(same).await;

    witness.told("eight refusals", |told| told.verdicts.len() == 8).await;
    assert!(witness.look(|told| told.verdicts.iter().all(|it| it.1 == Verdict::Refuse)));
    let settled = async {
        while witness.channel.status().await.unwrap()[0].inbox > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::host::PATIENCE, settled).await.expect("it stays in the inbox");
    witness.channel.stop(std::time::Duration::from_secs(5)).await;

    assert!(witness.look(|told| told.messages.is_empty() && told.alerts.is_empty()));
    let asked: Vec<_> = scene.backend.requests().iter().map(|request| request.endpoint).collect();
    for endpoint in [
        Endpoint::SendMessage,
        Endpoint::GetConfig,
        Endpoint::SendTyping,
        Endpoint::GetUploadUrl,
        Endpoint::CdnDownload,
    ] {
        assert!(!asked.contains(&endpoint), "{endpoint:?}");
    }
    let dir = scene.dir.path();
    assert!(!dir.join("debug-mode.json").exists());
    assert_eq!(["outbox", "received", "quoted"].map(|it| n_files(&dir.join(it))), [0; 3]);
    let store = rusqlite::Connection::open(dir.join("channel.sqlite")).unwrap();
    assert_eq!(count(&store, "SELECT count(*) FROM inbox"), 8);
    assert_eq!(count(&store, "SELECT count(*) FROM inbox WHERE body IS NOT NULL"), 0);
    assert_eq!(count(&store, "SELECT count(*) FROM quote"), 0);
    assert_eq!(count(&store, "SELECT count(*) FROM outbox"), 0);
}

/// Demand 23: an account that nobody is known to own is closed, not open.
#[tokio::test]
async fn without_a_known_owner_nobody_is_one() {
    let scene = brisk_scene().await;
    let file = scene.dir.path().join("accounts");
    let file = std::fs::read_dir(file).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|it| it == "json"));
    let file = file.unwrap();
    let mut fields: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    fields.as_object_mut().unwrap().remove("userId").unwrap();
    std::fs::write(&file, fields.to_string()).unwrap();

    let witness = Witness::start(hasty(scene.dir.path())).await;
    scene.alice.says("it is really me").await;
    witness.told("a refusal", |told| told.verdicts.len() == 1).await;
    assert!(witness.look(|told| told.verdicts[0].1 == Verdict::Refuse));
}

/// Sends a file to whom a turn belongs.
async fn gives_file(host: &TestHost, turn: &contract::TurnId, path: &Path) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let media = Media::file(MediaKind::File, path.to_owned(), name);
    host.gives(turn, 0, Content::Media(media)).await;
    host.finishes(turn).await;
}

/// Demand 24: what lies in one conversation is not there for another, neither on
/// the same account nor on a second one that the same agent answers.
#[tokio::test]
async fn files_and_quotes_stay_in_their_conversation() {
    let scene = brisk_scene().await;
    let bob = scene.backend.user("bob").await.meets(&scene.bot.bot_id).await;
    let carol = scene.backend.user("carol").await;
    log_in(scene.dir.path(), &scene.backend.bind(&carol).await);
    let mut settings = hasty(scene.dir.path());
    settings.intake.merge = weixin::MergeSettings::off();
    let host = TestHost::start_on(settings).await;

    let letter = scene.alice.sends_file(b"dear diary", "diary.txt").await;
    let hers = host.hears().await;
    let plan = scene.dir.path().join("plan.pdf");
    std::fs::write(&plan, b"%PDF-1.7 for alice").unwrap();
    gives_file(&host, &hers.turn, &plan).await;
    let answer = scene.alice.sees_from_bots(1).await[0].id.clone();
    let secret = scene.alice.says("the code is 4711").await;
    host.answers("noted").await;

    for nosy in [&bob, &carol] {
        for id in [&letter, &answer, &secret] {
            nosy.sends_items(quoting(by_id(id), "what was that?")).await;
            let turn = host.answers("hm").await;
            assert_eq!(turn.conversation.peer.as_str(), nosy.id().as_str());
            let quote = turn.quote.unwrap();
            assert_eq!((quote.author, quote.text.as_str()), (None, ""), "of {id}");
            assert_eq!((quote.attachments, turn.attachments), (vec![], vec![]), "of {id}");
        }
        nosy.sends_file(b"my own", "own.txt").await;
        let turn = host.answers("nice").await;
        let paths: Vec<_> = turn.attachments.iter().map(|it| it.path.clone().unwrap()).collect();
        assert_eq!(paths.len(), 1);
        assert_eq!(std::fs::read(&paths[0]).unwrap(), b"my own");
        assert_ne!(hers.attachments[0].path.as_ref(), Some(&paths[0]));
    }
    assert_heard(&bob, 4).await;
    assert_heard(&carol, 4).await;

    // She herself still has all of it.
    scene.alice.quotes(&letter, "mine").await;
    let quote = host.hears().await.quote.unwrap();
    assert_eq!((quote.author, quote.attachments.len()), (Some(Author::Peer), 1));
    let kept = quote.attachments[0].path.as_ref().unwrap();
    assert_eq!(std::fs::read(kept).unwrap(), b"dear diary");
}

/// What a nosy one sees of the bot is what was said to them.
async fn assert_heard(nosy: &User, n: usize) {
    let seen = nosy.sees_from_bots(n).await;
    let texts: Vec<_> = seen.iter().map(|it| it.text().unwrap_or("no text")).collect();
    assert_eq!(texts, ["hm", "hm", "hm", "nice"]);
}

/// Demands 1 and 24: what waits for one peer is not sent when another writes,
/// under the strictest rules that are known.
#[tokio::test]
async fn what_waits_for_one_is_not_said_to_another() {
    let policy = Policy { strangers: true, ..Policy::tencent() };
    let backend = Backend::builder().policy(policy).hold(std::time::Duration::from_millis(100));
    let scene = Scene::with(backend).await;
    let bob = scene.backend.user("bob").await.meets(&scene.bot.bot_id).await;
    let settings = hasty(scene.dir.path());
    let host = TestHost::start_on(settings.clone()).await;
    scene.alice.says("count to twelve").await;
    let turn = host.hears().await;
    for n in 0..12 {
        host.replies(&turn.turn, n, &format!("for alice: {n}")).await;
        // Replies that come close together could be swapped on their way.
        settings.clock.advance(std::time::Duration::from_secs(10));
    }
    host.finishes(&turn.turn).await;
    scene.alice.sees_from_bots(8).await;

    bob.says("hello").await;
    host.answers("for bob").await;
    assert_eq!(bob.hears().await, "for bob");
    let seen = bob.sees().await;
    assert!(seen.iter().all(|it| !it.text().unwrap_or_default().contains("alice")), "{seen:?}");
}

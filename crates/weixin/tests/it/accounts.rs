//! Accounts listed, switched, removed and carried, beside a running channel and
//! without one.

use std::path::Path;

use backend::{Endpoint, Fault};
use contract::{
    AccountId, AccountState, Channel as _, ChannelError, Content, Media, MediaKind, Reply,
    ReplyClass,
};
use ilink::client::{Http, HttpOptions};
use weixin::accounts::{AccountsError, ArchiveError, Import, Imported};
use weixin::{Accounts, Settings};

use crate::host::{PATIENCE, Scene, TestHost, channel, log_in};
use crate::receiving::wait_until;

const PASSPHRASE: &str = "correct horse";

pub(crate) fn http() -> Http {
    Http::new(&HttpOptions { system_proxy: false, ..HttpOptions::default() }).unwrap()
}

fn accounts(dir: &Path) -> Accounts {
    Accounts::new(Settings::new(dir), http())
}

fn passphrase(text: &str) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(text.to_owned())
}

async fn export(dir: &Path, with_replaced: bool) -> Vec<u8> {
    let accounts = accounts(dir);
    let all = accounts.registry().accounts().unwrap();
    accounts.export(&all, with_replaced, passphrase(PASSPHRASE)).await.unwrap()
}

async fn import(dir: &Path, archive: &[u8]) -> Result<Vec<Imported>, AccountsError> {
    accounts(dir).import(archive.to_owned(), passphrase(PASSPHRASE), false).await
}

fn only_account(dir: &Path) -> AccountId {
    accounts(dir).registry().accounts().unwrap().pop().unwrap()
}

/// All files below a folder, by their path in it.
fn files(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(dir).unwrap().display().to_string());
            }
        }
    }
    files.sort();
    files
}

/// Demands 22 and 55: a name shows in the status, and giving one disturbs nothing.
#[tokio::test]
async fn a_name_shows_without_touching_the_poll() {
    let scene = Scene::with(backend::Backend::builder().hold(std::time::Duration::from_secs(100)));
    let scene = scene.await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.polled().await;
    let registry = accounts(scene.dir.path()).registry();
    registry.rename(&only_account(scene.dir.path()), Some("work")).unwrap();
    wait_until(&host, |status| status["name"] == "work").await;
    assert_eq!(scene.backend.requests_to(Endpoint::GetUpdates).len(), 1);
    host.stops().await;
    assert_eq!(channel(scene.dir.path()).status().await.unwrap()[0].name.as_deref(), Some("work"));
}

/// Demands 12 and 38: a file that breaks while its account runs stops nothing.
#[tokio::test]
async fn an_account_that_runs_outlives_its_broken_file() {
    let hold = std::time::Duration::from_secs(100);
    let scene = Scene::with(backend::Backend::builder().hold(hold)).await;
    let dir = scene.dir.path();
    let host = TestHost::start(dir).await;
    scene.polled().await;
    let file = dir.join(format!("accounts/{}.json", only_account(dir)));
    for file in [file.clone(), file.with_extension("json.bak")] {
        std::fs::write(file, "{").unwrap();
    }
    let problem = accounts(dir).list().await.unwrap().pop().unwrap().problem;
    assert!(problem.unwrap().contains("log the account in again"));

    let bob = scene.backend.user("bob").await;
    log_in(dir, &scene.backend.bind(&bob).await);
    bob.says("another account").await;
    assert_eq!(host.answers("welcome").await.text, "another account");
    let polls = scene.backend.requests_to(Endpoint::GetUpdates);
    let alices = polls.iter().filter(|poll| poll.bot.as_ref() == Some(&scene.bot.bot_id));
    assert_eq!(alices.count(), 1, "the poll was aborted");
}

/// Demand 54: what is switched off stops within seconds, loses nothing, and goes
/// on where it was.
#[tokio::test]
async fn an_account_that_is_switched_off_and_on_goes_on_where_it_was() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.polled().await;
    let accounts = accounts(scene.dir.path());
    let account = only_account(scene.dir.path());
    accounts.registry().set_disabled(&account, true).unwrap();
    wait_until(&host, serde_json::Value::is_null).await;
    // It is told as stopped once it has said farewell.
    let stopped = async {
        loop {
            let info = accounts.list().await.unwrap().pop().unwrap();
            assert!(!info.enabled);
            if info.state == AccountState::Stopped {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, stopped).await.expect("the account never stopped");

    scene.alice.says("while off").await;
    accounts.registry().set_disabled(&account, false).unwrap();
    assert_eq!(host.answers("on again").await.text, "while off");
    assert_eq!(scene.alice.hears().await, "on again");
}

/// Demand 54: after a removal beside a running channel there is no poll, no
/// file, no name and no row, and the account can come back.
#[tokio::test]
async fn a_removed_account_leaves_nothing_and_can_come_back() {
    let scene = Scene::new().await;
    let dir = scene.dir.path();
    let host = TestHost::start(dir).await;
    scene.alice.sends_image(b"\x89PNG\r\n\x1a\ncanary", "p.png").await;
    host.answers("seen").await;
    scene.alice.hears().await;
    let accounts = accounts(dir);
    let account = only_account(dir);
    accounts.registry().rename(&account, Some("gone")).unwrap();

    let removed = accounts.remove(&account).await.unwrap();
    assert!(removed.rows >= 3 && removed.files == 2, "{removed:?}");
    assert!(removed.announced && !scene.backend.is_online(&scene.bot.bot_id));
    assert!(
        accounts.registry().find("gone").is_err()
            && host.channel.status().await.unwrap().is_empty()
    );
    let kept: Vec<_> = files(dir).into_iter().filter(|file| !file.contains("channel.")).collect();
    assert_eq!(kept, ["accounts.json", "accounts.json.bak", "accounts.lock"]);
    let polls = scene.backend.requests_to(Endpoint::GetUpdates).len();

    // The same person, anew.
    let again = scene.backend.bind(&scene.alice).await;
    log_in(dir, &again);
    scene.alice.says("back").await;
    assert_eq!(host.answers("hello again").await.text, "back");
    let of_removed = |poll: &&backend::Request| poll.bot.as_ref() == Some(&scene.bot.bot_id);
    let later = scene.backend.requests_to(Endpoint::GetUpdates);
    assert_eq!(
        later.iter().skip(polls).filter(of_removed).count(),
        0,
        "the removed bot was polled"
    );
    host.stops().await;
    assert_eq!(rows_of(dir, &account), 0);
    assert!(rows_of(dir, &only_account(dir)) > 0);
}

/// Demand 54: a host that still works on a turn of a removed account leaves
/// nothing behind, either.
#[tokio::test]
async fn a_reply_to_an_account_that_was_removed_meanwhile_leaves_nothing() {
    let scene = Scene::new().await;
    let dir = scene.dir.path();
    let host = TestHost::start(dir).await;
    scene.alice.says("think about it").await;
    let turn = host.hears().await.turn;
    let account = only_account(dir);
    accounts(dir).remove(&account).await.unwrap();

    let picture = dir.join("late.png");
    std::fs::write(&picture, b"late").unwrap();
    let media = Media::file(MediaKind::File, picture, "late.png");
    for (number, content) in
        [Content::Text("late".to_owned()), Content::Media(media)].into_iter().enumerate()
    {
        let reply = Reply { number: number as u32, class: ReplyClass::Answer, content };
        let refused = host.channel.reply(&turn, reply).await;
        assert!(matches!(refused, Err(ChannelError::NoSuchTurn(_))), "{refused:?}");
    }
    assert_eq!(std::fs::read_dir(dir.join("outbox")).unwrap().count(), 0);
    host.finishes(&turn).await;
    host.stops().await;
    assert_eq!(rows_of(dir, &account), 0);
}

/// Counts what the store holds of an account.
fn rows_of(dir: &Path, account: &AccountId) -> i64 {
    let store = rusqlite::Connection::open(dir.join("channel.sqlite")).unwrap();
    let count = "SELECT (SELECT count(*) FROM inbox WHERE account = ?1)
                      + (SELECT count(*) FROM outbox WHERE account = ?1)
                      + (SELECT count(*) FROM peer WHERE account = ?1)
                      + (SELECT count(*) FROM account WHERE id = ?1)";
    store.query_row(count, [account.as_str()], |row| row.get(0)).unwrap()
}

/// Demand 54: a backend that does not answer does not stop a removal.
#[tokio::test]
async fn a_removal_does_not_need_the_backend() {
    let scene = Scene::new().await;
    scene.backend.next(Endpoint::NotifyStop, Fault::DropRequest);
    let account = only_account(scene.dir.path());
    let removed = accounts(scene.dir.path()).remove(&account).await.unwrap();
    assert!(!removed.announced);
    assert_eq!(accounts(scene.dir.path()).list().await.unwrap(), []);
}

/// Demand 14: lost credentials come back from an export, and the account goes
/// on where it was read to.
#[tokio::test]
async fn an_export_brings_a_lost_account_back() {
    let scene = Scene::new().await;
    let dir = scene.dir.path();
    let host = TestHost::start(dir).await;
    scene.alice.says("before").await;
    host.answers("1").await;
    scene.alice.hears().await;
    host.stops().await;
    let account = only_account(dir);
    accounts(dir).registry().rename(&account, Some("work")).unwrap();
    let archive = export(dir, false).await;

    std::fs::remove_dir_all(dir.join("accounts")).unwrap();
    for name in ["accounts.json", "accounts.json.bak"] {
        std::fs::remove_file(dir.join(name)).unwrap();
    }
    assert_eq!(accounts(dir).list().await.unwrap(), []);
    let elsewhere = tempfile::tempdir().unwrap();
    for dir in [dir, elsewhere.path()] {
        let import = Import::Added { replaced: vec![], name_taken: false };
        let expected = [Imported { account: account.clone(), import }];
        assert_eq!(import_ok(dir, &archive).await, expected);
        assert_eq!(accounts(dir).registry().find("work").unwrap(), account);
    }
    // A machine that never saw the conversation can answer and repeats nothing.
    let host = TestHost::start(elsewhere.path()).await;
    scene.alice.says("after").await;
    assert_eq!(host.answers("2").await.text, "after");
    assert_eq!(scene.alice.hears().await, "2");
    host.stops().await;
}

async fn import_ok(dir: &Path, archive: &[u8]) -> Vec<Imported> {
    import(dir, archive).await.unwrap()
}

/// Demand 14: an archive is opened by its passphrase only, and an old one does
/// not push away what came later.
#[tokio::test]
async fn an_import_refuses_what_it_cannot_trust() {
    let scene = Scene::new().await;
    let dir = scene.dir.path();
    let archive = export(dir, false).await;
    let wrong = accounts(dir).import(archive.clone(), passphrase("incorrect"), false).await;
    assert!(matches!(wrong, Err(AccountsError::Archive(ArchiveError::WrongPassphrase))));
    let cut = import(dir, &archive[..archive.len() / 2]).await;
    assert!(matches!(cut, Err(AccountsError::Archive(ArchiveError::Damaged))));
    let text = String::from_utf8(archive.clone()).unwrap();
    assert!(!text.contains(scene.bot.token.expose()) && !text.contains(scene.bot.user_id.as_str()));

    let first = only_account(dir);
    assert_eq!(import_ok(dir, &archive).await[0].import, Import::Known);
    let anew = scene.backend.bind(&scene.alice).await;
    // Saved a moment later, by the clock that the file carries.
    while accounts(dir).registry().load(&first).unwrap().unwrap().saved_at
        >= jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    {
        tokio::task::yield_now().await;
    }
    log_in(dir, &anew);
    let newer = only_account(dir);
    assert_eq!(import_ok(dir, &archive).await[0].import, Import::Older { newer: newer.clone() });
    assert_eq!(accounts(dir).registry().accounts().unwrap(), [newer]);
}

/// Demand 14: credentials that were replaced are kept, and travel on demand.
#[tokio::test]
async fn replaced_credentials_travel_when_they_are_asked_for() {
    let scene = Scene::new().await;
    let first = only_account(scene.dir.path());
    log_in(scene.dir.path(), &scene.backend.bind(&scene.alice).await);
    let elsewhere = tempfile::tempdir().unwrap();
    import_ok(elsewhere.path(), &export(scene.dir.path(), true).await).await;
    let kept = elsewhere.path().join("accounts/replaced").join(format!("{first}.json"));
    assert!(std::fs::read_to_string(kept).unwrap().contains(scene.bot.token.expose()));
}

use contract::AccountId;
use ilink::UserId;
use ilink::wire::Message;

use super::*;
use crate::settings::Settings;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

struct Shelf {
    quotes: Quotes,
    dir: tempfile::TempDir,
}

impl Shelf {
    fn new(settings: QuoteSettings) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("s.sqlite")).expect("a store");
        let mut channel = Settings::new(dir.path());
        channel.intake.quote_cache = settings;
        let quotes = Quotes::open(store, LiveSettings::new(channel)).expect("a folder");
        Self { quotes, dir }
    }

    async fn records(&self, id: &str, text: &str, at_ms: i64) {
        self.quotes.record_inbound(&talk(), id.to_owned(), text, &[], at_ms).await;
    }

    /// Records a file of so many bytes.
    async fn records_file(&self, id: &str, bytes: usize, at_ms: i64) {
        let path = self.dir.path().join(format!("{id}.txt"));
        std::fs::write(&path, vec![b'x'; bytes]).expect("written");
        let file = Attachment {
            kind: MediaKind::File,
            name: format!("报告 {id}.txt"),
            mime: Some("text/plain".to_owned()),
            path: Some(path.clone()),
            problem: None,
            transcript: None,
        };
        self.quotes.record_inbound(&talk(), id.to_owned(), "", &[file], at_ms).await;
        std::fs::remove_file(path).expect("removed");
    }

    async fn finds(&self, id: &str) -> Option<Quote> {
        self.quotes.find(&talk(), &reference(&format!(r#"{{"svr_id":{id}}}"#))).await
    }

    /// Returns the texts of those of these messages that are still known.
    async fn texts(&self, ids: &[&str]) -> Vec<String> {
        let mut texts = Vec::new();
        for id in ids {
            texts.extend(self.finds(id).await.map(|quote| quote.text));
        }
        texts
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("quoted")).expect("a folder").count()
    }
}

fn talk() -> Talk {
    Talk { account: AccountId::from("a"), peer: UserId::from("User@im.wechat") }
}

fn reference(json: &str) -> RefMsg {
    let json = format!(r#"{{"item_list":[{{"ref_msg":{json}}}]}}"#);
    let msg = Message::from_slice(json.as_bytes()).expect("a message");
    *msg.item_list.expect("items")[0].ref_msg.clone().expect("a reference")
}

/// Demand 21: ids over 2^53 stay exact; a part is checked and never made up.
#[tokio::test]
async fn a_message_is_found_by_its_id_and_the_part_that_was_selected() {
    let shelf = Shelf::new(QuoteSettings::default());
    shelf.records("9007199254740993", "鸿雁传书", 1).await;
    let quote = shelf.finds("9007199254740993").await.expect("known");
    assert_eq!((quote.text.as_str(), quote.author), ("鸿雁传书", Some(Author::Peer)));
    assert_eq!(shelf.finds("9007199254740992").await, None);

    let part = |md5: &str| {
        reference(&format!(
            r#"{{"svr_id":"9007199254740993","partial_text":{{"start":"雁","end":"传","startindex":0,"endindex":0,"quotemd5":"{md5}"}}}}"#
        ))
    };
    let md5 = crate::inbound::hex_md5("雁传");
    let found = shelf.quotes.find(&talk(), &part(&md5)).await.expect("known");
    assert_eq!(found.text, "雁传");
    let found = shelf.quotes.find(&talk(), &part("00")).await.expect("known");
    assert_eq!(found.text, "鸿雁传书", "all of it, when the part cannot be told");
}

/// Demands 21 and 24: nobody can quote what somebody else was told.
#[tokio::test]
async fn a_message_is_known_in_its_own_conversation_only() {
    let shelf = Shelf::new(QuoteSettings::default());
    shelf.records("1", "for me alone", 1).await;
    let other = Talk { peer: UserId::from("other@im.wechat"), ..talk() };
    assert_eq!(shelf.quotes.find(&other, &reference(r#"{"svr_id":1}"#)).await, None);
    let account = Talk { account: AccountId::from("b"), ..talk() };
    assert_eq!(shelf.quotes.find(&account, &reference(r#"{"svr_id":1}"#)).await, None);
    let same = Talk { peer: UserId::from("USER@im.wechat"), ..talk() };
    assert!(shelf.quotes.find(&same, &reference(r#"{"svr_id":1}"#)).await.is_some());
}

/// Demand 21: what older phones carry is taken as it is.
#[test]
fn what_a_reference_says_itself() {
    let cases = [
        (r#"{"message_item":{"type":1,"text_item":{"text":"all"}}}"#, "all"),
        (r#"{"message_item":{"type":0,"text_item":{"text":"zero"}}}"#, "zero"),
        (r#"{"message_item":{"type":8},"title":"a line"}"#, "a line"),
        (r#"{"message_item":{"type":8}}"#, ""),
        (r#"{"message_item":{"type":0}}"#, ""),
        (r#"{"title":"a line"}"#, "a line"),
        (r#"{"svr_id":"1"}"#, ""),
    ];
    for (json, text) in cases {
        assert_eq!(inline_text(&reference(json)), text, "{json}");
    }
}

#[tokio::test]
async fn media_outlive_the_file_that_they_came_in() {
    let shelf =
        Shelf::new(QuoteSettings { max_single_media_bytes: 10, ..QuoteSettings::default() });
    shelf.records_file("1", 10, 1).await;
    shelf.records_file("2", 11, 2).await;

    let small = shelf.finds("1").await.expect("known").attachments.remove(0);
    assert_eq!((small.name.as_str(), small.problem), ("报告 1.txt", None));
    assert_eq!(std::fs::read(small.path.expect("kept")).expect("read"), b"xxxxxxxxxx");
    let large = shelf.finds("2").await.expect("known").attachments.remove(0);
    assert_eq!((large.path, large.problem.as_deref()), (None, Some("it is no longer kept")));
    assert_eq!(shelf.files(), 1);
}

/// Demand 21: the budget is the official plugin's.
#[tokio::test]
async fn what_is_over_the_budget_is_forgotten_the_oldest_first() {
    let shelf = Shelf::new(QuoteSettings {
        retention: 30 * DAY,
        max_messages_per_account: 3,
        media_retention: 7 * DAY,
        max_media_bytes_per_account: 25,
        ..QuoteSettings::default()
    });
    let now_ms = 100 * DAY_MS;
    shelf.records("1", "too old", now_ms - 31 * DAY_MS).await;
    shelf.records("2", "one too many", now_ms - 20 * DAY_MS).await;
    shelf.records_file("3", 10, now_ms - 8 * DAY_MS).await;
    shelf.records_file("4", 20, now_ms - 2 * DAY_MS).await;
    shelf.records_file("5", 10, now_ms - DAY_MS).await;

    shelf.quotes.prune(now_ms, Duration::ZERO).await;
    assert_eq!(shelf.texts(&["1", "2", "3", "4", "5"]).await, ["", "", ""]);
    let mut kept = Vec::new();
    for id in ["3", "4", "5"] {
        kept.push(shelf.finds(id).await.expect("known").attachments.len());
    }
    assert_eq!(kept, [0, 0, 1], "too old, over the budget, kept");
    assert_eq!(shelf.files(), 1);
}

#[tokio::test]
async fn nothing_is_kept_when_it_is_turned_off() {
    let shelf = Shelf::new(QuoteSettings { enabled: false, ..QuoteSettings::default() });
    shelf.records("1", "hello", 1).await;
    assert_eq!(shelf.finds("1").await, None);
    assert!(shelf.quotes.store.remembers_nothing().await.expect("read"));
}

/// Demand 21: quotes of what was said before the official plugin was replaced.
#[tokio::test]
async fn the_official_plugins_memory_is_taken_over_once() {
    let shelf = Shelf::new(QuoteSettings::default());
    let golden = shelf.dir.path().join("ref-messages.sqlite");
    std::fs::write(&golden, include_bytes!("../../tests/golden/ref-messages.sqlite"))
        .expect("written");
    assert_eq!(shelf.quotes.import(&golden).await.expect("imported"), Imported { n: 40 });

    let talk = Talk { account: "acct0000-im-bot".into(), peer: UserId::from("user0001@im.wechat") };
    let found = shelf.quotes.find(&talk, &reference(r#"{"svr_id":7400095293962507787}"#)).await;
    let expected = Quote {
        message_id: Some("7400095293962507787".to_owned()),
        author: Some(Author::Us),
        text: "m180".to_owned(),
        attachments: Vec::new(),
    };
    assert_eq!(found, Some(expected));
    assert_eq!(shelf.quotes.import(&golden).await.expect("known"), Imported { n: 0 });
    let missing = shelf.dir.path().join("missing.sqlite");
    assert_eq!(shelf.quotes.import(&missing).await.expect("none"), Imported { n: 0 });
}

#[tokio::test]
async fn a_damaged_memory_of_the_official_plugin_is_an_error_and_no_more() {
    let shelf = Shelf::new(QuoteSettings::default());
    let path = shelf.dir.path().join("ref-messages.sqlite");
    std::fs::write(&path, b"not a database").expect("written");
    assert!(shelf.quotes.import(&path).await.is_err());
}

#[test]
fn the_settings_are_the_official_ones() {
    let json = r#"{"enabled":true,"retentionDays":30,"maxMessagesPerAccount":10000,
        "mediaRetentionDays":7,"maxMediaBytesPerAccount":268435456,"maxSingleMediaBytes":26214400}"#;
    let read: QuoteSettings = serde_json::from_str(json).expect("settings");
    assert_eq!(read, QuoteSettings::default());
}

use ilink::ContextToken;
use ledger::Ledger;

use super::super::MIGRATIONS;
use super::*;
use crate::inbound::Key;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A store with one conversation, told apart from a restart by its folder.
struct Shelf {
    dir: tempfile::TempDir,
    store: Store,
}

impl Shelf {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("s.sqlite")).expect("a store");
        Self { dir, store }
    }

    async fn accepts(&self, kept: Kept, now_ms: i64) -> usize {
        let accepted = self.store.accept(&account(), vec![kept], None, now_ms).await;
        accepted.expect("accepted").n_new
    }

    async fn token(&self) -> Option<String> {
        let token = self.store.context_token(&talk()).await.expect("read");
        token.map(|token| token.expose().to_owned())
    }

    async fn claims(&self) -> Claimed {
        let merge = MergeSettings::default();
        self.store.claim(&talk(), &merge, 3, 1_000_000).await.expect("claimed")
    }

    /// Claims, and returns the ids of the rows and how often each was offered.
    async fn claims_rows(&self) -> Vec<(i64, u32)> {
        match self.claims().await {
            Claimed::Turn(rows) => rows.iter().map(|row| (row.id, row.offers)).collect(),
            other @ (Claimed::Later(_)
            | Claimed::Held
            | Claimed::SetAside { .. }
            | Claimed::Nothing) => {
                panic!("no turn but {other:?}")
            }
        }
    }

    /// Opens the store again as after a crash.
    async fn crashes(self) -> Self {
        let Self { dir, store } = self;
        store.close().await;
        let store = Store::open(&dir.path().join("s.sqlite")).expect("a store");
        store.recover().await.expect("recovered");
        Self { dir, store }
    }
}

fn account() -> AccountId {
    AccountId::from("a")
}

fn talk() -> Talk {
    Talk { account: account(), peer: UserId::from("User@im.wechat") }
}

fn kept(keys: &[(u8, &str)]) -> Kept {
    let keys = keys.iter().map(|&(rank, text)| Key { rank, text: text.to_owned() }).collect();
    Kept {
        peer: talk().peer,
        keys,
        language: None,
        kind: Kind::Words,
        token: None,
        sent_at_ms: 1000,
        body: "{}".to_owned(),
    }
}

fn with_token(keys: &[(u8, &str)], token: &str, sent_at_ms: i64) -> Kept {
    Kept { token: Some(ContextToken::new(token)), sent_at_ms, ..kept(keys) }
}

/// Demand 8: copies may carry fewer ids, or others than the first did.
#[tokio::test]
async fn a_copy_is_known_by_any_id_that_the_message_was_known_by() {
    let shelf = Shelf::new();
    assert_eq!(shelf.accepts(kept(&[(0, "message:1"), (2, "client:u/c")]), 1).await, 1);
    assert_eq!(shelf.accepts(kept(&[(2, "client:u/c"), (3, "seq:9")]), 2).await, 0);
    // The copy was known by its client id; its own seq is now known, too.
    assert_eq!(shelf.accepts(kept(&[(3, "seq:9")]), 3).await, 0);
    assert_eq!(shelf.accepts(kept(&[(0, "message:1")]), 4).await, 0);
}

/// Demand 8: the strongest id that two messages both carry decides.
#[tokio::test]
async fn messages_that_differ_in_a_strong_id_may_share_a_weak_one() {
    let shelf = Shelf::new();
    assert_eq!(shelf.accepts(kept(&[(0, "message:1"), (3, "seq:1")]), 1).await, 1);
    assert_eq!(shelf.accepts(kept(&[(0, "message:2"), (3, "seq:1")]), 2).await, 1);
    assert_eq!(shelf.accepts(kept(&[(1, "item:1"), (2, "client:u/c")]), 3).await, 1);
    assert_eq!(shelf.accepts(kept(&[(1, "item:2"), (2, "client:u/c")]), 4).await, 1);
}

/// Demand 8: copies have come much later.
#[tokio::test]
async fn a_message_is_known_for_a_day_after_it_is_done() {
    let shelf = Shelf::new();
    shelf.accepts(kept(&[(0, "message:1"), (2, "client:u/c")]), 1000).await;
    let [(id, _)] = shelf.claims_rows().await[..] else { panic!("one row") };
    shelf.store.finish(id).await.expect("finished");

    shelf.store.prune(1000 + DAY_MS).await.expect("pruned");
    assert_eq!(shelf.accepts(kept(&[(2, "client:u/c")]), 1000 + DAY_MS).await, 0);

    shelf.store.prune(1000 + 3 * DAY_MS).await.expect("pruned");
    assert_eq!(shelf.accepts(kept(&[(2, "client:u/c")]), 1000 + 3 * DAY_MS).await, 1);
}

/// Demands 1 and 8: the newest token wins, by when its message was said.
#[tokio::test]
async fn a_late_copy_of_an_old_message_does_not_bring_its_token_back() {
    let shelf = Shelf::new();
    shelf.accepts(with_token(&[(0, "message:1")], "first", 1000), 10_000).await;
    shelf.accepts(with_token(&[(0, "message:1")], "first again", 1000), 10_001).await;
    assert_eq!(shelf.token().await.as_deref(), Some("first again"));

    shelf.accepts(with_token(&[(0, "message:2")], "second", 2000), 10_002).await;
    shelf.accepts(with_token(&[(0, "message:1")], "late", 1000), 10_003).await;
    assert_eq!(shelf.token().await.as_deref(), Some("second"));
    shelf.accepts(with_token(&[(0, "message:0")], "older still", 500), 10_004).await;
    assert_eq!(shelf.token().await.as_deref(), Some("second"));
    // Nobody can write from the future and hold the place.
    shelf.accepts(with_token(&[(0, "message:3")], "future", i64::MAX), 10_005).await;
    shelf.accepts(with_token(&[(0, "message:4")], "no time", 0), 10_006).await;
    assert_eq!(shelf.token().await.as_deref(), Some("no time"));
}

/// Demand 1: what the governor counts from.
#[tokio::test]
async fn a_peers_last_word_is_noted_with_the_message_and_not_with_its_copies() {
    let shelf = Shelf::new();
    let last = async |shelf: &Shelf| -> Option<i64> {
        let read = shelf.store.ledger.read(|conn| {
            conn.query_row("SELECT max(last_inbound_at_ms) FROM peer", [], |row| row.get(0))
        });
        read.await.expect("read")
    };
    shelf.accepts(kept(&[(0, "message:1")]), 10_000).await;
    assert_eq!((last(&shelf).await, shelf.token().await), (Some(10_000), None));
    shelf.accepts(kept(&[(0, "message:1")]), 20_000).await;
    assert_eq!(last(&shelf).await, Some(10_000));
    shelf.accepts(with_token(&[(0, "message:2")], "t", 0), 30_000).await;
    assert_eq!(last(&shelf).await, Some(30_000));
}

/// Demand 25: ids are kept as they came, and found in any case.
#[tokio::test]
async fn a_peers_token_is_found_in_any_case_the_exact_one_first() {
    let shelf = Shelf::new();
    shelf.accepts(with_token(&[(0, "message:1")], "t", 0), 1000).await;
    let lower = Talk { peer: UserId::from("user@im.wechat"), ..talk() };
    let token = shelf.store.context_token(&lower).await.expect("read");
    assert_eq!(token.map(|token| token.expose().to_owned()).as_deref(), Some("t"));
}

/// Demand 47: after a crash the same messages make the same turn.
#[tokio::test]
async fn a_merged_turn_that_was_cut_is_made_of_the_same_messages() {
    let shelf = Shelf::new();
    shelf.accepts(kept(&[(0, "message:1")]), 1000).await;
    shelf.accepts(kept(&[(0, "message:2")]), 1000).await;
    assert_eq!(shelf.claims_rows().await, [(1, 1), (2, 1)]);

    let shelf = shelf.crashes().await;
    shelf.accepts(kept(&[(0, "message:3")]), 1000).await;
    assert_eq!(shelf.claims_rows().await, [(1, 2), (2, 2)]);
    shelf.store.finish(1).await.expect("finished");
    assert_eq!(shelf.claims_rows().await, [(3, 1)]);
}

/// Demand 7: a message that always crashes us does not do so for ever.
#[tokio::test]
async fn a_message_that_crashes_are_counted_against_is_set_aside_and_the_next_goes_on() {
    let mut shelf = Shelf::new();
    shelf.accepts(kept(&[(0, "message:1")]), 1000).await;
    for offers in 1..=3 {
        assert_eq!(shelf.claims_rows().await, [(1, offers)]);
        shelf = shelf.crashes().await;
    }
    shelf.accepts(kept(&[(0, "message:2")]), 1000).await;
    let claimed = shelf.claims().await;
    assert!(matches!(claimed, Claimed::SetAside { turn: 1 }), "{claimed:?}");
    assert_eq!(shelf.claims_rows().await, [(2, 1)]);
    let counts = shelf.store.counts(&account()).await.expect("counted");
    assert_eq!((counts.inbox, counts.failed), (1, 1));
    // Its body is kept, and copies of it stay away.
    assert_eq!(shelf.accepts(kept(&[(0, "message:1")]), 1000).await, 0);
}

/// Demand 7: a storm of crashes does not take what was only near.
#[tokio::test]
async fn turns_that_two_crashes_have_cut_are_worked_on_one_at_a_time() {
    let mut shelf = Shelf::new();
    let others = |n: u32| Talk { peer: UserId::new(format!("user{n}@im.wechat")), ..talk() };
    let claim = async |shelf: &Shelf, n| {
        let merge = MergeSettings::default();
        shelf.store.claim(&others(n), &merge, 4, 1_000_000).await.expect("claimed")
    };
    for n in 1..=2 {
        let key = format!("message:{n}");
        shelf.accepts(Kept { peer: others(n).peer, ..kept(&[(0, &key)]) }, 1000).await;
    }
    for _ in 0..2 {
        for n in 1..=2 {
            let claimed = claim(&shelf, n).await;
            assert!(matches!(claimed, Claimed::Turn(_)), "{claimed:?}");
        }
        shelf = shelf.crashes().await;
    }
    for failures in 2..4 {
        let alone = claim(&shelf, 1).await;
        assert!(matches!(&alone, Claimed::Turn(rows) if rows[0].failures == failures), "{alone:?}");
        let near = claim(&shelf, 2).await;
        assert!(matches!(near, Claimed::Held), "{near:?}");
        shelf = shelf.crashes().await;
    }
    let guilty = claim(&shelf, 1).await;
    assert!(matches!(guilty, Claimed::SetAside { .. }), "{guilty:?}");
    let near = claim(&shelf, 2).await;
    assert!(matches!(&near, Claimed::Turn(rows) if rows[0].failures == 2), "{near:?}");
}

/// Demand 7: an orderly stop and a host that cannot store are nobody's failure.
#[tokio::test]
async fn what_was_put_back_or_released_is_not_counted_against_the_message() {
    let shelf = Shelf::new();
    shelf.accepts(kept(&[(0, "message:1")]), 1000).await;
    for _ in 0..5 {
        assert_eq!(shelf.claims_rows().await, [(1, 1)]);
        shelf.store.unclaim(1).await.expect("put back");
    }
    for offers in 1..=5 {
        assert_eq!(shelf.claims_rows().await, [(1, offers)]);
        shelf.store.release(&account(), Vec::new()).await.expect("released");
    }
    shelf.claims_rows().await;
    shelf.store.release(&account(), vec![1]).await.expect("released");
    let claimed = shelf.claims().await;
    assert!(matches!(claimed, Claimed::Nothing), "a host still works on it: {claimed:?}");
}

#[tokio::test]
async fn a_store_of_the_first_version_is_brought_along() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("s.sqlite");
    let old = Ledger::open(&path, &MIGRATIONS[..1]).expect("the first version");
    old.write(|tx| {
        tx.execute_batch(
            "INSERT INTO peer VALUES ('a', 'User@im.wechat', 'old', 5000000);
             INSERT INTO inbox (account, peer, dedupe, body, run_id, state, offers, sent_at_ms, received_at_ms)
             VALUES ('a', 'User@im.wechat', 'message:1', '{}', 'r', 0, 1, 0, 0),
                    ('a', 'User@im.wechat', 'client:c', '{}', 'r', 0, 0, 0, 0);",
        )
    })
    .await
    .expect("written");
    old.close().await;

    let shelf = Shelf { store: Store::open(&path).expect("migrated"), dir };
    assert_eq!(shelf.token().await.as_deref(), Some("old"));
    assert_eq!(shelf.accepts(kept(&[(0, "message:1")]), 1000).await, 0);
    assert_eq!(shelf.accepts(kept(&[(2, "client:user@im.wechat/c")]), 1000).await, 0);
    shelf.accepts(with_token(&[(0, "message:2")], "new", 10), 1000).await;
    assert_eq!(shelf.token().await.as_deref(), Some("new"), "the old token's time is not known");
    assert_eq!(shelf.claims_rows().await, [(1, 2)], "a turn that was cut stays by itself");
}

//! Messages that refer to others.

use backend::{Backend, Policy, QuoteForm};
use contract::{Author, Channel as _, Content, Media, MediaKind, Quote, Reply, ReplyClass};
use ilink::wire::{Item, ItemKind, RefMsg, TextItem};

use crate::host::{Scene, TestHost};

fn text_quoting(reference: RefMsg, text: &str) -> Vec<Item> {
    let text = TextItem { text: Some(text.to_owned()), ..TextItem::default() };
    vec![Item {
        kind: Some(ItemKind::Text),
        text_item: Some(text),
        ref_msg: Some(Box::new(reference)),
        ..Item::default()
    }]
}

fn quote(id: &ilink::MessageId, author: Option<Author>, text: &str) -> Quote {
    let (message_id, text) = (Some(id.to_string()), text.to_owned());
    Quote { message_id, author, text, attachments: Vec::new() }
}

/// Demand 21: newer phones send an id alone, for either end's messages.
#[tokio::test]
async fn a_quote_by_id_has_its_text_again_also_after_a_restart() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    let asked = scene.alice.says("where do geese fly?").await;
    host.answers("south, in winter").await;
    let answered = scene.alice.sees_from_bots(1).await[0].id.clone();
    host.stops().await;

    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.quotes(&asked, "I meant swans").await;
    let turn = host.answers("ok").await;
    assert_eq!(turn.quote, Some(quote(&asked, Some(Author::Peer), "where do geese fly?")));
    scene.alice.quotes(&answered, "sure?").await;
    let turn = host.answers("ok").await;
    assert_eq!(turn.quote, Some(quote(&answered, Some(Author::Us), "south, in winter")));
    scene.alice.quotes_part(&answered, "winter", "and in summer?").await;
    let turn = host.answers("ok").await;
    assert_eq!(turn.quote, Some(quote(&answered, Some(Author::Us), "winter")));
}

/// Demand 21: older phones send the message itself.
#[tokio::test]
async fn a_quote_that_carries_the_message_needs_no_memory() {
    let policy = Policy { quotes: QuoteForm::Item, ..Policy::open() };
    let scene = Scene::with(Backend::builder().policy(policy)).await;
    let asked = scene.alice.says("before the bot came").await;
    let file = scene.alice.sends_file(b"%PDF-1.7", "old.pdf").await;
    let host = TestHost::start_with(scene.dir.path(), |settings| {
        settings.intake.quote_cache.enabled = false;
    })
    .await;
    host.answers("ok").await;

    scene.alice.quotes(&asked, "this").await;
    let turn = host.answers("ok").await;
    assert_eq!(turn.quote.unwrap().text, "before the bot came");
    scene.alice.quotes(&file, "and this").await;
    let turn = host.answers("ok").await;
    let attachment = turn.quote.unwrap().attachments.remove(0);
    assert_eq!(attachment.name, "old.pdf");
    assert_eq!(std::fs::read(attachment.path.unwrap()).unwrap(), b"%PDF-1.7");
}

/// Demand 21: media of quoted messages, in both directions.
#[tokio::test]
async fn quoted_media_are_there_again() {
    let scene = Scene::new().await;
    let host = TestHost::start_one_by_one(scene.dir.path()).await;
    let sent = scene.alice.sends_file("鸿雁传书".as_bytes(), "书 1.txt").await;
    let first = host.hears().await;
    let path = scene.dir.path().join("answer.pdf");
    std::fs::write(&path, b"%PDF-1.7").unwrap();
    let media = Content::Media(Media::file(MediaKind::File, path, "answer.pdf"));
    let reply = Reply { number: 0, class: ReplyClass::Answer, content: media };
    host.channel.reply(&first.turn, reply).await.unwrap();
    host.finishes(&first.turn).await;
    let answered = scene.alice.sees_from_bots(1).await[0].id.clone();
    // What came in is swept by its age; what may be quoted is kept by its own.
    std::fs::remove_file(first.attachments[0].path.as_ref().unwrap()).unwrap();

    for (id, name, mime, bytes) in [
        (&sent, "书 1.txt", "text/plain", "鸿雁传书".as_bytes()),
        (&answered, "answer.pdf", "application/pdf", b"%PDF-1.7"),
    ] {
        scene.alice.quotes(id, "this one").await;
        let mut quoted = host.hears().await.quote.unwrap();
        assert_eq!(quoted.attachments.len(), 1, "{quoted:?}");
        let media = quoted.attachments.remove(0);
        assert_eq!((media.name.as_str(), media.mime.as_deref()), (name, Some(mime)));
        assert_eq!(std::fs::read(media.path.unwrap()).unwrap(), bytes);
    }
}

/// Demand 21: each form that has been seen degrades to less, never to nothing.
#[tokio::test]
async fn a_quote_that_cannot_be_resolved_does_not_cost_the_message() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    let unknown = ilink::MessageId::from(u64::MAX);
    let by_id = RefMsg { svr_id: Some(unknown.clone()), ..RefMsg::default() };
    let of_kind = |code: i64| RefMsg {
        message_item: Some(Box::new(Item::of_kind(ItemKind::from(code)))),
        ..RefMsg::default()
    };
    let nothing = Quote { message_id: None, ..quote(&unknown, None, "") };
    for (reference, expected) in [
        (by_id, Some(quote(&unknown, None, ""))),
        (of_kind(8), Some(nothing.clone())),
        (of_kind(0), Some(nothing)),
        (RefMsg::default(), None),
    ] {
        scene.alice.sends_items(text_quoting(reference.clone(), "about that")).await;
        let turn = host.answers("ok").await;
        assert_eq!((turn.text.as_str(), turn.quote), ("about that", expected), "{reference:?}");
    }
}

/// Demand 24: what one person said is not there for another to quote.
#[tokio::test]
async fn nobody_quotes_from_another_conversation() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    let secret = scene.alice.says("my secret").await;
    host.answers("ok").await;
    let bob = scene.backend.user("bob").await.meets(&scene.bot.bot_id).await;
    let reference = RefMsg { svr_id: Some(secret.clone()), ..RefMsg::default() };
    bob.sends_items(text_quoting(reference, "what was that?")).await;
    assert_eq!(host.hears().await.quote, Some(quote(&secret, None, "")));
}

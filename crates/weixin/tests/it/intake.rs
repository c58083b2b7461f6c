//! What becomes of a message between the store and the host.

use std::collections::HashSet;
use std::time::Duration;

use backend::{Endpoint, Fault, Policy};
use contract::{Attachment, Channel as _, MediaKind};
use ilink::client::{Http, HttpOptions};
use ilink::media::{Limits, Source, Upload, Uploaded, VoiceFacts};
use ilink::wire::{CdnMedia, Decimal, FileItem, Item, ItemKind, MediaType, VoiceEncoding};
use weixin::Settings;

use crate::host::{Scene, TestHost, log_in};
use crate::receiving::wait_until;

/// Puts a media on the CDN, for messages that hold several.
pub(crate) async fn upload(scene: &Scene, kind: MediaType, bytes: &[u8]) -> Uploaded {
    let http = Http::new(&HttpOptions { system_proxy: false, ..HttpOptions::default() }).unwrap();
    let client = Settings::new("").login_client(http, Some(scene.bot.base_url.parse().unwrap()));
    let client = client.with_token(scene.bot.token.clone());
    let to = scene.alice.id().clone();
    let upload = Upload { to, kind, source: Source::Bytes(bytes.to_vec().into()), thumb: None };
    ilink::media::upload(&client, &upload, &Limits::default()).await.unwrap()
}

pub(crate) fn file(name: &str, len: u64, media: CdnMedia) -> Item {
    let file_item = FileItem {
        file_name: Some(name.to_owned()),
        len: Some(Decimal(len)),
        media: Some(media),
        ..FileItem::default()
    };
    Item { file_item: Some(file_item), ..Item::of_kind(ItemKind::File) }
}

pub(crate) fn said_to_be(encoding: VoiceEncoding) -> VoiceFacts {
    VoiceFacts { encoding, sample_rate: 8000, length: Duration::from_secs(1) }
}

pub(crate) fn somewhere(full_url: &str) -> CdnMedia {
    CdnMedia { full_url: Some(full_url.to_owned()), ..CdnMedia::default() }
}

fn shown(attachments: &[Attachment]) -> Vec<(MediaKind, &str, Option<&str>)> {
    attachments.iter().map(|it| (it.kind, it.name.as_str(), it.mime.as_deref())).collect()
}

/// Demand 27: every item in order, and all that was said.
#[tokio::test]
async fn a_message_of_many_items_arrives_whole() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    let image = upload(&scene, MediaType::Image, b"\xff\xd8\xff\xe0 jpeg").await.image_item(None);
    let pdf = upload(&scene, MediaType::File, b"%PDF-1.7").await.file_item("报告.pdf");
    let voice = upload(&scene, MediaType::Voice, b"#!AMR\n\x3c\x91\x17\x00\xbe\x66\x79").await;
    let voice = voice.voice_item(said_to_be(VoiceEncoding::Amr));
    scene
        .alice
        .sends_items(vec![image, Item::text("look:"), pdf, voice, Item::text("all of it")])
        .await;

    let turn = host.hears().await;
    assert_eq!(turn.text, "look:\nall of it");
    assert_eq!(
        shown(&turn.attachments),
        [
            (MediaKind::Image, "image.jpg", Some("image/jpeg")),
            (MediaKind::File, "报告.pdf", Some("application/pdf")),
            (MediaKind::Voice, "voice.amr", Some("audio/amr")),
        ],
    );
    let stored: Vec<_> = turn.attachments.iter().map(|it| it.path.as_ref().unwrap()).collect();
    assert_eq!(std::fs::read(stored[0]).unwrap(), b"\xff\xd8\xff\xe0 jpeg");
    assert_eq!(stored[0].extension().unwrap(), "jpg");
}

/// Demand 29: the name as it was given, the stored one harmless.
#[tokio::test]
async fn names_are_shown_as_given_and_files_stay_in_their_folder() {
    let scene = Scene::new().await;
    let host = TestHost::start_one_by_one(scene.dir.path()).await;
    let names = [
        "报告 #1%20最终.txt",
        "🦆.txt",
        "../../etc/passwd",
        "C:\\Windows\\x.txt",
        "a/../../b.txt",
        "..",
    ];
    for name in names {
        scene.alice.sends_file(b"x", name).await;
        let mut turn = host.hears().await;
        let attachment = turn.attachments.remove(0);
        assert_eq!((attachment.name.as_str(), attachment.problem), (name, None));
        let path = attachment.path.unwrap();
        assert_eq!(path.parent().unwrap(), scene.dir.path().join("received"), "{name}");
        assert_eq!(path.extension().unwrap(), "txt", "{name}");
    }
}

/// Demand 39: not even a look at what a stranger sends.
#[tokio::test]
async fn a_strangers_huge_file_is_not_asked_for() {
    let scene = Scene::new().await;
    let stranger = scene.alice.id().to_string();
    let host = TestHost::start_refusing(scene.dir.path(), &[&stranger]).await;
    let media = upload(&scene, MediaType::File, b"x").await.file_item("huge.bin");
    let media = media.file_item.unwrap().media.unwrap();
    scene.alice.sends_items(vec![file("huge.bin", 1 << 30, media)]).await;
    wait_until(&host, |status| status["inbox"] == 0 && !status["last_inbound_at_ms"].is_null())
        .await;
    assert!(scene.backend.requests_to(Endpoint::CdnDownload).is_empty());
    assert!(scene.backend.requests_to(Endpoint::SendMessage).is_empty());
    assert!(host.heard_nothing_more().await);
}

/// Demands 27 and 39: what cannot be had is told in words, the rest arrives.
#[tokio::test]
async fn media_that_are_too_large_or_lie_elsewhere_are_not_asked_for() {
    let scene = Scene::new().await;
    let host = TestHost::start_with(scene.dir.path(), |settings| {
        settings.intake.max_media_bytes = 1 << 20;
    })
    .await;
    let ours = upload(&scene, MediaType::File, b"x").await.file_item("large.bin");
    let ours = ours.file_item.unwrap().media.unwrap();
    let items = vec![
        file("large.bin", 2 << 20, ours.clone()),
        file("metadata", 1, somewhere("http://169.254.169.254/latest/meta-data")),
        file("passwd", 1, somewhere("file:///etc/passwd")),
        file("nowhere", 1, CdnMedia::default()),
        file("small.bin", 1, ours),
        Item::text("five files"),
    ];
    scene.alice.sends_items(items).await;

    let turn = host.hears().await;
    assert_eq!(turn.text, "five files");
    let told: Vec<_> =
        turn.attachments.iter().map(|it| (it.name.as_str(), it.problem.as_deref())).collect();
    let elsewhere = Some("it lies on a host that media are not fetched from");
    assert_eq!(
        told,
        [
            ("large.bin", Some("it is larger than 1 MB, the most that is fetched")),
            ("metadata", elsewhere),
            ("passwd", elsewhere),
            ("nowhere", Some("it came without an address")),
            ("small.bin", None),
        ],
    );
    assert_eq!(scene.backend.requests_to(Endpoint::CdnDownload).len(), 1);
}

/// Demand 39: a file whose size is a lie is cut off at the limit.
#[tokio::test]
async fn a_file_that_is_larger_than_it_says_is_not_kept() {
    let scene = Scene::new().await;
    let host = TestHost::start_with(scene.dir.path(), |settings| {
        settings.intake.max_media_bytes = 1 << 20;
    })
    .await;
    let media = upload(&scene, MediaType::File, &[7; 2 << 20]).await.file_item("liar.bin");
    let media = media.file_item.unwrap().media.unwrap();
    scene.alice.sends_items(vec![file("liar.bin", 5, media), Item::text("small")]).await;
    let turn = host.hears().await;
    let told = turn.attachments[0].problem.as_deref();
    assert_eq!(told, Some("it is larger than 1 MB, the most that is fetched"));
    let left: Vec<_> = std::fs::read_dir(scene.dir.path().join("received")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Demand 48: kinds that nobody knows yet make no empty turn.
#[tokio::test]
async fn unknown_kinds_are_named_and_nothing_at_all_makes_no_turn() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.sends_items(vec![]).await;
    scene.alice.sends_items(vec![Item::text("  ")]).await;
    scene.alice.sends_items(vec![Item::of_kind(ItemKind::ToolCallStart)]).await;
    wait_until(&host, |status| status["inbox"] == 0 && !status["last_inbound_at_ms"].is_null())
        .await;
    assert!(host.heard_nothing_more().await);

    scene.alice.sends_items(vec![Item::of_kind(ItemKind::from(99))]).await;
    assert_eq!(host.answers("hm").await.text, "[unsupported: type 99]");
    let sticker = vec![Item::of_kind(ItemKind::from(47)), Item::text("haha")];
    scene.alice.sends_items(sticker).await;
    assert_eq!(host.answers("ha").await.text, "[unsupported: type 47]\nhaha");
}

/// Demand 7: a message that nobody can take is out of the way after a while.
#[tokio::test]
async fn a_message_that_the_host_panics_over_is_set_aside_and_the_rest_goes_on() {
    let scene = Scene::new().await;
    let host = TestHost::start_poisoned_by(scene.dir.path(), "poison").await;
    scene.alice.says("poison").await;
    let status = wait_until(&host, |status| status["failed"] == 1).await;
    assert_eq!(status["inbox"], 0);
    assert!(scene.alice.hears().await.ends_with("(W511)"));
    scene.alice.says("water").await;
    assert_eq!(host.answers("good").await.text, "water");
    assert_eq!(scene.alice.hears().await, "good");
    assert!(host.heard_nothing_more().await);
}

/// Demand 7: the process dies with the message in hand, again and again.
#[test]
fn a_message_that_kills_the_process_is_set_aside_in_the_end() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let outside = runtime();
    let scene = outside.block_on(Scene::new());
    let dir = scene.dir.path();
    let start = async || TestHost::start_with(dir, |settings| settings.intake.max_offers = 2).await;
    outside.block_on(scene.alice.says("deadly"));
    for offers in 1..=2 {
        let process = runtime();
        let host = process.block_on(start());
        let heard = process.block_on(host.hears());
        assert_eq!((heard.text.as_str(), heard.offers), ("deadly", offers));
        // Nothing is told and nothing finished: the tasks are gone at once.
        process.shutdown_timeout(Duration::from_secs(5));
        drop(host);
    }
    let process = runtime();
    let host = process.block_on(start());
    outside.block_on(scene.alice.says("harmless"));
    assert_eq!(process.block_on(host.answers("fine")).text, "harmless");
    assert!(outside.block_on(scene.alice.hears()).ends_with("(W511)"));
    assert_eq!(outside.block_on(scene.alice.hears()), "fine");
    let status = process.block_on(host.channel.status()).unwrap();
    assert_eq!((status[0].failed, status[0].inbox), (1, 0));
    process.block_on(host.stops());
}

/// Demand 7: turns that were only near are answered, whatever a fourth does to
/// the process that they share.
#[test]
fn a_storm_of_crashes_takes_no_turn_but_the_one_that_made_it() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let outside = runtime();
    let scene = outside.block_on(Scene::new());
    let dir = scene.dir.path();
    let users: Vec<_> = ["bob", "carol"]
        .map(|name| {
            outside.block_on(async {
                let user = scene.backend.user(name).await;
                log_in(dir, &scene.backend.bind(&user).await);
                user
            })
        })
        .into();
    outside.block_on(async {
        scene.alice.says("deadly").await;
        for user in &users {
            user.says("harmless").await;
        }
    });
    let dies = |process: tokio::runtime::Runtime, host: TestHost| {
        process.shutdown_timeout(Duration::from_secs(5));
        drop(host);
    };
    for _ in 0..2 {
        let process = runtime();
        let host = process.block_on(TestHost::start(dir));
        for _ in 0..3 {
            process.block_on(host.hears());
        }
        dies(process, host);
    }
    let (mut answered, mut deaths) = (0, 2);
    while (answered, deaths) != (2, 5) {
        let process = runtime();
        let host = process.block_on(TestHost::start(dir));
        while (answered, deaths) != (2, 5) {
            let heard = process.block_on(host.hears());
            if heard.text == "deadly" {
                deaths += 1;
                break;
            }
            process.block_on(host.replies(&heard.turn, 0, "fine"));
            process.block_on(host.finishes(&heard.turn));
            answered += 1;
        }
        dies(process, host);
    }
    let process = runtime();
    let host = process.block_on(TestHost::start(dir));
    assert!(outside.block_on(scene.alice.hears()).ends_with("(W511)"));
    for user in &users {
        assert_eq!(outside.block_on(user.hears()), "fine");
    }
    assert!(process.block_on(host.heard_nothing_more()));
    process.block_on(host.stops());
}

/// Demands 1 and 8: of a message that comes twice the newer token is used.
#[tokio::test]
async fn the_token_of_a_copy_is_used_for_the_answer() {
    let later = Duration::from_secs(60 * 60);
    let duplicate = Some(backend::Duplicate { after: later, new_context: true });
    let policy = Policy { duplicate, context_required: true, ..Policy::open() };
    let scene = Scene::with(backend::Backend::builder().policy(policy)).await;
    let host = TestHost::start(scene.dir.path()).await;
    scene.alice.says("hello").await;
    let turn = host.hears().await;
    host.replies(&turn.turn, 0, "before the copy").await;
    assert_eq!(scene.alice.hears().await, "before the copy");

    scene.backend.clock().advance(later);
    // The message and its copy are each acknowledged by the poll behind them.
    let acknowledged = async {
        loop {
            let polls = scene.backend.requests_to(Endpoint::GetUpdates);
            let cursors: HashSet<_> =
                polls.iter().map(|poll| poll.json()["get_updates_buf"].to_string()).collect();
            if cursors.len() == 3 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::host::PATIENCE, acknowledged).await.expect("no copy came");
    host.replies(&turn.turn, 1, "behind the copy").await;
    assert_eq!(scene.alice.hears().await, "behind the copy");

    let sends = scene.backend.requests_to(Endpoint::SendMessage);
    let tokens: Vec<_> =
        sends.iter().map(|send| send.json()["msg"]["context_token"].clone()).collect();
    assert_eq!(tokens.len(), 2);
    assert_ne!(tokens[0], tokens[1], "the token of the copy is the newer one");
    assert!(host.heard_nothing_more().await, "the copy made a turn");
}

/// Demand 19: SILK under whatever name becomes something to listen to, beside
/// its transcript; other encodings are passed on as what they are.
#[tokio::test]
async fn voice_messages_can_be_heard_and_read() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    let recordings: [(&[u8], VoiceEncoding, usize); 2] = [
        (include_bytes!("../golden/en_24k.silk"), VoiceEncoding::Silk, 73_920),
        (include_bytes!("../golden/en_24k_plain.silk"), VoiceEncoding::Speex, 60_480),
    ];
    for (recording, encoding, n_samples) in recordings {
        let voice =
            upload(&scene, MediaType::Voice, recording).await.voice_item(said_to_be(encoding));
        scene.alice.sends_items(vec![voice]).await;
        let heard = host.answers("ok").await.attachments.remove(0);
        assert_eq!(
            shown(std::slice::from_ref(&heard)),
            [(MediaKind::Voice, "voice.wav", Some("audio/wav"))]
        );
        let path = heard.path.unwrap();
        let wav = std::fs::read(&path).unwrap();
        // The official decoder makes so many samples of it.
        assert_eq!((&wav[..4], wav.len()), (&b"RIFF"[..], 44 + 2 * n_samples));
        let original = std::fs::read(path.with_extension("silk")).unwrap();
        assert_eq!(original, recording, "the original is kept beside it");
    }

    scene.alice.sends_voice_saying(recordings[0].0, "good morning").await;
    let heard = host.answers("ok").await.attachments.remove(0);
    assert_eq!(heard.transcript.as_deref(), Some("good morning"));
    assert_eq!(heard.mime.as_deref(), Some("audio/wav"));

    let broken = upload(&scene, MediaType::Voice, b"\x02#!SILK_V3 nothing").await;
    scene.alice.sends_items(vec![broken.voice_item(said_to_be(VoiceEncoding::Silk))]).await;
    let heard = host.answers("ok").await.attachments.remove(0);
    assert_eq!((heard.mime.as_deref(), heard.problem), (Some("audio/silk"), None));
    assert!(heard.path.unwrap().exists());
}

#[tokio::test]
async fn a_batch_in_the_wrong_order_is_handed_over_in_the_right_one() {
    let scene = Scene::new().await;
    for text in ["one", "two", "three"] {
        scene.alice.says(text).await;
    }
    scene.backend.next(Endpoint::GetUpdates, Fault::Reorder);

    let host = TestHost::start(scene.dir.path()).await;
    assert_eq!(host.hears().await.text, "one\ntwo\nthree");
}

#[tokio::test]
async fn a_file_that_was_cut_on_its_way_is_fetched_again() {
    let scene = Scene::new().await;
    let host = TestHost::start(scene.dir.path()).await;
    for fault in [Fault::TruncatedJson, Fault::EmptyBody] {
        scene.backend.next(Endpoint::CdnDownload, fault);
        scene.alice.sends_file(b"all of it", "whole.txt").await;
        let inbound = host.hears().await;
        let path = inbound.attachments[0].path.as_ref().unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"all of it");
        host.finishes(&inbound.turn).await;
    }
    assert_eq!(scene.backend.faults_left(), 0);
}

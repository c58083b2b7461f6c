//! Pictures, recordings, videos and files on their way to the phone.

use std::path::{Path, PathBuf};

use backend::{Endpoint, Fault, Seen, SeenItem};
use contract::{
    Channel as _, ChannelError, Content, Media, MediaKind, OutboxAction, Reply, ReplyClass, Source,
    TurnId,
};
use ilink::Code;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::budget::code_of;
use crate::host::{Scene, TestHost};
use crate::receiving::wait_until;

/// A media file that the crate for media tests with.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../mediafile/tests/samples").join(name)
}

fn of_file(path: PathBuf) -> Media {
    Media { source: Source::File(path), kind: None, name: None, caption: None, as_file: false }
}

fn named(reference: impl Into<String>) -> Media {
    Media { source: Source::Named(reference.into()), ..of_file(PathBuf::new()) }
}

/// Answers one message with these media, each a reply, and waits until all left.
async fn answers_with(scene: &Scene, host: &TestHost, media: Vec<Media>) -> TurnId {
    scene.alice.says("show me").await;
    let turn = host.hears().await.turn;
    for (number, media) in (0..).zip(media) {
        host.gives(&turn, number, Content::Media(media)).await;
    }
    host.finishes(&turn).await;
    wait_until(host, |status| status["outbox"] == 0).await;
    turn
}

async fn from_bot(scene: &Scene) -> Vec<Seen> {
    let mut seen = scene.alice.sees().await;
    seen.retain(|message| !message.from_me);
    seen
}

fn item(sent: &Value) -> &Value {
    &sent["item_list"][0]
}

/// Demands 27 and 29: all of them arrive, by the names that they were given.
#[tokio::test]
async fn a_reply_of_three_files_arrives_whole_by_name() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    let names = ["季度 报告.pdf", "a%20b #1.txt", "🎉 party.csv"];
    let file = |name: &&str| {
        let path = scene.dir.path().join(name);
        std::fs::write(&path, format!("this is {name}")).unwrap();
        of_file(path)
    };
    answers_with(&scene, &host, names.iter().map(file).collect()).await;
    let seen = from_bot(&scene).await;
    let shown: Vec<_> = seen.iter().map(|it| it.media().unwrap().name.clone()).collect();
    assert_eq!(shown, names);
    for (message, name) in seen.iter().zip(names) {
        let bytes = message.media().unwrap().bytes().await;
        assert_eq!(String::from_utf8(bytes).unwrap(), format!("this is {name}"));
    }
}

/// Demand 29: an agent names files below the folders that it may send from.
#[cfg(unix)]
#[tokio::test]
async fn only_files_below_the_roots_are_sent() {
    let scene = Scene::tencent().await;
    let root = tempfile::tempdir().unwrap();
    let allowed = root.path().to_owned();
    let host = scene.starts_with(|it| it.sending.media_roots = vec![allowed]).await;
    let inside = root.path().join("图 表.txt");
    std::fs::write(&inside, "inside").unwrap();
    let link = root.path().join("link.txt");
    std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();

    scene.alice.says("show me").await;
    let turn = host.hears().await.turn;
    let outside = [link.display().to_string(), "/etc/passwd".into(), "/dev/zero".into()];
    for reference in outside {
        let content = Content::Media(named(&reference));
        let reply = Reply { number: 0, class: ReplyClass::Answer, content };
        match host.channel.reply(&turn, reply).await {
            Err(ChannelError::Media { path, .. }) => assert_eq!(path, reference),
            other => panic!("{reference}: {other:?}"),
        }
    }
    let url = url::Url::from_file_path(&inside).unwrap();
    host.gives(&turn, 0, Content::Media(named(inside.display().to_string()))).await;
    host.gives(&turn, 1, Content::Media(named(url.as_str()))).await;
    host.finishes(&turn).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    for message in from_bot(&scene).await {
        let media = message.media().unwrap();
        assert_eq!((&*media.name, media.bytes().await), ("图 表.txt", b"inside".to_vec()));
    }
    assert_eq!(from_bot(&scene).await.len(), 2);
}

/// Serves one file over HTTP on loopback, however often it is asked for.
pub(crate) async fn serves(bytes: Vec<u8>) -> (String, JoinSet<()>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 2_048];
            drop(stream.read(&mut request).await);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                bytes.len()
            );
            drop(stream.write_all(head.as_bytes()).await);
            drop(stream.write_all(&bytes).await);
        }
    });
    (format!("http://{address}/picture.png"), serving)
}

/// Demands 27 and 49: a picture in an answer is a picture on the phone, where
/// the channel may fetch it.
#[tokio::test]
async fn a_picture_in_an_answer_is_sent_as_one() {
    let bytes = std::fs::read(sample("picture.png")).unwrap();
    let (url, _serving) = serves(bytes.clone()).await;
    let scene = Scene::tencent().await;
    let host =
        scene.starts_with(|it| it.sending.media_networks = vec!["127.0.0.0/8".to_owned()]).await;
    scene.alice.says("show me").await;
    host.answers(&format!("Here it is:\n\n![the chart]({url})")).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    let seen = from_bot(&scene).await;
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].text(), Some("Here it is:"));
    assert!(matches!(seen[1].items[..], [SeenItem::Image(_)]), "{seen:?}");
    assert_eq!(seen[1].media().unwrap().bytes().await, bytes);
}

/// Demands 29 and 49: the same for a picture of this machine, below the folders
/// that an agent may send from; any other is told, as it was written.
#[tokio::test]
async fn a_local_picture_in_an_answer_is_sent_from_below_the_roots_only() {
    let root = tempfile::tempdir().unwrap();
    let (inside, missing) = (root.path().join("my chart.png"), root.path().join("none.png"));
    std::fs::copy(sample("picture.png"), &inside).unwrap();
    let scene = Scene::tencent().await;
    let allowed = root.path().to_owned();
    let host = scene.starts_with(|it| it.sending.media_roots = vec![allowed]).await;
    let outside = sample("picture.png");
    scene.alice.says("show me").await;
    host.answers(&format!(
        "Here it is:\n\n![the chart](<{}>)\n![]({})\n![theirs]({})",
        inside.display(),
        missing.display(),
        outside.display(),
    ))
    .await;
    scene.passes_until(async || from_bot(&scene).await.len() == 4).await;
    let seen = from_bot(&scene).await;
    assert_eq!(seen[0].text(), Some("Here it is:"));
    assert!(matches!(seen[1].items[..], [SeenItem::Image(_)]), "{seen:?}");
    let bytes = seen[1].media().unwrap().bytes().await;
    assert_eq!(bytes, std::fs::read(&inside).unwrap());
    assert_eq!(seen[2].text(), Some(&*missing.display().to_string()));
    assert_eq!(seen[3].text(), Some(&*format!("theirs ({})", outside.display())));
}

/// Demand 39: what is not on the public network is not fetched, but told.
#[tokio::test]
async fn a_picture_that_may_not_be_fetched_is_told_instead() {
    let (url, _serving) = serves(b"secret".to_vec()).await;
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    scene.alice.says("show me").await;
    host.answers(&format!("Here it is:\n\n![the chart]({url})")).await;
    wait_until(&host, |status| status["outbox"] == 0).await;
    assert_eq!(scene.heard().await, ["Here it is:".to_owned(), format!("the chart ({url})")]);
    assert!(scene.backend.requests_to(Endpoint::CdnUpload).is_empty());
}

/// Demand 49: pictures and videos come with what phones show before they load.
#[tokio::test]
async fn pictures_and_videos_have_thumbnails_sizes_and_lengths() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    let media = vec![of_file(sample("picture.jpg")), of_file(sample("cover.mp4"))];
    answers_with(&scene, &host, media).await;
    let sent = scene.sent();
    let is_there = |value: &Value| value.as_i64().is_some_and(|n| n > 0);
    let image = &item(&sent[0])["image_item"];
    assert!(image["thumb_media"]["encrypt_query_param"].is_string(), "{image}");
    assert!(is_there(&image["thumb_width"]) && is_there(&image["thumb_height"]), "{image}");
    let video = &item(&sent[1])["video_item"];
    assert!(is_there(&video["play_length"]), "{video}");
    assert!(video["thumb_media"]["encrypt_query_param"].is_string(), "{video}");
}

/// Demands 18, 29 and 49: a recording is a file by its name, with its length
/// in the words before it; a picture as a file is what it was, byte for byte.
#[tokio::test]
async fn recordings_and_originals_arrive_as_files() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    let recording = Media { name: Some("留言.mp3".to_owned()), ..of_file(sample("cbr.mp3")) };
    let original = Media { as_file: true, ..of_file(sample("picture.jpg")) };
    let caption = Some("the original".to_owned());
    answers_with(&scene, &host, vec![recording, Media { caption, ..original }]).await;
    let seen = from_bot(&scene).await;
    let length = seen[0].text().unwrap();
    assert!(length.starts_with("留言.mp3（0:0") && length.ends_with('）'), "{length}");
    assert!(matches!(&seen[1].items[..], [SeenItem::File(file)] if file.name == "留言.mp3"));
    assert_eq!(seen[2].text(), Some("the original"));
    assert!(matches!(&seen[3].items[..], [SeenItem::File(file)] if file.name == "picture.jpg"));
    let bytes = seen[3].media().unwrap().bytes().await;
    assert!(bytes == std::fs::read(sample("picture.jpg")).unwrap(), "changed on the way");
}

/// Demand 18: a bubble only where it is switched on.
#[tokio::test]
async fn a_voice_bubble_leaves_only_when_it_is_switched_on() {
    let silk = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/en_24k.silk");
    for is_on in [false, true] {
        let scene = Scene::new().await;
        let host = scene.starts_with(|it| it.sending.voice_bubbles = is_on).await;
        let voice = Media { kind: Some(MediaKind::Voice), ..of_file(silk.clone()) };
        answers_with(&scene, &host, vec![voice]).await;
        let kind = item(scene.sent().last().unwrap())["type"].clone();
        assert_eq!(kind, if is_on { 3 } else { 4 }, "switched on: {is_on}");
    }
}

/// Demand 28: whatever happens to an upload, the words come first, and a fresh
/// ticket brings the file.
#[tokio::test]
async fn an_upload_that_fails_is_tried_with_a_fresh_ticket_behind_its_words() {
    let faults = [
        (Endpoint::GetUploadUrl, Fault::refuse(Code::REFUSED, "busy")),
        (Endpoint::GetUploadUrl, Fault::BadGateway),
        (Endpoint::CdnUpload, Fault::refuse(Code(500), "internal")),
        (Endpoint::CdnUpload, Fault::NoEncryptedParam),
        (Endpoint::CdnUpload, Fault::Reset),
    ];
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    for (n, (endpoint, fault)) in faults.into_iter().enumerate() {
        let label = format!("{endpoint:?}: {fault:?}");
        let path = scene.dir.path().join(format!("{n}.txt"));
        std::fs::write(&path, &label).unwrap();
        scene.backend.next(endpoint, fault);
        let tickets = scene.backend.requests_to(Endpoint::GetUploadUrl).len();
        let caption = Some(format!("caption {n}"));
        scene.alice.says("show me").await;
        let turn = host.hears().await.turn;
        host.gives(&turn, 0, Content::Media(Media { caption, ..of_file(path) })).await;
        host.finishes(&turn).await;
        scene.passes_until(async || from_bot(&scene).await.len() == 2 * n + 2).await;
        let seen = from_bot(&scene).await;
        assert_eq!(seen[2 * n].text(), Some(&*format!("caption {n}")), "{label}");
        assert_eq!(seen[2 * n + 1].media().unwrap().bytes().await, label.as_bytes());
        assert_eq!(scene.backend.requests_to(Endpoint::GetUploadUrl).len(), tickets + 2);
    }
}

/// Demand 17: only the message is repeated, not its upload.
#[tokio::test]
async fn what_is_on_the_cdn_is_not_uploaded_again() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    let path = scene.dir.path().join("a.txt");
    std::fs::write(&path, "a").unwrap();
    scene.backend.next_times(Endpoint::SendMessage, 2, Fault::BadGateway);
    scene.alice.says("show me").await;
    let turn = host.hears().await.turn;
    host.gives(&turn, 0, Content::Media(of_file(path))).await;
    host.finishes(&turn).await;
    scene.passes_until(async || from_bot(&scene).await.len() == 1).await;
    assert_eq!(scene.sent().len(), 3);
    assert_eq!(scene.backend.requests_to(Endpoint::CdnUpload).len(), 1);
}

/// Demands 28 and 43: files that cannot be sent are told in the language that
/// the peer writes, once per turn, with a code; what was said arrives, and a
/// retry sends them.
#[tokio::test]
async fn files_that_fail_for_good_are_told_once_and_can_be_sent_again() {
    let words = [
        ("show me", "The file 0.txt could not be sent. (W504)"),
        ("给我看看", "文件 0.txt 没能发出去。（W504）"),
    ];
    for (asked, told) in words {
        let scene = Scene::tencent().await;
        let host = scene.starts().await;
        scene.backend.next_times(
            Endpoint::GetUploadUrl,
            2,
            Fault::refuse(Code::BAD_ARGUMENT, "no such kind"),
        );
        scene.alice.says(asked).await;
        let turn = host.hears().await.turn;
        for number in 0..2 {
            let path = scene.dir.path().join(format!("{number}.txt"));
            std::fs::write(&path, format!("file {number}")).unwrap();
            host.gives(&turn, number, Content::Media(of_file(path))).await;
        }
        host.replies(&turn, 2, "that is all").await;
        host.finishes(&turn).await;
        wait_until(&host, |status| status["outbox"] == 0).await;
        let mut heard = scene.heard().await;
        // The notice follows the failure, which may come before the last reply.
        heard.sort_by_key(|text| text != "that is all");
        assert_eq!(heard, ["that is all", told]);
        let outbox = host.channel.outbox().await.unwrap();
        let failed: Vec<_> = outbox.iter().map(|it| code_of(&it.delivery)).collect();
        assert_eq!(failed, ["W210", "W210"]);

        let ids: Vec<_> = outbox.iter().map(|it| it.id).collect();
        assert_eq!(host.channel.act(OutboxAction::Retry, &ids).await.unwrap(), 2);
        scene.passes_until(async || from_bot(&scene).await.len() == 4).await;
        let seen = from_bot(&scene).await;
        assert_eq!(seen[3].media().unwrap().bytes().await, b"file 1");
    }
}

/// Demand 28: uploads that never work do not hold up for ever what comes behind.
#[tokio::test]
async fn an_upload_that_never_works_is_given_up() {
    let scene = Scene::tencent().await;
    let host = scene.starts().await;
    let busy = Fault::refuse(Code::REFUSED, "busy");
    scene.backend.next_times(Endpoint::GetUploadUrl, 100, busy);
    let path = scene.dir.path().join("a.txt");
    std::fs::write(&path, "a").unwrap();
    scene.alice.says("show me").await;
    let turn = host.hears().await.turn;
    host.gives(&turn, 0, Content::Media(of_file(path))).await;
    host.replies(&turn, 1, "that is all").await;
    host.finishes(&turn).await;
    scene.passes_until(async || scene.heard().await.len() == 2).await;
    let heard = scene.heard().await;
    assert!(heard[0].ends_with("that is all"), "{heard:?}");
    assert_eq!(heard[1], "The file a.txt could not be sent. (W504)");
    let tickets = scene.backend.requests_to(Endpoint::GetUploadUrl).len();
    assert_eq!(tickets, 8);
    wait_until(&host, |status| status["outbox"] == 0).await;
}

//! What people are told of media that nobody here can use.

use ilink::wire::{CdnMedia, Item, MediaType, VoiceEncoding};

use crate::host::{Scene, TestHost};
use crate::intake::{file, said_to_be, somewhere, upload};
use crate::receiving::wait_until;

/// What a peer is told of what they sent, apart from the answer. The turn is
/// given to the host all the same.
async fn told(scene: &Scene, host: &TestHost, items: Vec<Item>) -> Vec<String> {
    let before = scene.heard().await.len();
    scene.alice.sends_items(items).await;
    host.answers("answered").await;
    wait_until(host, |status| status["outbox"] == 0).await;
    let heard = scene.heard().await.split_off(before);
    heard.into_iter().filter(|text| text != "answered").collect()
}

/// Demand 43: in a sentence, with a code, once, and only when nothing is left.
#[tokio::test]
async fn who_sends_nothing_but_what_cannot_be_used_is_told() {
    let scene = Scene::new().await;
    let host = TestHost::start_with(scene.dir.path(), |settings| {
        settings.intake.max_media_bytes = 1 << 20;
    })
    .await;
    let lost = || file("lost.pdf", 1, CdnMedia::default());
    let large = file("large.bin", 2 << 20, somewhere("https://example.com/large.bin"));
    let whole = upload(&scene, MediaType::File, b"%PDF-1.7").await.file_item("whole.pdf");
    let garbled = upload(&scene, MediaType::Voice, b"\x02#!SILK_V3 nothing").await;
    let garbled = garbled.voice_item(said_to_be(VoiceEncoding::Silk));
    let mut read_out = garbled.clone();
    read_out.voice_item.as_mut().unwrap().text = Some("good morning".to_owned());
    let elsewhere = file("passwd", 1, somewhere("file:///etc/passwd"));

    let not_through = "你发的文件没能收到，请再发一次。（W506）";
    let too_large = "你发的文件超过 1 MB，没有接收。（W507）";
    let unread = "这条语音没听清，请打字告诉我。（W508）";
    assert_eq!(told(&scene, &host, vec![lost()]).await, [not_through]);
    assert_eq!(told(&scene, &host, vec![elsewhere]).await, [not_through]);
    assert_eq!(told(&scene, &host, vec![large, lost()]).await, [too_large]);
    assert_eq!(told(&scene, &host, vec![garbled]).await, [unread]);
    // Something is left to answer.
    let nothing: [&str; 0] = [];
    assert_eq!(told(&scene, &host, vec![lost(), whole]).await, nothing);
    assert_eq!(told(&scene, &host, vec![lost(), Item::text("this")]).await, nothing);
    assert_eq!(told(&scene, &host, vec![read_out]).await, nothing);
}

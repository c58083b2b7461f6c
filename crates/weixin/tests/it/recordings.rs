//! Recordings that are sent.

use std::path::Path;

use backend::{Backend, Policy, SeenItem};
use contract::{Content, Media, MediaKind};

use crate::host::{Scene, TestHost};

/// Demand 18: a voice bubble of a bot never shows on Tencent's servers, so a
/// recording leaves as a file that can be played, under its name.
#[tokio::test]
async fn a_recording_leaves_as_a_file_that_shows() {
    let scene = Scene::with(Backend::builder().policy(Policy::tencent())).await;
    let host = TestHost::start(scene.dir.path()).await;
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/en_24k.silk");
    let expected = std::fs::read(&recording).unwrap();
    scene.alice.says("say it aloud").await;
    let turn = host.hears().await;
    let media = Content::Media(Media::file(MediaKind::Voice, recording, "早上好.silk"));
    host.gives(&turn.turn, 0, media).await;
    host.finishes(&turn.turn).await;

    let seen = scene.alice.sees_from_bots(1).await.remove(0);
    let [SeenItem::File(file)] = seen.items.as_slice() else {
        panic!("{seen:?}");
    };
    assert_eq!(file.name, "早上好.silk");
    assert_eq!(file.bytes().await, expected);
}

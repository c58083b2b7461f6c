//! Who may read what lies on disk.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::{Channel as _, Content, Media, MediaKind};

use crate::host::{TestHost, channel, log_in};
use crate::polling::{brisk_scene, hasty};

/// All that lies in a folder, the folder first, with its mode.
fn modes(dir: &Path) -> Vec<(PathBuf, u32)> {
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    let mut found = vec![(dir.to_owned(), mode(dir))];
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.push((path.clone(), mode(&path)));
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// Returns those that somebody else could read or enter.
fn open_to_others(dir: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = modes(dir);
    found.retain(|(path, mode)| *mode != if path.is_dir() { 0o700 } else { 0o600 });
    found
}

fn names(dir: &Path) -> Vec<String> {
    let found = modes(dir).into_iter().skip(1);
    let mut names: Vec<_> =
        found.map(|(path, _)| path.strip_prefix(dir).unwrap().display().to_string()).collect();
    names.sort();
    names
}

/// Demand 38: every file is its owner's alone, while the channel runs and after
/// it, also where it was copied from one that all may read.
#[tokio::test]
async fn nothing_in_the_folder_can_be_read_by_others() {
    let scene = brisk_scene().await;
    // A folder that the channel makes itself.
    let dir = &scene.dir.path().join("channel");
    log_in(dir, &scene.bot);
    let elsewhere = tempfile::tempdir().unwrap();
    let open = elsewhere.path().join("report.pdf");
    std::fs::write(&open, b"%PDF-1.7").unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut settings = hasty(dir);
    settings.intake.merge = weixin::MergeSettings::off();
    settings.sending.limits = weixin::governor::Limits::tencent();
    settings.sending.limits.overflow = weixin::governor::Overflow::File;
    settings.sending.limits.sends_per_inbound = Some(8);
    let host = TestHost::start_on(settings).await;

    scene.alice.says("/toggle-debug").await;
    scene.alice.hears().await;
    scene.alice.sends_image(b"\x89PNG\r\n\x1a\n", "p.png").await;
    host.answers("seen").await;
    scene.alice.sends_voice(include_bytes!("../golden/en_24k.silk"), "").await;
    host.answers("heard").await;
    scene.alice.sends_file("鸿雁传书".as_bytes(), "书.txt").await;
    let turn = host.hears().await;
    // What waits to leave lies in the outbox folder while nothing leaves.
    let (fault, mut gate) = backend::Fault::hold_before();
    scene.backend.next(backend::Endpoint::GetUploadUrl, fault);
    let media = Content::Media(Media::file(MediaKind::File, open, "report.pdf"));
    host.gives(&turn.turn, 0, media).await;
    host.finishes(&turn.turn).await;
    gate.arrived().await;
    // Another process rings, as a command does.
    let target = contract::Target { to: scene.alice.id().to_string(), account: None };
    let content = Content::Text("by the way".to_owned());
    let class = contract::SendClass::Notice;
    let outgoing = contract::Outgoing { target, class, content, key: None, ttl: None };
    channel(dir).send(outgoing).await.unwrap();

    let present = names(dir);
    for part in ["outbox/", "received/", "quoted/", "locks/", "outbox.bell", "debug-mode.json"] {
        assert!(present.iter().any(|name| name.starts_with(part)), "{part} in {present:?}");
    }
    for file in ["channel.sqlite", "channel.sqlite-wal", "channel.sqlite-shm"] {
        assert!(present.iter().any(|name| name == file), "{file} in {present:?}");
    }
    assert_eq!(open_to_others(dir), []);
    drop(gate);
    scene.alice.sees_from_bots(2).await;
    // A long answer leaves as a file that the channel writes itself.
    scene.alice.says("the long story").await;
    let turn = host.hears().await;
    let (fault, mut gate) = backend::Fault::hold_before();
    scene.backend.next(backend::Endpoint::GetUploadUrl, fault);
    host.replies(&turn.turn, 0, &"Once upon a time. ".repeat(1_000)).await;
    gate.arrived().await;
    assert_eq!(open_to_others(dir), []);
    drop(gate);
    host.channel.stop(Duration::from_secs(5)).await;
    assert_eq!(open_to_others(dir), []);
}

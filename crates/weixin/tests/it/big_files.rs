//! Files as large as a film.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use backend::{Endpoint, Fault};
use contract::{Channel as _, Content, Media, MediaKind};
use ilink::cipher::Fingerprint;

use crate::host::TestHost;
use crate::polling::{brisk_scene, hasty};

/// How large the files are, in MB; `BIG_FILE_MB=500` in the environment asks for
/// what users ask for.
const USUAL_MB: u64 = 64;
/// How much the memory of a process may grow in which a channel and a backend
/// move such files, in KiB.
const ROOM: u64 = 32 << 10;

fn fingerprint(path: &Path) -> Fingerprint {
    Fingerprint::of(std::fs::File::open(path).unwrap()).unwrap()
}

/// Writes a file in which no two pieces are alike.
fn write_large(path: &Path, mb: u64) {
    let mut file = std::fs::File::create(path).unwrap();
    let mut piece: Vec<u8> =
        (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for n in 0..mb {
        piece[..8].copy_from_slice(&n.to_be_bytes());
        file.write_all(&piece).unwrap();
    }
    // No whole number of blocks or chunks.
    file.write_all(b"end").unwrap();
}

/// Demand 50: however large a file is, it passes in pieces, both ways, and
/// arrives as it was. In a process of its own, whose peak the kernel tells.
#[cfg(target_os = "linux")]
#[test]
fn a_file_as_large_as_a_film_takes_little_memory() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "big_files::moves_large_files_for_its_parent",
        ])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout).into_owned();
    let grown = told.lines().find_map(|line| line.split_once("grown: ")?.1.parse::<u64>().ok());
    let why = String::from_utf8_lossy(&child.stderr);
    let grown = grown.unwrap_or_else(|| panic!("the child failed: {told}{why}"));
    println!("grown by {grown} KiB");
    assert!(grown < ROOM, "grown by {grown} KiB");
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "runs in a child of the test above"]
async fn moves_large_files_for_its_parent() {
    let mb = std::env::var("BIG_FILE_MB").map_or(USUAL_MB, |mb| mb.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.bin");
    write_large(&film, mb);
    let expected = fingerprint(&film);
    let scene = brisk_scene().await;
    let mut settings = hasty(scene.dir.path());
    settings.intake.max_media_bytes = 1 << 30;
    settings.sending.max_media_bytes = 1 << 30;
    settings.intake.merge = weixin::MergeSettings::off();
    let host = TestHost::start_on(settings).await;
    // All that is there once for good.
    scene.alice.sends_file(b"small", "small.txt").await;
    host.answers("small, too").await;
    scene.alice.hears().await;

    let before = resident("VmRSS:");
    scene.alice.sends_file_at(&film, "film.bin").await;
    let turn = host.hears_after(Duration::from_secs(300)).await;
    let received = turn.attachments[0].path.as_ref().unwrap_or_else(|| panic!("{turn:?}"));
    assert_eq!(fingerprint(received), expected);
    let media = Content::Media(Media::file(MediaKind::File, received.clone(), "film.bin"));
    host.gives(&turn.turn, 0, media).await;
    host.finishes(&turn.turn).await;
    let arrived = async {
        loop {
            let seen = scene.alice.sees().await;
            if let Some(film) = seen.iter().rev().find(|it| !it.from_me).and_then(|it| it.media()) {
                return film.fingerprint().await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let arrived = tokio::time::timeout(Duration::from_secs(300), arrived).await.unwrap();
    let grown = resident("VmHWM:").saturating_sub(before);
    assert_eq!(arrived, expected);
    println!("grown: {grown}");
    eprintln!("{mb} MB each way");
}

#[cfg(target_os = "linux")]
fn resident(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Demand 50: what is too large is refused when the answer says how large it is,
/// and what comes after that is not waited for.
#[tokio::test]
async fn what_is_too_large_is_refused_by_its_header() {
    let scene = brisk_scene().await;
    let mut settings = hasty(scene.dir.path());
    settings.intake.max_media_bytes = 1 << 20;
    settings.intake.merge = weixin::MergeSettings::off();
    let host = TestHost::start_on(settings).await;
    // Half of it would be less than the limit, and the rest never comes.
    scene.backend.next(Endpoint::CdnDownload, Fault::HalfBody);
    scene.alice.sends_image(&vec![7; (3 << 20) / 2], "large.png").await;
    let turn = host.answers("too large").await;
    let problem = turn.attachments[0].problem.as_deref();
    assert_eq!(problem, Some("it is larger than 1 MB, the most that is fetched"));
    let asked = scene.backend.requests_to(Endpoint::CdnDownload).len();
    assert_eq!(asked, 1, "asked again in vain");
    let left: Vec<_> = std::fs::read_dir(scene.dir.path().join("received")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Demand 50: the same for what is sent: nothing of it leaves, and the outbox
/// says why.
#[tokio::test]
async fn what_is_too_large_to_send_is_not_begun() {
    let scene = brisk_scene().await;
    let mut settings = hasty(scene.dir.path());
    settings.sending.max_media_bytes = 1 << 20;
    let host = TestHost::start_on(settings).await;
    scene.alice.says("the film, please").await;
    let turn = host.hears().await;
    let film = tempfile::NamedTempFile::new().unwrap();
    film.as_file().set_len(3 << 20).unwrap();
    let media = Content::Media(Media::file(MediaKind::File, film.path().to_owned(), "film.bin"));
    host.gives(&turn.turn, 0, media).await;
    host.replies(&turn.turn, 1, "there it is").await;
    host.finishes(&turn.turn).await;
    let told = scene.alice.hears().await;
    assert!(told.contains("film.bin") || told == "there it is", "{told}");
    assert!(scene.backend.requests_to(Endpoint::GetUploadUrl).is_empty());
    let outbox = host.channel.outbox().await.unwrap();
    assert!(
        outbox.iter().any(|entry| matches!(entry.delivery, contract::Delivery::Failed { .. })),
        "{outbox:?}"
    );
}

//! Media up and down.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ilink::cipher::{Fingerprint, cipher_size, encrypt};
use ilink::client::{Cause, Recovery};
use ilink::media::{
    Downloaded, Limits, MediaError, Source, Upload, Uploaded, VideoFacts, VoiceFacts, download,
    upload,
};
use ilink::wire::{CdnMedia, MediaType, VoiceEncoding};
use ilink::{Backoff, MediaKey};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backend::{Answer, Backend, Request};

fn limits() -> Limits {
    let pause = Duration::from_millis(1);
    Limits { backoff: Backoff { min: pause, max: pause }, ..Limits::default() }
}

fn picture(source: Source) -> Upload {
    Upload { to: "u@im.wechat".into(), kind: MediaType::Image, source, thumb: None }
}

fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|n| (n * 7 + n / 251) as u8).collect()
}

/// A CDN whose n-th upload gets the n-th answer, and the last one ever after.
/// Each ticket is numbered.
async fn cdn(answers: Vec<fn() -> Answer>) -> Backend {
    let (n_ticket, n_upload) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Backend::start(move |request| {
        if request.path().ends_with("getuploadurl") {
            let n = n_ticket.fetch_add(1, Ordering::SeqCst);
            let ticket = json!({
                "upload_param": format!("ticket {n}"), "thumb_upload_param": format!("thumb {n}"),
            });
            return Answer::Ok(ticket.to_string());
        }
        let n = n_upload.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        answers[n]()
    })
    .await
}

fn taken() -> Answer {
    Answer::With("x-encrypted-param", "ref".to_owned(), Vec::new())
}

fn uploads(backend: &Backend) -> Vec<Request> {
    backend.requests().into_iter().filter(|request| request.path() == "/upload").collect()
}

fn tickets(backend: &Backend) -> Vec<Value> {
    let asked = backend.requests().into_iter().filter(|r| r.path().ends_with("getuploadurl"));
    asked.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

fn at(reference: &str) -> CdnMedia {
    CdnMedia { encrypt_query_param: Some(reference.to_owned()), ..CdnMedia::default() }
}

fn file_in(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn is_empty(folder: &TempDir) -> bool {
    folder.path().read_dir().unwrap().next().is_none()
}

#[tokio::test]
async fn what_is_uploaded_can_be_downloaded() {
    for n in [0, 1, 15, 16, 65_535, 65_536, 65_537, 200_000] {
        let folder = tempfile::tempdir().unwrap();
        let plain = bytes(n);
        let source = file_in(&folder, "source", &plain);
        let up = cdn(vec![taken]).await;
        let uploaded =
            upload(&up.client(), &picture(Source::File(source)), &limits()).await.unwrap();

        let sent = uploads(&up).pop().unwrap();
        assert_eq!(sent.body, encrypt(&uploaded.key, &plain));
        assert_eq!(uploaded.cipher_size, cipher_size(n as u64));
        assert_eq!(uploaded.plain, Fingerprint::of(&*plain).unwrap());

        let down =
            Backend::start(move |_| Answer::With("x", "y".to_owned(), sent.body.clone())).await;
        let dest = folder.path().join("dest");
        let downloaded =
            download(&down.client(), &at("r"), Some(&uploaded.key), &dest, &limits()).await;
        assert_eq!(downloaded.unwrap(), Downloaded { plain: uploaded.plain });
        assert_eq!(std::fs::read(&dest).unwrap(), plain);
    }
}

/// Demand 49: a picture or a video shows before it is opened.
#[tokio::test]
async fn a_thumbnail_goes_along_under_its_own_ticket() {
    let backend =
        cdn(vec![taken, || Answer::With("x-encrypted-param", "thumb".to_owned(), Vec::new())])
            .await;
    let thumb = Some(Source::Bytes(bytes(20).into()));
    let with_thumb = Upload { thumb, ..picture(Source::Bytes(bytes(100).into())) };
    let uploaded = upload(&backend.client(), &with_thumb, &limits()).await.unwrap();

    let asked = tickets(&backend).pop().unwrap();
    let plain = Fingerprint::of(&*bytes(20)).unwrap();
    assert_eq!(asked["thumb_rawsize"], 20);
    assert_eq!(asked["thumb_filesize"], 32);
    assert_eq!(asked["thumb_rawfilemd5"], json!(plain.md5_hex()));
    assert_eq!(asked["no_need_thumb"], false);
    let file_key = asked["filekey"].as_str().unwrap();
    let targets: Vec<_> = uploads(&backend).into_iter().map(|upload| upload.target).collect();
    let target = |ticket| format!("/upload?encrypted_query_param={ticket}&filekey={file_key}");
    assert_eq!(targets, [target("ticket%200"), target("thumb%200")]);
    assert_eq!(uploads(&backend)[1].body, encrypt(&uploaded.key, &bytes(20)));

    let item: Value = serde_json::from_str(&uploaded.image_item(None).to_json()).unwrap();
    assert_eq!(item["image_item"]["thumb_media"]["encrypt_query_param"], "thumb");
    assert_eq!(item["image_item"]["thumb_size"], 32);
}

#[tokio::test]
async fn the_whole_upload_address_is_preferred() {
    let backend = Backend::start(|request| match request.path() {
        "/elsewhere" => taken(),
        _ => {
            let host = request.header("host").unwrap();
            let full = format!("http://{host}/elsewhere?sig=a%2Fb");
            Answer::Ok(json!({"upload_param": "p", "upload_full_url": full}).to_string())
        }
    })
    .await;
    upload(&backend.client(), &picture(Source::Bytes(bytes(5).into())), &limits()).await.unwrap();
    assert_eq!(backend.requests()[1].target, "/elsewhere?sig=a%2Fb");
}

#[tokio::test]
async fn each_try_has_a_ticket_of_its_own() {
    let broken = || Answer::Raw(Vec::new());
    let no_reference = || Answer::Ok(String::new());
    for trouble in [broken as fn() -> Answer, no_reference, || Answer::Status(503, String::new())] {
        let backend = cdn(vec![trouble, trouble, taken]).await;
        upload(&backend.client(), &picture(Source::Bytes(bytes(5).into())), &limits())
            .await
            .unwrap();
        let asked = tickets(&backend);
        assert_eq!(asked.len(), 3);
        assert_ne!(asked[0]["filekey"], asked[1]["filekey"]);
        let used: Vec<_> = uploads(&backend).into_iter().map(|upload| upload.target).collect();
        assert!(used[2].starts_with("/upload?encrypted_query_param=ticket%202&"), "{used:?}");
    }
}

#[tokio::test]
async fn the_third_failure_is_the_last() {
    let backend = cdn(vec![|| Answer::Ok(String::new())]).await;
    let err = upload(&backend.client(), &picture(Source::Bytes(bytes(5).into())), &limits()).await;
    let err = err.unwrap_err();
    assert!(matches!(err, MediaError::NoReference), "{err:?}");
    assert_eq!(err.recovery(), Recovery::Retry { after: None });
    assert_eq!(uploads(&backend).len(), 3);
}

#[tokio::test]
async fn a_refused_upload_is_final_and_says_why() {
    let refuse = || {
        Answer::Raw(
            b"HTTP/1.1 403 X\r\nx-error-message: bad ticket\r\ncontent-length: 0\r\n\r\n".to_vec(),
        )
    };
    let backend = cdn(vec![refuse]).await;
    let err = upload(&backend.client(), &picture(Source::Bytes(bytes(5).into())), &limits()).await;
    let err = err.unwrap_err();
    assert_eq!(err.to_string(), "cdn upload: answered with HTTP status 403 (bad ticket)");
    assert_eq!((uploads(&backend).len(), err.recovery()), (1, Recovery::GiveUp));
}

#[tokio::test]
async fn a_refused_ticket_is_final() {
    let backend = Backend::answering(r#"{"ret":-2,"errmsg":"rate limited"}"#).await;
    let err = upload(&backend.client(), &picture(Source::Bytes(bytes(5).into())), &limits()).await;
    let err = err.unwrap_err();
    assert_eq!(err.to_string(), "getuploadurl: refused with code -2 (rate limited)");
    assert_eq!(err.recovery(), Recovery::Retry { after: None }, "the caller may, later");
    assert_eq!(backend.requests().len(), 1);
}

#[tokio::test]
async fn a_ticket_without_address_is_no_ticket() {
    let backend = Backend::answering("{}").await;
    let err = upload(&backend.client(), &picture(Source::Bytes(bytes(5).into())), &limits()).await;
    assert!(matches!(err, Err(MediaError::NoTicket)), "{err:?}");
    assert_eq!(backend.requests().len(), 3);
}

#[tokio::test]
async fn what_is_too_large_is_never_asked_for() {
    let backend = cdn(vec![taken]).await;
    let limits = Limits { max_bytes: 99, ..limits() };
    let folder = tempfile::tempdir().unwrap();
    let large = Source::File(file_in(&folder, "large", &bytes(100)));
    let exact = Source::Bytes(bytes(99).into());
    let err = upload(&backend.client(), &picture(large.clone()), &limits).await;
    assert!(matches!(err, Err(MediaError::TooLarge { max: 99 })), "{err:?}");
    let thumb = Upload { thumb: Some(large), ..picture(exact.clone()) };
    let err = upload(&backend.client(), &thumb, &limits).await;
    assert!(matches!(err, Err(MediaError::TooLarge { max: 99 })), "{err:?}");
    assert!(backend.requests().is_empty());
    upload(&backend.client(), &picture(exact), &limits).await.unwrap();
}

#[tokio::test]
async fn a_missing_file_is_told_before_any_request() {
    let backend = cdn(vec![taken]).await;
    let missing = Source::File("/nonexistent/picture".into());
    let err = upload(&backend.client(), &picture(missing), &limits()).await.unwrap_err();
    assert!(matches!(err, MediaError::Source(_)), "{err:?}");
    assert!(backend.requests().is_empty());
}

/// The file changes between the ticket and the bytes: the upload must not
/// complete, whether the file grew, shrank or has other content.
#[tokio::test]
async fn a_file_that_changes_is_never_uploaded() {
    for changed in [bytes(150_001), bytes(149_999), vec![0; 150_000], bytes(65_536), Vec::new()] {
        let folder = tempfile::tempdir().unwrap();
        let path = file_in(&folder, "source", &bytes(150_000));
        let source = path.clone();
        let backend = Backend::start(move |request| {
            if request.path() == "/upload" {
                return taken();
            }
            std::fs::write(&path, &changed).unwrap();
            Answer::Ok(r#"{"upload_param":"p"}"#.to_owned())
        })
        .await;
        let err = upload(&backend.client(), &picture(Source::File(source)), &limits()).await;
        assert!(matches!(err, Err(MediaError::SourceChanged)), "{err:?}");
        assert!(uploads(&backend).is_empty(), "no complete upload arrived");
        assert_eq!(tickets(&backend).len(), 1);
    }
}

#[tokio::test]
async fn an_upload_that_stands_still_is_given_up() {
    let backend = cdn(vec![|| Answer::Stall(Vec::new())]).await;
    let stall = Duration::from_millis(50);
    let limits = Limits { stall, tries: 2, ..limits() };
    let err = upload(&backend.client(), &picture(Source::Bytes(bytes(5).into())), &limits).await;
    let Err(MediaError::Exchange { error, .. }) = err else { panic!("{err:?}") };
    assert!(matches!(error.cause, Cause::Timeout { after } if after == stall), "{error:?}");
    assert_eq!(uploads(&backend).len(), 2);
}

#[tokio::test]
async fn an_upload_has_a_deadline() {
    let backend = cdn(vec![|| Answer::Stall(Vec::new())]).await;
    let least_time = Duration::from_millis(50);
    let limits = Limits { least_time, tries: 1, ..limits() };
    let err = upload(&backend.client(), &picture(Source::Bytes(bytes(5).into())), &limits).await;
    let Err(MediaError::Exchange { error, .. }) = err else { panic!("{err:?}") };
    assert!(matches!(error.cause, Cause::Timeout { after } if after == least_time), "{error:?}");
}

#[test]
fn a_deadline_grows_with_the_size() {
    let limits = Limits { least_rate: 1000, ..Limits::default() };
    assert_eq!(limits.deadline(0), Duration::from_secs(30));
    assert_eq!(limits.deadline(60_000), Duration::from_secs(90));
    assert_eq!(Limits { least_rate: 0, ..limits }.deadline(5), Duration::from_secs(35));
}

#[test]
fn items_say_what_the_peer_needs() {
    let key = MediaKey::new([0x11; 16]);
    let plain = Fingerprint { size: 20, md5: [0xab; 16] };
    let uploaded = Uploaded { reference: "r".to_owned(), key, cipher_size: 32, plain, thumb: None };
    let media = json!({
        "encrypt_query_param": "r", "encrypt_type": 1,
        "aes_key": "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=",
    });
    let read = |item: ilink::wire::Item| serde_json::from_str::<Value>(&item.to_json()).unwrap();
    assert_eq!(
        read(uploaded.file_item("a b.pdf")),
        json!({"type": 4, "file_item": {
            "media": media, "file_name": "a b.pdf", "md5": "ab".repeat(16), "len": "20",
        }})
    );
    let facts = VideoFacts { length: Some(Duration::from_secs(3)), thumb_size: None };
    assert_eq!(
        read(uploaded.video_item(facts)),
        json!({"type": 5, "video_item": {"media": media, "video_size": 32, "play_length": 3000}})
    );
    let facts = VoiceFacts {
        encoding: VoiceEncoding::Silk,
        sample_rate: 24_000,
        length: Duration::from_millis(1500),
    };
    assert_eq!(
        read(uploaded.voice_item(facts)),
        json!({"type": 3, "voice_item": {
            "media": media, "encode_type": 6, "sample_rate": 24_000, "playtime": 1500,
        }})
    );
}

/// Tries a download into an empty folder, which must be empty again afterwards.
async fn failed_download(
    backend: &Backend,
    media: &CdnMedia,
    key: Option<&MediaKey>,
    limits: &Limits,
) -> MediaError {
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("dest");
    let err = download(&backend.client(), media, key, &dest, limits).await.unwrap_err();
    assert!(is_empty(&folder), "nothing stays behind after {err:?}");
    err
}

fn key() -> MediaKey {
    MediaKey::new(*b"0123456789abcdef")
}

#[cfg(unix)]
#[tokio::test]
async fn a_download_is_private_and_never_replaces_a_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let backend = Backend::answering("plain").await;
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("dest");
    download(&backend.client(), &at("r"), None, &dest, &limits()).await.unwrap();
    assert_eq!(dest.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let again = download(&backend.client(), &at("r"), None, &dest, &limits()).await;
    assert!(matches!(again, Err(MediaError::Store(_))), "{again:?}");
    assert_eq!(std::fs::read(&dest).unwrap(), b"plain");
}

#[tokio::test]
async fn bytes_that_do_not_decrypt_are_not_kept() {
    let short = Backend::answering("seventeen bytes..").await;
    let err = failed_download(&short, &at("r"), Some(&key()), &limits()).await;
    assert!(matches!(err, MediaError::Cipher(_)), "{err:?}");
    let other =
        Backend::start(|_| Answer::With("x", "y".to_owned(), encrypt(&key(), b"hello"))).await;
    let err = failed_download(&other, &at("r"), Some(&MediaKey::new([7; 16])), &limits()).await;
    assert!(matches!(err, MediaError::Cipher(_)), "{err:?}");
}

#[tokio::test]
async fn a_download_that_breaks_off_is_not_kept() {
    let cut = || Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf".to_vec());
    let backend = Backend::start(move |_| cut()).await;
    let err = failed_download(&backend, &at("r"), None, &limits()).await;
    let MediaError::Exchange { error, .. } = &err else { panic!("{err:?}") };
    assert!(matches!(error.cause, Cause::Tcp(_)), "{error:?}");
    assert_eq!(err.recovery(), Recovery::Retry { after: None });
}

#[tokio::test]
async fn a_download_that_stands_still_is_given_up() {
    let half = || Answer::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf".to_vec());
    let stall = Duration::from_millis(50);
    for answer in [half as fn() -> Answer, || Answer::Stall(Vec::new())] {
        let backend = Backend::start(move |_| answer()).await;
        for limits in
            [Limits { stall, ..limits() }, Limits { least_time: stall, max_bytes: 999, ..limits() }]
        {
            if limits.stall > stall && matches!(answer(), Answer::Stall(head) if head.is_empty()) {
                continue;
            }
            let err = failed_download(&backend, &at("r"), None, &limits).await;
            let MediaError::Exchange { error, .. } = err else { panic!("{err:?}") };
            assert!(matches!(error.cause, Cause::Timeout { after } if after == stall), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_dropped_download_leaves_nothing() {
    let half = || Answer::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf".to_vec());
    let backend = Backend::start(move |_| half()).await;
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("dest");
    {
        let (client, limits, media) = (backend.client(), limits(), at("r"));
        let download = download(&client, &media, None, &dest, &limits);
        let appeared = async {
            while is_empty(&folder) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = download => panic!("{done:?}"),
            () = appeared => {}
        }
    }
    assert!(is_empty(&folder));
}

#[tokio::test]
async fn a_download_has_a_limit_stated_or_not() {
    let limits = Limits { max_bytes: 99, ..limits() };
    let exact = encrypt(&key(), &bytes(99));
    let large = encrypt(&key(), &bytes(100));
    let unstated = |body: &[u8]| [b"HTTP/1.1 200 OK\r\n\r\n", body].concat();
    assert_eq!(exact.len(), large.len(), "only decrypting tells them apart");
    for body in [large.clone(), encrypt(&key(), &bytes(5000))] {
        let (stated, raw) = (body.clone(), unstated(&body));
        let backend = Backend::start(move |request| match request.target.ends_with("stated") {
            true => Answer::With("x", "y".to_owned(), stated.clone()),
            false => Answer::Raw(raw.clone()),
        })
        .await;
        for reference in ["stated", "un"] {
            let err = failed_download(&backend, &at(reference), Some(&key()), &limits).await;
            assert!(matches!(err, MediaError::TooLarge { max: 99 }), "{err:?}");
        }
    }
    let backend = Backend::start(move |_| Answer::With("x", "y".to_owned(), exact.clone())).await;
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("dest");
    download(&backend.client(), &at("r"), Some(&key()), &dest, &limits).await.unwrap();
}

#[tokio::test]
async fn only_allowed_hosts_are_asked() {
    let backend = Backend::answering("plain").await;
    let own = backend.url.join("/any/path?x=1").unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let full = |url: &str| CdnMedia { full_url: Some(url.to_owned()), ..at("fallback") };
    let dest = folder.path().join("dest");
    download(&backend.client(), &full(&own), None, &dest, &limits()).await.unwrap();
    assert_eq!(backend.only_request().target, "/any/path?x=1");

    let refused = [
        ("http://169.254.169.254/latest", "169.254.169.254"),
        ("http://127.0.0.1:1/", "127.0.0.1"),
        ("https://evil.example/?x=cdn.example", "evil.example"),
        ("https://user@evil.example/", "evil.example"),
        ("https://notcdn.example/", "notcdn.example"),
        ("file:///etc/passwd", ""),
    ];
    let others = Limits { other_hosts: vec!["cdn.example".to_owned()], ..limits() };
    for (url, host) in refused {
        let err = failed_download(&backend, &full(url), None, &others).await;
        assert!(matches!(&err, MediaError::HostRefused { host: told } if told == host), "{err:?}");
    }
    let err = failed_download(&backend, &full("no address"), None, &others).await;
    assert!(matches!(err, MediaError::NoAddress), "{err:?}");
    let err = failed_download(&backend, &CdnMedia::default(), None, &others).await;
    assert!(matches!(err, MediaError::NoAddress), "{err:?}");
    assert_eq!(backend.requests().len(), 1, "nothing else was asked");
}

#[tokio::test]
async fn other_hosts_are_asked_when_they_are_named() {
    let backend = Backend::answering("plain").await;
    let folder = tempfile::tempdir().unwrap();
    let port = backend.url.port().unwrap();
    for (n, (name, host)) in
        [("localhost", "localhost"), (".localhost", "a.localhost")].into_iter().enumerate()
    {
        let limits = Limits { other_hosts: vec![name.to_owned()], ..limits() };
        let full_url = Some(format!("http://{host}:{port}/x"));
        let media = CdnMedia { full_url, ..CdnMedia::default() };
        let dest = folder.path().join(n.to_string());
        match download(&backend.client(), &media, None, &dest, &limits).await {
            Ok(_) => {}
            // Not every resolver knows names below localhost; that it was asked is enough.
            Err(MediaError::Exchange { error, .. }) => {
                assert!(matches!(error.cause, Cause::Dns(_)), "{error:?}");
            }
            Err(err) => panic!("{err:?}"),
        }
    }
}

/// Memory does not grow with the media: 32 MiB go up and come down in a child
/// process whose peak is read from the kernel.
#[cfg(target_os = "linux")]
#[test]
fn a_large_media_takes_little_memory() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "media::moves_a_large_media_for_its_parent"])
        .output()
        .unwrap();
    let told = String::from_utf8(child.stdout).unwrap();
    let grown = told.lines().find_map(|line| line.split_once("grown: ")?.1.parse::<u64>().ok());
    let grown = grown.unwrap_or_else(|| panic!("the child failed: {told}"));
    assert!(grown < 16 << 10, "{grown} KiB for a media of 32 MiB");
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "runs in a child of the test above"]
async fn moves_a_large_media_for_its_parent() {
    const SIZE: u64 = 32 << 20;

    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    std::fs::File::create(&source).unwrap().set_len(SIZE).unwrap();
    let backend = Backend::start(|request| match request.path() {
        "/upload" => taken(),
        "/download" => Answer::Stream(SIZE, vec![0; 5000]),
        _ => Answer::Ok(r#"{"upload_param":"p"}"#.to_owned()),
    })
    .await;
    let client = backend.client();

    let before = resident("VmRSS:");
    let uploaded = upload(&client, &picture(Source::File(source)), &limits()).await.unwrap();
    let dest = folder.path().join("dest");
    let downloaded = download(&client, &at("r"), None, &dest, &limits()).await.unwrap();
    let grown = resident("VmHWM:").saturating_sub(before);

    assert_eq!(uploads(&backend)[0].n_body, SIZE + 16);
    assert_eq!(downloaded.plain, uploaded.plain, "both are zeros");
    println!("grown: {grown}");
}

#[cfg(target_os = "linux")]
fn resident(name: &str) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

//! Accounts by way of the contract, spoken between two programs.

use std::sync::Arc;

use contract::stdio::{Hello, Patience, Remote, connect, serve};
use contract::{AccountState, Channel as _, ChannelError, LoginEvent, LoginFace, LoginRequest};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::host::{Scene, channel};

/// Somebody who looks at a login and has no digits to type.
struct Page {
    events: mpsc::UnboundedSender<LoginEvent>,
}

impl LoginFace for Page {
    fn tell(&self, event: LoginEvent) {
        self.events.send(event).unwrap();
    }

    fn verify_code(&self, _: bool) -> BoxFuture<'_, Option<String>> {
        std::future::ready(None).boxed()
    }
}

/// The channel of a folder, in what may be another program.
async fn remote(dir: &std::path::Path) -> (Remote, JoinSet<()>) {
    let (host_reads, channel_writes) = tokio::io::duplex(64 * 1024);
    let (channel_reads, host_writes) = tokio::io::duplex(64 * 1024);
    let channel = Arc::new(channel(dir));
    let mut served = JoinSet::new();
    served.spawn(async move {
        let served = serve(channel, Hello::new("sidecar", "0"), channel_reads, channel_writes);
        served.await.unwrap_err();
    });
    let hello = Hello::new("test", "0");
    let remote = connect(host_reads, host_writes, hello, Patience::default()).await.unwrap();
    (remote, served)
}

#[tokio::test]
async fn a_host_that_knows_the_contract_only_logs_an_account_in_off_out_and_away() {
    let scene = Scene::new().await;
    let bob = scene.backend.user("bob").await;
    let (remote, served) = remote(scene.dir.path()).await;
    let (events, mut told) = mpsc::unbounded_channel();
    let request = LoginRequest {
        name: Some("home".to_owned()),
        base_url: Some(scene.backend.url().to_string()),
        ..LoginRequest::default()
    };
    let scans = async {
        let Some(LoginEvent::Qr { url, .. }) = told.recv().await else { panic!("no code") };
        bob.confirm(&url.unwrap()).await;
    };
    let (done, ()) = tokio::join!(remote.login(request, Arc::new(Page { events })), scans);
    let done = done.unwrap();
    assert_eq!(done.name.as_deref(), Some("home"));
    assert_eq!((done.already_connected, done.is_running), (false, false));
    let mut last = None;
    while let Ok(event) = told.try_recv() {
        last = Some(event);
    }
    let (account, name) = (done.account.clone(), done.name.clone());
    assert_eq!(last, Some(LoginEvent::Polling { account, name }));

    assert_eq!(remote.set_enabled("HOME", false).await.unwrap(), done.account);
    let out = remote.logout("home").await.unwrap();
    assert_eq!((out.account, out.cleared), (done.account, true));
    let unknown = remote.logout("home").await.unwrap_err();
    assert!(matches!(unknown, ChannelError::UnknownAccount(_)), "{unknown:?}");

    let left = remote.status().await.unwrap();
    assert_eq!((left.len(), &left[0].state), (1, &AccountState::Stopped));
    let removed = remote.remove(left[0].account.as_str()).await.unwrap();
    assert_eq!((removed.account, removed.announced), (left[0].account.clone(), true));
    assert!(remote.status().await.unwrap().is_empty());
    drop(remote);
    served.join_all().await;
}

#[tokio::test]
async fn a_login_that_fails_says_why_in_the_language_asked_for() {
    let scene = Scene::new().await;
    let (remote, _served) = remote(scene.dir.path()).await;
    let (events, mut told) = mpsc::unbounded_channel();
    let login = |base_url: &str| {
        let (base_url, language) = (Some(base_url.to_owned()), Some("zh-CN".to_owned()));
        let request = LoginRequest { base_url, language, ..LoginRequest::default() };
        remote.login(request, Arc::new(Page { events: events.clone() }))
    };
    let wrong = login("ftp://x").await.unwrap_err();
    assert!(matches!(&wrong, ChannelError::Settings { path, .. } if path == "base_url"));
    // Nobody listens there.
    let failed = login("http://127.0.0.1:9").await.unwrap_err();
    let ChannelError::Login(failure) = failed else { panic!("{failed:?}") };
    assert_eq!((failure.code.as_str(), failure.sentence.as_str()), ("no_qr", "后端没有给出二维码"));
    assert_eq!(told.recv().await, Some(LoginEvent::Failed(failure)));
}

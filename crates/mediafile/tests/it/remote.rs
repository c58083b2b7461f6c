//! Fetching from servers, good and hostile, on real sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use mediafile::remote::{FetchError, FetchLimits, Fetched, Fetcher};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Limits of which a test can reach each; this machine is one's own network.
fn limits() -> FetchLimits {
    FetchLimits {
        max_bytes: 1 << 20,
        own_networks: vec!["127.0.0.1".parse().unwrap()],
        ..FetchLimits::default()
    }
}

async fn fetch(limits: FetchLimits, url: &str, into: &Path) -> Result<Fetched, FetchError> {
    Fetcher::new(limits).unwrap().fetch(url, into).await
}

/// A server for one exchange at a time: it reads a request, writes that, and
/// waits until the other side hangs up.
struct Server {
    listener: TcpListener,
}

impl Server {
    async fn new() -> Self {
        Self { listener: TcpListener::bind((LOOPBACK, 0)).await.unwrap() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listener.local_addr().unwrap())
    }

    async fn request(&self) -> (TcpStream, String) {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        (stream, String::from_utf8(request).unwrap())
    }

    /// Answers one request; returns it, and when the connection has ended.
    async fn answer(&self, head: &str, body: &[u8]) -> String {
        let (mut stream, request) = self.request().await;
        let head = format!("HTTP/1.1 {head}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whoever has read enough hangs up in the middle.
        let _sent = stream.write_all(body).await;
        let _ended = stream.read_u8().await;
        request
    }
}

fn n_files(dir: &TempDir) -> usize {
    std::fs::read_dir(dir.path()).unwrap().count()
}

#[tokio::test]
async fn a_file_is_fetched_with_its_name_and_type() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/x/%E6%8A%A5%E5%91%8A.png?sig=1");
    let head = "200 OK\r\nContent-Length: 5\r\nContent-Type: Image/PNG; x=1\r\nConnection: close";
    let (fetched, request) =
        tokio::join!(fetch(limits(), &url, dir.path()), server.answer(head, b"hello"));
    let fetched = fetched.unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), b"hello");
    assert_eq!(fetched.path.parent(), Some(dir.path()));
    assert_eq!(
        (fetched.len, fetched.name.as_deref(), fetched.mime.as_deref()),
        (5, Some("报告.png"), Some("image/png"))
    );
    assert!(request.starts_with("GET /x/%E6%8A%A5%E5%91%8A.png?sig=1 HTTP/1.1\r\n"), "{request}");
    drop(fetched);
    assert_eq!(n_files(&dir), 0);
}

#[tokio::test]
async fn the_name_of_the_header_goes_before_that_of_the_url() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let head = "200 OK\r\nContent-Length: 0\r\nContent-Disposition: attachment; filename*=UTF-8''%E9%9B%81.pdf";
    let url = server.url("/download");
    let (fetched, _) = tokio::join!(fetch(limits(), &url, dir.path()), server.answer(head, b""));
    let fetched = fetched.unwrap();
    assert_eq!((fetched.name.as_deref(), fetched.mime), (Some("雁.pdf"), None));
}

#[tokio::test]
async fn what_is_not_public_is_refused_without_a_connection() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let port = server.listener.local_addr().unwrap().port();
    let closed = FetchLimits { own_networks: Vec::new(), ..limits() };
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
    ] {
        let refused = fetch(closed.clone(), &format!("http://{host}:{port}/"), dir.path()).await;
        assert!(matches!(refused, Err(FetchError::NotPublic { .. })), "{host}: {refused:?}");
    }
    // One's own network is not all of them.
    let refused = fetch(limits(), &format!("http://127.0.0.2:{port}/"), dir.path()).await;
    assert!(matches!(refused, Err(FetchError::NotPublic { .. })), "{refused:?}");
    let connected = tokio::time::timeout(Duration::ZERO, server.listener.accept()).await;
    assert!(connected.is_err(), "somebody connected");
}

#[tokio::test]
async fn a_name_is_followed_to_the_addresses_that_are_allowed() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/a").replace("127.0.0.1", "localhost");
    let head = "200 OK\r\nContent-Length: 2";
    let (fetched, _) = tokio::join!(fetch(limits(), &url, dir.path()), server.answer(head, b"ok"));
    assert_eq!(fetched.unwrap().len, 2);
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_address() {
    for to in [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.2/",
        "http://[::1]/",
        "//10.0.0.1/",
    ] {
        let (server, dir) = (Server::new().await, TempDir::new().unwrap());
        let head = format!("302 Found\r\nContent-Length: 0\r\nLocation: {to}");
        let url = server.url("/");
        let (refused, _) =
            tokio::join!(fetch(limits(), &url, dir.path()), server.answer(&head, b""));
        assert!(matches!(refused, Err(FetchError::NotPublic { .. })), "{to}: {refused:?}");
    }
    for (to, scheme) in
        [("file:///etc/passwd", "file"), ("data:,x", "data"), ("ftp://a.example/", "ftp")]
    {
        let (server, dir) = (Server::new().await, TempDir::new().unwrap());
        let head = format!("302 Found\r\nContent-Length: 0\r\nLocation: {to}");
        let url = server.url("/");
        let (refused, _) =
            tokio::join!(fetch(limits(), &url, dir.path()), server.answer(&head, b""));
        assert!(matches!(refused, Err(FetchError::Scheme(found)) if found == scheme), "{to}");
    }
}

#[tokio::test]
async fn redirects_are_followed_up_to_a_number() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/0");
    let two = FetchLimits { redirects: 2, ..limits() };
    let found = async {
        for n in 1..=2 {
            let head = format!("302 Found\r\nContent-Length: 0\r\nLocation: /{n}.txt");
            server.answer(&head, b"").await;
        }
        server.answer("200 OK\r\nContent-Length: 2", b"ok").await
    };
    let (fetched, request) = tokio::join!(fetch(two.clone(), &url, dir.path()), found);
    assert_eq!(fetched.unwrap().name.as_deref(), Some("2.txt"));
    assert!(request.starts_with("GET /2.txt "), "{request}");

    let around = async {
        for _ in 0..3 {
            server.answer("307 Again\r\nContent-Length: 0\r\nLocation: /0", b"").await;
        }
    };
    let (fetched, ()) = tokio::join!(fetch(two, &url, dir.path()), around);
    assert!(matches!(fetched, Err(FetchError::TooManyRedirects(2))), "{fetched:?}");
    let nowhere = server.answer("302 Found\r\nContent-Length: 0", b"");
    let (fetched, _) = tokio::join!(fetch(limits(), &url, dir.path()), nowhere);
    assert!(matches!(fetched, Err(FetchError::BadRedirect)), "{fetched:?}");
}

#[tokio::test]
async fn a_file_that_is_announced_too_long_is_not_read() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/large");
    // No body comes: who waits for one stalls.
    let answer = server.answer("200 OK\r\nContent-Length: 1048577", b"");
    let (refused, _) = tokio::join!(fetch(limits(), &url, dir.path()), answer);
    assert!(matches!(refused, Err(FetchError::TooLarge { limit: 1_048_576 })), "{refused:?}");
    assert_eq!(n_files(&dir), 0);
}

#[tokio::test]
async fn a_file_without_end_is_cut_off() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/endless");
    let endless = async {
        let (mut stream, _) = server.request().await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut n_sent = 0;
        while stream.write_all(&[0; 65_536]).await.is_ok() {
            n_sent += 65_536;
        }
        n_sent
    };
    let (refused, n_sent) = tokio::join!(fetch(limits(), &url, dir.path()), endless);
    assert!(matches!(refused, Err(FetchError::TooLarge { .. })), "{refused:?}");
    assert!(n_sent >= 1 << 20, "{n_sent}");
    assert_eq!(n_files(&dir), 0);
}

#[tokio::test]
async fn a_file_of_just_the_longest_length_is_fetched() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/large");
    let body = vec![7; 1 << 20];
    let answer = server.answer("200 OK\r\nContent-Length: 1048576", &body);
    let (fetched, _) = tokio::join!(fetch(limits(), &url, dir.path()), answer);
    let fetched = fetched.unwrap();
    assert_eq!(fetched.len, 1 << 20);
    assert!(std::fs::read(&fetched.path).unwrap() == body);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/slow");
    let short = FetchLimits { stall_timeout: Duration::from_millis(200), ..limits() };
    let answer = server.answer("200 OK\r\nContent-Length: 10", b"half ");
    let (left, _) = tokio::join!(fetch(short.clone(), &url, dir.path()), answer);
    assert!(matches!(left, Err(FetchError::Stalled(_))), "{left:?}");
    let (left, _) = tokio::join!(fetch(short, &url, dir.path()), async {
        let (mut stream, _) = server.request().await;
        stream.read_u8().await
    });
    assert!(matches!(left, Err(FetchError::Stalled(_))), "{left:?}");
    assert_eq!(n_files(&dir), 0);
}

#[tokio::test]
async fn a_server_that_drips_is_left_in_the_end() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/drip");
    let short = FetchLimits { total_timeout: Duration::from_millis(300), ..limits() };
    let drip = async {
        let (mut stream, _) = server.request().await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
        let mut drops = tokio::time::interval(Duration::from_millis(10));
        while stream.write_all(b"x").await.is_ok() {
            drops.tick().await;
        }
    };
    let (left, ()) = tokio::join!(fetch(short, &url, dir.path()), drip);
    assert!(matches!(left, Err(FetchError::TooSlow(_))), "{left:?}");
    assert_eq!(n_files(&dir), 0);
}

#[tokio::test]
async fn a_fetch_that_is_dropped_leaves_nothing() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/half");
    let (head, mut n_seen) = ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 0);
    let until_file = async {
        let (mut stream, _) = server.request().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        while n_seen == 0 {
            tokio::task::yield_now().await;
            n_seen = n_files(&dir);
        }
        stream
    };
    let stream = tokio::select! {
        ended = fetch(limits(), &url, dir.path()) => panic!("{ended:?}"),
        stream = until_file => stream,
    };
    assert_eq!(n_files(&dir), 0);
    let ended = { stream }.read(&mut [0]).await;
    assert!(matches!(ended, Ok(0) | Err(_)), "the connection is still open");
}

#[tokio::test]
async fn a_cut_or_refused_file_is_no_file() {
    let (server, dir) = (Server::new().await, TempDir::new().unwrap());
    let url = server.url("/gone?token=secret");
    let answer = server.answer("404 Not Found\r\nContent-Length: 0", b"");
    let (refused, _) = tokio::join!(fetch(limits(), &url, dir.path()), answer);
    assert_eq!(refused.unwrap_err().to_string(), "`127.0.0.1` answered 404");
    let cut = async {
        let (mut stream, _) = server.request().await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
    };
    let (failed, ()) = tokio::join!(fetch(limits(), &url, dir.path()), cut);
    let failed = failed.unwrap_err();
    assert!(matches!(failed, FetchError::Transport(_)), "{failed:?}");
    assert!(!format!("{failed:?} {failed}").contains("secret"), "{failed:?}");
    assert_eq!(n_files(&dir), 0);
}

#[tokio::test]
async fn urls_that_are_not_for_us_are_refused() {
    let dir = TempDir::new().unwrap();
    let refused = async |url: &str| fetch(limits(), url, dir.path()).await.unwrap_err();
    assert!(matches!(refused("a.png").await, FetchError::NotAUrl(_)));
    assert!(matches!(refused("ftp://a.example/").await, FetchError::Scheme(_)));
    assert!(matches!(refused("file:///etc/passwd").await, FetchError::Scheme(_)));
    assert!(matches!(refused("http://me:pass@a.example/").await, FetchError::Credentials));
    assert!(matches!(refused("http://me@a.example/").await, FetchError::Credentials));
    let unknown = refused("http://nobody.invalid/").await;
    assert!(matches!(unknown, FetchError::NotFound { .. }), "{unknown:?}");
}

#[tokio::test]
async fn a_data_url_is_unpacked() {
    let dir = TempDir::new().unwrap();
    let fetched = fetch(limits(), "data:image/png;base64,iVBORw==", dir.path()).await.unwrap();
    assert_eq!(std::fs::read(&fetched.path).unwrap(), b"\x89PNG");
    assert_eq!((fetched.len, fetched.name, fetched.mime.as_deref()), (4, None, Some("image/png")));
    let small = FetchLimits { max_bytes: 3, ..limits() };
    let refused = fetch(small, "data:,long", dir.path()).await;
    assert!(matches!(refused, Err(FetchError::TooLarge { limit: 3 })), "{refused:?}");
}

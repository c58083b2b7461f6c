//! A backend in a few lines: records what it is asked and answers as scripted.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ilink::client::Deadlines;
use ilink::{BotToken, Client, Endpoints, Http, HttpOptions, Identity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

/// One request as it came. Bodies over a megabyte are only counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) n_body: u64,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

/// What the backend does about a request.
pub(crate) enum Answer {
    /// 200 with this body.
    Ok(String),
    /// 200 with this body and one more header.
    With(&'static str, String, Vec<u8>),
    /// Another status with this body.
    Status(u16, String),
    /// These bytes as they are, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes as they are, then silence.
    Stall(Vec<u8>),
    /// 200 with so many bytes, made on the way in blocks of this content.
    Stream(u64, Vec<u8>),
}

/// A running backend; it ends when dropped.
pub(crate) struct Backend {
    pub(crate) url: Url,
    requests: Arc<Mutex<Vec<Request>>>,
    accepted: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

impl Backend {
    pub(crate) async fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), script).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let accepted = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let (kept, counted) = (Arc::clone(&requests), Arc::clone(&accepted));
        let script: Script = Arc::new(script);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(stream, Arc::clone(&script), Arc::clone(&kept)));
            }
        });
        Self { url, requests, accepted, _tasks: tasks }
    }

    /// A backend that gives the same answer to everything.
    pub(crate) async fn answering(body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |_| Answer::Ok(body.clone())).await
    }

    /// A client of an account on this backend, with short deadlines.
    pub(crate) fn client(&self) -> Client {
        client_at(self.url.clone())
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn only_request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "exactly one request");
        requests.into_iter().next().unwrap()
    }

    pub(crate) fn n_accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

pub(crate) const SHORT: Duration = Duration::from_millis(300);

pub(crate) fn client_at(url: Url) -> Client {
    let http = Http::new(&HttpOptions { system_proxy: false, ..HttpOptions::default() }).unwrap();
    let endpoints = Endpoints::at(url.clone()).with_cdn(url);
    Client::new(http, endpoints, Identity::new("2.4.9")).with_token(BotToken::new("tok-0000"))
}

/// A client that gives up soon.
pub(crate) fn hasty(client: &Client) -> Client {
    client.with_deadlines(Deadlines {
        send: SHORT,
        small: SHORT,
        qr_status: SHORT,
        poll_margin: SHORT,
    })
}

async fn serve(stream: TcpStream, script: Script, kept: Arc<Mutex<Vec<Request>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        kept.lock().unwrap().push(request.clone());
        let answer = script(&request);
        if !write_answer(stream.get_mut(), answer).await {
            return;
        }
    }
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let mut request = Request {
        method: first.next()?.to_owned(),
        target: first.next()?.to_owned(),
        ..Request::default()
    };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    assert_eq!(request.header("transfer-encoding"), None, "every length is stated");
    let length = request.header("content-length").map_or(0, |n| n.parse().unwrap());
    let mut chunk = vec![0; 64 << 10];
    while request.n_body < length {
        let most = chunk.len().min((length - request.n_body) as usize);
        let n = stream.read(&mut chunk[..most]).await.ok().filter(|n| *n > 0)?;
        request.n_body += n as u64;
        if length <= 1 << 20 {
            request.body.extend_from_slice(&chunk[..n]);
        }
    }
    Some(request)
}

/// Returns whether the connection goes on.
async fn write_answer(stream: &mut TcpStream, answer: Answer) -> bool {
    let bytes = match answer {
        Answer::Ok(body) => plain(200, "", body.as_bytes()),
        Answer::Status(status, body) => plain(status, "", body.as_bytes()),
        Answer::With(name, value, body) => plain(200, &format!("{name}: {value}\r\n"), &body),
        Answer::Raw(bytes) => {
            drop(stream.write_all(&bytes).await);
            return false;
        }
        Answer::Stall(bytes) => {
            drop(stream.write_all(&bytes).await);
            std::future::pending().await
        }
        Answer::Stream(length, block) => return stream_blocks(stream, length, &block).await,
    };
    stream.write_all(&bytes).await.is_ok()
}

async fn stream_blocks(stream: &mut TcpStream, mut length: u64, block: &[u8]) -> bool {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    let mut fine = stream.write_all(head.as_bytes()).await.is_ok();
    while fine && length > 0 {
        let n = block.len().min(length as usize);
        fine = stream.write_all(&block[..n]).await.is_ok();
        length -= n as u64;
    }
    fine
}

fn plain(status: u16, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\n{more}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

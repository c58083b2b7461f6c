//! A host with several addresses, some of which are dead.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ilink::client::Resolver;
use ilink::{Client, Cursor, Endpoints, Http, HttpOptions, Identity};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::backend::{Answer, Backend};

const IDLE: &str = r#"{"ret":0,"msgs":[]}"#;

fn address(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, last], port))
}

/// A client of a host that has the loopback addresses with these last numbers.
fn client_of(addresses: &'static [u8], port: u16, connect_timeout: Duration) -> Client {
    let resolver = Resolver::new(move |name| async move {
        assert_eq!(name, "backend.test");
        Ok(addresses.iter().map(|last| IpAddr::from([127, 0, 0, *last])).collect())
    });
    let options = HttpOptions { system_proxy: false, connect_timeout, resolver };
    let url = format!("http://backend.test:{port}").parse().unwrap();
    Client::new(Http::new(&options).unwrap(), Endpoints::at(url), Identity::new("2.4.9"))
}

/// An address that takes no connection and refuses none: its queue is full.
struct BlackHole {
    listener: TcpListener,
    _queued: TcpStream,
}

impl BlackHole {
    async fn at(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(0).unwrap();
        let queued = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        Self { listener, _queued: queued }
    }
}

async fn poll(client: &Client) {
    client.get_updates(&Cursor::default(), Duration::ZERO).await.unwrap();
}

async fn backend_at(address: SocketAddr) -> Backend {
    Backend::start_at(address, |_| Answer::Ok(IDLE.to_owned())).await
}

/// A backend that closes each connection after one answer.
async fn forgetful_at(address: SocketAddr) -> Backend {
    let head = format!("HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: {}", IDLE.len());
    let answer = format!("{head}\r\n\r\n{IDLE}");
    Backend::start_at(address, move |_| Answer::Raw(answer.clone().into_bytes())).await
}

/// Demand 15: two of four addresses are black holes, one refuses, and the
/// first connection is made nevertheless; the next one begins with what works.
#[tokio::test]
async fn dead_addresses_of_a_host_are_passed_over_and_remembered() {
    let alive = forgetful_at(address(5, 0)).await;
    let port = alive.url.port().unwrap();
    let _holes = [BlackHole::at(address(2, port)).await, BlackHole::at(address(3, port)).await];
    let client = client_of(&[2, 3, 4, 5], port, Duration::from_secs(4));

    poll(&client).await;
    assert_eq!(alive.n_accepted(), 1);

    // An address that was dead comes back, and is not begun with.
    let recovered = forgetful_at(address(4, port)).await;
    poll(&client).await;
    assert_eq!((alive.n_accepted(), recovered.n_accepted()), (2, 0));
}

/// Demand 16: after a silence nothing goes over the old connections, and not
/// to the old address either when there is another.
#[tokio::test]
async fn renewed_connections_are_new_and_go_elsewhere_first() {
    let first = backend_at(address(6, 0)).await;
    let port = first.url.port().unwrap();
    let second = backend_at(address(7, port)).await;
    let client = client_of(&[6, 7], port, Duration::from_secs(10));

    poll(&client).await;
    poll(&client).await;
    assert_eq!((first.n_accepted(), second.n_accepted()), (1, 0), "one connection, used again");

    let seen = client.http().generation();
    client.http().renew(seen);
    client.http().renew(seen);
    assert_ne!(client.http().generation(), seen);
    poll(&client).await;
    assert_eq!((first.n_accepted(), second.n_accepted()), (1, 1));
}

/// Demand 12: replaced connections take nothing from a poll that is open.
#[tokio::test]
async fn a_poll_in_flight_outlives_the_renewal_of_the_connections() {
    let (begun, mut is_begun) = tokio::sync::mpsc::unbounded_channel();
    let backend = Backend::start(move |_| {
        begun.send(()).unwrap();
        Answer::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{".to_vec())
    })
    .await;
    let client = backend.client();
    let cursor = Cursor::default();
    let mut open = std::pin::pin!(client.get_updates(&cursor, Duration::from_secs(60)));
    tokio::select! {
        ended = &mut open => panic!("{ended:?}"),
        () = async { is_begun.recv().await.unwrap() } => {}
    }
    client.http().renew(client.http().generation());
    let more = tokio::time::timeout(Duration::from_millis(100), &mut open).await;
    assert!(more.is_err(), "the poll was cut: {more:?}");
}

/// Demand 15: dead ends tell a connection that was never made from one that broke.
#[tokio::test]
async fn a_host_of_black_holes_is_told_as_such() {
    let hole = BlackHole::at(address(8, 0)).await;
    let port = hole.listener.local_addr().unwrap().port();
    let client = client_of(&[8], port, Duration::from_millis(100));
    let err = client.notify_start().await.unwrap_err();
    assert!(matches!(err.cause, ilink::client::Cause::Connect(_)), "{err:?}");
}

/// Demand 15: a name without an address says so.
#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_as_such() {
    let refuse = |_| async { Err(std::io::Error::other("no such host")) };
    let resolver = Resolver::new(refuse);
    let options = HttpOptions { system_proxy: false, resolver, ..HttpOptions::default() };
    let endpoints = Endpoints::at("http://backend.test".parse().unwrap());
    let client = Client::new(Http::new(&options).unwrap(), endpoints, Identity::new("2.4.9"));
    let err = client.notify_start().await.unwrap_err();
    assert!(matches!(err.cause, ilink::client::Cause::Dns(_)), "{err:?}");
}

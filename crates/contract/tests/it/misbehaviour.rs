//! What comes from outside may be anything.

use std::sync::Arc;
use std::time::Duration;

use contract::stdio::{ConnectError, Hello, Patience, Remote, connect, serve};
use contract::{Channel as _, ChannelError};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines};

use crate::post::{Desk, PATIENCE, Post, inbound, line, pipes, reply, status};

/// The other program, word for word.
struct Stranger {
    lines: Lines<BufReader<DuplexStream>>,
    writes: DuplexStream,
}

impl Stranger {
    fn new((reads, writes): (DuplexStream, DuplexStream)) -> Self {
        Self { lines: BufReader::new(reads).lines(), writes }
    }

    async fn says(&mut self, line: &str) {
        self.writes.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn hears(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("nothing is said").unwrap().expect("the pipe is closed")
    }

    async fn hears_the_end(&mut self) -> bool {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("the pipe stays open").unwrap().is_none()
    }
}

fn hello() -> Hello {
    Hello::new("test", "0").of("post".into())
}

const GREETING: &str =
    r#"{"jsonrpc":"2.0","id":1,"result":{"contract":[1],"program":"stranger","version":"1"}}"#;

/// A channel that a stranger plays, after the handshake.
async fn strange_channel() -> (Stranger, Remote) {
    let ((host_reads, host_writes), theirs) = pipes();
    let mut stranger = Stranger::new(theirs);
    let greeted = async {
        stranger.hears().await;
        stranger.says(GREETING).await;
    };
    let connected = connect(host_reads, host_writes, hello(), Patience::default());
    let (remote, ()) = tokio::join!(connected, greeted);
    (stranger, remote.unwrap())
}

/// Returns why a channel that answers so is not taken.
async fn turned_away(answer: &str) -> String {
    let ((host_reads, host_writes), theirs) = pipes();
    let mut stranger = Stranger::new(theirs);
    let greeted = async {
        stranger.hears().await;
        stranger.says(answer).await;
    };
    let patience = Patience { handshake: PATIENCE, ..Patience::default() };
    let (remote, ()) = tokio::join!(connect(host_reads, host_writes, hello(), patience), greeted);
    assert!(stranger.hears_the_end().await);
    remote.err().unwrap().to_string()
}

#[tokio::test]
async fn a_greeting_that_will_not_do_is_refused_with_its_reason() {
    let answer = |result: &str| format!(r#"{{"jsonrpc":"2.0","id":1,{result}}}"#);
    let hello = r#""result":{"contract":[2,3],"program":"new","version":"9"}"#;
    let why = "new speaks version [2, 3] of the contract, this host speaks [1]";
    assert_eq!(turned_away(&answer(hello)).await, why);
    let hello = r#""result":{"contract":[1],"program":"x","version":"9","channel":"y"}"#;
    assert_eq!(turned_away(&answer(hello)).await, "it is the channel y, not post");
    let hello = r#""error":{"code":-32601,"message":"what?"}"#;
    assert_eq!(turned_away(&answer(hello)).await, "it refuses to be greeted: what? (-32601)");
    let hello = r#""result":{"contract":1}"#;
    let why = "the answer to `hello` cannot be read: contract: invalid type: integer `1`, \
               expected a sequence";
    assert_eq!(turned_away(&answer(hello)).await, why);
}

#[tokio::test]
async fn a_host_of_another_time_is_refused_with_the_versions() {
    let (host, (reads, writes)) = pipes();
    let served = serve(Arc::new(Post::default()), Hello::new("post", "1"), reads, writes);
    let (served, ()) = tokio::join!(served, turned_away_by_post(host));
    let text = "post speaks version [1] of the contract, old speaks [7]";
    assert_eq!(served.unwrap_err().to_string(), text);
}

async fn turned_away_by_post(host: (DuplexStream, DuplexStream)) {
    let mut stranger = Stranger::new(host);
    stranger.says(r#"{"jsonrpc":"2.0","id":0,"method":"start"}"#).await;
    let early = r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32002,"message":"say `hello` first"}}"#;
    assert_eq!(stranger.hears().await, early);
    let hello = r#"{"contract":[7],"program":"old","version":"0"}"#;
    stranger
        .says(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"hello","params":{hello}}}"#))
        .await;
    let text = "post speaks version [1] of the contract, old speaks [7]";
    let data = r#"{"contract":[1],"kind":"no_common_version"}"#;
    let no = format!(
        r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32001,"message":"{text}","data":{data}}}}}"#
    );
    assert_eq!(stranger.hears().await, no);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_says_nothing_is_given_up() {
    let ((host_reads, host_writes), _theirs) = pipes();
    let patience = Patience { handshake: Duration::from_secs(3), ..Patience::default() };
    let connected = connect(host_reads, host_writes, hello(), patience).await;
    assert!(matches!(connected, Err(ConnectError::TooLate(after)) if after.as_secs() == 3));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_stops_answering_is_gone_for_all_who_wait() {
    let (_stranger, remote) = strange_channel().await;
    let (turn, reply) = ("t".into(), reply(0, "hello"));
    let (reply, reason) = tokio::join!(remote.reply(&turn, reply), remote.gone());
    assert_eq!(reason, "it has not answered a ping within 20s");
    assert!(matches!(reply, Err(ChannelError::Gone(why)) if why == reason));
    assert!(matches!(remote.peers().await, Err(ChannelError::Gone(why)) if why == reason));
}

#[tokio::test]
async fn a_pipe_that_breaks_fails_what_is_in_flight() {
    let (mut stranger, remote) = strange_channel().await;
    let broken = async {
        stranger.hears().await;
        drop(stranger);
    };
    let (status, ()) = tokio::join!(remote.status(), broken);
    assert!(matches!(status, Err(ChannelError::Gone(_))), "{status:?}");
}

#[tokio::test]
async fn garbage_is_complained_of_and_much_of_it_is_the_end() {
    let (mut stranger, remote) = strange_channel().await;
    stranger.says("Traceback (most recent call last):").await;
    let complaint = stranger.hears().await;
    assert!(complaint.starts_with(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700"#));
    // Answers to what nobody asked, and things nobody knows.
    stranger.says(r#"{"jsonrpc":"2.0","id":99,"result":1}"#).await;
    stranger.says(r#"{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":""}}"#).await;
    stranger.says(r#"{"jsonrpc":"2.0","method":"dance"}"#).await;
    stranger.says(r#"{"jsonrpc":"2.0","id":5,"method":"dance"}"#).await;
    assert!(stranger.hears().await.contains("-32601"));
    for _ in 0..65 {
        stranger.says("#").await;
    }
    assert_eq!(remote.gone().await, "it writes lines that are no messages");
}

#[tokio::test]
async fn a_line_without_an_end_is_the_end() {
    let (mut stranger, remote) = strange_channel().await;
    let chunk = vec![b'x'; 64 * 1024];
    let fill = async { while stranger.writes.write_all(&chunk).await.is_ok() {} };
    let (reason, ()) = tokio::join!(remote.gone(), fill);
    assert_eq!(reason, "it wrote a line of more than 4194304 bytes");
}

#[tokio::test]
async fn who_asks_for_too_much_is_refused_and_who_never_reads_is_cut() {
    let (mut stranger, remote) = strange_channel().await;
    let desk = Arc::new(Desk::default());
    let started = remote.start(desk);
    let ask = |id: u32| {
        let inbound = serde_json::to_string(&inbound("forever")).unwrap();
        let params = format!(r#"{{"inbound":{inbound}}}"#);
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"receive","params":{params}}}"#)
    };
    let asks = async {
        stranger.hears().await;
        stranger.says(r#"{"jsonrpc":"2.0","id":2,"result":null}"#).await;
        for id in 0..256 {
            stranger.says(&ask(id)).await;
        }
        stranger.says(&ask(256)).await;
        assert!(stranger.hears().await.contains("-32003"));
        stranger.says(&ask(7)).await;
        assert!(stranger.hears().await.contains("-32003"));
        // Room again, by a cancellation that still gets through.
        stranger.says(r#"{"jsonrpc":"2.0","method":"cancel","params":{"id":7}}"#).await;
        stranger.says(r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#).await;
        assert_eq!(stranger.hears().await, r#"{"jsonrpc":"2.0","id":"p","result":null}"#);
    };
    let (started, ()) = tokio::join!(started, asks);
    started.unwrap();
    let ping = format!("{}\n", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).repeat(100_000);
    let flood = async {
        // The pipe is cut before all of it is written.
        assert!(stranger.writes.write_all(ping.as_bytes()).await.is_err());
    };
    let (reason, ()) = tokio::join!(remote.gone(), flood);
    assert_eq!(reason, "it asks without reading the answers");
}

#[tokio::test]
async fn a_host_that_panics_over_a_notification_loses_the_channel_not_itself() {
    let line = line().await;
    line.remote.start(Arc::new(Desk::default())).await.unwrap();
    let mut poison = status();
    poison.account = "poison".into();
    line.post.host().changed(poison);
    assert_eq!(line.remote.gone().await, "it is not wanted any more");
}

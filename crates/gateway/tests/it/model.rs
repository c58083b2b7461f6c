//! A model server that follows a script.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The server. Each request takes the next step of the script.
pub(crate) struct Model {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    hung_up: watch::Receiver<u32>,
    _tasks: JoinSet<()>,
}

/// What one request is answered with.
pub(crate) enum Step {
    /// Streams these pieces of text and ends well.
    Says(&'static [&'static str]),
    /// Answers in one piece.
    SaysWhole(&'static str),
    /// Streams a piece of text and closes the connection.
    BreaksOff(&'static str),
    /// Streams a piece of text and then nothing, until the other end hangs up.
    Stalls(&'static str),
    /// Refuses.
    Fails { status: u16, header: &'static str, body: Value },
}

/// What was asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

#[derive(Default)]
struct State {
    script: VecDeque<Step>,
    asked: Vec<Asked>,
}

impl Model {
    pub(crate) async fn start(script: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = script.into_iter().collect();
        let state = Arc::new(Mutex::new(State { script, asked: Vec::new() }));
        let (n_hung_up, hung_up) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&state), n_hung_up));
        Self { address, state, hung_up, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> url::Url {
        format!("http://{}/v1", self.address).parse().unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The messages of the last request, as pairs of role and content.
    pub(crate) fn last_messages(&self) -> Vec<(String, String)> {
        let asked = self.asked();
        let messages = asked.last().unwrap().body["messages"].as_array().unwrap().clone();
        let field = |message: &Value, name: &str| message[name].as_str().unwrap().to_owned();
        messages.iter().map(|message| (field(message, "role"), field(message, "content"))).collect()
    }

    /// Waits until the other end has hung up on a stalled answer.
    pub(crate) async fn is_hung_up_on(&self) {
        let mut hung_up = self.hung_up.clone();
        hung_up.wait_for(|n| *n > 0).await.unwrap();
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>, hung_up: watch::Sender<u32>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (state, hung_up) = (Arc::clone(&state), hung_up.clone());
        connections.spawn(async move {
            // The client may hang up whenever it likes.
            drop(answer(stream, &state, &hung_up).await);
        });
    }
}

async fn answer(
    mut stream: TcpStream,
    state: &Mutex<State>,
    hung_up: &watch::Sender<u32>,
) -> std::io::Result<()> {
    let asked = read(&mut stream).await?;
    let step = {
        let mut state = state.lock().unwrap();
        state.asked.push(asked);
        state.script.pop_front().expect("the script is at its end")
    };
    match step {
        Step::Says(pieces) => {
            let mut body: String = pieces.iter().map(|piece| chunk(piece)).collect();
            body.push_str("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
            body.push_str("data: [DONE]\n\n");
            write(&mut stream, 200, "content-type: text/event-stream", &body).await
        }
        Step::SaysWhole(text) => {
            let message = json!({ "role": "assistant", "content": text });
            let body = json!({ "choices": [{ "message": message, "finish_reason": "stop" }] });
            write(&mut stream, 200, "content-type: application/json", &body.to_string()).await
        }
        Step::BreaksOff(text) => {
            write(&mut stream, 200, "content-type: text/event-stream", &chunk(text)).await
        }
        Step::Stalls(text) => {
            write(&mut stream, 200, "content-type: text/event-stream", &chunk(text)).await?;
            // Reads nothing until the other end closes.
            let read = stream.read(&mut [0]).await;
            hung_up.send_modify(|n| *n += 1);
            read.map(drop)
        }
        Step::Fails { status, header, body } => {
            let header = format!("content-type: application/json\r\n{header}");
            write(&mut stream, status, &header, &body.to_string()).await
        }
    }
}

/// Writes an answer without a length: it ends with the connection.
async fn write(
    stream: &mut TcpStream,
    status: u16,
    header: &str,
    body: &str,
) -> std::io::Result<()> {
    let header = header.trim_end();
    let text = format!("HTTP/1.1 {status} Status\r\n{header}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await
}

fn chunk(text: &str) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "delta": { "content": text } }] }))
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let header = |name: &str| {
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length").unwrap().parse().unwrap();
    while bytes.len() < head_end + 4 + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Asked {
        path: head.split(' ').nth(1).unwrap().to_owned(),
        authorization: header("authorization"),
        body: serde_json::from_slice(&bytes[head_end + 4..]).unwrap(),
    })
}

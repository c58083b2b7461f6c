//! One end of the pipes: asks and answers at once, both within bounds.
//!
//! Every line that waits to be written holds room in one of four bounded pools,
//! so the queue of lines cannot grow: requests of ours, answers to theirs,
//! notifications, and asides (refusals and the answers to pings).

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tasks::Tasks;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufWriter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::sync::CancellationToken;

use super::calls::{Cancel, parts};
use super::message::{self, Id, Malformed, Message, WireError, code, null};
use super::{MAX_BYTES_IN_FLIGHT, MAX_IN_FLIGHT, MAX_LINE};
use crate::json::plain;

/// How a request went.
pub(super) type Outcome = Result<Box<RawValue>, WireError>;

/// Who works on what the other side asks.
pub(super) trait Desk: Send + Sync + 'static {
    /// Works on one request. Dropped when the other side cancels it.
    fn work(
        self: Arc<Self>,
        id: Id,
        method: &str,
        params: &RawValue,
    ) -> BoxFuture<'static, Outcome>;

    /// Hears a notification. Must not block.
    fn hear(&self, method: &str, params: &RawValue) -> Result<(), WireError>;
}

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum CallError {
    /// The pipe is broken, or no answer came in time.
    Gone(String),
    /// The call cannot be written, or its answer cannot be read.
    Failed(String),
    /// The other side answers with an error.
    Refused { method: String, error: WireError },
}

/// How many refusals, answers to pings, and notifications may wait.
const MAX_ASIDES: usize = 64;
/// How many lines in a row may be no messages.
const MAX_GARBAGE: u32 = 64;
/// How long what waits to be written may take once the end has come.
const FLUSH: Duration = Duration::from_secs(1);

/// One end. Clones share it.
#[derive(Clone)]
pub(super) struct Endpoint {
    shared: Arc<Shared>,
}

/// Ends the pipe with whoever has it.
pub(super) struct Ends(pub(super) Endpoint);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end("it is not wanted any more");
    }
}

struct Shared {
    out: mpsc::UnboundedSender<Queued>,
    // Both held for a look-up, never across an await.
    asked: Mutex<HashMap<i64, oneshot::Sender<Outcome>>>,
    working: Mutex<HashMap<Id, CancellationToken>>,
    next_id: AtomicI64,
    rooms: Rooms,
    gone: OnceLock<String>,
    closed: CancellationToken,
    tasks: Tasks,
}

struct Rooms {
    asked: Arc<Semaphore>,
    working: Arc<Semaphore>,
    working_bytes: Arc<Semaphore>,
    notices: Arc<Semaphore>,
    asides: Arc<Semaphore>,
}

/// What is to be written.
enum Queued {
    /// A line, with the room that it holds until it is.
    Line(String, Vec<OwnedSemaphorePermit>),
    /// Nothing more.
    End,
}

/// The lines that wait to be written.
pub(super) struct Queue(mpsc::UnboundedReceiver<Queued>);

impl Endpoint {
    pub(super) fn new() -> (Self, Queue) {
        let (out, queue) = mpsc::unbounded_channel();
        let room = |n| Arc::new(Semaphore::new(n));
        let rooms = Rooms {
            asked: room(MAX_IN_FLIGHT),
            working: room(MAX_IN_FLIGHT),
            working_bytes: room(MAX_BYTES_IN_FLIGHT),
            notices: room(MAX_ASIDES),
            asides: room(MAX_ASIDES),
        };
        let shared = Shared {
            out,
            asked: Mutex::default(),
            working: Mutex::default(),
            next_id: AtomicI64::new(1),
            rooms,
            gone: OnceLock::new(),
            closed: CancellationToken::new(),
            tasks: Tasks::default(),
        };
        (Self { shared: Arc::new(shared) }, Queue(queue))
    }

    /// Begins to read and write.
    pub(super) fn open(
        &self,
        reader: impl AsyncRead + Send + Unpin + 'static,
        (writer, queue): (impl AsyncWrite + Send + Unpin + 'static, Queue),
        desk: Arc<dyn Desk>,
    ) {
        let (reading, writing) = (self.clone(), self.clone());
        self.spawn("read", async move {
            // Also when whoever hears a notification panics.
            let _ends = Ends(reading.clone());
            reading.read(reader, desk).await;
        });
        self.spawn("write", async move { writing.write(writer, queue).await });
    }

    pub(super) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.shared.tasks.spawn(name, task);
    }

    /// Reserves the id of a request.
    pub(super) fn next_id(&self) -> i64 {
        self.shared.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks something, and waits for room first. Dropping the future cancels it.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        id: i64,
        call: &impl Serialize,
    ) -> Result<T, CallError> {
        let room = tokio::select! {
            () = self.shared.closed.cancelled() => return Err(self.why_gone()),
            room = Arc::clone(&self.shared.rooms.asked).acquire_owned() => room,
        };
        self.ask(id, call, room.ok()).await
    }

    /// Asks what must get through however much is in flight: never more than
    /// one at a time.
    pub(super) async fn call_aside<T: DeserializeOwned>(
        &self,
        call: &impl Serialize,
    ) -> Result<T, CallError> {
        self.ask(self.next_id(), call, None).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        id: i64,
        call: &impl Serialize,
        room: Option<OwnedSemaphorePermit>,
    ) -> Result<T, CallError> {
        let failed = |err: serde_json::Error| CallError::Failed(format!("not JSON: {err}"));
        let (method, params) = parts(call).map_err(failed)?;
        let line = message::request(Some(&Id::Number(id)), &method, &params).map_err(failed)?;
        if line.len() > MAX_LINE {
            return Err(CallError::Failed(too_long(&method, line.len())));
        }
        let (tell, told) = oneshot::channel();
        {
            let mut asked = lock(&self.shared.asked);
            // Looked at under the lock: whoever ends the pipe empties the map after.
            if self.shared.gone.get().is_some() {
                return Err(self.why_gone());
            }
            asked.insert(id, tell);
        }
        let _asking = Asking { endpoint: self, id, room };
        self.queue(line, Vec::new());
        match told.await {
            Ok(Ok(result)) => read_result(&method, &result),
            Ok(Err(error)) => Err(CallError::Refused { method, error }),
            Err(_) => Err(self.why_gone()),
        }
    }

    /// Tells something. Must not wait, so what finds no room is dropped: says
    /// whether it was taken.
    pub(super) fn tell(&self, call: &impl Serialize) -> bool {
        let Ok(room) = Arc::clone(&self.shared.rooms.notices).try_acquire_owned() else {
            return false;
        };
        let line = parts(call).and_then(|(name, params)| message::request(None, &name, &params));
        let Some(line) = line.ok().filter(|line| line.len() <= MAX_LINE) else {
            return false;
        };
        self.queue(line, vec![room]);
        true
    }

    /// Ends it: calls in flight fail, work in flight is dropped, and what waits
    /// to be written has a moment left. The first reason stays.
    pub(super) fn end(&self, reason: &str) {
        if self.shared.gone.set(reason.to_owned()).is_err() {
            return;
        }
        // Whoever waits for an answer hears that there is none.
        lock(&self.shared.asked).clear();
        self.put(Queued::End);
        self.shared.closed.cancel();
    }

    /// Returns when it has ended, with the reason.
    pub(super) async fn ended(&self) -> String {
        self.shared.closed.cancelled().await;
        self.shared.gone.get().cloned().unwrap_or_default()
    }

    /// Returns when nothing of it runs any more. To be called after the end.
    pub(super) async fn cleared(&self) {
        self.shared.tasks.ended().await;
    }

    fn why_gone(&self) -> CallError {
        CallError::Gone(self.shared.gone.get().cloned().unwrap_or_default())
    }

    fn queue(&self, line: String, rooms: Vec<OwnedSemaphorePermit>) {
        self.put(Queued::Line(line, rooms));
    }

    fn put(&self, queued: Queued) {
        if self.shared.out.send(queued).is_err() {
            tracing::trace!("the pipe has ended; a line is dropped");
        }
    }

    async fn write(&self, writer: impl AsyncWrite + Send + Unpin, queue: Queue) {
        let pump = async {
            if let Err(err) = pump(writer, queue).await {
                self.end(&format!("it does not read what is written: {err}"));
            }
        };
        let late = async {
            self.shared.closed.cancelled().await;
            tokio::time::sleep(FLUSH).await;
        };
        tokio::select! {
            () = pump => {}
            () = late => {}
        }
    }

    async fn read(&self, reader: impl AsyncRead + Send + Unpin, desk: Arc<dyn Desk>) {
        let mut lines = FramedRead::new(reader, LinesCodec::new_with_max_length(MAX_LINE));
        let mut n_garbage = 0;
        loop {
            let line = tokio::select! {
                () = self.shared.closed.cancelled() => return,
                line = lines.next() => line,
            };
            let line = match line {
                None => return self.end("it has closed the pipe"),
                Some(Err(LinesCodecError::MaxLineLengthExceeded)) => {
                    return self.end(&format!("it wrote a line of more than {MAX_LINE} bytes"));
                }
                Some(Err(LinesCodecError::Io(err))) => {
                    return self.end(&format!("what it writes cannot be read: {err}"));
                }
                Some(Ok(line)) => line,
            };
            match Message::read(&line) {
                Ok(message) => {
                    n_garbage = 0;
                    self.take(message, line.len(), &desk);
                }
                Err(malformed) => {
                    n_garbage += 1;
                    if n_garbage > MAX_GARBAGE {
                        return self.end("it writes lines that are no messages");
                    }
                    self.complain(&line, malformed);
                }
            }
        }
    }

    fn complain(&self, line: &str, malformed: Malformed) {
        let excerpt: String = line.chars().take(200).collect();
        tracing::warn!(line = excerpt, error = %malformed.why, "a line is no message");
        self.aside(malformed.id.as_ref(), &Err(malformed.why));
    }

    fn take(&self, message: Message, n_bytes: usize, desk: &Arc<dyn Desk>) {
        match message {
            Message::Request { id, method, .. } if method == "ping" => {
                self.aside(Some(&id), &Ok(null()));
            }
            Message::Request { id, method, params } => {
                self.begin(id, &method, &params, n_bytes, desk);
            }
            Message::Notice { method, params } if method == "cancel" => {
                let cancel: Result<Cancel, _> = serde_json::from_str(params.get());
                let working = cancel.ok().and_then(|it| lock(&self.shared.working).remove(&it.id));
                if let Some(working) = working {
                    working.cancel();
                }
            }
            Message::Notice { method, params } => {
                if let Err(error) = desk.hear(&method, &params) {
                    tracing::warn!(%error, "a notification is not understood");
                }
            }
            Message::Answer { id, outcome } => self.answered(&id, outcome),
            Message::Complaint(error) => {
                tracing::warn!(%error, "the other side cannot read a line");
            }
        }
    }

    fn answered(&self, id: &Id, outcome: Outcome) {
        let asked = match id {
            Id::Number(number) => lock(&self.shared.asked).remove(number),
            Id::Text(_) => None,
        };
        // One that was cancelled may be answered all the same.
        if asked.is_none_or(|asked| asked.send(outcome).is_err()) {
            tracing::debug!(?id, "an answer to nothing that is asked");
        }
    }

    fn begin(&self, id: Id, method: &str, params: &RawValue, n_bytes: usize, desk: &Arc<dyn Desk>) {
        let Some(rooms) = self.room_for(method, n_bytes) else {
            let text = format!("more than {MAX_IN_FLIGHT} requests are in work, or too large ones");
            return self.aside(Some(&id), &Err(WireError::new(code::TOO_MANY, text)));
        };
        let cancelled = CancellationToken::new();
        {
            let mut working = lock(&self.shared.working);
            if working.contains_key(&id) {
                drop(working);
                let text = "a request with this id is in work";
                return self.aside(Some(&id), &Err(WireError::new(code::NO_MESSAGE, text)));
            }
            working.insert(id.clone(), cancelled.clone());
        }
        let work = Arc::clone(desk).work(id.clone(), method, params);
        let endpoint = self.clone();
        self.spawn("request", async move {
            let outcome = tokio::select! {
                () = cancelled.cancelled() => return,
                () = endpoint.shared.closed.cancelled() => return,
                outcome = AssertUnwindSafe(work).catch_unwind() => outcome,
            };
            let panicked = |_| Err(WireError::new(code::INTERNAL, "it failed; see its log"));
            let outcome = outcome.unwrap_or_else(panicked);
            // Whoever has cancelled it meanwhile wants no answer.
            if lock(&endpoint.shared.working).remove(&id).is_some() {
                endpoint.queue(answer(Some(&id), &outcome), rooms);
            }
        });
    }

    /// Returns the room in which a request is worked on. The word to stop always
    /// finds some.
    fn room_for(&self, method: &str, n_bytes: usize) -> Option<Vec<OwnedSemaphorePermit>> {
        let Rooms { working, working_bytes, asides, .. } = &self.shared.rooms;
        if method == "stop" {
            return Some(vec![Arc::clone(asides).try_acquire_owned().ok()?]);
        }
        let n_bytes = u32::try_from(n_bytes).ok()?;
        let one = Arc::clone(working).try_acquire_owned().ok()?;
        let bytes = Arc::clone(working_bytes).try_acquire_many_owned(n_bytes).ok()?;
        Some(vec![one, bytes])
    }

    /// Answers at once. The other side must read such answers: too many that
    /// wait to be written end it.
    fn aside(&self, id: Option<&Id>, outcome: &Outcome) {
        match Arc::clone(&self.shared.rooms.asides).try_acquire_owned() {
            Ok(room) => self.queue(answer(id, outcome), vec![room]),
            Err(_) => self.end("it asks without reading the answers"),
        }
    }
}

/// A request that waits for its answer.
struct Asking<'a> {
    endpoint: &'a Endpoint,
    id: i64,
    room: Option<OwnedSemaphorePermit>,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        // Answered ones, and those of a broken pipe, are not in the map any more.
        if lock(&self.endpoint.shared.asked).remove(&self.id).is_none() {
            return;
        }
        let params = serde_json::json!({ "id": self.id });
        if let Ok(line) = message::request(None, "cancel", &params) {
            self.endpoint.queue(line, self.room.take().into_iter().collect());
        }
    }
}

async fn pump(writer: impl AsyncWrite + Send + Unpin, mut queue: Queue) -> std::io::Result<()> {
    let mut writer = BufWriter::new(writer);
    while let Some(Queued::Line(mut line, rooms)) = queue.0.recv().await {
        line.push('\n');
        writer.write_all(line.as_bytes()).await?;
        if queue.0.is_empty() {
            writer.flush().await?;
        }
        drop(rooms);
    }
    writer.flush().await?;
    writer.shutdown().await
}

fn answer(id: Option<&Id>, outcome: &Outcome) -> String {
    let failed = |text: String| Err(WireError::new(code::INTERNAL, text));
    let line = message::answer(id, outcome).and_then(|line| {
        if line.len() <= MAX_LINE {
            return Ok(line);
        }
        message::answer(id, &failed(too_long("answer", line.len())))
    });
    line.unwrap_or_else(|err| {
        tracing::error!(error = %err, "an answer cannot be written");
        String::new()
    })
}

fn too_long(what: &str, n_bytes: usize) -> String {
    format!("`{what}` has {n_bytes} bytes; a line has at most {MAX_LINE}")
}

fn read_result<T: DeserializeOwned>(method: &str, result: &RawValue) -> Result<T, CallError> {
    serde_path_to_error::deserialize(result).map_err(|err| {
        let place = err.path().to_string();
        let text =
            format!("the answer to `{method}` cannot be read: {place}: {}", plain(err.inner()));
        CallError::Failed(text)
    })
}

/// A panic elsewhere does not make a map unusable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

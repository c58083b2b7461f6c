//! A backend that is only as much of one as a measure needs: it hands out what
//! its phones say, takes what is sent to them and keeps nothing.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use ilink::login::Credentials;
use ilink::{BotId, BotToken};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How many messages a poll brings at most.
const BATCH: usize = 100;
const HOLD: Duration = Duration::from_secs(35);

/// What the phones do.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) n_accounts: usize,
    /// How many phones write to each account. Each waits for its answer.
    pub(crate) n_phones: usize,
    /// How many messages they say together.
    pub(crate) n_messages: usize,
    /// What the message with this number says.
    pub(crate) says: fn(usize) -> String,
    /// How many messages the answer to one is.
    pub(crate) n_answers: usize,
    /// How long phones wait after an answer.
    pub(crate) pause: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            n_accounts: 1,
            n_phones: 1,
            n_messages: 1,
            says: |n| format!("message number {n}, as long as what people write"),
            n_answers: 1,
            pause: Duration::ZERO,
        }
    }
}

/// The backend. Ends when it is dropped.
pub(crate) struct Stub {
    shared: Arc<Shared>,
    base: String,
    _serving: JoinSet<()>,
}

struct Shared {
    plan: Plan,
    accounts: Vec<Account>,
    n_said: AtomicUsize,
    n_answered: AtomicUsize,
    next_id: AtomicU64,
    took: Mutex<Vec<Duration>>,
    done: Notify,
}

#[derive(Default)]
struct Account {
    /// Phones that have something to say.
    ready: Mutex<VecDeque<usize>>,
    bell: Notify,
    /// Since when each phone waits, and how much of its answer is missing.
    waiting: Mutex<HashMap<usize, (Instant, usize)>>,
}

impl Stub {
    pub(crate) async fn start(plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let account =
            || Account { ready: Mutex::new((0..plan.n_phones).collect()), ..Account::default() };
        let shared = Arc::new(Shared {
            plan,
            accounts: (0..plan.n_accounts).map(|_| account()).collect(),
            n_said: AtomicUsize::new(0),
            n_answered: AtomicUsize::new(0),
            next_id: AtomicU64::new(1),
            took: Mutex::default(),
            done: Notify::new(),
        });
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, Arc::clone(&shared)));
        Self { shared, base, _serving: serving }
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = Credentials> {
        (0..self.shared.accounts.len()).map(|n| Credentials {
            token: BotToken::new(format!("token-{n}")),
            bot_id: BotId::new(format!("{n:012x}@im.bot")),
            user_id: None,
            base_url: self.base.parse().unwrap(),
        })
    }

    /// Waits until all messages have been answered.
    pub(crate) async fn done(&self) {
        self.shared.done.notified().await;
    }

    pub(crate) fn took(&self) -> Vec<Duration> {
        self.shared.took.lock().clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let shared = Arc::clone(&shared);
        connections.spawn(async move { shared.serve(stream).await });
    }
}

impl Shared {
    /// Serves a connection until the other end closes it.
    async fn serve(self: Arc<Self>, mut stream: TcpStream) -> Option<()> {
        let mut read = Vec::new();
        loop {
            let request = Request::read(&mut stream, &mut read).await?;
            let account = self.accounts.get(request.account)?;
            let (body, said) = match request.path.as_str() {
                "/ilink/bot/getupdates" => self.updates(request.account, account).await,
                "/ilink/bot/sendmessage" => {
                    self.answered(request.account, &request.body);
                    let id = self.next_id.fetch_add(1, Ordering::Relaxed);
                    (format!(r#"{{"ret":0,"message_id":{id}}}"#), Vec::new())
                }
                _ => (r#"{"ret":0}"#.to_owned(), Vec::new()),
            };
            let begun = Instant::now();
            for phone in said {
                account.waiting.lock().insert(phone, (begun, self.plan.n_answers));
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).await.ok()?;
        }
    }

    /// Waits until a phone has something to say, and returns that of all that have.
    async fn updates(&self, n: usize, account: &Account) -> (String, Vec<usize>) {
        let said = timeout(HOLD, async {
            loop {
                let said: Vec<usize> = {
                    let mut ready = account.ready.lock();
                    let n = ready.len().min(BATCH);
                    ready.drain(..n).collect()
                };
                if !said.is_empty() {
                    return said;
                }
                account.bell.notified().await;
                if !self.plan.pause.is_zero() {
                    sleep(self.plan.pause).await;
                }
            }
        });
        let said = said.await.unwrap_or_default();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        let mut body = r#"{"ret":0,"msgs":["#.to_owned();
        for (index, phone) in said.iter().enumerate() {
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            let text = (self.plan.says)(self.n_said.fetch_add(1, Ordering::Relaxed));
            let comma = if index == 0 { "" } else { "," };
            write!(
                body,
                r#"{comma}{{"seq":{id},"message_id":{id},"from_user_id":"phone-{phone}@im.wechat","to_user_id":"{n:012x}@im.bot","client_id":"c-{id}","create_time_ms":{now},"message_type":1,"message_state":2,"session_id":"s-{phone}","item_list":[{{"type":1,"create_time_ms":{now},"is_completed":true,"msg_id":{id},"text_item":{{"text":"{text}"}}}}],"context_token":"context-{phone}-{id}"}}"#
            )
            .unwrap();
        }
        let cursor = self.next_id.load(Ordering::Relaxed);
        write!(body, r#"],"get_updates_buf":"at-{cursor}"}}"#).unwrap();
        (body, said)
    }

    /// Notes an answer; the phone says its next thing when it has all of it.
    fn answered(&self, n: usize, body: &str) {
        let phone = body.split_once("phone-").and_then(|(_, rest)| rest.split_once('@'));
        let phone: usize = phone.and_then(|(phone, _)| phone.parse().ok()).unwrap();
        let account = &self.accounts[n];
        {
            let mut waiting = account.waiting.lock();
            let Some((since, missing)) = waiting.get_mut(&phone) else { return };
            if *missing == self.plan.n_answers {
                self.took.lock().push(since.elapsed());
            }
            *missing -= 1;
            if *missing > 0 {
                return;
            }
            waiting.remove(&phone);
        }
        if self.n_answered.fetch_add(1, Ordering::Relaxed) + 1 == self.plan.n_messages {
            self.done.notify_one();
        }
        account.ready.lock().push_back(phone);
        account.bell.notify_one();
    }
}

struct Request {
    path: String,
    account: usize,
    body: String,
}

impl Request {
    /// Reads a request; `read` holds what came behind the one before.
    async fn read(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<Self> {
        loop {
            if let Some((request, length)) = Self::parse(read) {
                read.drain(..length);
                return Some(request);
            }
            if stream.read_buf(read).await.ok()? == 0 {
                return None;
            }
        }
    }

    fn parse(read: &[u8]) -> Option<(Self, usize)> {
        let head = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let lines = std::str::from_utf8(&read[..head]).ok()?;
        let path = lines.split_whitespace().nth(1)?.to_owned();
        let named = |name: &str| {
            let lines = lines.lines().filter_map(|line| line.split_once(':'));
            let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.trim())
        };
        let token = named("authorization")?;
        let account = token.strip_prefix("Bearer token-")?.parse().ok()?;
        let end = head + named("content-length").and_then(|it| it.parse::<usize>().ok())?;
        let body = std::str::from_utf8(read.get(head..end)?).ok()?.to_owned();
        Some((Self { path, account, body }, end))
    }
}

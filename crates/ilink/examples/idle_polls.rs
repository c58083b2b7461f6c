//! Measures what one idle long-poll costs in memory.
//!
//! `ulimit -n 12000; cargo run --release -p ilink --example idle_polls [-- 5000]`
//!
//! The backend that holds the polls runs in a child, so that only the client's
//! memory is counted. Plain HTTP; TLS adds some 7 KiB.

#![expect(clippy::print_stdout, reason = "this program reports to a terminal")]

use std::env::args;
use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ilink::{BotToken, Client, Cursor, Endpoints, Http, HttpOptions, Identity};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// How many connections are made at a time.
const WAVE: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    match args().nth(1).as_deref() {
        Some("hold") => runtime.block_on(hold()),
        n => measure(&runtime, n.unwrap_or("5000").parse()?),
    }
}

/// Opens `n` polls, wave by wave, and reports how much memory they took.
fn measure(runtime: &Runtime, n: usize) -> Result<(), Box<dyn Error>> {
    let holder =
        Command::new(std::env::current_exe()?).arg("hold").stdout(Stdio::piped()).spawn()?;
    let mut holder = Ended(holder);
    let mut told = BufReader::new(holder.0.stdout.take().ok_or("no output")?).lines();
    let mut told = || told.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));

    let http = Http::new(&HttpOptions { system_proxy: false, ..HttpOptions::default() })?;
    let client = Client::new(http, Endpoints::at(told()?.parse()?), Identity::new("2.4.9"));
    let mut polls = JoinSet::new();
    let mut before = 0;
    for opened in 0..n {
        let bot = client.with_token(BotToken::new(format!("bot-{opened}")));
        let poll =
            async move { bot.get_updates(&Cursor::default(), Duration::from_secs(600)).await };
        polls.spawn_on(poll, runtime.handle());
        if (opened + 1) % WAVE == 0 {
            while told()?.parse::<usize>()? <= opened {}
        }
        if opened + 1 == WAVE {
            // The first wave has paid for the pool, the threads and the roots.
            before = resident()?;
        }
    }
    let grown = resident()?.saturating_sub(before);
    let each = grown as f64 / (n - WAVE) as f64;
    println!(
        "{n} idle polls: {:.1} MiB more than for {WAVE}, {each:.1} KiB each",
        grown as f64 / 1024.0
    );
    Ok(())
}

/// Takes polls and never answers; says how many there are.
async fn hold() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let mut held = JoinSet::new();
    for n in 1_usize.. {
        let (stream, _) = listener.accept().await?;
        held.spawn(keep(stream));
        println!("{n}");
        io::stdout().flush()?;
    }
    Ok(())
}

/// Reads what comes until the client leaves.
async fn keep(mut stream: TcpStream) {
    let mut request = [0; 1024];
    while stream.read(&mut request).await.is_ok_and(|n| n > 0) {}
}

/// Resident memory of this process in KiB.
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// A child that does not outlive its parent.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Err(err) = self.0.kill() {
            println!("the backend could not be ended: {err}");
        }
    }
}

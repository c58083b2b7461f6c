//! Much of everyday life in little time, with trouble everywhere: many people
//! write to many accounts of one gateway while every endpoint has faults,
//! copies come with other context tokens, batches come in the wrong order, and
//! the gateway is killed again and again.
//!
//! The promises: each phone shows each answer once and in order, and what the
//! gateway holds stays flat however much it has done.
//!
//! | variable | means |
//! |---|---|
//! | `HONGYAN_SOAK_MESSAGES` | how many messages; without it a few hundred, to see that the soak works |
//! | `HONGYAN_SOAK_SEED` | repeats what was decided by chance; the moments still differ |
//! | `HONGYAN_SOAK_BINARY` | the program to run, such as a release build |
//! | `HONGYAN_SOAK_DIR` | an empty folder for state and log, to look into afterwards |

#![expect(clippy::print_stdout, reason = "shown when the test fails, and by --nocapture")]

use std::convert::Infallible;
use std::time::{Duration, Instant};

use backend::{Backend, Duplicate, Policy};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

mod conversation;
mod gauge;
mod process;
mod size;
mod tally;
mod trouble;

use self::conversation::Conversation;
use self::gauge::Gauge;
use self::process::Gateway;
use self::size::Size;
use self::tally::Tally;
use self::trouble::Trouble;
use crate::program::log_in;

/// How much of the messages is said while the gateway is killed …
const KILLED: f64 = 0.4;
/// … and how much before what it holds is measured for the first time.
const WARMING: f64 = 0.2;

#[tokio::test(flavor = "multi_thread")]
async fn a_soak_loses_nothing_doubles_nothing_and_stays_flat() {
    let size = Size::from_env();
    println!("soak: {size:?}");
    let mut soak = Soak::begin(size).await;
    let n_killed = soak.size.part(KILLED);
    soak.part("killed", n_killed, soak.size.kills).await;
    let n_warming = soak.size.part(WARMING);
    soak.part("warming", n_warming, 0).await;
    let middle = soak.measure().await;
    println!("soak: in the middle {middle:?}");
    soak.part("measured", soak.size.per_conversation() - n_killed - n_warming, 0).await;
    let end = soak.measured_against(&middle).await;
    println!("soak: at the end {end:?}");

    // Nothing that was finished before a crash is said again after it.
    soak.gateway.restart();
    soak.part("after all", 1, 0).await;
    soak.end().await;
    end.assert_flat_since(&middle);
}

/// A backend full of people, and a gateway that serves them.
struct Soak {
    size: Size,
    begun: Instant,
    backend: Backend,
    gateway: Gateway,
    conversations: Vec<Conversation>,
    trouble: Trouble,
    chance: StdRng,
    tally: Tally,
}

impl Soak {
    async fn begin(size: Size) -> Self {
        let mut chance = StdRng::seed_from_u64(size.seed);
        let builder = Backend::builder().policy(policy(Duration::ZERO)).recorded_requests(0);
        let backend = builder.start().await.unwrap();
        let mut gateway = Gateway::new();
        let mut conversations = Vec::new();
        for account in 0..size.accounts {
            let owner = backend.user(&format!("a{account}p0")).await;
            let bot = backend.bind(&owner).await;
            log_in(&gateway.state(), &bot);
            for person in 0..size.people {
                let user = backend.user(&format!("a{account}p{person}")).await;
                let user = user.meets(&bot.bot_id).await;
                gateway.admit(&user);
                let chance = StdRng::seed_from_u64(chance.random());
                conversations.push(Conversation::new(user, chance));
            }
        }
        gateway.restart();
        let trouble = Trouble::new(StdRng::seed_from_u64(chance.random()), &size);
        let (begun, tally) = (Instant::now(), Tally::default());
        Self { size, begun, backend, gateway, conversations, trouble, chance, tally }
    }

    /// Lets everyone say so much and hear all answers, and kills the gateway
    /// so often meanwhile.
    async fn part(&mut self, name: &str, n: u64, kills: u32) {
        let begun = (Instant::now(), self.tally.answered.get());
        let has_time = kills == 0 && !self.size.is_small;
        let Self { backend, gateway, conversations, trouble, chance, tally, .. } = self;
        let n_all = n * conversations.len() as u64;
        let talking = join_all(conversations.iter_mut().map(|it| it.goes_on(n, has_time, tally)));
        let killing = kill(gateway, kills, n_all, chance, tally);
        let telling = tell(name, tally);
        tokio::select! {
            _ = talking => {}
            () = async { tokio::join!(trouble.make(backend, tally), killing, telling); } => {}
        }
        let (seconds, n) = (begun.0.elapsed().as_secs_f64(), tally.answered.get() - begun.1);
        let rate = n as f64 / seconds;
        println!("soak: {name}: {n} messages in {seconds:.1} s, {rate:.0}/s");
    }

    /// Looks at what the gateway holds while it has nothing to do.
    async fn measure(&self) -> Gauge {
        self.gateway.is_idle().await;
        Gauge::of(&self.gateway)
    }

    /// Looks until what the gateway holds is flat, or for so long that it will
    /// not be: idle connections close when they like.
    async fn measured_against(&self, middle: &Gauge) -> Gauge {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let now = self.measure().await;
            if now.is_flat_since(middle) || Instant::now() > deadline {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Stops the gateway as an operating system does, and looks at everything
    /// that it leaves behind.
    async fn end(mut self) {
        self.backend.clear_faults();
        self.gateway.stop();
        let n_files: usize = self.conversations.iter().map(Conversation::n_files).sum();
        assert_eq!(self.gateway.received().len(), n_files, "files that came");
        assert_eq!(self.gateway.waiting(), serde_json::json!([]), "messages that did not leave");
        assert_eq!(self.gateway.complaints(), "", "seed {}", self.size.seed);
        for conversation in &self.conversations {
            conversation.assert_shown().await;
        }
        let (seconds, said) = (self.begun.elapsed().as_secs_f64(), self.tally.said.get());
        let (kills, faults) = (self.tally.kills.get(), self.trouble.played());
        println!("soak: {said} messages in {seconds:.0} s, {kills} kills, faults: {faults:#?}");
    }
}

/// Everything goes, everything comes twice, and the copy so much later.
fn policy(copied_after: Duration) -> Policy {
    Policy {
        duplicate: Some(Duplicate { after: copied_after, new_context: true }),
        ..Policy::open()
    }
}

/// Kills the gateway so often while `n` messages are answered, at random but
/// never so close that it gets nothing done: a turn that five crashes have cut
/// is set aside, as it should be.
async fn kill(
    gateway: &mut Gateway,
    kills: u32,
    n: u64,
    chance: &mut StdRng,
    tally: &Tally,
) -> Infallible {
    let (before, slice) = (tally.answered.get(), n / u64::from(kills + 1));
    for kill in 0..u64::from(kills) {
        let moment = before + kill * slice + chance.random_range(0..slice);
        while tally.answered.get() < moment {
            tally.changed().await;
        }
        // Not a wait for something: the moment of the kill is the random thing.
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..300))).await;
        gateway.restart();
        tally.kills.set(tally.kills.get() + 1);
    }
    std::future::pending().await
}

/// Says now and then how far it is.
async fn tell(name: &str, tally: &Tally) -> Infallible {
    let mut last = tally.answered.get();
    loop {
        const EVERY: u64 = 5;
        tokio::time::sleep(Duration::from_secs(EVERY)).await;
        let (now, kills) = (tally.answered.get(), tally.kills.get());
        println!("soak: {name}: {now} answered, {}/s, {kills} kills", (now - last) / EVERY);
        last = now;
    }
}

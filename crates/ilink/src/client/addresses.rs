//! Which of a host's addresses to try first.
//!
//! The HTTP stack tries the addresses of a family one after the other, gives
//! each an equal part of the connect timeout, and lets the other family join
//! after 300 ms. What it does not do is remember: each new connection would
//! run into the same dead address again. So this module
//!
//! - offers addresses that failed lately last, for a minute;
//! - offers the addresses of a family in turn until there are [`SLOTS`] of
//!   them, so that each try is short however few they are, and has a second
//!   chance;
//! - watches each connection being made and learns from who answered: those
//!   that were offered before it did not.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower::{Layer, Service};

/// How long an address that failed is offered last.
const COOL: Duration = Duration::from_secs(60);
/// How many tries of one family share the connect timeout.
const SLOTS: u32 = 8;
/// How many addresses are remembered as failed.
const MOST_REMEMBERED: usize = 1_024;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Lookup = dyn Fn(String) -> BoxFuture<io::Result<Vec<IpAddr>>> + Send + Sync;

/// Turns host names into addresses. Clones share it.
#[derive(Clone)]
pub struct Resolver(Arc<Lookup>);

impl Resolver {
    /// The operating system's.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|name| async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }

    /// One that asks a function for all addresses of a name, the best first.
    pub fn new<F>(lookup: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        Self(Arc::new(move |name| Box::pin(lookup(name))))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver(…)")
    }
}

/// A name that did not resolve; a type of its own so that the cause of a
/// failed connection can be told.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct DnsError(io::Error);

tokio::task_local! {
    /// What was offered for the connection that this task makes.
    static OFFERED: Arc<Mutex<Vec<IpAddr>>>;
}

/// What is known of addresses. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    resolver: Resolver,
    /// How long one try may take when there are several.
    slot: Duration,
    // Held for a look-up, never across an await.
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// When an address failed last.
    failed: HashMap<IpAddr, Instant>,
    /// Addresses that connections of the present pool go to.
    used: Vec<IpAddr>,
}

impl Addresses {
    pub(super) fn new(resolver: Resolver, connect_timeout: Duration) -> Self {
        Self { resolver, slot: connect_timeout / SLOTS, known: Arc::default() }
    }

    /// Offers what is in use last, because its connections fell silent.
    pub(super) fn distrust_used(&self) {
        let mut known = self.known.lock();
        for address in std::mem::take(&mut known.used) {
            known.fail(address, Instant::now());
        }
    }

    fn connected(&self, offered: &[IpAddr], winner: IpAddr) {
        let mut known = self.known.lock();
        for loser in losers(offered, winner) {
            known.fail(loser, Instant::now());
        }
        known.failed.remove(&winner);
        if !known.used.contains(&winner) && known.used.len() < MOST_REMEMBERED {
            known.used.push(winner);
        }
    }

    fn failed(&self, offered: &[IpAddr]) {
        let mut known = self.known.lock();
        for address in offered {
            known.fail(*address, Instant::now());
        }
    }
}

impl Known {
    fn fail(&mut self, address: IpAddr, now: Instant) {
        self.failed.retain(|_, at| now.duration_since(*at) < COOL);
        if self.failed.len() < MOST_REMEMBERED {
            self.failed.insert(address, now);
        }
    }
}

impl Resolve for Addresses {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, known) = ((self.resolver.0)(name.as_str().to_owned()), self.known.clone());
        Box::pin(async move {
            let found = lookup.await.map_err(DnsError)?;
            let order = order(found, &known.lock().failed, Instant::now());
            if OFFERED.try_with(|offered| offered.lock().clone_from(&order)).is_err() {
                tracing::trace!("a look-up outside of a connection teaches nothing");
            }
            let offered = in_turn(&order).into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(offered) as Addrs)
        })
    }
}

/// Sorts addresses: first those that did not fail lately, as they came, then
/// those that did, the longest ago first.
fn order(mut found: Vec<IpAddr>, failed: &HashMap<IpAddr, Instant>, now: Instant) -> Vec<IpAddr> {
    let cooling = |address: &IpAddr| {
        failed.get(address).filter(|at| now.saturating_duration_since(**at) < COOL).copied()
    };
    found.sort_by_key(cooling);
    found
}

/// Repeats the addresses of each family that has several, up to the slots.
fn in_turn(order: &[IpAddr]) -> Vec<IpAddr> {
    let family = |v4: bool| {
        let of_it: Vec<_> = order.iter().filter(|ip| ip.is_ipv4() == v4).copied().collect();
        let n = if of_it.len() > 1 { SLOTS as usize } else { of_it.len() };
        of_it.into_iter().cycle().take(n)
    };
    let v4_first = order.first().is_some_and(IpAddr::is_ipv4);
    family(v4_first).chain(family(!v4_first)).collect()
}

/// Returns who was tried before the winner and did not answer: those before it
/// in its family and, if the other family had the first try, its first.
fn losers(offered: &[IpAddr], winner: IpAddr) -> Vec<IpAddr> {
    let first = offered.first().filter(|first| first.is_ipv4() != winner.is_ipv4());
    let before = offered.iter().take_while(|ip| **ip != winner);
    let own = before.filter(|ip| ip.is_ipv4() == winner.is_ipv4());
    first.into_iter().chain(own).copied().collect()
}

/// Watches connections being made.
impl<S> Layer<S> for Addresses {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched { inner, addresses: self.clone() }
    }
}

/// What makes connections, watched.
#[derive(Clone)]
pub(super) struct Watched<S> {
    inner: S,
    addresses: Addresses,
}

impl<S, R> Service<R> for Watched<S>
where
    S: Service<R>,
    S::Response: Connection,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let offered = Arc::new(Mutex::new(Vec::new()));
        let making = OFFERED.scope(Arc::clone(&offered), self.inner.call(request));
        let mut attempt = Attempt {
            addresses: self.addresses.clone(),
            offered,
            started: Instant::now(),
            is_over: false,
        };
        Box::pin(async move {
            let made = making.await;
            attempt.ended(made.as_ref().ok());
            made
        })
    }
}

/// One connection that is being made.
struct Attempt {
    addresses: Addresses,
    offered: Arc<Mutex<Vec<IpAddr>>>,
    started: Instant,
    is_over: bool,
}

impl Attempt {
    fn ended(&mut self, made: Option<&impl Connection>) {
        self.is_over = true;
        let offered = self.offered.lock();
        let Some(made) = made else {
            return self.addresses.failed(&offered);
        };
        let mut extras = http::Extensions::new();
        made.connected().get_extras(&mut extras);
        if let Some(info) = extras.get::<HttpInfo>() {
            self.addresses.connected(&offered, info.remote_addr().ip());
        }
    }
}

impl Drop for Attempt {
    /// Given up from outside: the first address had its chance, or even
    /// answered and never finished the handshake.
    fn drop(&mut self) {
        if !self.is_over && self.started.elapsed() > self.addresses.slot {
            let offered = self.offered.lock();
            self.addresses.failed(&offered[..offered.len().min(1)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn what_failed_lately_is_offered_last_and_the_latest_of_it_very_last() {
        let found = ips(&["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
        let start = Instant::now();
        let failed = HashMap::from([(found[0], start + Duration::from_secs(9)), (found[1], start)]);
        let soon = order(found.clone(), &failed, start + Duration::from_secs(10));
        assert_eq!(soon, ips(&["10.0.0.3", "10.0.0.4", "10.0.0.2", "10.0.0.1"]));
        assert_eq!(order(found.clone(), &failed, start + COOL * 2), found, "forgiven");
    }

    #[test]
    fn several_addresses_of_a_family_share_the_slots_and_a_single_one_has_all_the_time() {
        let order = ips(&["10.0.0.1", "::1", "10.0.0.2", "10.0.0.3"]);
        let offered = in_turn(&order);
        assert_eq!(offered.iter().filter(|ip| ip.is_ipv4()).count(), SLOTS as usize);
        assert_eq!(offered[..4], ips(&["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"]));
        assert_eq!(offered[SLOTS as usize..], ips(&["::1"]));
        assert_eq!(in_turn(&ips(&["10.0.0.1"])), ips(&["10.0.0.1"]));
        assert_eq!(in_turn(&[]), ips(&[]));
    }

    #[test]
    fn who_was_offered_before_the_winner_has_lost() {
        let offered = ips(&["10.0.0.1", "::1", "10.0.0.2", "10.0.0.3"]);
        assert_eq!(losers(&offered, offered[0]), ips(&[]));
        assert_eq!(losers(&offered, offered[3]), ips(&["10.0.0.1", "10.0.0.2"]));
        assert_eq!(losers(&offered, offered[1]), ips(&["10.0.0.1"]), "the other family was slow");
    }
}

//! A busy day against the limits of Tencent's servers, as far as they are known.

use std::collections::VecDeque;

use super::*;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const PEERS: usize = 4;

/// What the backend allows: a window, a quota and bursts with a penalty that
/// every further try prolongs.
#[derive(Default)]
struct Server {
    seen_at: VecDeque<i64>,
    blocked_until: i64,
    last_inbound: [Option<i64>; PEERS],
    sends: [u32; PEERS],
}

impl Server {
    fn takes(&mut self, peer: usize, now: i64) -> Result<(), &'static str> {
        while self.seen_at.front().is_some_and(|at| at + 34 * SECOND <= now) {
            self.seen_at.pop_front();
        }
        if now < self.blocked_until || self.seen_at.len() >= 18 {
            self.blocked_until = now + 300 * SECOND;
            return Err("rate limited");
        }
        self.seen_at.push_back(now);
        if self.last_inbound[peer].is_none_or(|at| now > at + 24 * HOUR) || self.sends[peer] >= 10 {
            return Err("prepare failed");
        }
        self.sends[peer] += 1;
        Ok(())
    }
}

/// A send on its way to the server and back.
struct Flight {
    peer: usize,
    begun: Begun,
    arrives: i64,
    ends: i64,
    is_taken: Option<bool>,
}

#[derive(Default)]
struct Day {
    server: Server,
    line: Line,
    peers: [Peer; PEERS],
    waiting: [VecDeque<Ask>; PEERS],
    flights: Vec<Flight>,
    sent: u32,
    refused: Vec<(i64, &'static str)>,
}

impl Day {
    /// The server sees what has arrived, then the answers come back.
    fn move_flights(&mut self, now: i64, limits: &Limits) {
        self.flights.sort_by_key(|flight| flight.arrives);
        for flight in &mut self.flights {
            if flight.is_taken.is_none() && flight.arrives <= now {
                let verdict = self.server.takes(flight.peer, flight.arrives);
                self.refused.extend(verdict.err().map(|why| (flight.arrives - NOW, why)));
                flight.is_taken = Some(verdict.is_ok());
            }
        }
        for flight in self.flights.extract_if(.., |flight| flight.ends <= now) {
            let outcome = match flight.is_taken {
                Some(true) => Answer::Queued.outcome(),
                Some(false) | None => Answer::Limited.outcome(),
            };
            let peer = &mut self.peers[flight.peer];
            Gate { peer, line: &mut self.line, limits }.settle(&flight.begun, &outcome, now);
        }
    }

    /// Sends what may leave, one request at a time for each peer.
    fn send(&mut self, now: i64, there: i64, back: i64, limits: &Limits) {
        for peer in 0..PEERS {
            let is_busy = self.flights.iter().any(|flight| flight.peer == peer);
            let Some(ask) = self.waiting[peer].front().copied().filter(|_| !is_busy) else {
                continue;
            };
            let mut gate = Gate { peer: &mut self.peers[peer], line: &mut self.line, limits };
            match gate.decide(&ask, now) {
                Decision::Send => {
                    let begun = gate.begin(&ask, now);
                    let (arrives, ends) = (now + there, now + there + back);
                    self.flights.push(Flight { peer, begun, arrives, ends, is_taken: None });
                    self.waiting[peer].pop_front();
                    self.sent += 1;
                }
                Decision::Drop => {
                    self.waiting[peer].pop_front();
                }
                Decision::Wait { .. } | Decision::Park(_) => {}
            }
        }
    }

    fn heard(&mut self, peer: usize, now: i64) {
        self.server.last_inbound[peer] = Some(now);
        self.server.sends[peer] = 0;
        self.peers[peer].heard(now, now);
    }
}

/// One step of the day: how long it takes, what happens in it, and how slow
/// the network is.
fn step() -> impl Strategy<Value = (i64, u8, usize, u32, i64, i64)> {
    let pause = prop_oneof![20 => 0..400_i64, 4 => 400..20_000_i64, 1 => 0..(2 * HOUR)];
    (pause, 0..10_u8, 0..PEERS, 1..6_u32, 0..4_000_i64, 0..4_000_i64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_busy_day_is_never_refused(steps in prop::collection::vec(step(), 400..1_200)) {
        let limits = Limits::tencent();
        let (mut day, mut now) = (Day::default(), NOW);
        for (pause, what, peer, n, there, back) in steps {
            now += pause;
            day.move_flights(now, &limits);
            let class = match what {
                0..=2 => Class::Answer,
                3..=5 => Class::Progress,
                6 => Class::Scheduled,
                _ => {
                    day.heard(peer, now);
                    Class::Answer
                }
            };
            day.waiting[peer].extend((0..n).map(|_| Ask::of(class)));
            day.send(now, there, back, &limits);
        }
        prop_assert_eq!(&day.refused, &[], "{} sent", day.sent);
        prop_assert!(day.sent > 20, "only {} sent", day.sent);
    }
}

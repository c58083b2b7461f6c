//! What a decision costs; every message pays for it.
//!
//! `cargo bench -p weixin --bench governor`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ilink::MessageId;
use weixin::governor::{Ask, Class, Gate, Limits, Line, Need, Peer};
use weixin::outcome::Outcome;

const NOW: i64 = 1_795_000_000_000;

/// A conversation in the middle of an answer, its account near the end of a burst.
fn in_full_swing(limits: &Limits) -> (Peer, Line) {
    let (mut peer, mut line) = (Peer::default(), Line::default());
    for n in 0..15 {
        let now = NOW + n * 1_000;
        peer.heard(now, now);
        let mut gate = Gate { peer: &mut peer, line: &mut line, limits };
        let begun = gate.begin(&Ask::of(Class::Answer), now);
        gate.settle(&begun, &Outcome::Queued { id: MessageId::from(1) }, now);
    }
    (peer, line)
}

fn decisions(c: &mut Criterion) {
    let limits = Limits::tencent();
    let ask = Ask::of(Class::Answer);
    let queued = Outcome::Queued { id: MessageId::from(1) };
    let (mut peer, mut line) = in_full_swing(&limits);
    let now = NOW + 15_000;

    let mut group = c.benchmark_group("governor");
    let mut gate = Gate { peer: &mut peer, line: &mut line, limits: &limits };
    group.bench_function("decide", |b| b.iter(|| gate.decide(black_box(&ask), black_box(now))));
    group.bench_function("numbers", |b| b.iter(|| gate.numbers(black_box(now))));
    let need = Need { n_parts: 17, n_chars: 30_000, n_waiting: 1 };
    group.bench_function("plan", |b| b.iter(|| gate.plan(black_box(&need), now)));

    let mut at = now;
    group.bench_function("a message: heard, decide, begin, settle", |b| {
        b.iter(|| {
            at += 3_000;
            peer.heard(at, at);
            let mut gate = Gate { peer: &mut peer, line: &mut line, limits: &limits };
            let decision = gate.decide(black_box(&ask), at);
            let begun = gate.begin(&ask, at);
            let alarm = gate.settle(&begun, &queued, at + 20);
            (decision, alarm)
        });
    });
    group.finish();
}

criterion_group!(governor, decisions);
criterion_main!(governor);

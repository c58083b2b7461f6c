//! How fast media are encrypted, next to OpenSSL on the same machine.
//!
//! `cargo bench -p ilink --bench cipher`

#![expect(clippy::print_stdout, reason = "a bench reports to a terminal")]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group};
use ilink::MediaKey;
use ilink::cipher::{CHUNK, Decryptor, Encryptor, Fingerprint, encrypt};

const HOT: usize = 16 << 10;
const LARGE: usize = 64 << 20;

fn streams(c: &mut Criterion) {
    let key = MediaKey::random();
    let mut out = Vec::with_capacity(LARGE + 16);
    let cases = [
        ("hot 16 KiB", HOT, HOT),
        ("64 MiB at once", LARGE, LARGE),
        ("64 MiB in chunks", LARGE, CHUNK),
    ];
    for (name, size, chunk) in cases {
        let plain = vec![7; size];
        let cipher = encrypt(&key, &plain);
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(size as u64));
        if size == LARGE {
            group.sample_size(20).measurement_time(Duration::from_secs(4));
        }
        group.bench_function("encrypt", |b| {
            let mut encryptor = Encryptor::new(&key);
            b.iter(|| {
                for chunk in plain.chunks(chunk) {
                    out.clear();
                    encryptor.update(chunk, &mut out);
                    black_box(&out);
                }
            });
        });
        group.bench_function("encrypt in place", |b| {
            let mut encryptor = Encryptor::new(&key);
            let mut chunks: Vec<_> = plain.chunks(chunk).map(<[u8]>::to_vec).collect();
            b.iter(|| {
                for chunk in &mut chunks {
                    encryptor.update_in_place(black_box(chunk));
                }
            });
        });
        group.bench_function("decrypt", |b| {
            let mut decryptor = Decryptor::new(&key);
            b.iter(|| {
                for chunk in cipher[..size].chunks(chunk) {
                    out.clear();
                    decryptor.update(chunk, &mut out);
                    black_box(&out);
                }
            });
        });
    }
}

fn fingerprints(c: &mut Criterion) {
    let plain = vec![7; 1 << 20];
    let mut group = c.benchmark_group("fingerprint");
    group.throughput(Throughput::Bytes(plain.len() as u64));
    group.bench_function("1 MiB", |b| b.iter(|| Fingerprint::of(&*plain)));
}

/// Encrypts a hot buffer for a second, as `openssl speed` does; bytes per second
/// of processor time, so that a busy machine changes little.
fn ours() -> Option<f64> {
    let mut chunk = vec![7; HOT];
    let mut encryptor = Encryptor::new(&MediaKey::random());
    let (began_at, spent, mut n) = (Instant::now(), on_processor()?, 0_u32);
    while began_at.elapsed() < Duration::from_secs(1) {
        for _ in 0..1000 {
            encryptor.update_in_place(black_box(&mut chunk));
            n += 1;
        }
    }
    Some(f64::from(n) * HOT as f64 / (on_processor()? - spent).as_secs_f64())
}

/// How long this thread has run; known on Linux only.
fn on_processor() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(stat.split(' ').next()?.parse().ok()?))
}

/// What `openssl speed` reports, in bytes per second.
fn openssl() -> Option<f64> {
    let args = ["speed", "-mr", "-evp", "aes-128-ecb", "-bytes", "16384", "-seconds", "1"];
    let output = Command::new("openssl").args(args).output().ok()?;
    let report = String::from_utf8(output.stdout).ok()?;
    let line = report.lines().find(|line| line.starts_with("+F:"))?;
    line.rsplit(':').next()?.parse().ok()
}

fn compare() {
    let best = |rounds: Vec<f64>| rounds.into_iter().fold(0.0, f64::max) / 1e9;
    let rounds: Vec<_> =
        (0..5).map(|_| (ours().unwrap_or(f64::NAN), openssl().unwrap_or(f64::NAN))).collect();
    let (ours, theirs): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
    let (ours, theirs) = (best(ours), best(theirs));
    println!(
        "16 KiB hot, best of 5: ours {ours:.2} GB/s, openssl {theirs:.2} GB/s, ratio {:.2}",
        ours / theirs
    );
}

criterion_group!(cipher, streams, fingerprints);

fn main() {
    cipher();
    Criterion::default().configure_from_args().final_summary();
    compare();
}

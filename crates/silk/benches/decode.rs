//! How fast voice is decoded. Real time is 24,000 samples in a second.
//!
//! `cargo bench -p silk --bench decode`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use silk::{Limits, Rate};

const ENGLISH_24K: &[u8] = include_bytes!("../tests/golden/en_24k.silk");
const TONE_8K: &[u8] = include_bytes!("../tests/golden/tone_8k.silk");

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, file, rate) in [
        ("24 kHz to 24 kHz", ENGLISH_24K, Rate::Hz24000),
        ("24 kHz to 16 kHz", ENGLISH_24K, Rate::Hz16000),
        ("8 kHz to 24 kHz", TONE_8K, Rate::Hz24000),
    ] {
        let decode = || silk::decode(file, rate, &Limits::default());
        let n_samples = decode().map_or(0, |decoded| decoded.pcm.len());
        group.throughput(Throughput::Elements(n_samples as u64));
        group.bench_function(name, |bencher| bencher.iter(decode));
    }
    group.bench_function("duration", |bencher| bencher.iter(|| silk::duration(ENGLISH_24K)));
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);

//! What the machine says of itself, so that numbers can be judged.

use std::fs::{File, read_to_string};
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

/// A tick of Linux's accounting.
const TICK: Duration = Duration::from_millis(10);

/// Returns how many tasks wanted a CPU over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let load = read_to_string("/proc/loadavg").unwrap();
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// Returns the CPU time of this process.
pub(crate) fn cpu() -> Duration {
    let stat = read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: u32 =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u32>().unwrap()).sum();
    TICK * ticks
}

/// Writes as a commit writes, on the same disk, and returns how long each took.
pub(crate) fn syncs(n: usize) -> Vec<Duration> {
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let page = [7; 8 << 10];
    let sync = |file: &File, at: usize| {
        let begun = Instant::now();
        file.write_all_at(&page, (at * page.len()) as u64).unwrap();
        file.sync_data().unwrap();
        begun.elapsed()
    };
    // The first time the file grows, which takes longer; then as a log that is used again.
    for at in 0..n {
        sync(&file, at);
    }
    (0..n).map(|at| sync(&file, at)).collect()
}

pub(crate) fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!("{what:<20} {:>7.2} ms p50   {:.2} ms p95   {:.2} ms p99", at(50), at(95), at(99));
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(crate) fn float(n: usize) -> f64 {
    n as f64
}

//! Words of the command line, each a process from its start to its end, as a
//! person or a script waits for it. The gateway has one account, which it polls.

use std::time::{Duration, Instant};

use backend::Backend;

use crate::gateway::{Gateway, hongyan, log_in, report};

const ROUNDS: usize = 200;

/// What is asked; all but the last are answered by the gateway.
const WORDS: [&str; 7] = [
    "channels status",
    "gateway status",
    "outbox list --json",
    "peers list",
    "metrics",
    "sessions list",
    "--version",
];

pub(crate) async fn measure(is_test: bool) {
    let rounds = if is_test { 2 } else { ROUNDS };
    let backend = Backend::builder().hold(Duration::from_secs(35)).start().await.unwrap();
    let alice = backend.user("alice").await;
    let state = tempfile::tempdir().unwrap();
    log_in(state.path(), &backend.bind(&alice).await);
    let _gateway = Gateway::start(state.path());
    alice.says("hello").await;
    alice.hears().await;

    for words in WORDS {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let begun = Instant::now();
            let output = hongyan(state.path()).args(words.split(' ')).output().unwrap();
            times.push(begun.elapsed());
            assert!(output.status.success() && !output.stdout.is_empty(), "{words}");
        }
        report(words, times);
    }
}

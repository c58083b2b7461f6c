//! The program as people start it, in a process of its own, beside a backend in
//! this one: `cargo bench -p hongyan`, and a name for a part of it.
//!
//! | part | what it measures |
//! |---|---|
//! | `talking` | from the start to the first poll, from a message to its answer, memory |
//! | `load` | from a message to its answer while many people talk at once |
//! | `idle` | memory and CPU of 1, 200 and 10,000 accounts that only poll |
//! | `words` | commands from their start to their end |
//!
//! The built-in agent answers at once, and everything goes to disk
//! (`synchronous=FULL`) before it moves on. `idle` has up to 10,000 connections
//! open in each process: `ulimit -n 40000` first.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark may panic and must print"
)]

mod gateway;
mod idle;
mod load;
mod talking;
mod words;

#[tokio::main]
async fn main() {
    let (flags, parts): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    // `cargo test --benches` only asks whether it runs.
    let is_test = flags.iter().any(|flag| flag == "--test");
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|name| name == part);

    if wanted("talking") {
        talking::measure(is_test).await;
    }
    if wanted("load") {
        load::measure(is_test).await;
    }
    if wanted("words") {
        words::measure(is_test).await;
    }
    if wanted("idle") {
        idle::measure(is_test).await;
    }
}

//! Runs a backend by itself: `cargo run -p backend --example serve -- 127.0.0.1:8765 ./store`.
//!
//! Then open the address in a browser, or follow `docs/backend.md` with curl.
#![expect(clippy::print_stdout, reason = "an example talks to a terminal")]

use backend::{Backend, Config};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let listen = args.next().unwrap_or_else(|| "127.0.0.1:8765".to_owned());
    let config = Config {
        listen: listen.parse()?,
        store: args.next().map(Into::into),
        recorded_requests: 1_000,
        ..Config::default()
    };
    let backend = Backend::run(config).await?;
    println!("phone: {}/phone/", backend.url());
    println!("iLink API: {}   CDN: {}", backend.url(), backend.cdn_url());
    tokio::signal::ctrl_c().await?;
    backend.stop().await;
    Ok(())
}

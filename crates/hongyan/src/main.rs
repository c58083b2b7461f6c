//! The `hongyan` program: it parses, wires together, prints and exits. What it
//! does lies in the other crates.

use std::process::ExitCode;

mod agents;
mod bundled;
mod cli;
mod commands;
mod composition;
mod config;
mod control;
mod descriptors;
mod error;
mod host;
mod language;
mod output;
mod qr;
mod followed;
mod reload;
mod rules;
mod signals;
mod texts;

use crate::output::Log;

fn main() -> ExitCode {
    language::choose(std::env::args_os());
    let cli = cli::parse();
    let to = if matches!(cli.command, cli::Command::Sidecar(_)) { Log::Json } else { Log::Lines };
    output::log_to_stderr(&cli.log, to, cli.command.keeps_logs().then(control::logs));
    if cli.command.stays() {
        descriptors::allow_many();
    }
    // Before the first connection: the one provider for all of TLS.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was already installed");
    }
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            output::error(&err);
            err.exit_code()
        }
    }
}

fn run(cli: cli::Cli) -> Result<(), error::CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(32)
        .build()
        .map_err(error::CliError::bug)?;
    let outcome = runtime.block_on(commands::run(cli));
    // What matters was waited for; a read from stdin would be waited for in vain.
    runtime.shutdown_background();
    outcome
}

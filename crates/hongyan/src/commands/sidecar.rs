//! `hongyan sidecar`: the WeChat channel for a host that is another program.
//!
//! The host speaks the contract on stdin and stdout; stderr is the log, one JSON
//! object a line. No port is opened, and nobody is sent a signal. The end of
//! stdin ends it, so it cannot outlive its host.

use std::sync::Arc;

use contract::Channel as _;
use contract::stdio::{Hello, ServeError, serve};
use weixin::ChannelSettings;

use crate::cli::SidecarArgs;
use crate::composition::State;
use crate::error::{CliError, Kind};
use crate::{output, signals};

pub(crate) async fn run(args: &SidecarArgs, state: &State) -> Result<(), CliError> {
    if args.schema {
        output::json(&ChannelSettings::schema());
        return Ok(());
    }
    let channel = state.channel()?;
    let hello = Hello::new("hongyan", env!("CARGO_PKG_VERSION"));
    let served = serve(Arc::new(channel.clone()), hello, tokio::io::stdin(), tokio::io::stdout());
    let outcome = tokio::select! {
        outcome = served => outcome,
        () = signals::terminated() => {
            channel.stop(contract::stdio::ORPHAN_GRACE).await;
            return Ok(());
        }
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(err @ ServeError::Gone(_)) => {
            // As it is meant to end when the host is killed.
            tracing::warn!("{err}; the channel has stopped");
            Ok(())
        }
        Err(err @ ServeError::NoCommonVersion(_)) => {
            Err(CliError::new(Kind::Config, err.to_string()))
        }
    }
}

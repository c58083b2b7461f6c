//! `hongyan gateway run`

use crate::cli::RunArgs;
use crate::composition::{GRACE, State, agent};
use crate::error::CliError;
use crate::texts::t;
use crate::{output, signals};

pub(crate) async fn run(args: RunArgs, state: &State) -> Result<(), CliError> {
    let agent = agent(&args.agent)?;
    let channel = state.channel()?;
    let gateway = state.start_gateway(channel.clone(), agent, &args.allow_from).await?;
    output::done(t!("gateway.running"));
    output::aside(t!("gateway.scope"));
    if state.weixin().registry().accounts().is_ok_and(|accounts| accounts.is_empty()) {
        output::note(t!("gateway.no_accounts"));
    }
    let watched = async {
        match state.config() {
            Some(file) => file.watch(&channel).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = signals::stop_asked() => {}
        () = watched => {}
    }
    output::note(t!("gateway.stopping"));
    tokio::select! {
        () = gateway.stop(GRACE) => {}
        // What is on disk goes on at the next start.
        () = signals::stop_asked() => {}
    }
    Ok(())
}

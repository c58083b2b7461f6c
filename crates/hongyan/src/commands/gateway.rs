//! `hongyan gateway run`

use crate::cli::RunArgs;
use crate::composition::{GRACE, State, agent};
use crate::error::CliError;
use crate::texts::t;
use crate::{output, signals};

pub(crate) async fn run(args: RunArgs, state: &State) -> Result<(), CliError> {
    let agent = agent(&args.agent)?;
    let gateway = state.start_gateway(state.channel()?, agent, &args.allow_from).await?;
    output::done(t!("gateway.running"));
    output::aside(t!("gateway.scope"));
    if state.weixin().registry().accounts().is_ok_and(|accounts| accounts.is_empty()) {
        output::note(t!("gateway.no_accounts"));
    }
    signals::stop_asked().await;
    output::note(t!("gateway.stopping"));
    tokio::select! {
        () = gateway.stop(GRACE) => {}
        // What is on disk goes on at the next start.
        () = signals::stop_asked() => {}
    }
    Ok(())
}

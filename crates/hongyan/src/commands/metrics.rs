//! `hongyan metrics`

use contract::Channel as _;

use crate::composition::State;
use crate::control::Client;
use crate::error::CliError;
use crate::output;

pub(crate) async fn run(state: &State) -> Result<(), CliError> {
    // The process that runs has counters that nobody else sees.
    let text = match Client::find(state).await? {
        Some(client) => client.plain("/v1/metrics").await?,
        None => state.channel()?.metrics().await?,
    };
    output::raw(&text);
    Ok(())
}

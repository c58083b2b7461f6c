//! `hongyan metrics`

use contract::Channel as _;

use super::place::Place;
use crate::composition::State;
use crate::error::CliError;
use crate::output;

pub(crate) async fn run(
    found: &State,
    load: impl FnOnce() -> Result<State, CliError>,
) -> Result<(), CliError> {
    // The process that runs has counters that nobody else sees.
    let text = match Place::find(found, load).await? {
        Place::Gateway(client) => client.plain("/v1/metrics").await?,
        Place::Folder(state) => state.channel()?.metrics().await?,
    };
    output::raw(&text);
    Ok(())
}

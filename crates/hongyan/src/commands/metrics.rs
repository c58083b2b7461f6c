//! `hongyan metrics`

use contract::Channel as _;

use crate::composition::State;
use crate::error::CliError;
use crate::output;

pub(crate) async fn run(state: &State) -> Result<(), CliError> {
    output::raw(&state.channel()?.metrics().await?);
    Ok(())
}

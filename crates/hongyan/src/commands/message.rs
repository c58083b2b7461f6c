//! `hongyan message`

use super::which::Which;
use crate::cli::MessageCommand;
use crate::composition::State;
use crate::error::CliError;

pub(crate) async fn run(
    command: MessageCommand,
    found: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let MessageCommand::Send(args) = command;
    let which = match &args.channel {
        Some(name) => Which::find(name, found, &load).await?,
        None => Which::BuiltIn,
    };
    super::send::run(args.into_send(), which, found, load).await
}

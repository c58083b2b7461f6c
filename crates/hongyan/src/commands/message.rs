//! `hongyan message`

use crate::cli::MessageCommand;
use crate::composition::State;
use crate::error::CliError;

pub(crate) async fn run(
    command: MessageCommand,
    found: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let MessageCommand::Send(args) = command;
    if let Some(channel) = &args.channel {
        super::known_channel(channel)?;
    }
    super::send::run(args.into_send(), weixin::CHANNEL_ID, found, load).await
}

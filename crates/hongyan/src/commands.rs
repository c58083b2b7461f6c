//! One file per command.

mod accounts;
mod agents;
mod backend;
mod completions;
mod demo;
mod explain;
mod gateway;
mod login;
mod metrics;
mod outbox;
mod pairing;
mod peers;
mod route;
mod send;
mod status;

use crate::cli::{ChannelsCommand, Cli, Command, GatewayCommand};
use crate::composition::State;
use crate::error::CliError;

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<(), CliError> {
    let Cli { state, config, command, .. } = cli;
    let configured = || State::resolve(state.clone())?.configured(config);
    match command {
        Command::Demo(args) => demo::run(args, state).await,
        Command::Backend(args) => backend::run(args, &State::resolve(state)?).await,
        Command::Gateway(GatewayCommand::Run(args)) => gateway::run(args, &configured()?).await,
        Command::Channels(ChannelsCommand::Login(args)) => login::run(args, &configured()?).await,
        Command::Channels(ChannelsCommand::Status(args)) => {
            status::run(&args, &configured()?).await
        }
        Command::Send(args) => send::run(args, &configured()?).await,
        Command::Outbox(command) => outbox::run(command, &configured()?).await,
        Command::Peers(command) => peers::run(command, &configured()?).await,
        Command::Metrics => metrics::run(&configured()?).await,
        Command::Explain(args) => explain::run(&args),
        Command::Accounts(command) => accounts::run(command, &configured()?).await,
        Command::Pairing(command) => pairing::run(command, &configured()?).await,
        Command::Agents(command) => agents::run(command, &configured()?),
        Command::Route(command) => route::run(command, &configured()?).await,
        Command::Completions { shell } => {
            completions::run(shell);
            Ok(())
        }
    }
}

//! One file per command.

mod accounts;
mod backend;
mod completions;
mod demo;
mod explain;
mod gateway;
mod login;
mod metrics;
mod outbox;
mod peers;
mod send;
mod status;

use crate::cli::{ChannelsCommand, Cli, Command, GatewayCommand};
use crate::composition::State;
use crate::error::CliError;

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<(), CliError> {
    match cli.command {
        Command::Demo(args) => demo::run(args, cli.state).await,
        Command::Backend(args) => backend::run(args, &State::resolve(cli.state)?).await,
        Command::Gateway(GatewayCommand::Run(args)) => {
            gateway::run(args, &State::resolve(cli.state)?).await
        }
        Command::Channels(ChannelsCommand::Login(args)) => {
            login::run(args, &State::resolve(cli.state)?).await
        }
        Command::Channels(ChannelsCommand::Status(args)) => {
            status::run(&args, &State::resolve(cli.state)?).await
        }
        Command::Send(args) => send::run(args, &State::resolve(cli.state)?).await,
        Command::Outbox(command) => outbox::run(command, &State::resolve(cli.state)?).await,
        Command::Peers(command) => peers::run(command, &State::resolve(cli.state)?).await,
        Command::Metrics => metrics::run(&State::resolve(cli.state)?).await,
        Command::Explain(args) => explain::run(&args),
        Command::Accounts(command) => accounts::run(command, &State::resolve(cli.state)?).await,
        Command::Completions { shell } => {
            completions::run(shell);
            Ok(())
        }
    }
}

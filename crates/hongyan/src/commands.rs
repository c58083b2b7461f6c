//! One file per command.

mod accounts;
mod agents;
mod backend;
mod backup;
mod channels;
mod completions;
mod config;
mod demo;
mod doctor;
mod explain;
mod gateway;
mod import;
mod login;
mod logs;
mod man;
mod message;
mod metrics;
mod openclaw;
mod outbox;
mod pairing;
mod peers;
mod place;
mod route;
pub(crate) mod plugins;
mod send;
mod sessions;
mod sidecar;
mod status;
mod which;

use crate::cli::{Cli, Command};
use crate::composition::State;
use crate::error::CliError;

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<(), CliError> {
    let Cli { state, config, command, .. } = cli;
    let lenient = || State::resolve(state.clone())?.configured(config.clone());
    let configured = || lenient()?.sound();
    match command {
        Command::Demo(args) => demo::run(args, state).await,
        Command::Backend(args) => backend::run(args, &State::resolve(state)?).await,
        Command::Gateway(command) => {
            gateway::run(command, &State::resolve(state.clone())?, lenient).await
        }
        Command::Channels(command) => {
            channels::run(command, &State::resolve(state.clone())?, configured).await
        }
        Command::Message(command) => {
            message::run(command, &State::resolve(state.clone())?, configured).await
        }
        Command::Send(args) => {
            let found = State::resolve(state.clone())?;
            send::run(args, which::Which::BuiltIn, &found, configured).await
        }
        Command::Outbox(command) => {
            outbox::run(command, &State::resolve(state.clone())?, configured).await
        }
        Command::Peers(command) => {
            peers::run(command, &State::resolve(state.clone())?, configured).await
        }
        Command::Sessions(command) => sessions::run(command, &State::resolve(state)?).await,
        Command::Metrics => metrics::run(&State::resolve(state.clone())?, configured).await,
        Command::Logs(args) => logs::run(&args, &State::resolve(state)?).await,
        Command::Doctor(args) => {
            let found = State::resolve(state.clone())?;
            doctor::run(&args, found, config.clone(), configured).await
        }
        Command::Explain(args) => explain::run(&args),
        Command::Accounts(command) => accounts::run(command, &configured()?).await,
        Command::Pairing(command) => pairing::run(command, &configured()?).await,
        Command::Agents(command) => agents::run(command, &configured()?),
        Command::Route(command) => {
            route::run(command, &State::resolve(state.clone())?, configured).await
        }
        Command::Config(command) => config::run(command, config, &State::resolve(state)?).await,
        Command::Plugins(command) => plugins::run(&command, &State::resolve(state)?, config).await,
        Command::Sidecar(args) => sidecar::run(&args, &configured()?.for_another_host()).await,
        Command::OpenClaw(command) => openclaw::run(command),
        Command::Import(command) => import::run(command, &configured()?).await,
        Command::Backup(command) => {
            backup::run(command, config.clone(), &State::resolve(state.clone())?).await
        }
        Command::Completions { shell } => {
            completions::run(shell);
            Ok(())
        }
        Command::Man { dir } => man::run(dir.as_deref()),
    }
}

//! `hongyan gateway`

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::cli::{GatewayCommand, GatewayStatusArgs, RestartArgs, StopArgs};
use crate::composition::{GRACE, State};
use crate::control::{Client, LOOK, still_runs};
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

mod run;

/// How much longer than the grace a stop or a restart may take: cutting turns,
/// closing stores, starting anew.
const SLACK: Duration = Duration::from_secs(15);

/// Does it. `load` reads the settings, each time anew; a gateway that runs can be
/// looked at and stopped, whatever has become of its configuration.
pub(crate) async fn run(
    command: GatewayCommand,
    state: &State,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    match command {
        GatewayCommand::Run(args) => run::run(args, load).await,
        GatewayCommand::Status(args) => status(&args, state).await,
        GatewayCommand::Restart(args) => restart(&args, &load()?).await,
        GatewayCommand::Stop(args) => stop(&args, state).await,
    }
}

async fn status(args: &GatewayStatusArgs, state: &State) -> Result<(), CliError> {
    let client = Client::find(state).await;
    let client = match client {
        Ok(Some(client)) => client,
        Ok(None) if args.require_rpc => return Client::need(state).await.map(drop),
        Ok(None) => {
            if args.json {
                output::json(&json!({ "running": false }));
            } else {
                output::note(t!("gateway.not_running"));
                output::aside(t!("hint.gateway_run"));
            }
            return Ok(());
        }
        Err(err) if args.require_rpc => return Err(err),
        Err(err) => {
            if args.json {
                output::json(&json!({ "running": true, "reachable": false, "error": err.message }));
            } else {
                output::note(err.message);
            }
            return Ok(());
        }
    };
    let mut status: Value = client.get("/v1/status").await?;
    if args.json {
        status["running"] = true.into();
        status["reachable"] = true.into();
        output::json(&status);
        return Ok(());
    }
    output::done(t!("gateway.runs", owner = client.owner()));
    let word = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
    output::line(t!("gateway.at", address = word("address"), stage = word("stage")));
    for problem in status["problems"].as_array().into_iter().flatten() {
        output::note(problem.as_str().unwrap_or_default());
    }
    for channel in status["channels"].as_array().into_iter().flatten() {
        let name = channel["channel"].as_str().unwrap_or_default();
        output::line(t!(
            "gateway.channel",
            channel = name,
            n = channel["accounts"],
            polling = channel["polling"],
            needs_login = channel["needs_login"]
        ));
    }
    Ok(())
}

/// What a stop or a restart is told.
#[derive(Serialize)]
struct Grace {
    grace_ms: u64,
}

impl Grace {
    fn of(timeout: Option<Duration>) -> (Self, Instant) {
        let grace = timeout.unwrap_or(GRACE);
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        (Self { grace_ms }, Instant::now() + grace + SLACK)
    }
}

async fn restart(args: &RestartArgs, state: &State) -> Result<(), CliError> {
    let client = Client::need(state).await?;
    client.refuse_from_inside()?;
    let (grace, deadline) = Grace::of(args.timeout);
    let accepted: Value = client.post("/v1/gateway/restart", &grace).await?;
    while Instant::now() < deadline {
        let status: Value = client.get("/v1/status").await?;
        let is_anew = status["run"].as_u64() > accepted["run"].as_u64();
        if is_anew && status["stage"] == "running" {
            if args.json {
                output::json(&status);
            } else {
                output::done(t!("gateway.restarted", pid = client.owner().process.pid));
            }
            return Ok(());
        }
        sleep(LOOK).await;
    }
    Err(CliError::new(Kind::Unavailable, t!("error.gateway_restart"))
        .hinted(t!("hint.gateway_logs")))
}

async fn stop(args: &StopArgs, state: &State) -> Result<(), CliError> {
    let Some(client) = Client::find(state).await? else {
        if args.json {
            output::json(&json!({ "stopped": false }));
        } else {
            output::note(t!("gateway.not_running"));
        }
        return Ok(());
    };
    client.refuse_from_inside()?;
    let (grace, deadline) = Grace::of(args.timeout);
    let _: Value = client.post("/v1/gateway/stop", &grace).await?;
    let process = client.owner().process;
    // Its lock is given back when it ends, however it ends.
    while still_runs(state, process) {
        if Instant::now() >= deadline {
            return Err(CliError::new(
                Kind::Unavailable,
                t!("error.gateway_stop", pid = process.pid),
            )
            .hinted(t!("hint.gateway_logs")));
        }
        sleep(LOOK).await;
    }
    if args.json {
        output::json(&json!({ "stopped": true, "pid": process.pid }));
    } else {
        output::done(t!("gateway.stopped", pid = process.pid));
    }
    Ok(())
}

//! `hongyan gateway run`

use std::borrow::Cow;
use std::time::Duration;

use ::config::{Path, Watcher};
use gateway::control::{Control, ControlConfig, Followed, PORT, Token, Wish};
use gateway::{DmScope, Gateway, SessionScope};
use lockfile::{Lock, LockError};

use crate::agents;
use crate::cli::RunArgs;
use crate::commands::backup;
use crate::commands::plugins::shown::listing;
use crate::composition::{GRACE, State};
use crate::config::Configuration;
use crate::control::{PROGRAM, logs, running};
use crate::error::{CliError, Kind};
use crate::host::{Reloaded, Running, Wanted, inventory};
use crate::output;
use crate::rules;
use crate::signals::{Asked, Signals};
use crate::texts::t;

/// Runs gateways, one after the other, until a stop is wanted. `load` reads the
/// settings for each of them.
pub(super) async fn run(
    args: RunArgs,
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    let mut state = load()?;
    // Held to the end, through every restart: nobody slips in between.
    let _lock = lock(&state)?;
    backup::whole(state.dir())?;
    let mut signals = Signals::listen().map_err(CliError::bug)?;
    let mut control = serve(&args, &state).await?;
    let outcome = loop {
        match one(&args, &state, &mut control, &mut signals).await {
            Ok(After::Stop) => break Ok(()),
            Ok(After::Restart) => match load() {
                Ok(anew) => state = anew,
                Err(err) => {
                    tracing::error!(error = %err.message, "settings unusable; the earlier ones hold");
                }
            },
            Err(err) => break Err(err),
        }
    };
    control.stop().await;
    outcome
}

/// What follows a gateway.
enum After {
    Stop,
    Restart,
}

/// What ends a gateway, and how long it may take.
struct End {
    after: After,
    grace: Duration,
}

async fn one(
    args: &RunArgs,
    state: &State,
    control: &mut Control,
    signals: &mut Signals,
) -> Result<After, CliError> {
    let wanted = Wanted { only: agents::named(&args.agent)?, allow_from: args.allow_from.clone() };
    let mut running = Running::start(state.clone(), wanted).await?;
    tell(&running, control);
    control.attach(running.gateway.clone());
    greet(running.state(), control);
    let end = until_ended(&mut running, control, signals).await;
    control.detach();
    finish(&running.gateway, &end, signals).await;
    Ok(end.after)
}

/// Lets the control API tell of the configuration that is followed now.
fn tell(running: &Running, control: &Control) {
    control.set_problems(running.problems());
    let state = running.state().clone();
    if let Some(config) = state.config() {
        let file = config.path();
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        control.set_followed(Followed { file, at_once: is_followed(&state) });
    }
    control.list_plugins_by(move || {
        let inventory = inventory(&state);
        listing(&inventory, inventory.plugins.iter())
    });
}

/// Waits until the gateway is to end, and follows the configuration meanwhile.
async fn until_ended(running: &mut Running, control: &mut Control, signals: &mut Signals) -> End {
    let records = running.state().plugins().records();
    let watcher = running.state().config().map(Configuration::watcher);
    // Another installation of a plugin changes no word of the file.
    let mut watcher = watcher.map(|watcher| watcher.beside(records));
    loop {
        let wish = tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop => return End { after: After::Stop, grace: GRACE },
                Asked::Restart => return End { after: After::Restart, grace: GRACE },
            },
            wish = control.wish() => Some(wish),
            () = changed(watcher.as_mut(), running.state()) => None,
        };
        let answer = match wish {
            Some(Wish::Stop { grace }) => return End { after: After::Stop, grace },
            Some(Wish::Restart { grace }) => return End { after: After::Restart, grace },
            Some(Wish::Reload(answer)) => Some(answer),
            None => None,
        };
        let reloaded = reload(running).await;
        tell(running, control);
        if let Err(unusable) = &reloaded {
            let problems = running.problems().into_iter().chain([unusable.clone()]);
            control.set_problems(problems.collect());
        }
        if let (Some(config), Some(watcher)) = (running.state().config(), watcher.as_mut()) {
            config.follow(watcher);
        }
        let must_restart = reloaded.as_ref().is_ok_and(|it| !it.restart.is_empty());
        if let Some(answer) = answer
            && answer.send(reloaded.map(|it| it.warnings)).is_err()
        {
            tracing::debug!("whoever wanted a reload has gone");
        }
        if must_restart {
            return End { after: After::Restart, grace: GRACE };
        }
    }
}

/// Waits for another version of the file, unless such versions do not count.
async fn changed(watcher: Option<&mut Watcher>, state: &State) {
    match watcher {
        Some(watcher) if is_followed(state) => watcher.changed().await,
        Some(_) | None => std::future::pending().await,
    }
}

/// Says whether other versions of the file count.
fn is_followed(state: &State) -> bool {
    state.root().pointer("/gateway/reload/mode").is_none_or(|mode| mode != "off")
}

async fn reload(running: &mut Running) -> Result<Reloaded, String> {
    let reloaded = running.reload().await;
    match &reloaded {
        Ok(Reloaded { changed, .. }) if changed.is_empty() => {}
        Ok(Reloaded { changed, warnings, restart }) => {
            let paths = changed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            tracing::info!(paths, restart = !restart.is_empty(), "configuration applied");
            warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        }
        Err(err) => {
            tracing::error!(error = %err, "configuration not applied; the earlier one holds");
        }
    }
    reloaded
}

async fn finish(gateway: &Gateway, end: &End, signals: &mut Signals) {
    match end.after {
        After::Stop => output::note(t!("gateway.stopping")),
        After::Restart => output::note(t!("gateway.restarting")),
    }
    tokio::select! {
        () = gateway.stop(end.grace) => {}
        // What is on disk goes on at the next start.
        () = signals.stop() => {}
    }
}

/// Takes the one lock of a gateway on the folder, or says who has it.
fn lock(state: &State) -> Result<Lock, CliError> {
    let failed = |err: &dyn std::fmt::Display| {
        CliError::new(Kind::Config, err.to_string()).hinted(t!("hint.state"))
    };
    private(state.dir()).map_err(|err| failed(&err))?;
    match Lock::take(&state.gateway_lock(), PROGRAM, Some(state.dir())) {
        Ok(lock) => Ok(lock),
        // A supervisor that knows the code does not try again and again.
        Err(held @ LockError::Held { .. }) if is_supervised() => {
            Err(CliError::new(Kind::Config, t!("error.gateway_runs", owner = held))
                .hinted(t!("hint.gateway_supervised")))
        }
        Err(held @ LockError::Held { .. }) => Err(running(&held)),
        Err(err @ LockError::Unusable { .. }) => Err(failed(&err).caused_by(err)),
    }
}

/// Makes the state folder, for its owner alone, if it is not there.
fn private(dir: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Says whether something started us that would start us again: systemd and
/// launchd leave their marks.
fn is_supervised() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let launchd = std::env::var("XPC_SERVICE_NAME");
    ["INVOCATION_ID", "NOTIFY_SOCKET", "LAUNCH_JOB_LABEL"].into_iter().any(is_set)
        || launchd.is_ok_and(|name| !name.is_empty() && name != "0")
}

async fn serve(args: &RunArgs, state: &State) -> Result<Control, CliError> {
    let root = state.root();
    let port = root.pointer("/gateway/port").and_then(serde_json::Value::as_u64);
    let port = args.port.or_else(|| u16::try_from(port?).ok());
    let token = Path::root().key("gateway").key("auth").key("token");
    let config = ControlConfig {
        state: state.dir().to_owned(),
        port: port.unwrap_or(PORT),
        token: state.config().and_then(|config| config.secret(&token)).map(Token::new),
        program: PROGRAM.to_owned(),
        logs: logs(),
    };
    Control::serve(config).await.map_err(|err| {
        CliError::new(Kind::Config, err.to_string()).caused_by(err).hinted(t!("hint.state"))
    })
}

/// Says who shares a memory with whom.
fn scope(state: &State) -> Cow<'static, str> {
    match rules::route(&state.root()) {
        Ok(route) if route.session.scope == SessionScope::Global => t!("doctor.scope.global"),
        Ok(route) => match route.session.dm_scope {
            DmScope::Main => t!("doctor.scope.main"),
            DmScope::PerPeer => t!("doctor.scope.peer", scope = "per-peer"),
            DmScope::PerChannelPeer => t!("doctor.scope.peer", scope = "per-channel-peer"),
            DmScope::PerAccountChannelPeer => t!("gateway.scope"),
        },
        Err(_) => t!("gateway.scope"),
    }
}

fn greet(state: &State, control: &Control) {
    output::done(t!("gateway.running"));
    output::aside(t!("gateway.listens", address = control.address()));
    output::aside(scope(state));
    if state.weixin().registry().accounts().is_ok_and(|accounts| accounts.is_empty()) {
        output::note(t!("gateway.no_accounts"));
    }
}

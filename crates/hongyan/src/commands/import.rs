//! `hongyan import`
//!
//! configuration → approvals → accounts: what makes an account run comes last.

use gateway::Pairing;
use lockfile::{Lock, LockError};
use weixin::accounts::{Import, TakenAccount, TakenOver, Takeover};

use crate::cli::{ImportCommand, TakeoverArgs};
use crate::composition::State;
use crate::control::{PROGRAM, running};
use crate::error::{CliError, Kind};
use crate::texts::t;

mod people;
mod plan;
mod report;
mod settings;
mod source;

use self::report::{Outcome, Part, Report, Why};
use self::source::Source;

pub(crate) async fn run(command: ImportCommand, state: &State) -> Result<(), CliError> {
    match command {
        ImportCommand::Openclaw(args) => openclaw(&args, state).await,
    }
}

async fn openclaw(args: &TakeoverArgs, state: &State) -> Result<(), CliError> {
    let source = Source::find(args.from.as_deref())?;
    // Held to the end: no gateway starts on what is half taken.
    let _lock = hold(state, args.dry_run)?;
    super::backup::whole(state.dir())?;
    let how = Takeover { overwrites: args.force, is_dry: args.dry_run };
    let mut report = Report::new(&source.dir, args.dry_run);
    if let Some(pid) = source.gateway() {
        report.warn(t!("import.openclaw_runs", pid = pid));
    }
    settings::take(state, &source, how, &mut report)?;
    people::take(state, &source, how, &mut report).await?;
    let folder = source.dir.join(weixin::CHANNEL_ID);
    if folder.is_dir() {
        note(state.accounts()?.take_over(&folder, how).await?, &mut report);
    }
    stays(&source, &mut report);
    report.print(args.json);
    Ok(())
}

/// Keeps gateways away, or refuses beside one. A dry run only looks.
fn hold(state: &State, is_dry: bool) -> Result<Option<Lock>, CliError> {
    let refused = |held: LockError| match held {
        LockError::Held { .. } => running(&held),
        LockError::Unusable { .. } => {
            CliError::new(Kind::Config, held.to_string()).caused_by(held).hinted(t!("hint.state"))
        }
    };
    if is_dry {
        return match lockfile::holder(&state.gateway_lock()) {
            Ok(None) => Ok(None),
            Ok(Some(owner)) => Err(running(&LockError::Held { owner: Some(owner) })),
            Err(held) => Err(running(&held)),
        };
    }
    super::backup::make_private(state.dir())?;
    Lock::take(&state.gateway_lock(), PROGRAM, Some(state.dir())).map(Some).map_err(refused)
}

/// Notes what became of the accounts.
fn note(taken: TakenOver, report: &mut Report) {
    for account in taken.accounts {
        note_account(account, report);
    }
    for account in taken.debugging {
        report.add(Part::Debug, account, Outcome::Taken);
    }
    match taken.quotes {
        Ok(0) => {}
        Ok(n) => report.add(Part::Quotes, n, Outcome::Taken),
        Err(why) => {
            report.add(Part::Quotes, "ref-messages.sqlite", Outcome::Left(Why::Unreadable(why)));
        }
    }
}

fn note_account(taken: TakenAccount, report: &mut Report) {
    let TakenAccount { account, import, cursor, tokens } = taken;
    let outcome = match import {
        Ok(Some(Import::Added { replaced, .. })) => {
            for old in replaced {
                report.warn(t!("login.replaced", account = old));
            }
            Outcome::Taken
        }
        Ok(Some(Import::Known)) => Outcome::Known,
        Ok(Some(Import::Older { newer })) => Outcome::Left(Why::Newer(newer)),
        Ok(None) => Outcome::Left(Why::NoToken),
        Err(err) => Outcome::Left(Why::Unreadable(err.to_string())),
    };
    report.add(Part::Account, &account, outcome);
    if cursor {
        report.add(Part::Cursor, &account, Outcome::Taken);
    }
    if tokens > 0 {
        report.add(Part::Tokens, format!("{account} ({tokens})"), Outcome::Taken);
    }
}

/// Notes what is never taken.
fn stays(source: &Source, report: &mut Report) {
    for (name, why) in [
        ("agents", Why::OwnSessions),
        ("workspace", Why::OwnSessions),
        ("extensions", Why::OwnPlugins),
        ("npm", Why::OwnPlugins),
        (".env", Why::OwnEnvironment),
    ] {
        if source.dir.join(name).exists() {
            report.add(Part::Files, name, Outcome::Left(why));
        }
    }
}

/// Opens the store of approvals; in a dry run only if there is one.
async fn pairing(state: &State, is_dry: bool) -> Result<Option<Pairing>, CliError> {
    if is_dry && !state.gateway().exists() {
        return Ok(None);
    }
    state.pairing().await.map(Some)
}

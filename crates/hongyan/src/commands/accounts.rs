//! `hongyan accounts`

use comfy_table::{ContentArrangement, Table, presets};
use contract::{AccountId, Removed};
use serde::Serialize;
use weixin::accounts::{AccountsError, Import, Imported, KnownAccount};
use weixin::{Accounts, CredentialsError, NameError};

use super::status::state as state_text;
use crate::cli::{AccountsCommand, ListArgs, OneArgs, RemoveArgs, RenameArgs};
use crate::composition::State;
use crate::control::Client;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

mod archive;
pub(super) mod passphrase;

pub(crate) async fn run(command: AccountsCommand, state: &State) -> Result<(), CliError> {
    let accounts = state.accounts()?;
    match command {
        AccountsCommand::List(args) => list(&accounts, &args).await,
        AccountsCommand::Show(args) => show(&accounts, &args).await,
        AccountsCommand::Rename(args) => rename(&accounts, &args).await,
        AccountsCommand::Enable(args) => switch(&accounts, &args, true).await,
        AccountsCommand::Disable(args) => switch(&accounts, &args, false).await,
        AccountsCommand::Remove(args) => remove(state, &args).await,
        AccountsCommand::Export(args) => archive::export(&accounts, &args).await,
        AccountsCommand::Import(args) => archive::import(&accounts, &args).await,
        AccountsCommand::Seal(args) => seal(&accounts, &args, true),
        AccountsCommand::Unseal(args) => seal(&accounts, &args, false),
    }
}

async fn list(accounts: &Accounts, args: &ListArgs) -> Result<(), CliError> {
    let infos = accounts.list().await?;
    if args.json {
        output::json(&infos);
    } else if infos.is_empty() {
        output::note(t!("status.none"));
    } else {
        output::line(table(&infos).to_string());
    }
    Ok(())
}

async fn show(accounts: &Accounts, args: &OneArgs) -> Result<(), CliError> {
    let account = accounts.registry().find(&args.account)?;
    tell(accounts, &account, args.json).await
}

async fn rename(accounts: &Accounts, args: &RenameArgs) -> Result<(), CliError> {
    let registry = accounts.registry();
    let account = registry.find(&args.account)?;
    registry.rename(&account, args.name.as_deref())?;
    tell(accounts, &account, args.json).await
}

pub(super) async fn switch(accounts: &Accounts, args: &OneArgs, on: bool) -> Result<(), CliError> {
    let registry = accounts.registry();
    let account = registry.find(&args.account)?;
    registry.set_disabled(&account, !on)?;
    tell(accounts, &account, args.json).await
}

/// Removes all that is kept of an account, by the gateway if one runs.
pub(super) async fn remove(state: &State, args: &RemoveArgs) -> Result<(), CliError> {
    let account = state.weixin().registry().find(&args.account)?;
    if !is_sure(account.as_str(), args.yes, args.json)? {
        return Ok(());
    }
    let removed = match Client::find(state).await? {
        Some(client) => {
            client
                .delete(&format!("/v1/channels/{}/accounts/{account}", weixin::CHANNEL_ID))
                .await?
        }
        None => {
            let weixin::accounts::Removed { account, announced, rows, files } =
                state.accounts()?.remove(&account).await?;
            Removed { account, announced, rows: rows as u64, files: files as u64 }
        }
    };
    tell_removed(&removed, args.json);
    if !args.json {
        output::note(t!("accounts.removed.phone"));
    }
    Ok(())
}

/// Says what a removal has taken away.
pub(super) fn tell_removed(removed: &Removed, json: bool) {
    if json {
        output::json(removed);
        return;
    }
    let Removed { account, announced, rows, files } = removed;
    output::done(t!("accounts.removed", account = account, rows = rows, files = files));
    if !announced {
        output::aside(t!("accounts.removed.unheard"));
    }
}

/// Asks whether an account is to be removed, unless that has been said.
pub(super) fn is_sure(account: &str, yes: bool, json: bool) -> Result<bool, CliError> {
    if yes {
        return Ok(true);
    }
    if json || !output::can_ask() {
        return Err(CliError::new(Kind::Usage, t!("error.accounts.not_confirmed"))
            .hinted(t!("hint.accounts.yes")));
    }
    let question = t!("accounts.remove.sure", account = account);
    if output::ask(&question).is_some_and(|answer| is_yes(&answer)) {
        return Ok(true);
    }
    output::note(t!("accounts.remove.kept"));
    Ok(false)
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes", "是", "好"].contains(&answer.trim().to_lowercase().as_str())
}

/// What sealing has done.
#[derive(Serialize)]
struct Rewritten {
    sealed: bool,
    files: usize,
}

fn seal(accounts: &Accounts, args: &ListArgs, sealed: bool) -> Result<(), CliError> {
    let registry = accounts.registry();
    if !registry.seals() {
        return Err(
            CliError::new(Kind::Usage, t!("error.accounts.no_key")).hinted(t!("hint.accounts.key"))
        );
    }
    let files = registry.rewrite(sealed)?;
    if args.json {
        output::json(&Rewritten { sealed, files });
    } else if sealed {
        output::done(t!("accounts.sealed", n = files));
    } else {
        output::done(t!("accounts.unsealed", n = files));
    }
    Ok(())
}

/// Shows one account after something was done with it.
async fn tell(accounts: &Accounts, account: &AccountId, json: bool) -> Result<(), CliError> {
    let infos = accounts.list().await?;
    let Some(info) = infos.into_iter().find(|info| info.account == *account) else {
        return Ok(());
    };
    if json {
        output::json(&info);
        return Ok(());
    }
    let user = info.user_id.as_ref().map(ToString::to_string);
    let lines = [
        (t!("accounts.account"), Some(info.account.to_string())),
        (t!("accounts.name"), info.name.clone()),
        (t!("accounts.state"), Some(standing(&info))),
        (t!("accounts.person"), user),
        (t!("accounts.base_url"), info.base_url.as_ref().map(ToString::to_string)),
        (t!("accounts.saved_at"), info.saved_at.clone()),
        (t!("accounts.problem"), info.problem.clone()),
    ];
    for (label, value) in lines {
        if let Some(value) = value {
            output::line(format!("{label}: {value}"));
        }
    }
    Ok(())
}

fn table(infos: &[KnownAccount]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    if let Some(columns) = output::result_columns() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(columns);
    }
    table.set_header([
        t!("accounts.account"),
        t!("accounts.name"),
        t!("accounts.state"),
        t!("accounts.person"),
        t!("accounts.saved_at"),
        t!("accounts.problem"),
    ]);
    for info in infos {
        table.add_row([
            info.account.to_string(),
            info.name.clone().unwrap_or_default(),
            standing(info),
            info.user_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            info.saved_at.clone().unwrap_or_default(),
            info.problem.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn standing(info: &KnownAccount) -> String {
    if info.enabled { state_text(&info.state) } else { t!("accounts.off").into_owned() }
}

/// Says what became of an account of an archive.
fn imported(imported: &Imported) {
    let account = &imported.account;
    match &imported.import {
        Import::Added { replaced, name_taken } => {
            output::done(t!("accounts.imported", account = account));
            for old in replaced {
                output::aside(t!("login.replaced", account = old));
            }
            if *name_taken {
                output::note(t!("login.name_taken", account = account));
            }
        }
        Import::Known => output::note(t!("accounts.imported.known", account = account)),
        Import::Older { newer } => {
            output::note(t!("accounts.imported.older", account = account, newer = newer));
        }
    }
}

impl From<CredentialsError> for CliError {
    fn from(err: CredentialsError) -> Self {
        let (kind, hint) = match &err {
            CredentialsError::Sealed { .. } | CredentialsError::WrongKey { .. } => {
                (Kind::Config, t!("hint.accounts.key"))
            }
            CredentialsError::Damaged { .. } => (Kind::NeedsLogin, t!("hint.login_again")),
            CredentialsError::Busy { .. } => (Kind::Busy, t!("hint.accounts.busy")),
            CredentialsError::Io { .. } => (Kind::Config, t!("hint.accounts.io")),
        };
        Self::new(kind, err.to_string()).caused_by(err).hinted(hint)
    }
}

impl From<NameError> for CliError {
    fn from(err: NameError) -> Self {
        match err {
            NameError::Credentials(err) => err.into(),
            NameError::NotFound { .. } | NameError::Ambiguous { .. } => {
                Self::new(Kind::Usage, err.to_string()).hinted(t!("hint.accounts.list"))
            }
            NameError::Taken { .. } | NameError::Unusable { .. } => {
                Self::new(Kind::Usage, err.to_string()).hinted(t!("hint.account_name"))
            }
        }
    }
}

impl From<AccountsError> for CliError {
    fn from(err: AccountsError) -> Self {
        match err {
            AccountsError::Credentials(err) => err.into(),
            AccountsError::Archive(err) => archive::error(&err),
            AccountsError::StillRunning { .. } | AccountsError::Running => {
                Self::new(Kind::Busy, err.to_string()).hinted(t!("hint.accounts.running"))
            }
            AccountsError::Store(_) | AccountsError::File(_) => {
                Self::new(Kind::Config, err.to_string())
                    .caused_by(err)
                    .hinted(t!("hint.accounts.io"))
            }
        }
    }
}

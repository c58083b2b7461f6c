//! `hongyan channels`

use contract::{AccountId, Channel as _, LoggedOut};
use serde_json::json;
use weixin::accounts::KnownAccount;

use super::{accounts, known_channel, login, logs, status};
use crate::cli::{
    ChannelArgs, ChannelListArgs, ChannelRemoveArgs, ChannelsCommand, OneArgs, RemoveArgs,
};
use crate::composition::State;
use crate::control::Client;
use crate::error::{CliError, Kind};
use crate::output;
use crate::texts::t;

pub(crate) async fn run(
    command: ChannelsCommand,
    found: &State,
    load: impl FnOnce() -> Result<State, CliError>,
) -> Result<(), CliError> {
    match command {
        ChannelsCommand::List(args) => list(&args, &load()?).await,
        ChannelsCommand::Login(args) | ChannelsCommand::Add(args) => {
            login::run(args, &load()?).await
        }
        ChannelsCommand::Logout(args) => logout(args, &load()?).await,
        ChannelsCommand::Remove(args) => remove(args, &load()?).await,
        ChannelsCommand::Status(args) => status::run(&args, found, load).await,
        ChannelsCommand::Logs(args) => logs::of_channel(&args, found).await,
    }
}

async fn list(args: &ChannelListArgs, state: &State) -> Result<(), CliError> {
    let accounts = state.accounts()?.list().await?;
    if args.json {
        let ids: Vec<&AccountId> = accounts.iter().map(|known| &known.account).collect();
        let channel = json!({
            "accounts": ids,
            "label": t!("channels.label"),
            "installed": true,
            "origin": "bundled",
        });
        let chat = if ids.is_empty() && !args.all {
            json!({})
        } else {
            json!({ weixin::CHANNEL_ID: channel })
        };
        output::json(&json!({ "chat": chat }));
        return Ok(());
    }
    output::line(t!("channels.header"));
    for known in &accounts {
        output::line(row(known));
    }
    if accounts.is_empty() {
        output::line(t!("channels.none", channel = weixin::CHANNEL_ID));
    }
    Ok(())
}

fn row(known: &KnownAccount) -> String {
    let enabled = if known.enabled { t!("channels.enabled") } else { t!("accounts.off") };
    let configured =
        if known.problem.is_none() { t!("channels.configured") } else { t!("channels.broken") };
    let name = known.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    t!(
        "channels.row",
        channel = weixin::CHANNEL_ID,
        account = known.account,
        name = name,
        configured = configured,
        enabled = enabled
    )
    .into_owned()
}

/// Switches an account off or, with `--delete`, removes all that is kept of it.
async fn remove(args: ChannelRemoveArgs, state: &State) -> Result<(), CliError> {
    let ChannelRemoveArgs { of, delete, yes } = args;
    known_channel(&of.channel)?;
    let account = named(&of, state)?;
    if delete {
        return accounts::remove(state, &RemoveArgs { account, yes, json: of.json }).await;
    }
    // A gateway that runs sees it in the file.
    accounts::switch(&state.accounts()?, &OneArgs { account, json: of.json }, false).await
}

/// Returns the account that is meant: the one that was named, or the only one.
fn named(of: &ChannelArgs, state: &State) -> Result<String, CliError> {
    if let Some(account) = &of.account {
        return Ok(account.clone());
    }
    let known = state.weixin().registry().accounts()?;
    match known.as_slice() {
        [only] => Ok(only.to_string()),
        _ => {
            Err(CliError::new(Kind::Usage, t!("error.which_account"))
                .hinted(t!("hint.accounts.list")))
        }
    }
}

/// Forgets an account's credential; what was said stays.
async fn logout(args: ChannelArgs, state: &State) -> Result<(), CliError> {
    known_channel(&args.channel)?;
    let account = named(&args, state)?;
    let out: LoggedOut = match Client::find(state).await? {
        Some(client) => {
            let path = format!("/v1/channels/{}/logout", weixin::CHANNEL_ID);
            client.post(&path, &json!({ "account": account })).await?
        }
        None => state.channel()?.logout(&account).await?,
    };
    if args.json {
        output::json(&out);
    } else if out.cleared {
        output::done(t!("channels.logged_out", account = out.account));
    } else {
        output::note(t!("channels.not_logged_in", account = out.account));
    }
    Ok(())
}

//! `hongyan channels`

use contract::{AccountId, Channel as _, LoggedOut};
use serde_json::{Value, json};
use weixin::accounts::KnownAccount;

use super::which::{There, Which, installed, running};
use super::{accounts, login, logs, status};
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
    load: impl Fn() -> Result<State, CliError>,
) -> Result<(), CliError> {
    match command {
        ChannelsCommand::List(args) => list(&args, &load()?).await,
        ChannelsCommand::Login(args) | ChannelsCommand::Add(args) => {
            login::run(args, found, load).await
        }
        ChannelsCommand::Logout(args) => match Which::find(&args.channel, found, &load).await? {
            Which::BuiltIn => logout(args, &load()?).await,
            Which::Plugin(there) => logout_there(&args, &there).await,
        },
        ChannelsCommand::Remove(args) => match Which::find(&args.of.channel, found, &load).await? {
            Which::BuiltIn => remove(args, &load()?).await,
            Which::Plugin(there) => remove_there(&args, &there).await,
        },
        ChannelsCommand::Status(args) => status::run(&args, found, load).await,
        ChannelsCommand::Logs(args) => logs::of_channel(&args, found, load).await,
    }
}

/// A channel of a plugin, and its accounts where they are known.
struct Beside {
    channel: String,
    accounts: Option<Vec<status::Row>>,
}

/// Finds the channels of plugins: by the gateway that runs, or else installed ones.
async fn beside(state: &State) -> Result<Vec<Beside>, CliError> {
    let mut beside: Vec<_> = installed(state, || Ok(state.clone()))
        .into_iter()
        .map(|(channel, _)| Beside { channel, accounts: None })
        .collect();
    let Some(client) = Client::find(state).await? else { return Ok(beside) };
    let running = running(&client).await?;
    let mut there = There { client, channel: String::new() };
    for it in beside.iter_mut().filter(|it| running.contains(&it.channel)) {
        there.channel.clone_from(&it.channel);
        it.accounts = Some(status::of_channel(&there, false).await?);
    }
    Ok(beside)
}

async fn list(args: &ChannelListArgs, state: &State) -> Result<(), CliError> {
    let accounts = state.accounts()?.list().await?;
    let beside = beside(state).await?;
    if args.json {
        let ids: Vec<&AccountId> = accounts.iter().map(|known| &known.account).collect();
        let channel = json!({
            "accounts": ids,
            "label": t!("channels.label"),
            "installed": true,
            "origin": "bundled",
        });
        let mut chat = json!({});
        if !ids.is_empty() || args.all {
            chat[weixin::CHANNEL_ID] = channel;
        }
        for Beside { channel, accounts } in &beside {
            let accounts = accounts.iter().flatten();
            let ids: Vec<&AccountId> = accounts.map(|row| &row.status.account).collect();
            if !ids.is_empty() || args.all {
                let found = json!({ "accounts": ids, "installed": true, "origin": "installed" });
                chat[channel] = found;
            }
        }
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
    beside.iter().for_each(tell_beside);
    Ok(())
}

fn tell_beside(Beside { channel, accounts }: &Beside) {
    match accounts.as_deref() {
        None => output::line(t!("channels.row.asleep", channel = channel)),
        Some([]) => output::line(t!("channels.row.no_account", channel = channel)),
        Some(rows) => {
            for row in rows {
                let (account, state) = (&row.status.account, status::state(&row.status.state));
                let row =
                    t!("channels.row.plugin", channel = channel, account = account, state = state);
                output::line(row);
            }
        }
    }
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
    let account = named(&of, state)?;
    if delete {
        return accounts::remove(state, &RemoveArgs { account, yes, json: of.json }).await;
    }
    // A gateway that runs sees it in the file.
    accounts::switch(&state.accounts()?, &OneArgs { account, json: of.json }, false).await
}

/// The same in the gateway that runs, if the plugin can do it.
async fn remove_there(args: &ChannelRemoveArgs, there: &There) -> Result<(), CliError> {
    let account = named_there(&args.of, there).await?;
    let There { client, channel } = there;
    let path = format!("/v1/channels/{channel}/accounts/{}", part(&account));
    let json = args.of.json;
    if !args.delete {
        let off: Value = client.post(&path, &json!({ "enabled": false })).await?;
        if json {
            output::json(&off);
        } else {
            output::done(t!("channels.switched_off", account = account));
        }
        return Ok(());
    }
    if !accounts::is_sure(&account, args.yes, json)? {
        return Ok(());
    }
    accounts::tell_removed(&client.delete(&path).await?, json);
    Ok(())
}

/// Returns a name as it stands in a path.
fn part(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Returns the account that is meant, as [`named`] does.
async fn named_there(of: &ChannelArgs, there: &There) -> Result<String, CliError> {
    if let Some(account) = &of.account {
        return Ok(account.clone());
    }
    match status::of_channel(there, false).await?.as_slice() {
        [only] => Ok(only.status.account.to_string()),
        _ => Err(CliError::new(Kind::Usage, t!("error.which_account"))
            .hinted(t!("hint.channels.status", channel = there.channel))),
    }
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
    let account = named(&args, state)?;
    let out: LoggedOut = match Client::find(state).await? {
        Some(client) => {
            let path = format!("/v1/channels/{}/logout", weixin::CHANNEL_ID);
            client.post(&path, &json!({ "account": account })).await?
        }
        None => state.channel()?.logout(&account).await?,
    };
    tell_logged_out(&out, args.json);
    Ok(())
}

/// The same in the gateway that runs, if the plugin can do it.
async fn logout_there(args: &ChannelArgs, there: &There) -> Result<(), CliError> {
    let account = named_there(args, there).await?;
    let path = format!("/v1/channels/{}/logout", there.channel);
    let out: LoggedOut = there.client.post(&path, &json!({ "account": account })).await?;
    tell_logged_out(&out, args.json);
    Ok(())
}

fn tell_logged_out(out: &LoggedOut, json: bool) {
    if json {
        output::json(out);
    } else if out.cleared {
        output::done(t!("channels.logged_out", account = out.account));
    } else {
        output::note(t!("channels.not_logged_in", account = out.account));
    }
}

//! The accounts of the channels.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use contract::{
    AccountId, AccountStatus, Channel, ChannelError, ChannelId, LoggedOut, Probe, Removed,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::control::api::Api;
use crate::control::params::{Asked, Given, Part};
use crate::control::schema::{count, flag, list, name, named, object, text};
use crate::control::table::{Operation, Verb, operation};
use crate::control::token::Scope;
use crate::control::{Problem, ProblemKind};

/// How long a channel may ask its backend about its accounts.
const PROBE: Duration = Duration::from_secs(30);

pub(super) fn operations() -> Vec<Operation> {
    vec![
        operation(Verb::Get, "/v1/accounts", "accounts", accounts)
            .summary("Where each account stands; with `probe`, what its backend says now.")
            .query(object([("channel?", name()), ("probe?", flag())]))
            .answers(list(&named("Account"))),
        operation(Verb::Post, "/v1/channels/{channel}/logout", "logout", logout)
            .summary("Forgets an account's credential; what was said stays.")
            .scope(Scope::Admin)
            .body(object([("account", name())]))
            .answers(object([("account", text()), ("cleared", flag()), ("announced", flag())])),
        operation(Verb::Post, "/v1/channels/{channel}/accounts/{account}", "set_enabled", switch)
            .summary("Lets an account run, or keeps it stopped, also after a restart.")
            .scope(Scope::Admin)
            .body(object([("enabled", flag())]))
            .answers(object([("account", text()), ("enabled", flag())])),
        operation(Verb::Delete, "/v1/channels/{channel}/accounts/{account}", "remove", remove)
            .summary("Removes everything that is kept of an account.")
            .scope(Scope::Admin)
            .answers(object([
                ("account", text()),
                ("announced", flag()),
                ("rows", count()),
                ("files", count()),
            ])),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    channel: Option<String>,
    #[serde(default)]
    probe: bool,
}

/// One account.
#[derive(Serialize)]
struct Account {
    channel: ChannelId,
    #[serde(flatten)]
    status: AccountStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<Probe>,
}

async fn accounts(
    State(api): State<Api>,
    Asked(which): Asked<Which>,
) -> Result<Json<Vec<Account>>, Problem> {
    let mut accounts = Vec::new();
    for channel in api.channels(which.channel.as_deref())? {
        let statuses = channel.status().await?;
        let mut probes = if which.probe { probes(&*channel).await? } else { HashMap::new() };
        accounts.extend(statuses.into_iter().map(|status| {
            let probe = probes.remove(&status.account);
            Account { channel: channel.id(), status, probe }
        }));
    }
    Ok(Json(accounts))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    account: String,
}

async fn logout(
    State(api): State<Api>,
    Part(channel): Part<String>,
    Given(it): Given<Named>,
) -> Result<Json<LoggedOut>, Problem> {
    Ok(Json(api.channel(&channel)?.logout(&it.account).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    enabled: bool,
}

async fn switch(
    State(api): State<Api>,
    Part((channel, account)): Part<(String, String)>,
    Given(it): Given<Switch>,
) -> Result<Json<Value>, Problem> {
    let account = api.channel(&channel)?.set_enabled(&account, it.enabled).await?;
    Ok(Json(json!({ "account": account, "enabled": it.enabled })))
}

async fn remove(
    State(api): State<Api>,
    Part((channel, account)): Part<(String, String)>,
) -> Result<Json<Removed>, Problem> {
    Ok(Json(api.channel(&channel)?.remove(&account).await?))
}

async fn probes(channel: &dyn Channel) -> Result<HashMap<AccountId, Probe>, Problem> {
    let Ok(probes) = tokio::time::timeout(PROBE, channel.probe()).await else {
        let message = format!("the channel {} has not answered", channel.id());
        let hint = "ask without `probe`";
        return Err(Problem::new(ProblemKind::Unavailable, "probe_timed_out", message, hint));
    };
    let probes = match probes {
        // It has no backend to ask, or does not tell.
        Err(ChannelError::Unsupported(_)) => Vec::new(),
        probes => probes?,
    };
    Ok(probes.into_iter().map(|probe| (probe.account.clone(), probe)).collect())
}
